from __future__ import annotations

import threading

import pytest
from nicegui import ui

from anomalyos.accounts import audit
from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotAllowed
from anomalyos.inspection import batches, inspections, reviews
from anomalyos.inspection.history import InspectionFilter
from anomalyos.inspection.tables import Inspection
from console.pages.forensics.finder import from_query, to_address
from console.security.person import Person
from console.services.past_events import timeline
from console.services.rerunning import Side, differences, rerun
from tests.console.conftest import Console, SignIn
from tests.console.examiner import Examiner
from tests.console.factory import open_night
from tests.console.test_explanation import DAY, inspect, links, wait_for

MIA = Person(2, "mia", Role.REVIEWER)


def decide(console: Console, number: int, decision: str = "defect", kind: str = "crack") -> None:
    with console.store.session() as session:
        reviews.decide(
            session,
            inspection_id=number,
            decision=decision,
            defect_type=kind,
            note="by the <b>edge</b>",
            actor="mia",
            expected_version=0,
        )


# searching ---------------------------------------------------------------------------------------


async def test_a_part_is_found_by_its_file_and_the_address_says_so(console: Console, sign_in: SignIn) -> None:
    numbers = [inspect(console, seed) for seed in range(3)]
    user = await sign_in("victor")
    await user.open("/forensics")
    await user.should_see("3 parts, newest first.")
    assert links(user, "aos-found-row") == [f"/forensics/{number}" for number in reversed(numbers)]
    user.find(marker="find-text").type("001.png")
    await wait_for(console, user, "1 part, newest first.")
    assert links(user, "aos-found-row") == [f"/forensics/{numbers[1]}"]


async def test_an_address_opens_the_same_search_again(console: Console, sign_in: SignIn) -> None:
    numbers = [inspect(console, seed) for seed in range(3)]
    inspect(console, 9, flawed=False)
    decide(console, numbers[0])
    decide(console, numbers[1], "false_alarm", "")
    user = await sign_in("victor")
    await user.open(f"/forensics?verdict=anomalous&decision=defect&defect=crack&from={DAY}&to={DAY}")
    await user.should_see("1 part, newest first.")
    assert links(user, "aos-found-row") == [f"/forensics/{numbers[0]}"]
    await user.open("/forensics?decision=undecided&category=stripes&verdict=anomalous")
    assert links(user, "aos-found-row") == [f"/forensics/{numbers[2]}"]
    await user.open("/forensics?from=2026-11-25")
    await user.should_see("No part matches all of this")


async def test_long_results_are_paged_by_the_server(console: Console, sign_in: SignIn) -> None:
    many_rows(console, 70)
    user = await sign_in("victor")
    await user.open("/forensics")
    await user.should_see("70 parts, newest first: 1 to 30.")
    assert len(links(user, "aos-found-row")) == 30
    user.find(marker="older").click()
    await user.should_see("70 parts, newest first: 31 to 60.")
    await user.open("/forensics?page=3")
    await user.should_see("70 parts, newest first: 61 to 70.")
    await user.should_not_see(marker="older")
    # a page past the end shows the last one
    await user.open("/forensics?page=99")
    await user.should_see("70 parts, newest first: 61 to 70.")


def many_rows(console: Console, count: int) -> None:
    key = open_night(console.store, DAY)
    with console.store.session() as session:
        batch = batches.by_key(session, key)
        for index in range(count):
            row = Inspection(
                work_key=inspections.work_key(key, f"{index}.png", "a"),
                batch_id=batch.id or 0,
                source=f"{index}.png",
                content_sha256="a" * 64,
                verdict="rejected",
            )
            inspections.record(session, row)


@pytest.mark.parametrize(
    ("query", "wanted", "page"),
    [
        ({"q": " bolt ", "page": "3"}, InspectionFilter(text="bolt"), 2),
        ({"from": "yesterday", "to": "2026-11-24", "page": "-1"}, InspectionFilter(last_day="2026-11-24"), 0),
        (
            {"category": "hazel & nut", "decision": "undecided"},
            InspectionFilter(category="hazel & nut", decision="undecided"),
            0,
        ),
    ],
)
def test_addresses_hold_whole_searches(query: dict[str, str], wanted: InspectionFilter, page: int) -> None:
    assert from_query(query) == (wanted, page)
    address = to_address(wanted, page)
    import httpx

    assert from_query(dict(httpx.URL(address).params)) == (wanted, page)


# one case ----------------------------------------------------------------------------------------


async def test_a_viewer_has_everything_explained_and_sees_it_kept(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("victor")
    await user.open(f"/forensics/{number}")
    await wait_for(console, user, "Case 17, imported")
    await user.should_see("Lower the inlet to 45 °C.")
    await user.should_see("Case 17, imported")
    await user.should_see("Third one from this tray tonight.")
    assert console.explainer.asked_about("shap") == []
    user.find(marker="explain-all").click()
    await wait_for(console, user, "The stand-in follows the real score closely")
    await wait_for(console, user, "By linear shape from shading")
    waterfall = next(iter(user.find(marker="waterfall").elements))
    assert "peak score raises it by 8.4" in waterfall.props["aria-label"]
    pictures = [str(e.props["src"]) for e in user.find(kind=ui.element).elements if e.tag == "img"]
    assert f"/media/trace/{number}/0/own?v=70-80" in pictures
    assert f"/media/trace/{number}/1/0?v=2" in pictures
    # a second visit, by somebody else too, finds it
    other = await sign_in("mia")
    await other.open(f"/forensics/{number}")
    await wait_for(console, other, "Case 17, imported")


async def test_leaving_the_page_stops_nothing(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/forensics/{number}")
    await wait_for(console, user, "Case 17, imported")
    console.explainer.hold = threading.Event()
    user.find(marker="compute-shap").click()
    await wait_for(console, user, "computing")
    await user.open("/nights")
    console.explainer.hold.set()
    await user.open(f"/forensics/{number}")
    job = console.services.explanations.ask(number, ())
    await wait_for(console, user, "The stand-in follows the real score closely")
    assert job.states["shap"].status == "done"
    assert console.explainer.asked_about("shap") == [number]


async def test_what_cannot_be_had_says_why_where_it_would_stand(console: Console, sign_in: SignIn) -> None:
    console.explainer.missing = {"depth": "The weights of midas_small are missing. Install them."}
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/forensics/{number}")
    await wait_for(console, user, "Case 17, imported")
    user.find(marker="compute-depth").click()
    await wait_for(console, user, "The weights of midas_small are missing. Install them.")
    await user.should_see("not to be had")


async def test_an_unknown_number_leads_back_to_the_search(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/forensics/4711")
    await user.should_see("There is no inspection 4711")
    await user.should_see("Search past inspections")


async def test_a_rejected_file_shows_its_history_and_nothing_to_explain(
    console: Console, sign_in: SignIn
) -> None:
    key = open_night(console.store, DAY)
    row = console.inspector.inspect(b"no image", source=f"{DAY}/torn.png", batch_key=key)
    user = await sign_in("mia")
    await user.open(f"/forensics/{row.id}")
    await user.should_see("Inspected: rejected")
    await user.should_not_see(marker="explain-all")
    await user.should_not_see(marker="rerun")
    assert console.explainer.asked == []


async def test_the_timeline_tells_everything_newest_first(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    decide(console, number)
    with console.store.session() as session:
        reviews.undo(session, inspection_id=number, actor="erik", expected_version=1)
        audit.write(session, actor="ada", action="lease.take", subject=f"inspection:{number}")
        audit.write(session, actor="ada", action="lease.take", subject="inspection:999")
    job = console.services.explanations.write(MIA, number)
    user = await sign_in("victor")
    await user.open(f"/forensics/{number}")
    await wait_for(console, user, "Report written from the template for mia")
    assert job.done
    with console.store.session(read_only=True) as session:
        events = timeline(session, number)
    assert [event.text for event in events] == [
        "Report written from the template for mia",
        "ada: lease take",
        "erik took it back to undecided",
        "mia decided: defect (crack)",
        "Inspected: flagged by model version 1 (lite), score " + events[-1].text.split("score ")[1],
    ]
    assert events[3].note == "by the <b>edge</b>"
    await user.should_see("by the <b>edge</b>")


# running again -----------------------------------------------------------------------------------


async def test_a_reviewer_runs_it_again_and_nothing_is_overwritten(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = inspect(console)
    with console.store.session(read_only=True) as session:
        before = inspections.get(session, number)
    examiner = Examiner(console.store, score=1.1, version=4)
    monkeypatch.setattr(console.inspector, "examine", examiner.examine, raising=False)
    user = await sign_in("mia")
    await user.open(f"/forensics/{number}")
    user.find(marker="rerun").click()
    await wait_for(console, user, "Then flagged, now normal: today's champion would let this part pass.")
    await user.should_see("Another model judged it: stripes v1 then, stripes v4 now.")
    sources = [str(e.props["src"]) for e in user.find(kind=ui.element).elements if e.tag == "img"]
    assert any(source.startswith("data:image/png;base64,") for source in sources)
    with console.store.session(read_only=True) as session:
        assert inspections.get(session, number) == before
        assert inspections.queue_count(session) == 1
        event = audit.recent(session, action="inspection.rerun")[0]
    assert (event.actor, event.subject, event.detail["model"]) == (
        "mia",
        f"inspection:{number}",
        "stripes v4",
    )
    await user.open(f"/forensics/{number}")
    await user.should_see("mia ran it again with stripes v4: normal")


async def test_a_viewer_cannot_run_it_again(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("victor")
    await user.open(f"/forensics/{number}")
    user.find(marker="rerun").click()
    await user.should_see("This needs the role reviewer; yours is viewer.")
    with pytest.raises(NotAllowed, match="reviewer"):
        rerun(
            console.services.inspections, console.services.pictures, Person(1, "victor", Role.VIEWER), number
        )
    with console.store.session(read_only=True) as session:
        assert not audit.recent(session, action="inspection.rerun")


def side(
    verdict: str = "anomalous", score: float = 3.0, model: str = "nut v1", category: str = "nut"
) -> Side:
    return Side(verdict, category, "", score, 2.0, model, 1)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (side(), "The same model judged it both times: nut v1 is still the champion."),
        (side(), "The score stands at 1.5 times the threshold, as it did."),
        (side(score=4.0), "The score is further above: 1.5 times its threshold then, 2 times now."),
        (side("normal", 1.0, "nut v2"), "The score is lower: 1.5 times its threshold then, 0.5 times now."),
        (side(category="bolt"), "Then it was taken for nut, now for bolt."),
        (Side("unknown_category", "nut", "", None, None, "", 0), "Then flagged, now unknown category."),
    ],
)
def test_differences_are_said_in_words(now: Side, said: str) -> None:
    assert said in differences(side(), now)
