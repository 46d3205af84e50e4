"""Analytics in a real browser: ranges by keyboard, deep links, charts that are really drawn, files."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import SEEDED_DAY, Running, sign_in

pytestmark = [pytest.mark.browser, needs_browser]
PAGE = f"/analytics?from={SEEDED_DAY}&to={SEEDED_DAY}"
# lines and areas of each chart that have a length, by the chart's label
DRAWN = """
return Object.fromEntries([...document.querySelectorAll('.aos-an-chart')].map((chart) => [
  chart.getAttribute('aria-label'),
  [...chart.querySelectorAll('svg path')].filter((path) => path.getTotalLength() > 5).length,
]));
"""


def test_an_engineer_looks_at_a_night_product_by_product(running: Running, browser: Browser) -> None:
    sign_in(browser, "erik")
    browser.open(PAGE)
    browser.see("1 day to Tue 10 Nov 2026, all products, nights.")
    _charts_are_drawn(browser)
    figures = browser.words(".aos-an-figures").replace("\u00a0", " ")
    assert "15" in figures  # ten flawed parts, four good ones, one file that cannot be read
    assert "1 could not be read" in figures
    assert "promised at most" in figures
    browser.picture("analytics")

    _tab_to(browser, "7 days").send_keys(Keys.ENTER)
    browser.wait(lambda: "days=7" in browser.driver.current_url)
    browser.wait(lambda: browser.find(".aos-an-filters [aria-current=page]").text == "7 days")
    browser.driver.back()
    browser.see("1 day to Tue 10 Nov 2026")
    browser.loaded()

    _tab_to(browser, name="category").send_keys("Dots")
    _tab_to(browser, "Show").send_keys(Keys.ENTER)
    browser.see("1 day to Tue 10 Nov 2026, Dots, nights.")
    address = browser.driver.current_url
    for part in (f"from={SEEDED_DAY}", f"to={SEEDED_DAY}", "category=dots"):
        assert part in address
    browser.loaded()
    readings = [element.text for element in browser.driver.find_elements(By.CSS_SELECTOR, ".aos-an-reading")]
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(address)
    browser.see("1 day to Tue 10 Nov 2026, Dots, nights.")
    assert [e.text for e in browser.driver.find_elements(By.CSS_SELECTOR, ".aos-an-reading")] == readings
    _charts_are_drawn(browser)
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def test_tables_open_and_leave_as_files_in_both_themes(running: Running, browser: Browser) -> None:
    sign_in(browser, "victor")
    browser.open(PAGE)
    browser.loaded()
    for theme in ("dark", "light"):
        browser.theme(theme)
        for width, height in ((1280, 800), (1024, 768)):
            browser.resize(width, height)
            assert browser.script("return document.documentElement.scrollWidth > innerWidth") is False
            browser.picture(f"analytics-{width}-{theme}")
    link = browser.find("a[aria-label='CSV of Defect types']")
    text = browser.script(
        "return fetch(arguments[0]).then((answer) => answer.text())", link.get_attribute("href")
    )
    assert isinstance(text, str)
    assert text.splitlines()[0].endswith("defect type,confirmed,cumulative share")
    assert text.splitlines()[1].startswith("stain,")
    details = browser.find("[aria-label='Defect types'] summary")
    browser.script("arguments[0].scrollIntoView({block: 'center'})", details)
    details.send_keys(Keys.ENTER)
    browser.wait(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "[aria-label='Defect types'] td"))
    cells = [
        cell.text for cell in browser.driver.find_elements(By.CSS_SELECTOR, "[aria-label='Defect types'] td")
    ]
    assert cells[0] == "stain"
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def _charts_are_drawn(browser: Browser) -> None:
    browser.loaded()

    def all_drawn() -> bool:
        drawn = browser.script(DRAWN)
        return isinstance(drawn, dict) and len(drawn) >= 4 and all(count > 3 for count in drawn.values())

    browser.wait(all_drawn)
    labels = browser.script(DRAWN)
    assert isinstance(labels, dict)
    assert any(label.startswith("False alarms per day. ") for label in labels)


def _tab_to(browser: Browser, text: str = "", *, name: str = "") -> WebElement:
    """Press Tab until the focus is where the keyboard should get to."""
    for _ in range(60):
        browser.press(Keys.TAB)
        focused = browser.driver.switch_to.active_element
        if (text and focused.text.strip() == text) or (name and focused.get_attribute("name") == name):
            return focused
    raise AssertionError(f"the keyboard does not reach {text or name}")
