from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import Session

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Decision, Inspection, Review
from tests.support import workers
from tests.support.rows import inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

DECISIONS = [Decision.DEFECT, Decision.FALSE_ALARM, Decision.UNSURE]


def decide(session: Session, row: int, decision: str, expected: int, **more: str) -> Review:
    return reviews.decide(
        session, inspection_id=row, decision=decision, actor="mia", expected_version=expected, **more
    )


def undo(session: Session, row: int, expected: int) -> Review:
    return reviews.undo(session, inspection_id=row, actor="ben", expected_version=expected)


def test_a_decision_is_a_new_version(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)
        review = decide(session, row, "defect", 0, defect_type=" crack ", note="left edge")
    assert (review.version, review.defect_type, review.note, review.reviewer) == (
        1,
        "crack",
        "left edge",
        "mia",
    )
    with store.session() as session:
        found = inspections.get(session, row)
        assert (found.decision, found.review_version) == ("defect", 1)
        (event,) = audit.recent(session, subject=f"inspection:{row}")
        assert (event.actor, event.action) == ("mia", "review.decide")
        assert event.detail == {"version": 1, "decision": "defect", "defect_type": "crack"}


def test_the_row_at_hand_shows_the_decision_at_once(store: Store) -> None:
    with store.session() as session:
        found = inspections.get(session, inspection(session))
        decide(session, found.id or 0, "unsure", 0)
        assert (found.decision, found.review_version) == ("unsure", 1)


def test_who_comes_second_is_told_who_was_first(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)
        decide(session, row, "defect", 0)
        with pytest.raises(Conflict, match="mia said defect"):
            decide(session, row, "false_alarm", 0)
        with pytest.raises(Conflict, match="in the meantime"):
            undo(session, row, 0)
        for impossible in (-1, 2, 99):
            with pytest.raises(Conflict):
                decide(session, row, "false_alarm", impossible)
            with pytest.raises(Conflict):
                undo(session, row, impossible)
        assert inspections.get(session, row).decision == "defect"
        assert len(reviews.history(session, row)) == 1
        assert len(audit.recent(session)) == 1


def test_undo_restores_what_was_decided_before(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)
        decide(session, row, "defect", 0, defect_type="crack", note="left")
        decide(session, row, "false_alarm", 1)
        back = undo(session, row, 2)
        assert (back.version, back.kind, back.decision) == (3, "undo", "defect")
        assert (back.defect_type, back.note, back.reviewer) == ("crack", "left", "ben")
        assert inspections.get(session, row).decision == "defect"
        withdrawn = undo(session, row, 3)
        assert withdrawn.decision == Decision.WITHDRAWN
        found = inspections.get(session, row)
        assert (found.decision, found.review_version) == (None, 4)
        with pytest.raises(Conflict, match="no decision"):
            undo(session, row, 4)
        assert [review.version for review in reviews.history(session, row)] == [1, 2, 3, 4]
        assert [event.action for event in audit.recent(session)][:2] == ["review.undo", "review.undo"]


def test_deciding_the_same_again_is_not_an_undo(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)
        for version, decision in enumerate(["defect", "unsure", "defect"]):
            decide(session, row, decision, version)
        undo(session, row, 3)
        assert inspections.get(session, row).decision == "unsure"


def test_a_missed_defect_can_be_reported_on_a_normal_image(store: Store) -> None:
    with store.session() as session:
        row = inspection(session, verdict="normal")
        decide(session, row, "defect", 0)
        assert inspections.get(session, row).decision == "defect"


@pytest.mark.parametrize("decision", ["withdrawn", "", "DEFECT", "scrap"])
def test_other_words_are_no_decisions(store: Store, decision: str) -> None:
    with store.session() as session:
        row = inspection(session)
        with pytest.raises(AnomalyOSError, match="not a decision"):
            decide(session, row, decision, 0)


@pytest.mark.parametrize(
    "more", [{"note": "x" * 2001}, {"note": "a\0b"}, {"defect_type": "x" * 65}, {"note": "\ud800"}]
)
def test_texts_that_cannot_be_kept_are_refused(store: Store, more: dict[str, str]) -> None:
    with store.session() as session:
        row = inspection(session)
        with pytest.raises(AnomalyOSError):
            decide(session, row, "defect", 0, **more)
        assert inspections.get(session, row).review_version == 0


def test_a_refused_image_cannot_be_decided(store: Store) -> None:
    with store.session() as session:
        row = inspection(session, verdict="rejected")
        with pytest.raises(AnomalyOSError, match="never scored"):
            decide(session, row, "defect", 0)


def test_a_missing_inspection_is_not_found(store: Store) -> None:
    with store.session() as session:
        with pytest.raises(NotFound):
            decide(session, 99, "defect", 0)
        with pytest.raises(NotFound):
            undo(session, 99, 0)


def test_review_inspection_and_audit_roll_back_together(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)

    def fail_after_deciding() -> None:
        with store.session() as session:
            decide(session, row, "defect", 0)
            assert len(audit.recent(session)) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_deciding()
    with store.session() as session:
        assert audit.recent(session) == []
        assert reviews.history(session, row) == []
        assert inspections.get(session, row).review_version == 0


def test_of_reviewers_who_decide_at_once_exactly_one_wins(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        row = inspection(session)
    outcomes = workers.run_together(workers.decide, store_settings, [(row, str(d)) for d in DECISIONS])
    winners = [outcome for outcome in outcomes if outcome != "Conflict"]
    with store.session() as session:
        found = inspections.get(session, row)
        (review,) = reviews.history(session, row)
        (event,) = audit.recent(session)
    assert winners == [found.decision] == [review.decision] == [event.actor]
    assert found.review_version == 1


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from([*DECISIONS, None]), max_size=12))
def test_the_decision_always_equals_what_the_history_says(store: Store, steps: list[Decision | None]) -> None:
    """None is an undo; a plain list plays the rules again beside the store."""
    with store.session() as session:
        row = inspection(session)
        oracle: list[Decision] = []
        for step in steps:
            version = session.get_one(Inspection, row).review_version
            if step is not None:
                decide(session, row, step, version)
                oracle.append(step)
            elif oracle:
                undo(session, row, version)
                oracle.pop()
            else:
                with pytest.raises(Conflict):
                    undo(session, row, version)
            found = inspections.get(session, row)
            history = reviews.history(session, row)
            assert found.decision == (oracle[-1] if oracle else None)
            assert [review.version for review in history] == list(range(1, found.review_version + 1))
            if history:
                assert history[-1].decision == (found.decision or Decision.WITHDRAWN)
        session.rollback()
