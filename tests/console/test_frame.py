"""What all pages share: the shell, search from anywhere, and word of promoted models."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import ui

from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.knowledge.tables import KnowledgeNode
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from console.texts import links
from console.ui import shortcuts
from tests.console.conftest import PEOPLE, Console, SignIn
from tests.console.factory import open_night
from tests.support.products import picture

DAY = "2026-11-24"


def add_version(console: Console, product: str) -> int:
    """Another version of a product, not promoted; returns its id."""
    with console.store.session() as session:
        category = categories.by_name(session, product)
        assert category.id is not None
        number = model_versions.next_version(session, category.id)
        row = model_versions.add(
            session,
            ModelVersion(
                category_id=category.id,
                version=number,
                content_key=f"{product}-{number}",
                bundle_path=f"{product}/v{number:04}",
                bundle_sha256="0" * 64,
                recipe="lite",
                recipe_hash="0" * 64,
                alpha=0.05,
                threshold=2.0,
                gate_passed=True,
                gate_reason="No labelled test images to compare on.",
            ),
        )
        assert row.id is not None
        return row.id


def promote(console: Console, product: str, version_id: int, actor: str = "airflow") -> None:
    with console.store.session() as session:
        category = categories.by_name(session, product)
        assert category.id is not None
        promotions.promote(
            session,
            category_id=category.id,
            version_id=version_id,
            expected_pointer=category.pointer_version,
            actor=actor,
            reason="better",
        )


async def search(console: Console, sign_in: SignIn, name: str, text: str) -> dict[str, list[dict[str, Any]]]:
    user = await sign_in(name)
    answer = await user.http_client.get("/api/console/search", params={"q": text})
    assert answer.status_code == 200, answer.text
    return {group["name"]: group["items"] for group in answer.json()["groups"]}


def known_defect(category: str, defect_type: str) -> DefectCase:
    return DefectCase(
        content_key="",
        category=category,
        defect_type=defect_type,
        origin=CaseOrigin.IMPORT.value,
        source="test/a.png",
        image_sha256="0" * 64,
        image_path="a.png",
        crop_path="b.png",
        box={"x": 0, "y": 0, "width": 8, "height": 8},
        added_by="",
    )


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [item["title"] for item in items]


# the shell -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEOPLE)
async def test_the_shell_has_landmarks_modes_and_search(sign_in: SignIn, name: str) -> None:
    user = await sign_in(name)
    await user.open("/nights")
    with user:
        elements = list(user.client.elements.values()) if user.client else []
    main = [element for element in elements if element.tag == "main"]
    assert [element.props["id"] for element in main] == ["content"]
    skip = next(element for element in elements if "aos-skip" in element.classes)
    assert skip.props["href"] == "#content"
    assert [e.props["aria-label"] for e in elements if e.tag == "nav" and "aos-rail" in e.classes] == [
        "Modes"
    ]
    assert len([element for element in elements if element.tag == "h1"]) == 1
    await user.should_see("Search")
    await user.should_see("My API tokens")
    if PEOPLE[name] in ("engineer", "admin"):
        await user.should_see("Admin")
    else:
        await user.should_not_see("Admin")


async def test_the_help_lists_the_keys_of_the_page(sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/")
    await user.should_see("False alarm")
    await user.should_see("Search: parts, products, causes, pages")
    await user.open("/nights")  # a page of the Inspector
    await user.should_see("Next item")
    await user.open("/knowledge")
    await user.should_not_see("Next item")
    await user.should_see("Go to")
    await user.open("/arena")
    await user.should_see("Move the mark; with Shift in larger steps")


def test_a_page_adds_its_own_keys_and_may_take_a_shared_heading() -> None:
    own: tuple[shortcuts.ShortcutGroup, ...] = (
        ("Compare", ((("X",), "Swap"),)),
        ("Move", ((("N",), "Next pair"),)),
    )
    groups = shortcuts.groups_of("/", own)
    assert [title for title, _ in groups] == ["Decide", "Look", "Compare", "Move", "Anywhere", "Go to"]
    assert dict(groups)["Move"] == own[1][1]
    assert [title for title, _ in shortcuts.groups_of("/arena", ())] == ["Anywhere", "Go to"]


# search ----------------------------------------------------------------------------------------


async def test_strangers_cannot_search_or_read_news(console: Console) -> None:
    for path in ("/api/console/search", "/api/console/news"):
        assert (await console.client.get(path)).status_code == 401


async def test_an_empty_search_offers_the_pages_of_the_role(console: Console, sign_in: SignIn) -> None:
    of_viewer = await search(console, sign_in, "victor", "")
    assert list(of_viewer) == ["Pages", "Actions"]
    assert "My API tokens" in titles(of_viewer["Pages"])
    assert not {"Models", "People", "Audit log"} & set(titles(of_viewer["Pages"]))
    of_engineer = titles((await search(console, sign_in, "erik", ""))["Pages"])
    assert {"Models", "Audit log"} <= set(of_engineer)
    assert "People" not in of_engineer
    assert "People" in titles((await search(console, sign_in, "ada", ""))["Pages"])


async def test_pages_and_actions_are_found_by_other_words_too(console: Console, sign_in: SignIn) -> None:
    assert titles((await search(console, sign_in, "ada", "rollb"))["Pages"]) == ["Models"]
    dark = (await search(console, sign_in, "victor", "dark"))["Actions"]
    assert [(item["act"], item["href"]) for item in dark] == [("theme", "")]


async def test_an_inspection_is_found_by_number_and_by_file(console: Console, sign_in: SignIn) -> None:
    key = open_night(console.store, DAY)
    rows = [
        console.inspector.inspect(
            picture("stripes", n, flawed=n == 1), source=f"{DAY}/cam_{n}%.png", batch_key=key
        )
        for n in range(3)
    ]
    for text in (str(rows[1].id), f"#{rows[1].id}", f"Inspection {rows[1].id}"):
        found = await search(console, sign_in, "victor", text)
        assert found["Inspections"][0]["title"] == f"Inspection {rows[1].id}"
        assert found["Inspections"][0]["href"] == f"/inspection/{rows[1].id}"
        assert next(iter(found)) == "Inspections"
    by_file = (await search(console, sign_in, "victor", "CAM_2"))["Inspections"]
    assert titles(by_file) == [f"Inspection {rows[2].id}"]
    assert "cam_2%.png" in by_file[0]["note"]
    newest_first = (await search(console, sign_in, "victor", "%.png"))["Inspections"]
    assert titles(newest_first) == [f"Inspection {row.id}" for row in reversed(rows)]
    assert await search(console, sign_in, "victor", "cam\\_") == {}
    assert await search(console, sign_in, "victor", "999999999") == {}


async def test_products_causes_and_cases_are_found(console: Console, sign_in: SignIn) -> None:
    with console.store.session() as session:
        categories.ensure(session, "sample_bottle_cap", synthetic=True)
        for key, name in (("cause:drying", "Shell dried too fast"), ("remedy:slow", "Slow the dryer down")):
            session.add(KnowledgeNode(key=key, kind=key.partition(":")[0], name=name, origin="seed"))
        case, _ = case_repository.add(session, known_defect("sample_bottle_cap", "broken_large"), "ada")
    case_id = case.id
    found = await search(console, sign_in, "victor", "bottle-cap")
    assert [(item["title"], item["href"]) for item in found["Products"]] == [
        ("Bottle cap", links.product("sample_bottle_cap"))
    ]
    assert list(found) == ["Products", "Cases"]
    of_engineer = (await search(console, sign_in, "erik", "bottle"))["Products"]
    assert of_engineer[1]["href"] == links.models("sample_bottle_cap")
    drying = await search(console, sign_in, "victor", "dr")
    assert titles(drying["Knowledge"]) == ["Shell dried too fast", "Slow the dryer down"]
    assert drying["Knowledge"][0]["href"] == "/knowledge?node=cause%3Adrying"
    for text in ("broken large", f"case {case_id}"):
        cases = (await search(console, sign_in, "victor", text))["Cases"]
        assert titles(cases) == [f"Case {case_id}"]
        assert cases[0]["note"] == "Bottle cap, broken large"


@pytest.mark.parametrize("text", ["x", "\0", "'; drop table app_user --", "%", "é" * 100, "<b>"])
async def test_odd_texts_find_nothing_and_break_nothing(console: Console, sign_in: SignIn, text: str) -> None:
    found = await search(console, sign_in, "victor", text)
    assert not {"Inspections", "Products", "Knowledge", "Cases"} & set(found)


async def test_a_search_too_long_is_refused(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    answer = await user.http_client.get("/api/console/search", params={"q": "a" * 101})
    assert answer.status_code == 422


# news ------------------------------------------------------------------------------------------


async def test_a_promotion_is_news_for_everybody_but_who_made_it(console: Console, sign_in: SignIn) -> None:
    mia, erik = await sign_in("mia"), await sign_in("erik")
    start = (await mia.http_client.get("/api/console/news")).json()
    assert start == {"newest": 0, "items": []}
    first, second = add_version(console, "stripes"), add_version(console, "stripes")
    promote(console, "stripes", first, "erik")
    promote(console, "stripes", second, "erik")
    news = (await mia.http_client.get("/api/console/news?after=0")).json()
    assert [item["text"] for item in news["items"]] == ["Stripes v3 is in use now."]
    assert news["items"][0]["href"] == links.product("stripes")
    ada = await sign_in("ada")
    for_engineers = (await ada.http_client.get("/api/console/news?after=0")).json()["items"]
    assert for_engineers[0]["href"] == links.models("stripes")
    again = await mia.http_client.get(f"/api/console/news?after={news['newest']}")
    assert again.json() == {"newest": news["newest"], "items": []}
    own = (await erik.http_client.get("/api/console/news?after=0")).json()
    assert own == {"newest": news["newest"], "items": []}
    with console.store.session() as session:
        promotions.rollback(session, category_name="stripes", actor="ada", reason="worse")
    back = (await mia.http_client.get(f"/api/console/news?after={news['newest']}")).json()
    assert [item["text"] for item in back["items"]] == ["Stripes is back on v2."]


async def test_news_end_with_the_session(console: Console, sign_in: SignIn) -> None:
    from anomalyos.accounts import users

    user = await sign_in("mia")
    assert (await user.http_client.get("/api/console/news")).status_code == 200
    with console.store.session() as session:
        users.set_active(session, name="mia", active=False, actor="ada")
    assert (await user.http_client.get("/api/console/news")).status_code == 401


async def test_windows_are_named_and_forgotten_once_closed(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("ada")
    await user.open("/admin/people")
    user.find(marker="add-person").click()
    await user.should_see("Add a person")
    dialog = next(iter(user.find(kind=ui.dialog).elements))
    assert dialog.props["aria-label"] == "Add a person"
    user.find(marker="cancel").click()
    await user.should_not_see(kind=ui.dialog, retries=50)
