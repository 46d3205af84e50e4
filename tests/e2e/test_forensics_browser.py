"""Forensics in a real browser, over real models: found, explained in every way, reported, taken away."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from anomalyos.reports import repository as reports
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import Running, flagged, new_night, sign_in

pytestmark = [pytest.mark.browser, needs_browser]
DAY = "2026-10-17"


def click(browser: Browser, text: str) -> None:
    """Press the visible button of these words."""
    code = (
        "const wanted = [...document.querySelectorAll('main button')]"
        ".find(e => e.offsetParent && e.innerText.includes(arguments[0]));"
        "if (wanted) wanted.click(); return !!wanted"
    )
    browser.wait(lambda: browser.script(code, text))


def widths(browser: Browser, css: str) -> list[int]:
    """Natural widths of all pictures that match; 0 for one that is broken."""
    found = browser.script(
        "return [...document.querySelectorAll(arguments[0])].map(i => i.naturalWidth)", css
    )
    assert isinstance(found, list)
    return [int(width) for width in found]


def test_a_past_part_is_found_explained_and_reported(
    running: Running, browser: Browser, tmp_path: Path
) -> None:
    night = new_night(running, DAY, products=("dots",), flawed=2, good=1)
    number = flagged(running, night)[0]
    sign_in(browser, "mia")
    browser.open("/forensics")
    browser.loaded()
    browser.find("input[aria-label='Number or file name']").send_keys(f"{DAY}/dots")
    browser.see("3 parts, newest first.")
    browser.wait(lambda: "q=2026-10-17" in str(browser.script("return location.search")))
    browser.picture("forensics-search")
    browser.find(f"a[href='/forensics/{number}']").click()
    browser.see("The flagged places beside the nearest normal parts")
    click(browser, "Explain everything")
    browser.wait(lambda: all(part in ("ready", "not to be had") for part in _parts(browser)))
    browser.find(".aos-waterfall")
    browser.wait(lambda: len(widths(browser, ".aos-sync-view .over")) == 3)
    browser.loaded()
    patches = widths(browser, ".aos-trace-row img")
    assert len(patches) == 20, "five places with three neighbours each"
    assert min(patches) > 100
    assert all(widths(browser, ".aos-sync-view img"))
    assert all(widths(browser, ".aos-alike-picture"))
    assert len(widths(browser, ".aos-alike-picture")) > 1
    browser.picture("forensics-case")
    _zooming_one_map_zooms_all(browser)

    click(browser, "Write a report")
    browser.see("Written by the template")
    with running.store.session(read_only=True) as session:
        report = reports.latest(session, number)
    assert report is not None
    assert report.actor == "mia"
    link = browser.find("a[download][href$='.html']").get_attribute("href")
    assert link == f"{running.base}/export/report/{report.id}.html"
    page = _download(browser, str(link))
    assert b"data:image/jpeg;base64," in page
    assert f"Inspection {number}".encode() in page
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def _parts(browser: Browser) -> list[str]:
    """How far each part is, as the page says it; something that is not yet there before it says anything."""
    said = "return [...document.querySelectorAll('.aos-part')].map(e => e.children[2].textContent)"
    found = browser.script(said)
    assert isinstance(found, list)
    return [str(words) for words in found] or ["nothing yet"]


def _zooming_one_map_zooms_all(browser: Browser) -> None:
    browser.find("[data-sync=in]").click()
    each = "[...document.querySelectorAll('.aos-sync-layer')].map(e => getComputedStyle(e).transform)"
    matrices = browser.script(f"return [...new Set({each})]")
    assert isinstance(matrices, list)
    assert len(matrices) == 1
    assert matrices[0].startswith("matrix(1.6")
    browser.find("[data-sync=reset]").click()


def _download(browser: Browser, address: str) -> bytes:
    """As the browser would: with its cookies, and as a file."""
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in browser.driver.get_cookies())
    request = urllib.request.Request(address, headers={"Cookie": cookies})  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        data = answer.read()
    assert isinstance(data, bytes)
    return data
