"""Several people on one queue: leases, who looks at what, and what a page does when an item is taken."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.inspection import leases
from anomalyos.inspection.lease_tables import QueueLease
from console.pages.inspector import item_lease
from tests.console.conftest import Console, SignIn
from tests.console.test_queue import fill_night, row, see, waiting


def photo(user: User) -> str:
    """Address of the photo on the stage."""
    return next(str(e.props["src"]) for e in user.find(kind=ui.element).elements if "photo" in e.classes)


def held(console: Console) -> dict[int, str]:
    with console.store.session(read_only=True) as session:
        return {lease.inspection_id: lease.holder for lease in session.query(QueueLease)}


def hold(console: Console, inspection_id: int | None, name: str) -> datetime:
    """Until when it is held."""
    with console.store.session() as session:
        until = leases.acquire(session, inspection_id or 0, name, 600)
    assert until is not None
    return until


def give_back(console: Console, inspection_id: int, name: str, until: datetime) -> None:
    with console.store.session() as session:
        assert leases.release(session, inspection_id, name, until)


async def test_two_reviewers_never_open_the_same_item(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first, second, _ = (item.id for item in waiting(console, key))
    mia, erik = await sign_in("mia"), await sign_in("erik")
    await mia.open("/")
    await see(mia, "1 of 3")
    await erik.open("/")
    await see(erik, "2 of 3")
    await see(erik, "mia is looking at this")
    assert (photo(mia), photo(erik)) == (f"/media/image/{first}", f"/media/image/{second}")
    assert held(console) == {first: "mia", second: "erik"}


async def test_what_others_look_at_is_skipped_when_the_queue_moves_on(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console)
    first, second, third = (item.id for item in waiting(console, key))
    hold(console, second, "sam")
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "1 of 3")
    assert held(console) == {first: "mia", second: "sam"}
    user.find(marker="decide-defect").click()
    await see(user, "2 of 2")
    assert photo(user) == f"/media/image/{third}"
    assert held(console) == {second: "sam", third: "mia"}


async def test_an_item_somebody_looks_at_can_be_seen_but_not_decided(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0].id or 0
    hold(console, first, "sam")
    user = await sign_in("mia")
    await user.open(f"/?batch={key}&item={first}")
    await see(user, "sam is looking at this. You can look too; deciding waits until it is free.")
    user.find(marker="decide-defect").click()
    await see(user, "sam is looking at this.")
    assert row(console, first).decision is None
    assert held(console) == {first: "sam"}


async def test_once_free_it_is_offered_and_not_decided_by_the_same_press(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0].id or 0
    until = hold(console, first, "sam")
    user = await sign_in("mia")
    await user.open(f"/?batch={key}&item={first}")
    await see(user, "deciding waits until it is free")
    give_back(console, first, "sam", until)
    user.find(marker="decide-defect").click()
    await see(user, "It is free now. Decide when you like.")
    assert row(console, first).decision is None
    assert held(console) == {first: "mia"}
    user.find(marker="decide-defect").click()
    await see(user, "Defect: Stripes")
    assert row(console, first).decision == "defect"


async def test_a_page_notices_by_itself_that_an_item_became_free(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_lease, "BEAT", 0.3)
    key = fill_night(console)
    first = waiting(console, key)[0].id or 0
    until = hold(console, first, "sam")
    user = await sign_in("mia")
    await user.open(f"/?batch={key}&item={first}")
    await see(user, "deciding waits until it is free")
    give_back(console, first, "sam", until)
    await user.should_not_see(marker="held", retries=200)
    assert held(console) == {first: "mia"}


async def test_when_all_are_taken_the_first_is_shown_with_who_has_it(
    console: Console, sign_in: SignIn
) -> None:
    key = fill_night(console, flawed=2)
    for item in waiting(console, key):
        hold(console, item.id, "sam")
    user = await sign_in("mia")
    await user.open("/")
    await see(user, marker="held")
    await see(user, "1 of 2")


async def test_viewers_take_nothing_and_see_who_looks(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    first = waiting(console, key)[0].id
    hold(console, first, "sam")
    user = await sign_in("victor")
    await user.open("/")
    await see(user, "1 of 3")
    await see(user, "sam is looking at this")
    assert photo(user) == f"/media/image/{first}"
    assert held(console) == {first: "sam"}


async def test_leaving_gives_the_item_back(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console)
    ids = [item.id for item in waiting(console, key)]
    user = await sign_in("mia")
    await user.open("/")
    await see(user, "1 of 3")
    assert held(console) == {ids[0]: "mia"}
    assert user.client is not None
    user.client.delete()
    await user.open("/nights")
    await see(user, "3 open")
    for _ in range(80):
        if not held(console):
            break
        await asyncio.sleep(0.1)
    assert held(console) == {}


async def test_decided_items_need_no_lease(console: Console, sign_in: SignIn) -> None:
    key = fill_night(console, flawed=1)
    first = waiting(console, key)[0].id or 0
    user = await sign_in("mia")
    await user.open("/")
    user.find(marker="decide-defect").click()
    await see(user, "Done. The night is decided.")
    assert held(console) == {}
    await user.open(f"/?batch={key}&show=decided")
    await see(user, "Defect by mia")
    assert held(console) == {}
    hold(console, first, "sam")
    user.find(marker="decide-unsure").click()
    await see(user, "Unsure by mia")
