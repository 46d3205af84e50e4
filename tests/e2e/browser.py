"""A headless Chromium for the tests that need a real one."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
PATIENCE = 120
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
# Chromium leaves lazy pictures beyond the edge of the window alone until they come near
THERE = """
i => {
  const box = i.getBoundingClientRect();
  const seen = box.width && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  return i.complete || (i.loading === 'lazy' && !seen);
}
"""

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs Chromium and its driver: apt-get install chromium chromium-driver",
)


class Browser:
    """What a person does with a browser, in the words of the tests."""

    def __init__(self, profile: Path, base: str, flags: tuple[str, ...] = ()) -> None:
        """``flags`` are further ones of Chromium's own."""
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.base = base
        self.resize(1280, 800)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)

    def wait(self, condition: Callable[[], object]) -> None:
        # an element that is looked at while its page is being replaced is no failure: look again
        patient = WebDriverWait(
            self.driver,
            PATIENCE,
            poll_frequency=0.1,
            ignored_exceptions=[NoSuchElementException, StaleElementReferenceException],
        )
        patient.until(lambda _: condition())

    def see(self, text: str) -> None:
        self.wait(lambda: text in self.driver.find_element(By.TAG_NAME, "body").text)

    def find(self, css: str) -> WebElement:
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, css))
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def words(self, css: str) -> str:
        """What an element says, once it says something: a dialog that is opening has no text yet."""
        said = ""

        def says() -> str:
            nonlocal said
            said = self.driver.find_element(By.CSS_SELECTOR, css).text
            return said

        self.wait(says)
        return said

    def press(self, keys: str) -> None:
        """Keys for whatever has the focus, which may be a dialog on its way out."""
        ActionChains(self.driver).send_keys(keys).perform()

    def fill(self, css: str, text: str) -> None:
        """Type into a field once it can be typed into: the dialog it stands in may still be opening."""
        self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, css).is_displayed())
        self.driver.find_element(By.CSS_SELECTOR, css).send_keys(text)

    def script(self, code: str, *args: object) -> object:
        return self.driver.execute_script(code, *args)

    def loaded(self) -> None:
        """Wait until the socket is up and every picture in sight is there."""
        self.wait(lambda: self.script("return !!(window.socket?.connected && window.did_handshake)"))
        self.wait(lambda: self.script(f"return [...document.images].every({THERE})"))

    def settled(self, seconds: float = 0.6) -> None:
        """Wait until what the page says has not changed for a while: parts of it arrive after the page."""
        before, since = "", time.monotonic()

        def still() -> bool:
            nonlocal before, since
            now = str(self.script("return document.body.innerText"))
            if now != before:
                before, since = now, time.monotonic()
            return time.monotonic() - since > seconds

        self.wait(still)

    def drawn(self, css: str) -> None:
        """Wait until the first of these pictures has pixels."""
        self.wait(lambda: self.natural_width(css) > 0)

    def natural_width(self, css: str) -> int:
        width = self.script("return document.querySelector(arguments[0])?.naturalWidth ?? 0", css)
        assert isinstance(width, int)
        return width

    def foreign_requests(self) -> object:
        return self.script(
            "return performance.getEntriesByType('resource').map(e => e.name)"
            ".filter(n => !n.startsWith(location.origin) && !n.startsWith('blob:') && !n.startsWith('data:'))"
        )

    def theme(self, name: str) -> None:
        if self.script("return document.documentElement.dataset.theme") != name:
            self.find("[data-act=theme]")
            self.script(
                "[...document.querySelectorAll('[data-act=theme]')].find(e => e.offsetParent).click()"
            )

    def picture(self, name: str) -> None:
        """Keep a screenshot where ANOMALYOS_SCREENSHOTS says; without it, nowhere."""
        folder = os.environ.get("ANOMALYOS_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            time.sleep(0.4)
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))

    def errors(self) -> list[str]:
        """What the page complained about in its console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
