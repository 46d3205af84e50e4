from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import Session

from anomalyos.accounts import audit
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import Promotion
from tests.support import workers
from tests.support.rows import category_with_versions

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def promote(session: Session, category_id: int, version_id: int, pointer: int) -> Promotion:
    return promotions.promote(
        session,
        category_id=category_id,
        version_id=version_id,
        expected_pointer=pointer,
        actor="mia",
        reason="better",
    )


def roll_back(session: Session, name: str = "hazelnut") -> Promotion:
    return promotions.rollback(session, category_name=name, actor="mia", reason="worse")


def champion(session: Session, name: str = "hazelnut") -> int:
    version = model_versions.champion(session, name)
    assert version is not None
    return version.version


def test_promotion_moves_the_pointer_and_is_written_down(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 2)
        promote(session, category_id, ids[0], 0)
        move = promote(session, category_id, ids[1], 1)
    assert (move.from_id, move.to_id, move.kind) == (ids[0], ids[1], "promote")
    with store.session() as session:
        category = categories.by_name(session, "hazelnut")
        assert (category.champion_id, category.pointer_version) == (ids[1], 2)
        assert len(promotions.history(session, "hazelnut")) == 2
        (newest, _) = audit.recent(session, subject="category:hazelnut")
    assert (newest.actor, newest.action) == ("mia", "model.promote")
    assert newest.detail == {"from_id": ids[0], "to_id": ids[1], "pointer": 2, "reason": "better"}


def test_a_promotion_decided_on_an_old_state_is_refused(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 3)
        promote(session, category_id, ids[0], 0)
        promote(session, category_id, ids[1], 1)
        for stale in (0, 1, 3):
            with pytest.raises(Conflict, match="in the meantime"):
                promote(session, category_id, ids[2], stale)
        assert champion(session) == 2
        assert len(promotions.history(session, "hazelnut")) == 2


def test_the_champion_cannot_be_promoted_again(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 1)
        promote(session, category_id, ids[0], 0)
        with pytest.raises(Conflict, match="champion already"):
            promote(session, category_id, ids[0], 1)


def test_another_category_s_version_is_refused(store: Store) -> None:
    with store.session() as session:
        category_id, _ = category_with_versions(session, "hazelnut", 1)
        _, other = category_with_versions(session, "pcb", 1)
        with pytest.raises(NotFound, match="another category"):
            promote(session, category_id, other[0], 0)
        with pytest.raises(NotFound):
            promote(session, category_id, 999, 0)
        with pytest.raises(NotFound):
            promote(session, 999, other[0], 0)


def test_rolling_back_twice_goes_further_back(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 3)
        for pointer, version_id in enumerate(ids):
            promote(session, category_id, version_id, pointer)
        move = roll_back(session)
        assert (move.from_id, move.to_id, move.kind) == (ids[2], ids[1], "rollback")
        assert champion(session) == 2
        roll_back(session)
        assert champion(session) == 1
        with pytest.raises(Conflict, match="no earlier champion"):
            roll_back(session)
        assert categories.by_name(session, "hazelnut").pointer_version == 5


def test_what_was_rolled_back_is_not_returned_to(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 3)
        promote(session, category_id, ids[0], 0)
        promote(session, category_id, ids[1], 1)
        roll_back(session)
        promote(session, category_id, ids[2], 3)
        roll_back(session)
        assert champion(session) == 1


def test_a_rolled_back_version_may_be_promoted_again(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 2)
        promote(session, category_id, ids[0], 0)
        promote(session, category_id, ids[1], 1)
        roll_back(session)
        promote(session, category_id, ids[1], 3)
        assert champion(session) == 2
        roll_back(session)
        assert champion(session) == 1


def test_nothing_to_roll_back_says_so(store: Store) -> None:
    with store.session() as session:
        category_with_versions(session, "hazelnut", 1)
        with pytest.raises(NotFound, match="ever promoted"):
            roll_back(session)
        with pytest.raises(NotFound, match="no category"):
            roll_back(session, "nothing")


def test_the_audit_event_goes_when_the_promotion_goes(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 1)

    def fail_after_promoting() -> None:
        with store.session() as session:
            promote(session, category_id, ids[0], 0)
            assert len(audit.recent(session)) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_promoting()
    with store.session() as session:
        assert audit.recent(session) == []
        assert promotions.history(session, "hazelnut") == []
        assert categories.by_name(session, "hazelnut").pointer_version == 0


def test_of_processes_that_promote_at_once_exactly_one_wins(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 4)
    outcomes = workers.run_together(workers.promote, store_settings, [(category_id, v) for v in ids])
    assert sorted(outcomes) == ["Conflict", "Conflict", "Conflict", "promoted"]
    winner = ids[outcomes.index("promoted")]
    with store.session() as session:
        category = categories.by_name(session, "hazelnut")
        (move,) = promotions.history(session, "hazelnut")
        (event,) = audit.recent(session)
    assert (category.champion_id, category.pointer_version) == (winner, 1)
    assert (move.from_id, move.to_id) == (None, winner)
    assert event.detail["to_id"] == winner


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=st.lists(st.integers(min_value=0, max_value=3), max_size=10))
def test_the_pointer_always_equals_what_the_history_says(store: Store, moves: list[int]) -> None:
    """0 rolls back, 1 to 3 promote that version; a plain list plays the rules again beside it."""
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 3)
        oracle: list[int] = []
        for move in moves:
            pointer = categories.by_name(session, "hazelnut").pointer_version
            if move and (not oracle or oracle[-1] != ids[move - 1]):
                promote(session, category_id, ids[move - 1], pointer)
                oracle.append(ids[move - 1])
            elif not move and len(oracle) > 1:
                roll_back(session)
                oracle.pop()
            category = categories.by_name(session, "hazelnut")
            assert category.champion_id == (oracle[-1] if oracle else None)
            history = promotions.history(session, "hazelnut")
            assert category.pointer_version == len(history)
            assert all(now.from_id == before.to_id for before, now in itertools.pairwise(history))
        session.rollback()
