"""The Arena in a real browser, over real models: a whole round by keyboard and by pointing."""

from __future__ import annotations

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlmodel import col, select

from anomalyos.arena import repository as arena
from anomalyos.arena.tables import ArenaCall, ArenaMaterial, ArenaRound
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import decode_mask
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import Running, sign_in

pytestmark = [pytest.mark.browser, needs_browser]

STATE = "return document.querySelector('.aos-arena-play')?.dataset.state"


def waiting_call(running: Running, token: str) -> tuple[ArenaCall, ArenaMaterial]:
    """The picture on show in a round, with what the browser must not know."""
    with running.store.session(read_only=True) as session:
        row = session.exec(select(ArenaRound).where(ArenaRound.token == token)).one()
        calls = arena.calls(session, stored_id(row.id))
        call = next(item for item in calls if item.answered_at is None)
        assert call.shown_at is not None
        return call, arena.material_of(session, call)


def ended_round(running: Running, token: str) -> ArenaRound:
    with running.store.session(read_only=True) as session:
        return session.exec(select(ArenaRound).where(ArenaRound.token == token)).one()


def defect_at(running: Running, material: ArenaMaterial) -> tuple[float, float]:
    """A point inside the mask, or the region a reviewer agreed with, in shares of the picture."""
    if not material.truth_path:
        box = material.truth_boxes[0]
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mask = decode_mask(running.store.objects.absolute(material.truth_path), running.settings)
    rows, cols = np.nonzero(mask)
    return (float(cols.mean()) + 0.5) / mask.shape[1], (float(rows.mean()) + 0.5) / mask.shape[0]


def point_at(browser: Browser, x: float, y: float) -> None:
    photo = browser.find(".aos-arena-photo")
    offset = (round((x - 0.5) * photo.size["width"]), round((y - 0.5) * photo.size["height"]))
    ActionChains(browser.driver).move_to_element_with_offset(photo, *offset).click().perform()


def walk_to(browser: Browser, x: float, y: float) -> None:
    """Arrow keys: the first shows the mark in the middle, each further one moves it by a fiftieth."""
    browser.press(Keys.ARROW_UP)
    for share, back, forth in ((x, Keys.ARROW_LEFT, Keys.ARROW_RIGHT), (y, Keys.ARROW_UP, Keys.ARROW_DOWN)):
        steps = round((share - 0.5) / 0.02)
        if steps:
            browser.press((forth if steps > 0 else back) * abs(steps))


def answer(browser: Browser, running: Running, token: str, place: int) -> ArenaMaterial:
    """The right answer, each time given in another of the ways there are."""
    call, material = waiting_call(running, token)
    if not call.defective:
        if place % 2:
            browser.press("n")
        else:
            browser.find("[data-arena=normal]").click()
        return material
    x, y = defect_at(running, material)
    if place % 3 == 0:
        walk_to(browser, x, y)
        browser.press("d")
    elif place % 3 == 1:
        point_at(browser, x, y)
        browser.find("[data-arena=defect]").click()
    else:
        browser.press("d")
        browser.wait(lambda: "click where it is" in browser.find("[data-arena=hint]").text)
        point_at(browser, x, y)
    return material


def test_a_viewer_plays_a_whole_round_and_the_challenge_once(running: Running, browser: Browser) -> None:
    sign_in(browser, "victor")
    browser.open("/arena")
    browser.loaded()
    browser.picture("arena-lobby")
    browser.script(
        "[...document.querySelectorAll('button')].find(e => e.textContent.trim() === 'Play').click()"
    )
    browser.wait(lambda: "/arena/round/" in browser.driver.current_url)
    token = browser.driver.current_url.rpartition("/")[2]
    browser.loaded()
    browser.wait(lambda: browser.script("return document.activeElement.dataset.arena") == "next")
    browser.press(Keys.ENTER)
    for place in range(10):
        browser.wait(lambda: browser.script(STATE) == "question")
        browser.see(f"Picture {place + 1} of 10")
        browser.wait(lambda: browser.natural_width(".aos-arena-photo .photo") == 96)
        assert "heat/" not in browser.driver.page_source
        material = answer(browser, running, token, place)
        browser.wait(lambda: browser.script(STATE) == "reveal")
        browser.see("Right")
        browser.see("your mark is on it" if material.defective else "It is a normal part.")
        browser.drawn(".aos-arena-photo .heat")
        if material.defective:
            browser.drawn(".aos-arena-truth")
        assert (browser.natural_width(".aos-arena-truth") > 0) == material.defective
        if place == 0:
            browser.picture("arena-reveal")
        browser.press(Keys.SPACE if place % 2 else Keys.ENTER)
    browser.see("10/10")
    browser.loaded()
    browser.picture("arena-summary")
    row = ended_round(running, token)
    assert (row.right, row.best_streak) == (10, 10)
    assert row.points > 10 * 100
    assert browser.foreign_requests() == []
    assert browser.errors() == []
    _play_the_challenge(running, browser)


def _play_the_challenge(running: Running, browser: Browser) -> None:
    browser.open("/arena")
    browser.see("People against the AI")
    browser.loaded()
    browser.script(
        "[...document.querySelectorAll('button')].find(e => e.textContent.includes('Play today')).click()"
    )
    browser.wait(lambda: "/arena/round/" in browser.driver.current_url)
    token = browser.driver.current_url.rpartition("/")[2]
    browser.loaded()
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.script(STATE) == "question")
    browser.driver.refresh()
    browser.see("Picture 1 of 10")
    browser.open("/arena")
    browser.see("You have a round going")
    browser.loaded()
    browser.script(
        "[...document.querySelectorAll('button')].find(e => e.textContent.trim() === 'End it').click()"
    )
    browser.see("There is a new one tomorrow.")
    assert "Play today" not in browser.find("main").text
    with running.store.session(read_only=True) as session:
        mine = select(ArenaRound).where(col(ArenaRound.day).is_not(None))
        rows = session.exec(mine.where(ArenaRound.user_id == ended_round(running, token).user_id)).all()
    assert [row.token for row in rows] == [token]
    assert browser.foreign_requests() == []
    assert browser.errors() == []
