from __future__ import annotations

from datetime import timedelta

import pytest
from nicegui import ui
from nicegui.testing import User
from sqlmodel import Session, select

from anomalyos.db.columns import utc_now
from anomalyos.inspection.tables import Inspection
from anomalyos.inspection.what_if import Week
from anomalyos.models.tables import ModelVersion
from console.container import Services
from console.pages.inspector.what_if import week_svg
from tests.console.conftest import Console, SignIn
from tests.console.factory import open_night
from tests.support.products import picture

DAY = "2026-11-24"
# p-value, score, verdict, decision; judged at alpha 0.05 and threshold 2.0 against 60 normal parts
JUDGED = (
    (0.6, 0.9, "normal", None),
    (0.09, 1.8, "normal", None),
    (0.07, 1.9, "normal", "defect"),
    (0.045, 2.1, "anomalous", "false_alarm"),
    (0.04, 2.2, "anomalous", None),
    (0.017, 3.0, "anomalous", "defect"),
)


def fill(console: Console, *, days_ago: float = 0.5) -> list[int]:
    """Ids of six items of stripes with the figures of ``JUDGED``."""
    key = open_night(console.store, DAY)
    ids = []
    for index, (p_value, score, verdict, decision) in enumerate(JUDGED):
        data = picture("stripes", index, flawed=True)
        row = console.inspector.inspect(data, source=f"{index}.png", batch_key=key, category="stripes")
        ids.append(row.id or 0)
        with console.store.session() as session:
            kept = session.get(Inspection, row.id)
            assert kept is not None
            kept.p_value, kept.score, kept.verdict, kept.decision = p_value, score, verdict, decision
            kept.created_at = utc_now() - timedelta(days=days_ago)
            session.add(kept)
    return ids


async def open_what_if(user: User, inspection_id: int) -> None:
    await user.open(f"/inspection/{inspection_id}")
    user.find(marker="what-if").trigger("toggle", True)
    await user.should_see(marker="what-if-slider", retries=30)


def stop_at(user: User, promise: str) -> None:
    """Move the slider until it says ``promise``."""
    slider = user.find(marker="what-if-slider")
    last = int(next(iter(slider.elements)).props["max"])
    for place in range(last + 1):
        slider.trigger("input", place)
        if next(iter(user.find(marker="what-if-promise").elements)).text == promise:
            return
    raise AssertionError(f"no stop says {promise}")


@pytest.mark.parametrize("name", ["victor", "mia"])
async def test_it_is_closed_reads_nothing_and_then_tells_the_week(
    console: Console, sign_in: SignIn, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anomalyos.inspection import what_if

    reads: list[int] = []
    real = what_if.week

    def counted(session: Session, inspection_id: int) -> Week | None:
        reads.append(inspection_id)
        return real(session, inspection_id)

    monkeypatch.setattr(what_if, "week", counted)
    ids = fill(console)
    user = await sign_in(name)
    await user.open(f"/inspection/{ids[3]}")
    await user.should_see("What if the threshold moved?")
    await user.should_not_see(marker="what-if-slider")
    assert reads == []
    await open_what_if(user, ids[3])
    assert reads == [ids[3]]
    await user.should_see("As it is now: 3 of 6 parts flagged.")
    await user.should_see("6 parts of Stripes judged by model v1 in the last 7 days.")
    await user.should_see("This part stays flagged.")
    user.find(marker="what-if").trigger("toggle", False)
    user.find(marker="what-if").trigger("toggle", True)
    assert reads == [ids[3]]


async def test_a_stricter_promise_names_the_flips_and_what_people_had_said(
    console: Console, sign_in: SignIn
) -> None:
    ids = fill(console)
    user = await sign_in("mia")
    await open_what_if(user, ids[3])
    stop_at(user, "2 %")
    await user.should_see("2 of 6 parts would change.")
    await user.should_see("Flagged → normal: 2")
    await user.should_see("1 called a false alarm · 1 without either")
    await user.should_see("This part would become normal.")
    await user.should_see("stripes:\n  alpha: 0.02")
    await user.should_see("anomalyos rebuild --category stripes")
    await user.should_not_see("would no longer be flagged")
    with console.store.session(read_only=True) as session:
        rows = session.exec(select(Inspection).order_by(Inspection.id)).all()
        promised = session.exec(select(ModelVersion.alpha)).all()
    assert [(row.verdict, row.alpha, row.threshold) for row in rows] == [
        (v, 0.05, 2.0) for _, _, v, _ in JUDGED
    ]
    assert set(promised) == {0.05}


async def test_a_looser_promise_finds_the_defect_that_was_missed(console: Console, sign_in: SignIn) -> None:
    ids = fill(console)
    user = await sign_in("mia")
    await open_what_if(user, ids[2])
    stop_at(user, "8 %")
    await user.should_see("Normal → flagged: 1")
    await user.should_see("1 called a defect")
    await user.should_see("This part would become flagged.")
    stop_at(user, "5 %")
    await user.should_see("As it is now: 3 of 6 parts flagged.")
    await user.should_not_see("Only a trial")


async def test_letting_a_known_defect_go_is_said_plainly(console: Console, sign_in: SignIn) -> None:
    ids = fill(console)
    user = await sign_in("mia")
    await open_what_if(user, ids[5])
    slider = user.find(marker="what-if-slider")
    slider.trigger("input", 0)
    await user.should_see("3 of 6 parts would change.")
    await user.should_see("1 part that people called a defect would no longer be flagged.")


async def test_places_the_slider_does_not_have_change_nothing(console: Console, sign_in: SignIn) -> None:
    ids = fill(console)
    user = await sign_in("mia")
    await open_what_if(user, ids[0])
    for place in (-1, 99, "3", None, 1.5, [1]):
        user.find(marker="what-if-slider").trigger("input", place)
    await user.should_see("As it is now: 3 of 6 parts flagged.")


async def test_a_replaced_model_shows_the_days_it_was_used(console: Console, sign_in: SignIn) -> None:
    ids = fill(console, days_ago=30)
    user = await sign_in("mia")
    await open_what_if(user, ids[0])
    await user.should_see("when this version was last used")


async def test_what_was_not_scored_has_no_what_if(console: Console, sign_in: SignIn) -> None:
    key = open_night(console.store, DAY)
    torn = console.inspector.inspect(b"torn", source="torn.png", batch_key=key)
    user = await sign_in("mia")
    await user.open(f"/inspection/{torn.id}")
    await user.should_see("Rejected")
    await user.should_not_see(marker="what-if")


async def test_who_was_signed_out_meanwhile_reads_nothing(console: Console, sign_in: SignIn) -> None:
    from anomalyos.accounts import users

    ids = fill(console)
    user = await sign_in("victor")
    await user.open(f"/inspection/{ids[0]}")
    with console.store.session() as session:
        users.set_active(session, name="victor", active=False, actor="ada")
    user.find(marker="what-if").trigger("toggle", True)
    await user.should_not_see(marker="what-if-slider", retries=5)
    assert not [e for e in user.find(kind=ui.element).elements if "aos-whatif-picture" in e.classes]


async def test_the_picture_shows_the_week_in_numbers_only(console: Console) -> None:
    ids = fill(console)
    week = week_of(console.services, ids[0])
    drawn = week_svg(week, 2.0, 0.9)
    assert drawn.count('class="bar defect" x="') >= 2
    assert "Scores of 6 parts from 0.9 to 3; 3 lie above a threshold of 2" in drawn
    moved = week_svg(week, week.outcome(0.02).threshold, 0.9)
    assert moved != drawn
    assert "1 lie above a threshold of 2.2" in moved


def week_of(services: Services, inspection_id: int) -> Week:
    from anomalyos.inspection import what_if

    with services.store.session(read_only=True) as session:
        week = what_if.week(session, inspection_id)
    assert week is not None
    return week
