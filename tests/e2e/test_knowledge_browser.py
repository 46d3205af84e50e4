"""The knowledge base in a real browser: asked with a typo, explored on the map, edited and taken back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from anomalyos.knowledge import repository as knowledge_repository
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import Running, sign_in

pytestmark = [pytest.mark.browser, needs_browser]

STAIN = "defect:dots/stain"
SPILL = "cause:liquid-spill"
WORDS = "Spilled at the washing stand, seen twice."


def test_a_question_with_a_typo_leads_over_the_map_to_an_edit_and_back(
    running: Running, browser: Browser
) -> None:
    sign_in(browser, "erik")
    _ask(browser)
    _explore(browser)
    _edit_and_take_back(running, browser)
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def _ask(browser: Browser) -> None:
    browser.open("/knowledge")
    browser.find(".aos-kb-ask input")
    browser.loaded()
    browser.press("/")
    browser.wait(lambda: browser.script("return !!document.activeElement.closest('.aos-kb-ask')"))
    browser.press("stian on the dots")
    browser.see("Best answers")
    browser.wait(lambda: "stian" in browser.driver.current_url)
    browser.find(".aos-kb-choice:nth-child(3)").click()
    browser.wait(lambda: "kind=defect" in browser.driver.current_url)
    # the answers of before the choice may still stand there, and would take the focus with them
    browser.wait(lambda: _count(browser, "a.aos-kb-hit") > 0)
    browser.wait(lambda: _count(browser, "a.aos-kb-hit:not([href*='/defect:'])") == 0)
    browser.wait(lambda: _count(browser, "a.aos-kb-hit mark") > 0)
    browser.wait(lambda: "Found by" in str(_text(browser, ".aos-kb-why")))
    browser.picture("knowledge-search")
    browser.wait(lambda: _count(browser, f"a.aos-kb-hit[href$='{STAIN}']") == 1)
    browser.find(".aos-kb-ask input").click()
    browser.press(Keys.ARROW_DOWN)
    browser.wait(lambda: _focused(browser) == _first(browser))
    place = browser.script(
        "return [...document.querySelectorAll('a.aos-kb-hit')].findIndex(e => e.href.endsWith(arguments[0]))",
        STAIN,
    )
    assert isinstance(place, int)
    browser.press(Keys.ARROW_DOWN * place)
    browser.wait(lambda: _focused(browser).endswith(STAIN))
    browser.press(Keys.ENTER)
    browser.see("A red patch with a sharp edge.")
    browser.see("What causes it")
    browser.see("established in 1 of 1 case")
    browser.loaded()
    browser.drawn(".aos-kb-picture img")
    browser.picture("knowledge-defect")


def _explore(browser: Browser) -> None:
    browser.find("a[href^='/knowledge/graph?focus=']").click()
    browser.find(f"[data-node='{SPILL}']")
    browser.loaded()
    at_first = _count(browser, "[data-node]")
    assert at_first == _count(browser, "[data-row]") > 4
    assert _count(browser, ".aos-kb-lines path") >= at_first - 1
    # by click: the cause is open at first, so it closes
    browser.find(f"[data-node='{SPILL}']").click()
    browser.wait(lambda: _count(browser, "[data-node]") < at_first)
    closed = _count(browser, "[data-node]")
    assert SPILL not in _opened(browser)
    # by keyboard, in the list that says the same
    row = f"[data-row='{SPILL}']"
    browser.wait(lambda: _expanded(browser, row) == "false")
    browser.script("document.querySelector(arguments[0]).focus()", row)
    browser.press(Keys.ENTER)
    browser.wait(lambda: _count(browser, "[data-node]") == at_first == _count(browser, "[data-row]"))
    browser.wait(lambda: browser.script("return document.activeElement.dataset.row") == SPILL)
    assert _expanded(browser, row) == "true"
    browser.picture("knowledge-map")
    # back and forward go through the same steps
    browser.driver.back()
    browser.wait(lambda: _count(browser, "[data-node]") == closed)
    browser.driver.forward()
    browser.wait(lambda: _count(browser, "[data-node]") == at_first)


def _edit_and_take_back(running: Running, browser: Browser) -> None:
    before = _node(running)
    browser.open(f"/knowledge/node/{SPILL}")
    browser.find(".aos-kb-top .aos-button")
    browser.loaded()
    _button(browser, "Edit")
    field = browser.find(".aos-dialog textarea[aria-label=Text]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(WORDS)
    browser.wait(lambda: WORDS in str(_text(browser, ".aos-dialog .after")))
    assert _text(browser, ".aos-dialog .before") == before.text
    browser.picture("knowledge-edit")
    assert _node(running).version == before.version
    _button(browser, "Save")
    browser.see("Saved.")
    browser.see(WORDS)
    assert (_node(running).text, _node(running).version) == (WORDS, before.version + 1)
    _button(browser, f"Back to version {before.version}")
    browser.see(f"Back at version {before.version}.")
    browser.wait(lambda: _node(running).version == before.version + 2)
    assert _node(running).text == before.text
    browser.wait(lambda: _text(browser, ".aos-kb-lead") == before.text)


def _count(browser: Browser, css: str) -> int:
    number = browser.script("return document.querySelectorAll(arguments[0]).length", css)
    assert isinstance(number, int)
    return number


def _text(browser: Browser, css: str) -> object:
    """In one step, so that a redraw cannot come in between."""
    return browser.script("return document.querySelector(arguments[0])?.textContent", css)


def _focused(browser: Browser) -> str:
    return str(browser.script("return document.activeElement.href ?? ''"))


def _first(browser: Browser) -> object:
    return browser.script("return document.querySelector('a.aos-kb-hit')?.href")


def _expanded(browser: Browser, css: str) -> object:
    return browser.script("return document.querySelector(arguments[0])?.ariaExpanded", css)


def _opened(browser: Browser) -> list[str]:
    query = parse_qs(urlsplit(browser.driver.current_url).query)
    return query.get("open", [""])[0].split("~")


def _button(browser: Browser, text: str) -> None:
    """Press the button with this text, once it is there."""
    script = (
        "const b = [...document.querySelectorAll('button')].find(e => e.offsetParent"
        " && [...e.querySelectorAll('span')].some(s => s.textContent === arguments[0]));"
        "b?.click(); return !!b"
    )
    browser.wait(lambda: browser.script(script, text))


def _node(running: Running) -> knowledge_repository.KnowledgeNode:
    with running.store.session(read_only=True) as session:
        return knowledge_repository.get_node(session, SPILL)
