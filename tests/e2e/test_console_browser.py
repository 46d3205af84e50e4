"""The real console in a real browser, over real models of two small products."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from anomalyos.settings import PROJECT_ROOT, Settings
from anomalyos.store import inspections, reviews, users
from anomalyos.store.engine import Store
from tests.e2e.browser import PATIENCE, Browser, needs_browser
from tests.products import picture, write_product

pytestmark = [pytest.mark.browser, needs_browser]
PASSWORD = "correct-horse-battery"
DAY = "2026-11-24"
NIGHT = f"night-{DAY}"


@dataclass
class Running:
    base: str
    store: Store
    settings: Settings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two products with champions, one inspected night, two people."""
    from anomalyos.inspector import Inspector
    from anomalyos.nightly import discover, inspect_shard, summarise
    from anomalyos.rebuild import rebuild_category

    home = tmp_path_factory.mktemp("console-home")
    settings = Settings(home=home, _env_file=None)
    store = Store(settings)
    store.upgrade()
    for product in ("stripes", "dots"):
        write_product(settings.data_dir, product)
        assert rebuild_category(product, settings, store)["promoted"]
    for product in ("stripes", "dots"):
        folder = settings.inbox_dir / DAY / product
        folder.mkdir(parents=True)
        for index in range(4):
            flawed = index < 3
            (folder / f"{index:03}.png").write_bytes(picture(product, 3000 + index, flawed=flawed))
    (settings.inbox_dir / DAY / "dots" / "torn.png").write_bytes(picture("dots", 1)[:200])
    inspector = Inspector(settings, store)
    for shard in discover(settings, store, DAY):
        inspect_shard(shard, settings, store, inspector=inspector)
    summarise(settings, store, DAY)
    with store.session() as session:
        for name, role in (("mia", "reviewer"), ("victor", "viewer")):
            users.create(session, name=name, password=PASSWORD, role=role, actor="test")
    store.close()
    return home


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Running]:
    """The console as people start it, on a free port; stopped with SIGTERM, which must be enough."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://localhost:{port}"
    # NiceGUI behaves differently when it believes to be inside pytest
    foreign = ("ANOMALYOS_", "PYTEST_", "NICEGUI_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {
        "ANOMALYOS_HOME": str(home),
        "ANOMALYOS_CONSOLE_PORT": str(port),
        "ANOMALYOS_CONSOLE_URL": base,
        "OMP_NUM_THREADS": "2",
    }
    with (home / "console.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main"], cwd=PROJECT_ROOT, env=env, stdout=log, stderr=log
        )
        try:
            _wait_until_healthy(base, process)
            settings = Settings(home=home, _env_file=None)
            store = Store(settings)
            yield Running(base, store, settings)
            store.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    assert "Traceback" not in (home / "console.log").read_text()


def _wait_until_healthy(base: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "the console ended by itself"
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=5) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("the console did not answer in time")


@pytest.fixture
def browser(running: Running, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile", running.base)
    try:
        yield browser
    finally:
        browser.driver.quit()


def sign_in(browser: Browser, name: str) -> None:
    browser.open("/login")
    browser.find("#login-name").send_keys(name)
    browser.find("#login-password").send_keys(PASSWORD + "\n")
    browser.find(".aos-rail")
    browser.loaded()


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
    assert browser.natural_width(".aos-photo .photo") == 96
    assert browser.natural_width(".aos-photo .heat") > 0
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
    from anomalyos.inspector import live_batch

    return live_batch(running.store)


def test_the_night_is_decided_by_keyboard_alone(running: Running, browser: Browser) -> None:
    with running.store.session(read_only=True) as session:
        order = [row.id for row in inspections.queue(session, batch_key=NIGHT)]
    assert len(order) == 6
    sign_in(browser, "mia")
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
        kept = [inspections.get(session, item or 0) for item in order]
        undone = [review.kind for review in reviews.history(session, order[2] or 0)]
    assert [row.decision for row in kept] == ["defect", "false_alarm", None, None, None, None]
    assert undone == ["decide", "undo"]
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def test_looking_tools_act_at_once_and_typing_decides_nothing(running: Running, browser: Browser) -> None:
    sign_in(browser, "mia")
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
        before = inspections.queue_count(session, batch_key=NIGHT)
    browser.find("[aria-label=Note]").click()
    browser.press("dfuz jk?")
    assert "open" not in (browser.find(".aos-help").get_attribute("class") or "")
    browser.press("\ue00c")
    browser.press("?")
    browser.wait(lambda: "open" in (browser.find(".aos-help").get_attribute("class") or ""))
    browser.press("d")
    browser.press("\ue00c")
    with running.store.session(read_only=True) as session:
        assert inspections.queue_count(session, batch_key=NIGHT) == before


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
