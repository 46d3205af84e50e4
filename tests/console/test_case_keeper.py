from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotAllowed
from console.services.case_keeper import CaseKeeper
from tests.console.conftest import Console
from tests.console.factory import finish_night, open_night
from tests.support.products import picture


@dataclass(frozen=True)
class Person:
    name: str
    role: Role


class Library:
    """Notes what it is asked to follow; fails for inspection 13."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []
        self.threads: set[int] = set()

    def follow_review(self, inspection_id: int, actor: str) -> None:
        self.threads.add(threading.get_ident())
        if inspection_id == 13:
            raise AnomalyOSError("the index is locked")
        self.seen.append((inspection_id, actor))


async def test_decisions_and_undos_reach_the_case_base(console: Console) -> None:
    night = open_night(console.store, "2026-11-23", expected=1)
    row = console.inspector.inspect(picture("stripes", 1, flawed=True), source="a.png", batch_key=night)
    finish_night(console.store, night)
    assert row.id is not None
    service, mia = console.services.inspections, Person("mia", Role.REVIEWER)
    service.decide(mia, row.id, "defect", expected_version=0, defect_type="stain")
    service.undo(mia, row.id, expected_version=1)
    assert console.followed == [(row.id, "mia"), (row.id, "mia")]
    with pytest.raises(NotAllowed):
        service.decide(Person("victor", Role.VIEWER), row.id, "defect", expected_version=2)
    assert len(console.followed) == 2


def test_reviews_are_followed_in_order_on_a_thread_of_their_own() -> None:
    library = Library()
    keeper = CaseKeeper(lambda: library)
    for number in (3, 1, 2):
        keeper.follow(number, "mia")
    keeper.settle()
    assert library.seen == [(3, "mia"), (1, "mia"), (2, "mia")]
    assert threading.get_ident() not in library.threads
    assert len(library.threads) == 1
    keeper.stop()


def test_a_failure_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    library = Library()
    keeper = CaseKeeper(lambda: library)
    keeper.follow(13, "mia")
    keeper.follow(14, "mia")
    keeper.settle()
    assert library.seen == [(14, "mia")]
    assert "inspection 13" in caplog.text
    keeper.stop()
