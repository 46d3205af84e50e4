from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from nicegui import ui

from anomalyos.inspection import reviews
from anomalyos.inspection.inspections import FLAGGED
from anomalyos.inspection.tables import Verdict
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, NodeKind, Relation
from console.pages.inspector import queue_state
from console.services.nights import EVERY_NIGHT
from console.services.queue import QueueFilter
from tests.console.conftest import Console, SignIn
from tests.console.factory import finish_night, open_night
from tests.console.test_queue import DAY, fill_night, see, waiting
from tests.support.products import picture

NAMES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12)


@profile(deadline=None)
@given(
    wanted=st.builds(
        QueueFilter,
        NAMES,
        category=st.none() | NAMES,
        decided=st.sampled_from([True, False, None]),
        verdicts=st.just(FLAGGED) | st.sampled_from([(str(one),) for one in queue_state.VERDICTS]),
        model_version_id=st.none() | st.integers(1, 10**9),
        reviewer=st.none() | NAMES,
    ),
    item=st.none() | st.integers(1, 10**9),
)
def test_an_address_gives_back_its_filter(wanted: QueueFilter, item: int | None) -> None:
    from urllib.parse import parse_qsl, urlsplit

    query = dict(parse_qsl(urlsplit(queue_state.write(wanted, item)).query))
    assert queue_state.read(query.pop("batch"), query) == wanted
    assert queue_state.number(query.get("item", "")) == item


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "٣", "9" * 40])
def test_what_is_no_number_is_none(text: str) -> None:
    assert queue_state.number(text) is None


def two_products(console: Console) -> str:
    """A night with two flagged stripes, one flagged dots, one quiet part and a decided one by mia."""
    key = open_night(console.store, DAY, expected=5)
    for index, (product, flawed) in enumerate(
        (("stripes", True), ("stripes", True), ("dots", True), ("dots", False), ("stripes", True))
    ):
        console.inspector.inspect(
            picture(product, 70 + index, flawed=flawed),
            source=f"{DAY}/{product}-{index}.png",
            batch_key=key,
            category=product,
        )
    finish_night(console.store, key)
    last = waiting(console, key)[-1].id or 0
    with console.store.session() as session:
        reviews.decide(session, inspection_id=last, decision="defect", actor="mia", expected_version=0)
    return key


async def test_a_link_shows_the_same_view_again(console: Console, sign_in: SignIn) -> None:
    key = two_products(console)
    user = await sign_in("victor")
    await user.open(f"/?batch={key}&show=all&category=stripes")
    await see(user, "1 of ")
    stripes = next(iter(user.find(kind=ui.element, content="Stripes").elements))
    assert stripes is not None
    await user.open(f"/?batch={key}&show=decided&reviewer=mia")
    await see(user, "by mia")
    await see(user, "1 of 1")
    await user.open(f"/?batch={key}&verdict=normal")
    await see(user, "1 of 1")
    await see(user, "Normal")


async def test_an_item_in_the_link_is_the_one_shown(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console, flawed=26, good=0, broken=0)
    last = waiting(console, key)[25]
    user = await sign_in("victor")
    await user.open(f"/?batch={key}&item={last.id}")
    await see(user, "26 of 26")
    await see(user, "25–26 of 26")
    await user.open(f"/?batch={key}&item=99999")
    await see(user, "1 of 26")


async def test_an_item_the_filter_leaves_out_is_shown_beside_the_list(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0].id or 0
    with console.store.session() as session:
        reviews.decide(session, inspection_id=first, decision="defect", actor="sam", expected_version=0)
    user = await sign_in("mia")
    await user.open(f"/?batch={key}&item={first}")
    await see(user, "Defect by sam")
    await user.should_not_see(marker=f"item-{first}")


async def test_filters_are_chosen_and_taken_away_again(console: Console, sign_in: SignIn) -> None:
    two_products(console)
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "1 of 3")
    user.find(marker="filter-product").trigger("change", "stripes")
    await see(user, "1 of 2")
    user.find(marker="filter-verdict").trigger("change", "unknown_category")
    await see(user, "Nothing here for Stripes")
    user.find(marker="clear-filters").click()
    await see(user, "1 of 3")


async def test_whoever_asks_for_a_reviewer_gets_decisions(console: Console, sign_in: SignIn) -> None:
    two_products(console)
    user = await sign_in("victor")
    await user.open("/")
    user.find(marker="filter-decided").trigger("change", "mia")
    await see(user, "Defect by mia")
    await see(user, "1 of 1")


async def test_one_model_version_alone(console: Console, sign_in: SignIn) -> None:
    key = two_products(console)
    dots = next(item for item in waiting(console, key) if (item.given_category or "") == "dots")
    user = await sign_in("victor")
    await user.open(f"/?batch={key}&model={dots.model_version_id}")
    await see(user, "1 of 1")
    await see(user, "dots v1")


async def test_open_items_of_every_night_in_one_queue(console: Console, sign_in: SignIn) -> None:
    fill_night(console, day="2026-11-23", flawed=2)
    fill_night(console, day=DAY, flawed=3)
    user = await sign_in("mia")
    await user.open(f"/?batch={EVERY_NIGHT}")
    await see(user, "Every night")
    await see(user, "1 of 5")
    user.find(marker="decide-defect").click()
    await see(user, "1 of 4")


async def test_every_night_of_none_says_so(sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open(f"/?batch={EVERY_NIGHT}")
    await see(user, "There is no such night")


async def test_nothing_decided_yet_says_so(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    user = await sign_in("mia")
    await user.open(f"/?batch={key}&show=decided")
    await see(user, "Nobody has decided anything yet")
    user.find(marker="clear-filters").click()
    await see(user, "1 of 3")


async def test_the_strip_shows_what_comes_also_of_the_next_page(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console, flawed=26, good=0, broken=0)
    order = [item.id for item in waiting(console, key)]
    user = await sign_in("victor")
    await user.open(f"/?batch={key}&item={order[23]}")
    await see(user, "24 of 26")
    frames = [e for e in user.find(kind=ui.element).elements if "aos-frame" in e.classes]
    frames.sort(key=lambda element: element.id)
    assert [frame.props["aria-label"].split(" of")[0] for frame in frames] == ["22", "23", "24", "25", "26"]
    assert [frame.props.get("aria-current") for frame in frames] == [None, None, "true", None, None]


async def test_a_defect_type_is_picked_with_the_decision(console: Console, sign_in: SignIn) -> None:
    folder = console.services.settings.data_dir / "stripes"
    (folder / "train" / "good").mkdir(parents=True)
    for defect in ("scratch", "stain", "good"):
        target = folder / "test" / defect
        target.mkdir(parents=True)
        (target / "000.png").write_bytes(picture("stripes", 5))
    key = fill_night(console)
    first = waiting(console, key)[0].id or 0
    user = await sign_in("mia")
    await user.open("/")
    await see(user, marker="type-scratch")
    await user.should_not_see(marker="type-good")
    user.find(marker="type-stain").click()
    await see(user, "Defect: Stripes")
    with console.store.session(read_only=True) as session:
        review = reviews.history(session, first)[0]
    assert (review.decision, review.defect_type) == ("defect", "stain")


def test_defects_are_known_from_cases_and_knowledge_too(console: Console) -> None:
    with console.store.session() as session:
        for kind, slug in ((NodeKind.CATEGORY, "stripes"), (NodeKind.DEFECT, "stripes/frayed_edge")):
            session.add(KnowledgeNode(key=f"{kind}:{slug}", kind=kind, name=slug, origin="seed"))
        session.flush()
        session.add(
            KnowledgeEdge(
                source="category:stripes",
                relation=Relation.HAS_DEFECT,
                target="defect:stripes/frayed_edge",
                origin="seed",
            )
        )
    assert console.services.inspections.defect_types("stripes") == ["frayed_edge"]
    assert console.services.inspections.defect_types("dots") == []
    assert console.services.inspections.defect_types("Odd Name!") == []
    assert console.services.inspections.defect_types("") == []


async def test_viewers_have_no_picker(console: Console, sign_in: SignIn) -> None:
    fill_night(console)
    user = await sign_in("victor")
    await user.open("/")
    await see(user, "1 of 3")
    await user.should_not_see(marker="type-none")


def test_the_heat_maps_green_tells_its_height() -> None:
    from console.pages.inspector.result_parts import green_scale

    values = [float(value) for value in green_scale().split(",")]
    assert values == sorted(set(values))
    assert len(values) > 2


def test_every_verdict_but_rejected_can_be_chosen() -> None:
    assert set(queue_state.VERDICTS) == set(Verdict) - {Verdict.REJECTED}
