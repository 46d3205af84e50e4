"""Search from anywhere, a promotion noticed, moved and taken back, and a new person with a token."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from anomalyos.accounts import audit
from anomalyos.models import pointer
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.console_home import COMPARED, Running, sign_in

pytestmark = [pytest.mark.browser, needs_browser]
PRODUCT = "stripes"
PERSON = "nora"


def test_search_promotion_people_and_tokens(running: Running, browser: Browser) -> None:
    second = second_version(running)
    first = in_use(running)
    sign_in(browser, "ada")
    search_leads_to_a_product_and_an_inspection(browser)
    a_promotion_is_noticed_on_an_open_page(running, browser, second)
    roll_back(browser, first)
    assert in_use(running) == first
    promote_and_take_back(running, browser, second, first)
    password = add_person(browser)
    sign_out(browser)
    sign_in_with(browser, PERSON, password)
    token = create_token(browser)
    assert status(running, token) == 200
    revoke_token(browser)
    assert status(running, token) == 401
    sign_out(browser)
    sign_in(browser, "ada")
    the_log_shows_it_all(running, browser)
    assert browser.foreign_requests() == []
    assert browser.errors() == []


def second_version(running: Running) -> int:
    """Another version of the product with a whole bundle of its own; returns its number."""
    bundles = running.settings.bundles_dir
    with running.store.session() as session:
        present = model_versions.champion(session, PRODUCT)
        assert present is not None
        number = model_versions.next_version(session, present.category_id)
        folder = f"{PRODUCT}/copy-{number}"
        shutil.copytree(bundles / present.bundle_path, bundles / folder)
        fields = present.model_dump(exclude={"id", "version", "content_key", "bundle_path", "created_at"})
        model_versions.add(
            session, ModelVersion(**fields, version=number, content_key=f"copy-{number}", bundle_path=folder)
        )
    return number


def in_use(running: Running) -> int:
    with running.store.session(read_only=True) as session:
        version = model_versions.champion(session, PRODUCT)
    assert version is not None
    return version.version


# why a recipe ----------------------------------------------------------------------------------

IN_SIGHT = """
const box = document.querySelector('#why').getBoundingClientRect();
return box.top >= 0 && box.top < innerHeight;
"""
TOO_WIDE = """
const wide = [...document.querySelectorAll('#why *')].filter(e => e.scrollWidth > e.clientWidth + 1
    && getComputedStyle(e).overflowX !== 'visible' && !e.matches('.aos-hidden'));
return document.documentElement.scrollWidth > innerWidth || wide.map(e => e.className).join(' ');
"""


def test_a_versions_recipe_leads_to_why_it_was_chosen(running: Running, browser: Browser) -> None:
    sign_in(browser, "erik")
    for width, height in ((1280, 800), (390, 844)):
        browser.resize(width, height)
        browser.open("/admin/models?product=dots&why=1")
        browser.loaded()
        browser.see("so nothing was compared.")
        link = browser.find("a[aria-label='lite: why v2 has this recipe']")
        browser.script("arguments[0].focus()", link)
        browser.press(Keys.ENTER)
        browser.see(COMPARED)
        browser.loaded()
        browser.wait(lambda: browser.script(IN_SIGHT))
        chosen = browser.driver.find_elements(By.CSS_SELECTOR, ".aos-why-row.chosen")
        assert [row.text.split()[0] for row in chosen] == ["lite"]
        for words in ("0.006 ± 0.004 behind", "24 ms an image", "Scratch"):
            browser.see(words)
        assert browser.script(TOO_WIDE) == ""
        browser.picture(f"why-{width}")
    assert browser.errors() == []


# search ----------------------------------------------------------------------------------------


def ask(browser: Browser, text: str, answer: str) -> None:
    """Ctrl K, type, wait until the first result is ``answer``, Enter."""
    ActionChains(browser.driver).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    browser.find(".aos-palette[open] .aos-seek-field")
    browser.press(text)
    first = (
        "return document.querySelector('.aos-palette [aria-selected=true] .aos-seek-found-name')?.textContent"
    )
    browser.wait(lambda: browser.script(first) == answer)
    browser.picture(f"search-{answer}")
    browser.press(Keys.ENTER)


def search_leads_to_a_product_and_an_inspection(browser: Browser) -> None:
    before = browser.driver.current_url
    ask(browser, "strip", "Stripes")
    browser.wait(lambda: browser.driver.current_url != before)
    assert browser.driver.current_url.endswith(f"/analytics?category={PRODUCT}")
    browser.find(".aos-rail")
    browser.loaded()
    ask(browser, "#1", "Inspection 1")
    browser.wait(lambda: browser.driver.current_url.endswith("/inspection/1"))
    browser.loaded()
    ActionChains(browser.driver).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    browser.find(".aos-palette[open]")
    browser.press("d" + Keys.ESCAPE)  # typed into the search, so nothing is decided
    browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".aos-palette[open]"))
    browser.press("g")
    browser.press("f")
    browser.wait(lambda: "/forensics" in browser.driver.current_url)


# models ----------------------------------------------------------------------------------------


def a_promotion_is_noticed_on_an_open_page(running: Running, browser: Browser, version: int) -> None:
    browser.open("/nights")
    browser.loaded()
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    browser.wait(lambda: browser.script("return !!document.querySelector('.aos-news')"))
    pointer.promote_version(
        running.store,
        running.settings,
        category=PRODUCT,
        version=version,
        actor="airflow",
        reason="the gate let it pass",
    )
    notice = f"Stripes v{version} is in use now."

    def noticed() -> bool:
        browser.script(look)
        return notice in browser.find(".aos-news").text

    browser.wait(noticed)
    browser.picture("notice")
    assert browser.script("return document.activeElement === document.body") is True


def give_reason_and_confirm(browser: Browser, text: str, button: str) -> None:
    browser.fill(".aos-dialog textarea", text)
    browser.picture(f"moving-{button}")
    click(browser, button)


def click(browser: Browser, text: str) -> None:
    """Press the visible button that reads ``text``."""
    path = f"//button[.//span[normalize-space()='{text}']]"
    browser.wait(lambda: any(one.is_displayed() for one in browser.driver.find_elements(By.XPATH, path)))
    next(one for one in browser.driver.find_elements(By.XPATH, path) if one.is_displayed()).click()


def roll_back(browser: Browser, first: int) -> None:
    browser.open(f"/admin/models?product={PRODUCT}")
    browser.loaded()
    browser.see("put there by airflow")
    click(browser, f"Roll back to v{first}")
    browser.find(".aos-dialog textarea")
    browser.script("document.querySelector('.aos-dialog .primary').click()")
    browser.see("Write a word about why.")
    browser.fill(".aos-dialog textarea", "too many <b>alarms</b>")
    browser.script("document.querySelector('.aos-dialog .primary').click()")
    browser.see(f"Stripes is back on v{first}.")
    browser.see("too many <b>alarms</b>")


def promote_and_take_back(running: Running, browser: Browser, second: int, first: int) -> None:
    browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".q-dialog"))
    browser.find(f"[aria-label='Promote v{second}']").click()
    browser.see("the same")
    give_reason_and_confirm(browser, "measured again", f"Promote v{second}")
    browser.see(f"Stripes is inspected with v{second} now.")
    assert in_use(running) == second
    browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".q-dialog"))
    click(browser, "Undo")
    browser.see(f"Taken back: Stripes is on v{first} again.")
    assert in_use(running) == first


# people and tokens -----------------------------------------------------------------------------


def add_person(browser: Browser) -> str:
    """The generated password, which the page shows once."""
    browser.open("/admin/people")
    browser.loaded()
    click(browser, "Add a person")
    browser.fill(".aos-dialog input[type=text]", PERSON)
    click(browser, "Add")
    password = browser.words(".aos-once code")
    browser.picture("password-once")
    click(browser, "I have kept it")
    browser.find(f"[aria-label='Switch off {PERSON}']")
    return password


def sign_out(browser: Browser) -> None:
    browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".q-dialog"))
    browser.find(".aos-me").click()
    click(browser, "Sign out")
    browser.see("You are signed out.")


def sign_in_with(browser: Browser, name: str, password: str) -> None:
    browser.fill("#login-name", name)
    browser.fill("#login-password", password + "\n")
    browser.find(f"[aria-label='Signed in as {name}']")
    browser.loaded()


def create_token(browser: Browser) -> str:
    browser.find(".aos-me").click()
    browser.find(".aos-menu a[href='/tokens']").click()
    browser.find("h1")
    browser.loaded()
    click(browser, "Create a token")
    browser.fill(".aos-dialog input[type=text]", "line 1")
    click(browser, "Create")
    token = browser.words(".aos-once code")
    click(browser, "I have kept it")
    return token


def revoke_token(browser: Browser) -> None:
    browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".q-dialog"))
    browser.find("[aria-label='Revoke line 1']").click()
    browser.see("A revoked token cannot be brought back.")
    browser.script("document.querySelector('.aos-dialog .danger').click()")
    browser.see("“line 1” is revoked.")


def status(running: Running, token: str) -> int:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{running.base}/api/inspections/1", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def the_log_shows_it_all(running: Running, browser: Browser) -> None:
    browser.open(f"/admin/audit?subject=user:{PERSON}")
    browser.loaded()
    for words in ("Added a person", "Created a token", "Revoked a token", "3 events"):
        browser.see(words)
    browser.picture("audit")
    browser.open(f"/admin/audit?subject=category:{PRODUCT}&actor=ada")
    browser.loaded()
    for words in (
        "Promoted a model",
        "Rolled a model back",
        "measured again",
        "The promotion was taken back.",
    ):
        browser.see(words)
    with running.store.session(read_only=True) as session:
        moves = audit.search(session, audit.AuditFilter(actor="ada", subject=f"category:{PRODUCT}"))
    assert [event.action for event in moves] == ["model.rollback", "model.promote", "model.rollback"]
