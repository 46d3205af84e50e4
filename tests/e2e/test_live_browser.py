"""Live inspection and the threshold's what-if in a real browser, with Chromium's own test camera."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from anomalyos.inspection.list_newest import list_newest, live_batch_of
from anomalyos.inspection.tables import Inspection
from console.services.today import today
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import SEEDED_NIGHT, Running, flagged, sign_in
from tests.support.products import picture

pytestmark = [pytest.mark.browser, needs_browser]
CAMERAS = ("--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream")
NO_CAMERA = ("--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream")


@pytest.fixture
def with_cameras(running: Running, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile", running.base, CAMERAS)
    try:
        yield browser
    finally:
        browser.driver.quit()


@pytest.fixture
def without_camera(running: Running, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile", running.base, NO_CAMERA)
    try:
        yield browser
    finally:
        browser.driver.quit()


def open_live(browser: Browser) -> None:
    browser.open("/live")
    browser.find("[data-cam-open]")
    browser.wait(lambda: browser.script("return !!(window.socket?.connected && window.did_handshake)"))


def todays(running: Running) -> list[Inspection]:
    with running.store.session(read_only=True) as session:
        batch = live_batch_of(session, today())
        return list_newest(session, batch.id or 0, limit=100) if batch else []


def names(browser: Browser) -> list[str]:
    found = browser.driver.find_elements(By.CSS_SELECTOR, ".aos-live .aos-items .aos-item-name")
    return [element.text for element in found]


def paste(browser: Browser, name: str, data: bytes) -> None:
    browser.script(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
        const board = new DataTransfer();
        board.items.add(new File([bytes], arguments[1], {type: 'image/png'}));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: board, bubbles: true}));
        """,
        base64.b64encode(data).decode(),
        name,
    )


def test_photos_come_in_every_way_and_are_there_after_a_reload(
    running: Running, with_cameras: Browser, tmp_path: Path
) -> None:
    browser = with_cameras
    before = len(todays(running))
    files = {f"several {n}.png": picture("dots", 900 + n, flawed=n == 0) for n in range(3)}
    files["several torn.png"] = picture("dots", 905)[:200]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    sign_in(browser, "mia")
    open_live(browser)
    browser.find(".aos-uploader input[type=file]").send_keys(
        "\n".join(str(tmp_path / name) for name in files)
    )
    browser.see("All done: 4 photos inspected")
    browser.see("1 rejected")
    browser.see("incomplete or damaged")
    browser.picture("live-summary")
    paste(browser, "pasted.png", picture("stripes", 906, flawed=True))
    browser.see("All done: 1 photo inspected")
    browser.wait(lambda: "pasted.png" in names(browser))
    _take_two_pictures(browser)
    browser.wait(lambda: len(todays(running)) == before + 7)
    shot = [row.source for row in todays(running)][:2]
    assert all(source.startswith("upload:camera ") for source in shot)
    open_live(browser)
    browser.wait(lambda: len(names(browser)) >= min(24, before + 7))
    expected = [row.source.removeprefix("upload:") for row in todays(running)][:24]
    assert names(browser) == expected
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def _take_two_pictures(browser: Browser) -> None:
    browser.find("[data-cam-open]").click()
    browser.find("dialog.aos-camera.ready")
    playing = (
        "const v = document.querySelector('[data-cam=video]'); return v.videoWidth > 0 && v.currentTime > 0"
    )
    browser.wait(lambda: browser.script(playing))
    assert browser.script("return document.querySelectorAll('[data-cam=cameras] option').length") == 2
    browser.picture("live-camera")
    browser.press(Keys.SPACE)
    browser.see("Picture 1 is being inspected")
    other = "const s = document.querySelector('[data-cam=cameras]'); s.selectedIndex = 1 - s.selectedIndex;"
    browser.script(other + "s.dispatchEvent(new Event('change', {bubbles: true}))")
    browser.wait(lambda: browser.script("return !document.querySelector('.aos-camera.ready')") is False)
    browser.wait(lambda: browser.script(playing))
    browser.find("[data-cam=take]").click()
    browser.see("Picture 2 is being inspected")
    browser.press(Keys.ESCAPE)
    off = (
        "const d = document.querySelector('dialog.aos-camera');"
        "return !d.open && !d.querySelector('video').srcObject"
    )
    browser.wait(lambda: browser.script(off))


def test_without_a_camera_the_dialog_says_what_to_do(without_camera: Browser) -> None:
    browser = without_camera
    sign_in(browser, "mia")
    open_live(browser)
    browser.find("[data-cam-open]").click()
    browser.see("No camera was found. Connect one, then try again.")
    assert browser.script("return document.querySelector('[data-cam=take]').disabled") is True
    browser.script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }"
    )
    browser.find("[data-cam=retry]").click()
    browser.see("The browser may not use the camera. Allow it beside the address, then try again.")
    browser.find("[data-cam=close]").click()
    browser.wait(lambda: browser.script("return !document.querySelector('dialog.aos-camera').open"))
    assert browser.errors() == []


def test_the_threshold_is_moved_and_the_words_follow(running: Running, browser: Browser) -> None:
    with running.store.session(read_only=True) as session:
        item = session.get(Inspection, flagged(running, SEEDED_NIGHT, "stripes")[-1])
    assert item is not None
    sign_in(browser, "victor")
    browser.open(f"/inspection/{item.id}")
    browser.find(".aos-whatif summary").click()
    browser.see("As it is now: ")
    slider = browser.find(".aos-range")
    before = browser.words("[data-what-if=promise]")
    browser.script("document.querySelector('.aos-whatif').scrollIntoView()")
    for _ in range(30):
        slider.send_keys(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.find("[data-what-if=promise]").text == "20 %")
    assert before != "20 %"
    browser.see("Only a trial: nothing is changed here.")
    assert browser.script("return document.querySelector('.aos-range').value") == slider.get_property("max")
    browser.picture("what-if")
    with running.store.session(read_only=True) as session:
        now = session.get(Inspection, item.id)
        assert now is not None
        assert (now.verdict, now.threshold, now.alpha) == (item.verdict, item.threshold, item.alpha)
    assert browser.foreign_requests() == []
    assert browser.errors() == []
