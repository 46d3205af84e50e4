from __future__ import annotations

import asyncio

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Inspection
from console.ui.kit import Text
from tests.console.conftest import Console, SignIn
from tests.console.factory import finish_night, open_night
from tests.support.products import picture

DAY = "2026-11-24"


async def see(user: User, text: str | None = None, *, marker: str | None = None) -> None:
    """What must appear; patient, because a decision is several questions to the database."""
    if marker is not None:
        await user.should_see(marker=marker, retries=80)
    else:
        await user.should_see(text or "", retries=80)


def fill_night(console: Console, *, flawed: int = 3, good: int = 4, broken: int = 1, day: str = DAY) -> str:
    key = open_night(console.store, day, expected=flawed + good + broken)
    for index in range(flawed + good):
        data = picture("stripes", index, flawed=index < flawed)
        console.inspector.inspect(data, source=f"{day}/{index:03}.png", batch_key=key, category="stripes")
    for index in range(broken):
        console.inspector.inspect(b"no image", source=f"{day}/<b>{index}.png", batch_key=key)
    finish_night(console.store, key)
    return key


def waiting(console: Console, key: str) -> list[Inspection]:
    with console.store.session(read_only=True) as session:
        return list(inspections.queue(session, batch_key=key))


def row(console: Console, inspection_id: int) -> Inspection:
    with console.store.session(read_only=True) as session:
        return inspections.get(session, inspection_id)


async def test_an_empty_console_says_what_will_come(sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "No night yet")
    await see(user, "Inspect an image now")


async def test_the_latest_night_opens_with_the_most_suspicious_item(
    console: Console, sign_in: SignIn
) -> None:
    fill_night(console, day="2026-11-23", flawed=1)
    key = fill_night(console)
    first = waiting(console, key)[0]
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "Tue, 24 November 2026")
    await see(user, "To decide")
    await see(user, "synthetic")
    await see(user, "1 of 3")
    photo = next(e for e in user.find(kind=ui.element).elements if "photo" in e.classes)
    assert photo.props["src"] == f"/media/image/{first.id}"
    await see(user, marker="sentence")
    assert "Flagged: " in next(iter(user.find(kind=Text, marker="sentence").elements)).text


async def test_a_decision_is_kept_and_the_queue_moves_on(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first, second, _ = waiting(console, key)
    user = await sign_in("mia")
    await user.open(f"/?batch={key}")
    user.find(marker="defect-type").type("stain")
    user.find(marker="note").type("<b>left</b> side")
    user.find(marker="decide-defect").click()
    await see(user, "Defect: Stripes")
    await see(user, "1 of 2")
    assert row(console, first.id or 0).decision == "defect"
    with console.store.session(read_only=True) as session:
        review = reviews.history(session, first.id or 0)[0]
    assert (review.defect_type, review.note, review.reviewer) == ("stain", "<b>left</b> side", "mia")
    assert waiting(console, key)[0].id == second.id


async def test_undo_brings_the_item_back(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0]
    user = await sign_in("mia")
    await user.open("/")
    user.find(marker="decide-false_alarm").click()
    await see(user, "1 of 2")
    user.find(marker="undo").click()
    await see(user, "Taken back")
    await see(user, "1 of 3")
    undone = row(console, first.id or 0)
    assert (undone.decision, undone.review_version) == (None, 2)
    user.find(marker="undo").click()
    await see(user, "There is nothing to undo here.")


async def test_somebody_elses_decision_is_shown_instead_of_overwritten(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0]
    user = await sign_in("mia")
    await user.open("/")
    with console.store.session() as session:
        reviews.decide(
            session, inspection_id=first.id or 0, decision="unsure", actor="erik", expected_version=0
        )
    user.find(marker="decide-defect").click()
    await see(user, "was reviewed in the meantime: erik said unsure")
    await see(user, "Unsure by erik")
    assert row(console, first.id or 0).decision == "unsure"


async def test_viewers_see_everything_and_decide_nothing(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0]
    user = await sign_in("victor")
    await user.open("/")
    await see(user, "1 of 3")
    await user.should_not_see(marker="note")
    await see(user, "You are signed in as viewer. Deciding needs the role reviewer.")
    user.find(marker="decide-defect").click()
    await see(user, "This needs the role reviewer; yours is viewer.")
    assert row(console, first.id or 0).decision is None


async def test_a_role_taken_away_counts_at_once(console: Console, sign_in: SignIn) -> None:
    from anomalyos.accounts import users

    key = fill_night(console)
    user = await sign_in("mia")
    await user.open("/")
    with console.store.session() as session:
        users.set_role(session, name="mia", role="viewer", actor="ada")
    user.find(marker="decide-defect").click()
    await asyncio.sleep(0.3)
    assert len(waiting(console, key)) == 3


async def test_a_decided_night_says_done_with_its_totals(console: Console, sign_in: SignIn) -> None:
    fill_night(console, flawed=1)
    user = await sign_in("mia")
    await user.open("/")
    user.find(marker="decide-defect").click()
    await see(user, "Done. The night is decided.")
    await see(user, "6 images inspected, 1 flagged, all decided. 1 file could not be read.")
    user.find(marker="look-again").click()
    await see(user, "Defect by mia")


async def test_a_quiet_night_says_so(console: Console, sign_in: SignIn) -> None:
    fill_night(console, flawed=0, broken=0)
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "Nothing was flagged")


async def test_rejected_files_come_with_reason_and_next_step(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    user = await sign_in("victor")
    await user.open(f"/rejected?batch={key}")
    await see(user, "1 file could not be inspected")
    await see(user, "<b>0.png")
    await see(user, "Choose a PNG, JPEG, BMP, TIFF or WebP photo.")


async def test_long_queues_are_paged_by_the_server(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console, flawed=26, good=0, broken=0)
    last = waiting(console, key)[25]
    user = await sign_in("victor")
    await user.open("/")
    await see(user, "1–24 of 26")
    await user.should_not_see(marker=f"item-{last.id}")
    user.find(marker="later").click()
    await see(user, "25–26 of 26")
    await see(user, marker=f"item-{last.id}")


@pytest.mark.parametrize("path", ["/?batch=night-1999-01-01", "/?batch=%3Cscript%3E"])
async def test_unknown_nights_are_said_to_be_unknown(sign_in: SignIn, path: str) -> None:
    user = await sign_in("mia")
    await user.open(path)
    await see(user, "There is no such night")


async def test_one_result_by_its_link(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0]
    user = await sign_in("mia")
    await user.open(f"/inspection/{first.id}")
    await see(user, f"Inspection {first.id}")
    user.find(marker="decide-unsure").click()
    await see(user, "Unsure by mia")
    await user.open("/inspection/99999")
    await see(user, "There is no inspection 99999")
