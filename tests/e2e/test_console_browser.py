"""The real console in a real browser, over real models of two small products."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from anomalyos.inspection import inspections, reviews
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import Running, flagged, new_night, sign_in
from tests.support.products import picture

pytestmark = [pytest.mark.browser, needs_browser]


def test_a_reviewer_drops_an_image_and_sees_why(running: Running, browser: Browser, tmp_path: Path) -> None:
    photo = tmp_path / "fresh <b>.png"
    photo.write_bytes(picture("dots", 4711, flawed=True))
    sign_in(browser, "mia")
    browser.open("/live")
    browser.loaded()
    browser.find(".aos-uploader input[type=file]").send_keys(str(photo))
    browser.see("Flagged")
    browser.see("fresh <b>.png")
    browser.loaded()
    browser.drawn(".aos-photo .photo")
    assert browser.natural_width(".aos-photo .photo") == 96
    browser.drawn(".aos-photo .heat")
    assert _opaque_share(browser) > 0
    assert browser.script("return document.querySelectorAll('.aos-photo rect').length") != 0
    browser.picture("live-result")
    assert browser.foreign_requests() == []
    assert browser.errors() == []
    _paste(browser, picture("stripes", 4712, flawed=True))
    browser.see("pasted.png")
    browser.see("Flagged · Stripes")
    with running.store.session(read_only=True) as session:
        rows = inspections.queue(session, batch_key=_live_key(running), limit=5)
    assert {row.source for row in rows} == {"upload:fresh <b>.png", "upload:pasted.png"}


def _paste(browser: Browser, data: bytes) -> None:
    browser.script(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
        const board = new DataTransfer();
        board.items.add(new File([bytes], 'pasted.png', {type: 'image/png'}));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: board, bubbles: true}));
        """,
        base64.b64encode(data).decode(),
    )


def _opaque_share(browser: Browser) -> float:
    """Share of the heat map's pixels that are not transparent."""
    share = browser.script(
        """
        const image = document.querySelector('.aos-photo .heat');
        const canvas = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0, 64, 64);
        const data = context.getImageData(0, 0, 64, 64).data;
        let opaque = 0;
        for (let i = 3; i < data.length; i += 4) opaque += data[i] > 40;
        return opaque / 4096;
        """
    )
    assert isinstance(share, int | float)
    return float(share)


def _live_key(running: Running) -> str:
    from anomalyos.inspection.inspector import live_batch

    return live_batch(running.store)


def test_the_night_is_decided_by_keyboard_alone(running: Running, browser: Browser) -> None:
    night = new_night(running, "2026-11-24", torn=1)
    order = flagged(running, night)
    assert len(order) == 6
    sign_in(browser, "mia")
    browser.open(f"/?batch={night}")
    browser.find(f".aos-photo img[src='/media/image/{order[0]}']")
    for place, (key, word) in enumerate((("d", "Defect"), ("f", "False alarm"), ("u", "Unsure")), start=1):
        browser.loaded()
        browser.press(key)
        browser.find(f".aos-photo img[src='/media/image/{order[place]}']")
        browser.see(f"{word}: ")
    browser.picture("queue-toast")
    browser.press("z")
    browser.find(f".aos-photo img[src='/media/image/{order[2]}']")
    browser.see("Taken back")
    browser.loaded()
    browser.press("j")
    browser.find(f".aos-photo img[src='/media/image/{order[3]}']")
    with running.store.session(read_only=True) as session:
        kept = [inspections.get(session, item) for item in order]
        undone = [review.kind for review in reviews.history(session, order[2])]
    assert [row.decision for row in kept] == ["defect", "false_alarm", None, None, None, None]
    assert undone == ["decide", "undo"]
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def test_looking_tools_act_at_once_and_typing_decides_nothing(running: Running, browser: Browser) -> None:
    night = new_night(running, "2026-11-23")
    sign_in(browser, "mia")
    browser.open(f"/?batch={night}")
    browser.find(".aos-photo .heat")
    browser.loaded()
    opacity = "return Number(getComputedStyle(document.querySelector('.aos-photo .heat')).opacity)"
    browser.wait(lambda: browser.script(opacity) == pytest.approx(0.6))
    browser.press("h")
    browser.wait(lambda: browser.script(opacity) == 0)
    browser.press("h")
    browser.script(
        "const s = document.querySelector('.aos-slider'); s.value = 90;"
        "s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    browser.wait(lambda: browser.script(opacity) == pytest.approx(0.9))
    browser.press("r")
    shown = "return getComputedStyle(document.querySelector('.aos-photo .overlay')).display"
    assert browser.script(shown) == "none"
    browser.press("r")
    with running.store.session(read_only=True) as session:
        before = inspections.queue_count(session, batch_key=night)
    browser.find("[aria-label=Note]").click()
    browser.press("dfuz jk?")
    assert "open" not in (browser.find(".aos-help").get_attribute("class") or "")
    browser.press("\ue00c")
    browser.press("?")
    browser.wait(lambda: "open" in (browser.find(".aos-help").get_attribute("class") or ""))
    browser.press("d")
    browser.press("\ue00c")
    with running.store.session(read_only=True) as session:
        assert inspections.queue_count(session, batch_key=night) == before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_draws_in_both_themes(browser: Browser, theme: str) -> None:
    browser.open("/login")
    browser.find("#login-name")
    browser.script("localStorage.setItem('aos-theme', arguments[0])", theme)
    browser.driver.refresh()
    browser.find("#login-name")
    assert browser.script("return document.documentElement.dataset.theme") == theme
    browser.picture(f"login-{theme}")
    sign_in(browser, "victor")
    pages = {
        "queue": "/",
        "rejected": "/rejected",
        "checks": "/checks",
        "checks-training": "/checks/learning",
        "live": "/live",
        "inspection": "/inspection/1",
        "nights": "/nights",
        "forensics": "/forensics",
        "analytics": "/analytics",
        "arena": "/arena",
        "knowledge": "/knowledge",
    }
    for name, path in pages.items():
        browser.open(path)
        browser.find(".aos-rail")
        browser.loaded()
        for width, height in ((1280, 800), (1920, 1080)):
            browser.resize(width, height)
            browser.picture(f"{name}-{width}-{theme}")
            overflow = browser.script("return document.documentElement.scrollWidth > innerWidth")
            assert overflow is False, f"{name} is wider than {width} px"
        assert browser.foreign_requests() == []
        assert browser.errors() == []
    browser.open("/docs")
    browser.find(".swagger-ui .opblock")
    assert browser.foreign_requests() == []
