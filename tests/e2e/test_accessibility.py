"""Every page under axe-core in a real browser, light and dark: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from anomalyos.core.settings import PROJECT_ROOT
from tests.console.route_table import RULES
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import SEEDED_NIGHT, Running, known_ids, sign_in

AXE = PROJECT_ROOT / "build/axe/node_modules/axe-core/axe.min.js"

pytestmark = [
    pytest.mark.browser,
    needs_browser,
    pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: `make test` fetches it where npm is there"),
]

PAGES = tuple(rule for rule in RULES if rule.page and rule.drawn and rule.path != "/login")
STATES = {
    "no such page": "/nowhere",
    "no such night": "/?batch=night-1999-01-01",
    "a night": f"/?batch={SEEDED_NIGHT}",
    "rejected files": f"/rejected?batch={SEEDED_NIGHT}",
    "parts found": "/forensics?q=dots",
    "answers": "/knowledge?q=what+causes+stains",
    "a map": "/knowledge/graph?focus=defect:dots/stain",
    "recipes compared": "/admin/models?product=dots&why=2",
    "figures of all time": "/analytics?from=2026-11-01&to=2026-11-30",
}
"""Addresses that show something else than their page's example."""
THEMES = ("light", "dark")
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
    result => done(result.violations), error => done('axe failed: ' + error));
"""


@pytest.fixture(scope="module")
def ada(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with an administrator signed in: she sees every page whole."""
    browser = Browser(tmp_path_factory.mktemp("axe") / "profile", running.base)
    try:
        sign_in(browser, "ada")
        yield browser
    finally:
        browser.driver.quit()


def serious(browser: Browser) -> list[str]:
    """Violations of the page as it stands, one line each: rule, selector, and what is wrong there."""
    browser.settled()
    browser.script(AXE.read_text(encoding="utf-8"))
    violations: Any = browser.driver.execute_async_script(RUN_AXE)
    assert isinstance(violations, list), violations
    return [
        f"{violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}: {details(node)}"
        for violation in violations
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def details(node: dict[str, Any]) -> str:
    """Measured contrast with its colours where that is the trouble, else axe's words."""
    for check in node["any"]:
        found = check["data"] or {}
        if isinstance(found, dict) and "contrastRatio" in found:
            return (
                f"contrast {found['contrastRatio']} of {found['expectedContrastRatio']}, "
                f"{found['fgColor']} on {found['bgColor']}"
            )
    return str(node["failureSummary"]).replace("\n", " ")


def open_in(browser: Browser, theme: str, path: str) -> None:
    browser.script("localStorage.setItem('aos-theme', arguments[0])", theme)
    browser.open(path)
    browser.find(".aos-rail, .aos-login")
    assert browser.script("return document.documentElement.dataset.theme") == theme


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("rule", PAGES, ids=lambda rule: rule.path)
def test_pages(running: Running, ada: Browser, rule: Any, theme: str) -> None:
    open_in(ada, theme, rule.address(known_ids(running)))
    ada.loaded()
    assert serious(ada) == []
    ada.errors()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", STATES.values(), ids=STATES.keys())
def test_other_states_of_pages(ada: Browser, path: str, theme: str) -> None:
    open_in(ada, theme, path)
    ada.loaded()
    assert serious(ada) == []
    # a page that is not there is a 404, which Chromium notes as an error
    ada.errors()


@pytest.mark.parametrize("theme", THEMES)
def test_help_and_the_own_menu_while_open(ada: Browser, theme: str) -> None:
    open_in(ada, theme, "/nights")
    ada.loaded()
    ada.press("?")
    ada.find(".aos-help.open")
    assert serious(ada) == []
    ada.press("\ue00c")
    ada.find(".aos-me").click()
    ada.find(".aos-menu")
    assert serious(ada) == []


@pytest.mark.parametrize("theme", THEMES)
def test_what_strangers_see(browser: Browser, theme: str) -> None:
    browser.open("/login")
    browser.find("#login-name")
    for path in ("/login", "/login?failed=1", "/login?wait=15"):
        open_in(browser, theme, path)
        assert serious(browser) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_viewer_sees_pages_without_their_actions(running: Running, browser: Browser, theme: str) -> None:
    sign_in(browser, "victor")
    for path in (f"/?batch={SEEDED_NIGHT}", "/admin", f"/inspection/{known_ids(running)['inspection_id']}"):
        open_in(browser, theme, path)
        browser.loaded()
        assert serious(browser) == [], path
