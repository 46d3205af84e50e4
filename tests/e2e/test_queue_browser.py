"""A night decided by keyboard alone, and two people on one queue, in a real Chromium."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anomalyos.inspection import inspections, leases, reviews
from anomalyos.inspection.lease_tables import QueueLease
from anomalyos.inspection.tables import Review
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import Running, flagged, new_night, sign_in

pytestmark = [pytest.mark.browser, needs_browser]
ESCAPE, ENTER, DOWN = "\ue00c", "\ue007", "\ue015"


def photo_of(browser: Browser, inspection_id: int) -> None:
    browser.find(f".aos-photo img[src='/media/image/{inspection_id}']")
    browser.loaded()


def newest(running: Running, inspection_id: int) -> Review:
    with running.store.session(read_only=True) as session:
        return reviews.history(session, inspection_id)[-1]


def holders(running: Running, ids: list[int]) -> dict[int, str]:
    with running.store.session(read_only=True) as session:
        rows = session.query(QueueLease).all()
    return {row.inspection_id: row.holder for row in rows if row.inspection_id in ids}


def test_a_night_is_decided_by_keyboard_with_types_notes_and_filters(
    running: Running, browser: Browser
) -> None:
    night = new_night(running, "2026-11-12", flawed=2, good=1)
    order = flagged(running, night)
    assert len(order) == 4
    sign_in(browser, "mia")
    browser.open(f"/?batch={night}")
    photo_of(browser, order[0])

    # T and the first letter pick the type, Enter decides
    browser.press("t")
    browser.find(".aos-picker.open")
    browser.press("d")
    letter = browser.script("return document.activeElement.dataset.letter")
    browser.press(ESCAPE)
    browser.wait(lambda: not browser.script("return document.querySelector('.aos-picker.open')"))
    with running.store.session(read_only=True) as session:
        assert inspections.get(session, order[0]).decision is None
    names = browser.script(
        "return [...document.querySelectorAll('.aos-picker-choice')].map(e => e.textContent)"
    )
    assert isinstance(names, list)
    assert names[0] == "No type"
    known = names[1]
    assert letter in {"", "d"}
    browser.press("t")
    browser.find(".aos-picker.open")
    browser.press(known[0])
    browser.press(ENTER)
    photo_of(browser, order[1])
    assert newest(running, order[0]).decision == "defect"
    assert newest(running, order[0]).defect_type.replace("_", " ") == known

    # N writes a note, Esc leaves it, F decides
    browser.press("n")
    browser.press("dust, not a scratch")
    browser.press(ESCAPE)
    browser.press("f")
    photo_of(browser, order[2])
    review = newest(running, order[1])
    assert (review.decision, review.note, review.reviewer) == ("false_alarm", "dust, not a scratch", "mia")

    # Z takes it back, D decides it plainly
    browser.press("z")
    photo_of(browser, order[1])
    with running.store.session(read_only=True) as session:
        assert inspections.get(session, order[1]).decision is None
    browser.press("d")
    photo_of(browser, order[2])
    assert newest(running, order[1]).defect_type == ""

    # L filters with the arrow keys, and the address says so
    browser.press("l")
    browser.wait(lambda: browser.script("return document.activeElement.tagName") == "SELECT")
    browser.press(DOWN)
    browser.wait(lambda: "category=" in browser.driver.current_url)
    browser.press(ESCAPE)
    link = browser.driver.current_url.removeprefix(browser.base)
    product = browser.script("return document.querySelector('.aos-filter select').value")
    assert f"category={product}" in link
    browser.open(link)
    browser.loaded()
    assert browser.script("return document.querySelector('.aos-filter select').value") == product
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def test_an_item_opened_by_one_is_not_decided_by_another(
    running: Running, browser: Browser, tmp_path: Path
) -> None:
    night = new_night(running, "2026-11-13", products=["dots"], flawed=2, good=0)
    first, second = flagged(running, night)
    sign_in(browser, "mia")
    browser.open(f"/?batch={night}")
    photo_of(browser, first)
    other = Browser(tmp_path / "second", running.base)
    try:
        sign_in(other, "erik")
        other.open(f"/?batch={night}")
        photo_of(other, second)
        other.wait(lambda: holders(running, [first, second]) == {first: "mia", second: "erik"})
        other.see("mia is looking at this")
        other.press("k")
        photo_of(other, first)
        other.find(".aos-decisions .aos-notice")
        other.press("d")
        other.see("mia is looking at this.")
        with running.store.session(read_only=True) as session:
            assert inspections.get(session, first).decision is None
        # mia goes elsewhere: the item is free again, and erik's page finds out by itself
        browser.open("/nights")
        other.wait(lambda: not other.script("return document.querySelector('.aos-decisions .aos-notice')"))
        other.wait(lambda: holders(running, [first, second]) == {first: "erik"})
        other.press("d")
        photo_of(other, second)
        assert newest(running, first).reviewer == "erik"
        assert other.errors() == []
    finally:
        other.driver.quit()
    browser.wait(lambda: holders(running, [first, second]) == {})
    with running.store.session(read_only=True) as session:
        assert leases.held_by_others(session, [first, second], "") == {}


def test_looking_tools_of_the_queue_act_without_the_server(running: Running, browser: Browser) -> None:
    night = new_night(running, "2026-11-14", products=["dots"], flawed=1, good=0)
    sign_in(browser, "victor")
    browser.open(f"/?batch={night}")
    photo_of(browser, flagged(running, night)[0])
    browser.press("r")
    without = _pixels(browser, heat=False)
    shares = []
    for level in (50, 100, 195):
        browser.script(
            "const s = document.querySelector('.aos-level'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input', {bubbles: true}))",
            level,
        )
        shares.append(float((np.abs(_pixels(browser, heat=True) - without).max(axis=-1) > 12).mean()))
    assert shares[0] > shares[1] > 0
    assert shares[1] >= shares[2]

    browser.press("s")
    browser.wait(lambda: browser.script(_WIDTH, ".aos-pane.bare .photo"))
    browser.press("+")
    moved = browser.script("return [...document.querySelectorAll('.aos-photo')].map(e => e.style.transform)")
    assert isinstance(moved, list)
    assert len(set(moved)) == 1
    assert "scale" in moved[0]
    for width, height in ((1280, 800), (1024, 768)):
        browser.resize(width, height)
        assert browser.script("return document.documentElement.scrollWidth > innerWidth") is False
        assert browser.script(_BOTTOM) is True
    assert browser.errors() == []


_BOTTOM = "return document.querySelector('.aos-decide').getBoundingClientRect().bottom <= innerHeight"
_WIDTH = "return document.querySelector(arguments[0])?.getBoundingClientRect().width ?? 0"


def _pixels(browser: Browser, *, heat: bool) -> np.ndarray:
    """The photo as it is on screen, (H, W, 3) int16, with the heat map or without."""
    browser.script("document.documentElement.dataset.heat = arguments[0]", "" if heat else "off")
    browser.driver.execute_async_script(
        "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => done()), 250)"
    )
    picture = Image.open(io.BytesIO(browser.find(".aos-pane:not(.bare)").screenshot_as_png)).convert("RGB")
    return np.asarray(picture, dtype=np.int16)
