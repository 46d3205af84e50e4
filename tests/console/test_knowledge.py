from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.cases import repository as case_repository
from anomalyos.knowledge import cause_evidence
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.graph import load_graph
from anomalyos.knowledge.tables import KnowledgeNode
from tests.console.conftest import Console, SignIn
from tests.console.factory import open_night
from tests.console.knowledge_factory import (
    BRUSH,
    CRACK,
    DIRT,
    DROP,
    STAIN,
    add_case,
    fill_graph,
)
from tests.support.products import picture


@pytest.fixture
def known(console: Console) -> list[int]:
    """The small knowledge base with two cases; their ids."""
    fill_graph(console.store)
    return [add_case(console.store, 1, note="Dust from the <b>window</b>"), add_case(console.store, 2)]


async def see(user: User, text: str | None = None, *, marker: str | None = None) -> None:
    """Wait for what handlers and threads bring, also on a busy machine."""
    if marker is None:
        await user.should_see(text, retries=300)
    else:
        await user.should_see(marker=marker, retries=300)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; what cannot be found on the page yet counts as not so."""
    for _ in range(300):
        with suppress(AssertionError):
            if condition():
                return
        await asyncio.sleep(0.1)
    assert condition()


def texts(user: User, css_class: str) -> list[str]:
    found = [e for e in user.find(kind=ui.element).elements if css_class in e.classes]
    return [str(getattr(e, "text", "")) for e in sorted(found, key=lambda e: e.id)]


def marked(user: User) -> set[str]:
    return {e.text for e in user.find(kind=ui.element).elements if e.tag == "mark"}


def addresses(user: User, mark: str = "hit") -> list[str]:
    found = sorted(user.find(marker=mark).elements, key=lambda e: e.id)
    return [str(e.props["href"]) for e in found]


def node(console: Console, key: str) -> KnowledgeNode:
    with console.store.session(read_only=True) as session:
        return knowledge_repository.get_node(session, key)


def entries(console: Console) -> int:
    with console.store.session(read_only=True) as session:
        return len(load_graph(session))


# looking -----------------------------------------------------------------------------------------


async def test_an_empty_knowledge_base_says_what_to_do(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge")
    await see(user, "Nothing is known yet")
    await see(user, "An engineer can add them here.")
    await user.should_not_see(marker="seed")
    engineer = await sign_in("erik")
    await engineer.open("/knowledge")
    engineer.find(marker="seed").click()
    await until(lambda: entries(console) > 500)


async def test_a_misspelt_question_is_answered_with_its_words_marked(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge?q=airborn+dist")
    await see(user, "Best answers, 1 to")
    # answers by words alone come first and are redrawn when meaning has been looked at too
    await until(lambda: f"/knowledge/node/{DIRT}" in addresses(user)[:5] and "Airborne" in marked(user))
    await see(user, "Found by words")
    await until(
        lambda: any("dirt" in text for text in texts(user, "aos-small") if text.startswith("Also read as"))
    )


async def test_answers_are_plain_text_whatever_people_wrote(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge?q=window")
    await see(user, "window")
    await until(lambda: marked(user) == {"window"})
    await see(user, "Dust from the <b>")
    await until(lambda: addresses(user)[0] == f"/knowledge/case/{known[0]}")
    await see(user, "synthetic")


async def test_filters_narrow_the_answers_and_stand_in_the_address(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge?q=dust&kind=remedy")
    await see(user, "Brush it off")
    assert addresses(user) == [f"/knowledge/node/{BRUSH}"]
    user.find(marker="kind-case").click()
    await until(lambda: addresses(user)[0] == f"/knowledge/case/{known[0]}")
    assert all(address.startswith("/knowledge/case/") for address in addresses(user))
    await user.open("/knowledge?q=dust&kind=nonsense&since=2999-01-01")
    await see(user, "Nothing found")


async def test_typing_asks_and_lists_are_paged(console: Console, sign_in: SignIn, known: list[int]) -> None:
    for number in range(3, 30):
        add_case(console.store, number)
    user = await sign_in("victor")
    await user.open("/knowledge?kind=case")
    await see(user, "Cases: 29")
    assert len(addresses(user)) == 24
    user.find(marker="later").click()
    await see(user, "Page 2")
    await until(lambda: len(addresses(user)) == 5)
    user.find(marker="ask").type("stain")
    await see(user, "Best answers, 1 to")
    await user.open("/knowledge?severity=critical")
    await see(user, "Crack · Stripes")
    await user.should_not_see("Stain · Stripes")


async def test_a_defect_type_shows_causes_with_what_they_rest_on(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    with console.store.session() as session:
        cause_evidence.confirm(session, case_id=known[0], defect=STAIN, cause=DIRT, actor="mia")
    user = await sign_in("victor")
    await user.open(f"/knowledge/node/{STAIN}")
    await see(user, "A red stain on the stripes.")
    await see(user, "80 %")
    await see(user, "established in 1 of 1 case; 75 % before any case.")
    await see(user, "2 cases, 1 with an established cause")
    await see(user, "Brush it off")
    await see(user, "Cosmetic")
    await see(user, "Red patch")
    for mark in ("edit", "weigh", "remove", "connect"):
        await user.should_not_see(marker=mark)
    await user.open(f"/knowledge/node/{DROP}")
    await see(user, "How likely it is, by defect type")
    await see(user, "Crack · Stripes")
    await user.open("/knowledge/node/category:stripes")
    await see(user, "Defect types")
    await see(user, "2 cases")
    await user.open("/knowledge/node/cause:nothing")
    await see(user, "The knowledge base has no such entry")


async def test_a_link_with_a_key_in_it_leads_on(console: Console, sign_in: SignIn, known: list[int]) -> None:
    user = await sign_in("victor")
    for given, wanted in (
        (f"node={STAIN}", f"/knowledge/node/{STAIN}"),
        (f"case={known[0]}", f"/knowledge/case/{known[0]}"),
    ):
        answer = await user.http_client.get(f"/knowledge?{given}", follow_redirects=False)
        assert answer.headers["location"] == wanted


# editing -----------------------------------------------------------------------------------------


async def test_an_engineer_edits_with_a_preview_and_goes_back(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{STAIN}")
    user.find(marker="edit").click()
    await see(user, "Nothing is changed yet.")
    user.find(marker="field-name").clear().type("Red <i>stain</i>")
    user.find(marker="field-reason").type("clearer")
    await see(user, "After the change")
    user.find(marker="save").click()
    await see(user, "Saved.")
    await see(user, "Name: “Stain” → “Red <i>stain</i>”")
    await see(user, "Why: clearer")
    assert (node(console, STAIN).name, node(console, STAIN).version) == ("Red <i>stain</i>", 2)
    user.find(marker="revert-1").click()
    await see(user, "Back at version 1.")
    assert (node(console, STAIN).name, node(console, STAIN).version) == ("Stain", 3)
    user.find(marker="toast-undo").click()
    await see(user, "Taken back.")
    assert (node(console, STAIN).name, node(console, STAIN).version) == ("Red <i>stain</i>", 4)


async def test_a_conflict_shows_the_new_state_and_asks_again(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{DIRT}")
    user.find(marker="edit").click()
    await see(user, marker="field-text")
    user.find(marker="field-text").clear().type("Mine.")
    edit_behind(console, DIRT, "Theirs.")
    user.find(marker="save").click()
    await see(user, "ada changed this in the meantime; it is at version 2 now.")
    await see(user, "Theirs.")
    assert node(console, DIRT).text == "Theirs."
    user.find(marker="save").click()
    await see(user, "Saved.")
    assert (node(console, DIRT).text, node(console, DIRT).version) == ("Mine.", 3)


def edit_behind(console: Console, key: str, text: str) -> None:
    from anomalyos.knowledge import edits

    with console.store.session() as session:
        edits.edit_node(session, key, expected_version=1, actor="ada", text=text)


async def test_weights_are_previewed_as_likelihoods(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{STAIN}")
    user.find(marker="weigh").click()
    await see(user, marker=f"weight-{DIRT}")
    field = next(iter(user.find(marker=f"weight-{DIRT}").elements))
    assert isinstance(field, ui.number)
    with user.client:
        field.value = 0.0
    await see(user, "cannot be the weight of an edge")
    with user.client:
        field.value = 9.0
    await see(user, "90 %")
    user.find(marker="save").click()
    await see(user, "Weights saved.")
    with console.store.session(read_only=True) as session:
        assert load_graph(session).causes(STAIN) == {DIRT: 9.0, DROP: 1.0}
    user.find(marker="toast-undo").click()
    await see(user, "Taken back.")
    with console.store.session(read_only=True) as session:
        assert load_graph(session).causes(STAIN) == {DIRT: 3.0, DROP: 1.0}


async def test_connections_are_made_and_taken_away(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{CRACK}")
    user.find(marker="connect").click()
    await see(user, marker="field-relation")
    way = next(iter(user.find(marker="field-relation").elements))
    other = next(iter(user.find(marker="field-with").elements))
    assert isinstance(way, ui.select)
    assert isinstance(other, ui.select)
    with user.client:
        way.value = "caused_by/True"
    await until(lambda: DIRT in other.options)
    assert DROP not in other.options
    with user.client:
        other.value = DIRT
    await see(user, "Crack is caused by Airborne dirt.")
    await see(user, "20 %")
    user.find(marker="save").click()
    await see(user, "Connected.")
    with console.store.session(read_only=True) as session:
        assert load_graph(session).causes(CRACK) == {DROP: 2.0, DIRT: 0.5}


async def test_what_is_removed_can_be_brought_back(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{BRUSH}")
    user.find(marker="remove").click()
    await see(user, "leaves the search, the map and every likelihood")
    user.find(marker="field-reason").type("never helped")
    user.find(marker="save").click()
    await see(user, "This is removed")
    assert node(console, BRUSH).removed_at is not None
    await user.open("/knowledge/changes")
    await see(user, "Why: never helped")
    await user.open(f"/knowledge/node/{BRUSH}")
    user.find(marker="bring-back").click()
    await see(user, "Back at version 1.")
    assert node(console, BRUSH).removed_at is None


async def test_something_new_is_added(console: Console, sign_in: SignIn, known: list[int]) -> None:
    user = await sign_in("erik")
    await user.open("/knowledge")
    user.find(marker="add").click()
    await see(user, marker="field-kind")
    kind = next(iter(user.find(marker="field-kind").elements))
    assert isinstance(kind, ui.select)
    with user.client:
        kind.value = "defect"
    user.find(marker="field-name").type("Loose Thread!")
    await see(user, "Its key will be defect:")
    category = next(iter(user.find(marker="field-product").elements))
    assert isinstance(category, ui.select)
    with user.client:
        category.value = "dots"
    user.find(marker="save").click()
    await see(user, "Added Loose Thread!")
    with console.store.session(read_only=True) as session:
        graph = load_graph(session)
    assert graph.defects("dots") == ["defect:dots/loose_thread"]
    assert graph.node("defect:dots/loose_thread").attributes == {"severity": "functional"}


@pytest.mark.parametrize("name", ["victor", "mia"])
async def test_only_engineers_edit_whatever_the_page_shows(
    console: Console, sign_in: SignIn, known: list[int], name: str
) -> None:
    from anomalyos.accounts.tables import Role
    from anomalyos.core.errors import NotAllowed
    from console.security.person import Person
    from console.services.knowledge_editor import KnowledgeEditor

    user = await sign_in(name)
    await user.open(f"/knowledge/node/{DIRT}")
    for mark in ("edit", "connect", "remove", "revert-1"):
        await user.should_not_see(marker=mark)
    editing, who = KnowledgeEditor(console.store), Person(1, name, Role(console_role(name)))
    for act in (
        lambda: editing.edit_node(who, DIRT, expected_version=1, name="x", text="", attributes={}),
        lambda: editing.add_node(who, "cause:x", name="x", text="", attributes={}),
        lambda: editing.add_edge(who, CRACK, "caused_by", DIRT, weight=1),
        lambda: editing.weigh(who, STAIN, []),
        lambda: editing.remove(who, f"node:{DIRT}", expected_version=1),
        lambda: editing.revert(who, f"node:{DIRT}", 1, expected_version=1),
        lambda: editing.remove_case(who, known[0], "no"),
        lambda: editing.restore_case(who, known[0]),
        lambda: editing.seed(who, console.services.settings),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert node(console, DIRT).version == 1


def console_role(name: str) -> str:
    from tests.console.conftest import PEOPLE

    return PEOPLE[name]


async def test_a_role_taken_away_counts_at_once(console: Console, sign_in: SignIn, known: list[int]) -> None:
    from sqlmodel import select

    from anomalyos.accounts.tables import User as Account

    user = await sign_in("erik")
    await user.open(f"/knowledge/node/{DIRT}")
    with console.store.session() as session:
        account = session.exec(select(Account).where(Account.name == "erik")).one()
        account.role = "viewer"
        session.add(account)
    user.find(marker="edit").click()
    await see(user, "This needs the role engineer; yours is viewer.")


# cases -------------------------------------------------------------------------------------------


async def test_a_reviewer_confirms_and_withdraws_the_cause_of_a_case(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("mia")
    await user.open(f"/knowledge/case/{known[0]}")
    await see(user, "Stain on Stripes")
    await see(user, "Dust from the <b>window</b>")
    await see(user, "synthetic")
    await user.should_not_see(marker="remove-case")
    user.find(marker=f"confirm-{DROP}").click()
    await see(user, marker="field-how-it-was-found-out")
    user.find(marker="field-how-it-was-found-out").type("I saw it fall")
    user.find(marker="save").click()
    await see(user, "Cause confirmed.")
    await see(user, marker="standing")
    await user.should_not_see(marker=f"confirm-{DROP}")
    assert standing(console, known[0]) == DROP
    user.find(marker="withdraw").click()
    await see(user, "Cause withdrawn.")
    assert standing(console, known[0]) is None
    await see(user, "Withdrawn by mia")
    user.find(marker="toast-undo").click()
    await see(user, "Taken back.")
    assert standing(console, known[0]) == DROP


def standing(console: Console, case_id: int) -> str | None:
    with console.store.session(read_only=True) as session:
        row = cause_evidence.standing(session, case_id)
    return row.cause if row else None


async def test_a_viewer_confirms_nothing(console: Console, sign_in: SignIn, known: list[int]) -> None:
    user = await sign_in("victor")
    await user.open(f"/knowledge/case/{known[0]}")
    await see(user, "What caused it")
    await user.should_not_see(marker=f"confirm-{DIRT}")
    await user.should_not_see(marker="withdraw")


async def test_a_case_of_an_unlisted_defect_type_says_why_no_cause_can_be_confirmed(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    number = add_case(console.store, 3, defect_type="warped")
    user = await sign_in("mia")
    await user.open(f"/knowledge/case/{number}")
    await see(user, "Warped is not listed for this product")
    await user.should_not_see(marker=f"confirm-{DIRT}")


async def test_an_engineer_removes_a_case_with_a_reason_and_restores_it(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    await user.open(f"/knowledge/case/{known[1]}")
    user.find(marker="remove-case").click()
    await see(user, marker="field-reason")
    user.find(marker="save").click()
    await see(user, "Say why")
    user.find(marker="field-reason").type("wrong label")
    user.find(marker="save").click()
    await see(user, "Removed by erik")
    with console.store.session(read_only=True) as session:
        assert case_repository.get(session, known[1]).removed_at is not None
    user.find(marker="restore-case").click()
    await see(user, "is back.")
    with console.store.session(read_only=True) as session:
        assert case_repository.get(session, known[1]).removed_at is None
    await user.open("/knowledge/case/4711")
    await see(user, "There is no case 4711")


async def test_a_reviewed_case_leads_to_its_inspection(console: Console, sign_in: SignIn) -> None:
    fill_graph(console.store)
    key = open_night(console.store, "2026-11-24")
    row = console.inspector.inspect(
        picture("stripes", 1, flawed=True), source="1.png", batch_key=key, category="stripes"
    )
    number = add_case(console.store, 1, inspection_id=row.id)
    user = await sign_in("mia")
    await user.open(f"/knowledge/case/{number}")
    await see(user, "Its inspection")
    links = {e.props.get("href") for e in user.find(kind=ui.element).elements}
    assert {f"/inspection/{row.id}", f"/knowledge/node/{STAIN}"} <= links


# the map -----------------------------------------------------------------------------------------


async def test_the_map_opens_node_by_node_in_picture_and_list_alike(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge/graph")
    await see(user, marker="chip-category:stripes")
    await user.should_not_see(marker=f"chip-{STAIN}")
    user.find(marker="chip-category:stripes").click()
    await see(user, marker=f"chip-{STAIN}")
    await see(user, marker=f"row-{STAIN}")
    user.find(marker=f"row-{STAIN}").click()
    await see(user, marker=f"chip-{DIRT}")
    await see(user, "is caused by, weight 3")
    user.find(marker="map-kind-sign").click()
    await user.should_not_see(marker="chip-sign:red-patch")
    user.find(marker=f"chip-{DIRT}").click()
    await see(user, marker=f"row-{BRUSH}")
    user.find(marker="map-focus").click()
    await see(user, marker="map-selected")
    assert next(iter(user.find(marker="map-selected").elements)).text == "Airborne dirt"


async def test_a_map_without_anything_says_so(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/knowledge/graph?focus=cause:nothing")
    await see(user, "There is no map yet")


# files -------------------------------------------------------------------------------------------


async def test_the_graph_goes_out_and_comes_in_after_a_preview(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    user = await sign_in("erik")
    for name in ("knowledge.yaml", "knowledge.graphml"):
        answer = await user.http_client.get(f"/knowledge/export/{name}")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        assert "Airborne dirt" in answer.text
    text = (await user.http_client.get("/knowledge/export/knowledge.yaml")).text
    await user.open("/knowledge/exchange")
    await upload(user, "same.yaml", text)
    await see(user, "There is nothing to import.")
    await upload(user, "new.yaml", text.replace("Dust settles", "Fine dust settles"))
    await see(user, "Entries: 1 changed, 9 the same")
    assert node(console, DIRT).version == 1
    user.find(marker="import-apply").click()
    await see(user, "Imported. Entries: 1 changed, 9 the same.")
    assert node(console, DIRT).text.startswith("Fine dust")
    await upload(user, "bad.yaml", "nodes: [")
    await see(user, "The file is not a knowledge graph")
    await upload(user, "bad.txt", "x")
    await see(user, "is neither YAML nor GraphML")


async def upload(user: User, name: str, text: str) -> None:
    from nicegui.elements.upload_files import SmallFileUpload

    await (
        user.find(marker="import-file")
        .elements.copy()
        .pop()
        .handle_uploads([SmallFileUpload(name, "text/plain", text.encode())])
    )


async def test_nobody_takes_the_graph_along_without_a_session_and_only_engineers_bring_one_in(
    console: Console, sign_in: SignIn, known: list[int]
) -> None:
    answer = await console.client.get("/knowledge/export/knowledge.yaml", follow_redirects=False)
    assert answer.status_code == 303
    user = await sign_in("mia")
    await user.open("/knowledge/exchange")
    await see(user, "Engineers can import a file here.")
    await user.should_not_see(marker="import-file")
