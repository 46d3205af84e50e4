from __future__ import annotations

import asyncio
import threading

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.core.errors import NotFound
from anomalyos.explain.evidence import CamExplanation, NamedDefect, Note
from anomalyos.inspection import inspections
from anomalyos.reports import repository as reports
from console.components.explanation import pictures, why
from console.components.explanation.pictures import bars, summary
from console.components.explanation.report import parse
from console.components.explanation.words import case_address, fidelity_words, origin
from console.services.explain_jobs import ExplainJob, merged
from tests.console.conftest import Console, SignIn
from tests.console.factory import open_night
from tests.reports import examples
from tests.support.products import picture

DAY = "2026-11-24"


def inspect(console: Console, seed: int = 0, *, flawed: bool = True, source: str = "") -> int:
    """Id of one inspected stripes part of the night."""
    key = open_night(console.store, DAY)
    name = source or f"{DAY}/{seed:03}.png"
    row = console.inspector.inspect(
        picture("stripes", seed, flawed=flawed), source=name, batch_key=key, category="stripes"
    )
    assert row.id is not None
    return row.id


async def wait_for(console: Console, user: User, text: str) -> None:
    """See ``text`` within a few seconds: it comes from a thread."""
    for _ in range(150):
        try:
            await user.should_see(text)
            return
        except AssertionError:
            await asyncio.sleep(0.1)
    await user.should_see(text)


def links(user: User, css: str) -> list[str]:
    """Addresses of the links of one class, in the order of the page."""
    found = sorted(user.find(kind=ui.element).elements, key=lambda element: element.id)
    return [str(e.props["href"]) for e in found if css in e.classes and "href" in e.props]


async def write_report(console: Console, user: User, inspection_id: int) -> int:
    """Id of the report a reviewer had written from the panel."""
    user.find(marker="write-report").click()
    await wait_for(console, user, "Written by the template")
    with console.store.session(read_only=True) as session:
        row = reports.latest(session, inspection_id)
    assert row is not None
    assert row.id is not None
    return row.id


# the panel beside the photo -----------------------------------------------------------------


async def test_the_panel_shows_cases_causes_and_the_nearest_normal(console: Console, sign_in: SignIn) -> None:
    console.explainer.changes["similar"] = (
        examples.case(17, 0.91, synthetic=True),
        examples.case(18, 0.88, origin="review", source="inspection:4"),
    )
    number = inspect(console)
    user = await sign_in("victor")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "Case 17, imported")
    await user.should_see("0.91 alike")
    await user.should_see("Case 18, from a review")
    await user.should_see("Established in 3 of 8 cases with a known cause.")
    await wait_for(console, user, "Nearest normal")
    assert links(user, "aos-alike-card") == ["/knowledge/case/17", "/forensics/4"]
    assert links(user, "aos-more") == [f"/forensics/{number}"]
    assert sum("aos-made" in element.classes for element in user.find("synthetic").elements) == 1


async def test_nothing_is_computed_for_an_item_that_is_passed_by(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [inspect(console, seed) for seed in range(3)]
    order = shown_order(console)
    monkeypatch.setattr(why, "SETTLED", 3600.0)
    user = await sign_in("mia")
    await user.open(f"/?batch=night-{DAY}")
    user.find(marker=f"item-{order[1]}").click()
    for _ in range(100):
        if f"/forensics/{order[1]}" in links(user, "aos-more"):
            break
        await asyncio.sleep(0.1)
    assert links(user, "aos-more") == [f"/forensics/{order[1]}"]
    monkeypatch.setattr(why, "SETTLED", 0.05)
    user.find(marker=f"item-{order[2]}").click()
    await wait_for(console, user, "Case 17, imported")
    assert console.explainer.asked_about("similar") == [order[2]]
    assert sorted(order) == numbers


def shown_order(console: Console) -> list[int]:
    """Ids as the queue lists them."""
    with console.store.session(read_only=True) as session:
        rows = inspections.queue(session, batch_key=f"night-{DAY}")
        return [row.id for row in rows if row.id is not None]


async def test_what_was_seen_before_is_there_at_once(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "Nearest normal")
    console.explainer.hold = threading.Event()
    await user.open(f"/inspection/{number}")
    await user.should_see("Case 17, imported")
    await user.should_see("Nearest normal")
    console.explainer.hold.set()


async def test_a_part_that_cannot_be_had_says_why_and_what_to_do(console: Console, sign_in: SignIn) -> None:
    console.explainer.missing = {
        "similar": "No other defect of stripes is known yet. Confirm defects in the console.",
        "trace": "The training image train/good/000.png is gone. Import the images again.",
    }
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "No other defect of stripes is known yet.")
    await wait_for(console, user, "Import the images again.")


async def test_an_explainer_that_fails_altogether_is_put_into_words(
    console: Console, sign_in: SignIn
) -> None:
    console.explainer.error = NotFound("The model's bundle is gone.", "Rebuild the product.")
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "The model's bundle is gone. Rebuild the product.")


# reports --------------------------------------------------------------------------------------


async def test_a_reviewer_has_a_report_written_and_it_is_kept(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "No report has been written yet.")
    await write_report(console, user, number)
    await user.should_see("No Groq key is configured.")
    await user.should_see("Likely causes")
    await user.should_see("Drying too fast")
    with console.store.session(read_only=True) as session:
        kept = reports.latest(session, number)
    assert kept is not None
    assert kept.actor == "mia"
    # the next visit shows it without writing another
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "Written by the template")
    assert set(links(user, "aos-button")) >= {f"/export/report/{kept.id}.{s}" for s in ("html", "pdf")}


async def test_a_viewer_cannot_write_a_report(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    user = await sign_in("victor")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "No report has been written yet.")
    user.find(marker="write-report").click()
    await user.should_see("This needs the role reviewer; yours is viewer.")
    with console.store.session(read_only=True) as session:
        assert reports.latest(session, number) is None


async def test_a_report_being_written_is_followed_by_every_page_that_shows_the_part(
    console: Console, sign_in: SignIn
) -> None:
    number = inspect(console)
    user, other = await sign_in("mia"), await sign_in("erik")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "Nearest normal")
    console.explainer.hold = threading.Event()
    user.find(marker="write-report").click()
    await wait_for(console, user, "Gathering what is known: similar cases, 0%")
    job = console.services.explanations.writing(number)
    assert job is not None
    await other.open(f"/inspection/{number}")
    await wait_for(console, other, "Gathering what is known: similar cases, 0%")
    console.explainer.hold.set()
    for page in (user, other):
        await wait_for(console, page, "Written by the template")
        await page.should_not_see("Gathering what is known")
    assert any(piece.startswith("- ") for piece in job.text)
    with console.store.session(read_only=True) as session:
        assert len(reports.list_reports(session, number)) == 1


async def test_report_text_is_never_markup(console: Console, sign_in: SignIn) -> None:
    note = Note(id="review:12", author="mia", text="<img src=x onerror=alert(1)> left side")
    console.explainer.changes["notes"] = (note,)
    number = inspect(console, source=f"{DAY}/<script>.png")
    user = await sign_in("mia")
    await user.open(f"/inspection/{number}")
    await wait_for(console, user, "No report has been written yet.")
    report_id = await write_report(console, user, number)
    await user.should_see("<img src=x onerror=alert(1)> left side")
    assert not [e for e in user.find(kind=ui.html).elements if "onerror" in e.content]
    page = (await user.http_client.get(f"/export/report/{report_id}.html")).text
    assert "<img src=x" not in page
    assert "<script" not in page


def test_a_streamed_line_is_read_back_into_its_parts() -> None:
    assert parse("- Cracked [verdict, region:1]") == ("Cracked", ["verdict", "region:1"], [])
    assert parse("- UNSUPPORTED (cites nothing): It is the oven [no source]") == (
        "It is the oven",
        [],
        ["cites nothing"],
    )
    assert parse("- Seen [twice] before [case:3]") == ("Seen [twice] before", ["case:3"], [])


# jobs and words -----------------------------------------------------------------------------------


def test_a_job_takes_each_group_once_and_keeps_what_it_found() -> None:
    job = ExplainJob(7)
    assert job.ask(("similar", "shap")) == ["quick", "heavy"]
    assert job.ask(("causes", "depth")) == [], "workers are on their way already"
    assert job.next_group("quick") == ("similar", "causes")
    full = examples.evidence()
    job.found(("similar", "causes"), full.model_copy(update={"shap": None, "trace": ()}))
    assert job.states["causes"].status == "done"
    assert job.next_group("quick") is None
    assert [state.status for state in job.states.values()] == ["done", "done", "waiting", "waiting"]
    assert [job.next_group("heavy") for _ in range(2)] == [("shap",), ("depth",)]
    nothing = {"similar": (), "causes": (), "shap": None, "missing": {"shap": "Training images are gone."}}
    job.found(("shap",), full.model_copy(update=nothing))
    job.failed(("depth",), "No weights.")
    assert job.next_group("heavy") is None
    assert job.finished
    assert (job.states["shap"].why, job.states["depth"].why) == ("Training images are gone.", "No weights.")
    assert job.evidence is not None
    assert [case.case_id for case in job.evidence.similar] == [17, 18, 23]
    assert job.ask(("shap",)) == ["heavy"], "after the end a new worker is needed"


def named(label: str | None, probability: float) -> NamedDefect:
    cam = CamExplanation(
        method="gradcam_pp",
        target="classifier:torn_fabric",
        layer="blocks.6",
        heat_path="aa/" + "a" * 64 + ".npy",
        overlay_path="bb/" + "b" * 64 + ".png",
    )
    return NamedDefect(
        label=label,
        likeliest="torn_fabric",
        probability=probability,
        probabilities={"torn_fabric": probability, "stain": 1 - probability},
        version=2,
        cam=cam,
    )


def test_a_name_comes_with_how_sure_it_is_and_none_where_it_is_not() -> None:
    assert pictures.naming(named("torn_fabric", 0.82)) == (
        "Torn fabric?",
        "82 % sure, by names v2: what speaks for it",
    )
    assert pictures.naming(named(None, 0.41)) == (
        "No name",
        "Not sure enough: Torn fabric with 41 %, by names v2",
    )


def test_a_name_is_taken_over_with_the_maps_and_with_nothing_else() -> None:
    old, new = (
        examples.evidence(),
        examples.evidence().model_copy(update={"named": named("torn_fabric", 0.9)}),
    )
    assert merged(old, new, ("depth",)).named is None
    assert merged(old, new, ("cams",)).named == new.named


async def test_a_name_is_a_map_of_its_own(console: Console, sign_in: SignIn) -> None:
    console.explainer.changes["named"] = named("torn_fabric", 0.82)
    number = inspect(console)
    user = await sign_in("mia")
    await user.open(f"/forensics/{number}")
    await wait_for(console, user, "Established in 3 of 8 cases with a known cause.")
    user.find(marker="compute-cams").click()
    await wait_for(console, user, "Torn fabric?")
    pictures = [str(image.props.get("src")) for image in user.find(kind=ui.element).elements]
    assert f"/media/overlay/{number}/gradcam_pp_class?v={'b' * 12}" in pictures


def test_a_waterfall_adds_up_from_the_base_to_the_output() -> None:
    shap = examples.shap()
    scale, steps = bars(shap)
    assert [step.raises for step in steps] == [True, True, True, False, True]
    assert steps[0].start == pytest.approx(scale.at(shap.base))
    ends = [step.start + step.width for step in steps]
    assert max(ends) <= scale.at(shap.score)
    assert steps[-1].start + steps[-1].width == pytest.approx(scale.at(shap.output), abs=0.7)
    assert "peak score raises it by 8.4" in summary(shap)
    assert "The real score is 41.2." in summary(shap)


@pytest.mark.parametrize(
    ("rank", "words"), [(0.95, "closely"), (0.6, "roughly"), (0.2, "poorly"), (-0.1, "no rank agreement")]
)
def test_fidelity_is_said_in_words(rank: float, words: str) -> None:
    assert words in fidelity_words({"spearman": rank, "r2": 0.5, "n": 120})


def test_a_case_leads_to_where_it_came_from() -> None:
    imported = examples.case(5, 0.9, origin="import")
    reviewed = examples.case(6, 0.9, origin="review", source="inspection:12")
    odd = examples.case(7, 0.9, origin="review", source="inspection:<b>")
    assert [case_address(case) for case in (imported, reviewed, odd)] == [
        "/knowledge/case/5",
        "/forensics/12",
        "/knowledge/case/7",
    ]
    assert [origin(case) for case in (imported, reviewed)] == ["imported", "from a review"]
