from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import leases
from anomalyos.inspection.lease_tables import QueueLease
from tests.support import workers
from tests.support.rows import inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

START = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
SECONDS = 120.0


def items(store: Store, count: int) -> list[int]:
    with store.session() as session:
        return [inspection(session, f"{number}.png") for number in range(count)]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_one_person_at_a_time(store: Store) -> None:
    first, second = items(store, 2)
    with store.session() as session:
        assert leases.acquire(session, first, "mia", SECONDS, now=at(0))
        assert not leases.acquire(session, first, "sam", SECONDS, now=at(1))
        assert leases.acquire(session, second, "sam", SECONDS, now=at(1))
        assert leases.held_by_others(session, [first, second], "sam", now=at(2)) == {first: "mia"}
        assert leases.held_by_others(session, [first, second], "mia", now=at(2)) == {second: "sam"}
        assert leases.held_by_others(session, [], "mia", now=at(2)) == {}


def test_a_lease_ends_by_itself_and_can_be_renewed_before(store: Store) -> None:
    (item,) = items(store, 1)
    with store.session() as session:
        assert leases.acquire(session, item, "mia", SECONDS, now=at(0))
        assert leases.acquire(session, item, "mia", SECONDS, now=at(100))
        assert not leases.acquire(session, item, "sam", SECONDS, now=at(219))
        assert leases.held_by_others(session, [item], "sam", now=at(220)) == {}
        assert leases.acquire(session, item, "sam", SECONDS, now=at(220))
        assert not leases.acquire(session, item, "mia", SECONDS, now=at(221))


def test_given_back_it_is_free_at_once(store: Store) -> None:
    (item,) = items(store, 1)
    with store.session() as session:
        until = leases.acquire(session, item, "mia", SECONDS, now=at(0))
        assert until == at(SECONDS)
        assert not leases.release(session, item, "sam", until)
        assert leases.release(session, item, "mia", until)
        assert not leases.release(session, item, "mia", until)
        assert leases.acquire(session, item, "sam", SECONDS, now=at(1))


def test_an_older_page_does_not_give_back_what_a_newer_one_holds(store: Store) -> None:
    (item,) = items(store, 1)
    with store.session() as session:
        older = leases.acquire(session, item, "mia", SECONDS)
    with store.session() as session:
        newer = leases.acquire(session, item, "mia", SECONDS)
    assert older is not None
    assert newer is not None
    with store.session() as session:
        assert not leases.release(session, item, "mia", older)
        assert not leases.acquire(session, item, "sam", SECONDS)
        assert leases.release(session, item, "mia", newer)


def test_the_first_free_item_is_taken(store: Store) -> None:
    ids = items(store, 3)
    with store.session() as session:
        leases.acquire(session, ids[0], "sam", SECONDS, now=at(0))
        assert leases.acquire_first(session, ids, "mia", SECONDS, now=at(1)) == (ids[1], at(121))
        leases.acquire(session, ids[2], "sam", SECONDS, now=at(1))
        assert leases.acquire_first(session, [ids[0], ids[2]], "mia", SECONDS, now=at(2)) is None
        assert leases.acquire_first(session, [], "mia", SECONDS, now=at(2)) is None


def test_an_inspection_that_does_not_exist_cannot_be_held(store: Store) -> None:
    with pytest.raises(IntegrityError), store.session() as session:
        leases.acquire(session, 99, "mia", SECONDS)


def test_what_ran_out_is_tidied_away(store: Store) -> None:
    first, second = items(store, 2)
    with store.session() as session:
        leases.acquire(session, first, "mia", SECONDS, now=at(0))
        leases.acquire(session, second, "mia", SECONDS, now=at(60))
        assert leases.forget_expired(session, now=at(130)) == 1
        assert leases.held_by_others(session, [first, second], "sam", now=at(130)) == {second: "mia"}


STEP = st.tuples(
    st.sampled_from(["acquire", "release", "look"]),
    st.sampled_from(["mia", "sam", "erik"]),
    st.integers(0, 2),
    st.integers(0, 90),
)


@profile(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, max_size=25))
def test_leases_are_what_a_plain_table_of_holders_would_be(store: Store, steps: list[Any]) -> None:
    """Whatever people do in whatever order: the same answers as a dict of holder and end."""
    expected: dict[int, tuple[str, datetime]] = {}
    moment = START
    ids = items(store, 3)
    with store.session() as session:
        session.connection().execute(delete(QueueLease))
        for action, person, number, pause in steps:
            moment += timedelta(seconds=pause)
            item = ids[number]
            holder, until = expected.get(item, ("", START))
            if action == "acquire":
                free = holder in {"", person} or until <= moment
                end = moment + timedelta(seconds=SECONDS)
                assert leases.acquire(session, item, person, SECONDS, now=moment) == (end if free else None)
                if free:
                    expected[item] = (person, end)
            elif action == "release":
                assert leases.release(session, item, person, until) == (holder == person)
                if holder == person:
                    del expected[item]
            else:
                assert leases.held_by_others(session, ids, person, now=moment) == {
                    key: name for key, (name, end) in expected.items() if name != person and end > moment
                }


def claim(settings: Settings, wait: Callable[[], Any], name: str, ids: list[int]) -> list[int]:
    """Take what can be had, each item in a transaction of its own and in an order of one's own."""
    store = Store(settings)
    mine = []
    order = random.Random(name).sample(ids, len(ids))
    wait()
    for item in order:
        with store.session() as session:
            if leases.acquire(session, item, name, SECONDS):
                mine.append(item)
    store.close()
    return mine


def test_processes_that_grab_at_once_never_hold_the_same(store: Store, store_settings: Settings) -> None:
    ids = items(store, 12)
    names = ["mia", "sam", "erik", "ada"]
    outcomes = workers.run_together(claim, store_settings, [(name, ids) for name in names])
    held = Counter(item for mine in outcomes for item in mine)
    assert held == Counter(ids)
    with store.session(read_only=True) as session:
        found = leases.held_by_others(session, ids, "")
    assert found == {item: name for name, mine in zip(names, outcomes, strict=True) for item in mine}


def test_threads_that_advance_at_once_get_an_item_each(store: Store) -> None:
    ids = items(store, 6)
    barrier = Barrier(6)

    def advance(name: str) -> int:
        barrier.wait(60)
        with store.session() as session:
            found = leases.acquire_first(session, ids, name, SECONDS)
        return found[0] if found else 0

    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(advance, [f"person-{number}" for number in range(6)]))
    assert sorted(taken) == ids


def test_an_expired_lease_goes_to_exactly_one_of_many(store: Store) -> None:
    (item,) = items(store, 1)
    with store.session() as session:
        leases.acquire(session, item, "gone", -1)
    barrier = Barrier(6)

    def take(name: str) -> bool:
        barrier.wait(60)
        with store.session() as session:
            return leases.acquire(session, item, name, SECONDS) is not None

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(take, [f"person-{number}" for number in range(6)])).count(True) == 1
