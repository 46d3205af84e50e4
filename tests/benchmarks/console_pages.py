"""How soon pages can be used, and how soon the queue turns a page, in a real Chromium."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.console_seed import say
from tests.benchmarks.console_seed_products import PASSWORD
from tests.e2e.browser import Browser, needs_browser

SMALL = os.environ.get("ANOMALYOS_BENCH_SCALE") == "small"
OPENINGS = 2 if SMALL else 7
TURNS = 3 if SMALL else 30
WATCH = """
(() => {
    const watch = () => {
        const up = window.socket?.connected && window.did_handshake;
        if (up && document.querySelector(window.name || 'nothing')) {
            window.interactiveAfter = performance.now();
        } else setTimeout(watch, 10);
    };
    watch();
})();
"""
"""Notes when the socket is up and the page's main content, whose selector the tab's name holds, is there."""


TURN = """
const [turns, done] = arguments;
const list = () => [...document.querySelectorAll('.aos-item')].map(e => e.id).join();
const next = () => document.querySelector('.aos-pager-buttons button:last-child:not(:disabled)');
(async () => {
    const spent = [];
    for (let turn = 0; turn < turns; turn++) {
        const button = next(), before = list();
        if (!button) break;
        const begun = performance.now();
        button.click();
        while (list() === before && performance.now() - begun < 10000)
            await new Promise(resolve => setTimeout(resolve, 5));
        spent.push(performance.now() - begun);
        await new Promise(resolve => setTimeout(resolve, 300));
    }
    return spent;
})().then(done, error => done(String(error)));
"""
"""Presses the list's last button, the one to later items, again and again; milliseconds of each press."""


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    content: str
    """Selector of what one came for."""


def in_the_browser(base: str, item: int) -> dict[str, Any]:
    if needs_browser.args[0]:
        return {"no browser": needs_browser.kwargs["reason"]}
    # outside the home: Chromium refuses a profile whose path is too long for its lock
    with tempfile.TemporaryDirectory(prefix="aos-load-") as profile:
        browser = Browser(Path(profile), base)
        try:
            browser.open("/login")
            browser.find("#login-name").send_keys("ada")
            browser.find("#login-password").send_keys(PASSWORD + "\n")
            browser.find(".aos-rail")
            browser.loaded()
            browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            opened = {page.name: openings(browser, page) for page in pages(item)}
            return {"page interactive": opened, "queue paging, page": turns(browser)}
        finally:
            browser.driver.quit()


def pages(item: int) -> tuple[Page, ...]:
    return (
        Page("queue", "/", ".aos-photo img"),
        Page("queue of all nights", "/?batch=all", ".aos-photo img"),
        Page("inspection", f"/inspection/{item}", ".aos-photo img"),
        Page("live", "/live", ".aos-uploader"),
        Page("rejected", "/rejected", "h1"),
        Page("nights", "/nights", ".aos-night-row"),
        Page("forensics", "/forensics", "h1"),
        Page("forensics, search", "/forensics?q=cam1_00", "h1"),
        Page("forensics, one part", f"/forensics/{item}", ".aos-sync-view img"),
        Page("analytics", "/analytics", "h1"),
        Page("analytics, 90 days", "/analytics?days=90", "h1"),
        Page("arena", "/arena", "h1"),
        Page("knowledge", "/knowledge", "h1"),
        Page("knowledge, search", "/knowledge?q=why+are+shells+cracked", "h1"),
        Page("knowledge, map", "/knowledge/graph", "h1"),
        Page("knowledge, changes", "/knowledge/changes", "h1"),
        Page("models", "/admin/models", "h1"),
        Page("people", "/admin/people", "h1"),
        Page("audit log", "/admin/audit", "h1"),
        Page("tokens", "/tokens", "h1"),
    )


def openings(browser: Browser, page: Page) -> dict[str, float]:
    """Milliseconds until a page can be used: the first time, and of the times after that."""
    spent = []
    for _ in range(OPENINGS):
        browser.open("/nowhere")
        browser.script("window.name = arguments[0]", page.content)
        browser.open(page.path)
        browser.wait(lambda: browser.script("return window.interactiveAfter ?? 0"))
        spent.append(float(str(browser.script("return window.interactiveAfter"))))
    say(f"{page.name}: {[round(value) for value in spent]} ms")
    return {"first": round(spent[0]), **percentiles(spent[1:])}


def turns(browser: Browser) -> dict[str, Any]:
    """From the press of a button to the next page of the list drawn, as the page itself sees it."""
    browser.open("/?batch=all&show=all")
    browser.loaded()
    turned: Any = browser.driver.execute_async_script(TURN, TURNS)
    assert isinstance(turned, list), turned
    assert turned, "there was no next page"
    return {"turns": len(turned), **percentiles(turned)}


def percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 1) for p in (50, 95)}
