"""Reviews: what people decided about inspections, version by version."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.db.rows import plain_text
from anomalyos.inspection import inspections
from anomalyos.inspection.tables import Decision, Inspection, Review, Verdict

DECIDE = "decide"
UNDO = "undo"


def decide(
    session: Session,
    *,
    inspection_id: int,
    decision: str,
    actor: str,
    expected_version: int,
    defect_type: str = "",
    note: str = "",
) -> Review:
    """Write a person's decision as the next review version.

    Args:
        decision: a ``Decision`` other than WITHDRAWN.
        expected_version: ``Inspection.review_version`` the person was looking at.

    Raises:
        NotFound: no such inspection.
        Conflict: somebody reviewed it in between.
        AnomalyOSError: not a decision, a text too long, or an image that was never scored.
    """
    choices = [choice.value for choice in Decision if choice is not Decision.WITHDRAWN]
    if decision not in choices:
        raise AnomalyOSError(f"{decision!r} is not a decision.", f"Choose one of: {', '.join(choices)}.")
    review = Review(
        inspection_id=inspection_id,
        version=expected_version + 1,
        kind=DECIDE,
        decision=str(decision),
        defect_type=plain_text(defect_type, "defect type", 64),
        note=plain_text(note, "note", 2000),
        reviewer=actor,
    )
    if inspections.get(session, inspection_id).verdict == Verdict.REJECTED:
        raise AnomalyOSError(
            f"The image of inspection {inspection_id} was refused and never scored.",
            "There is nothing to decide; deliver the image again.",
        )
    return _append(session, review, expected_version)


def undo(session: Session, *, inspection_id: int, actor: str, expected_version: int) -> Review:
    """Take the newest decision back: the one before it holds again, or none (WITHDRAWN).

    Undoing again goes further back. Nothing is deleted: an undo is a review version too.

    Raises:
        NotFound: no such inspection.
        Conflict: somebody reviewed it in between, or there is no decision to take back.
    """
    inspection = inspections.get(session, inspection_id)
    session.refresh(inspection, ["review_version"])
    standing = _standing(history(session, inspection_id)[:expected_version])
    if not standing:
        if inspection.review_version != expected_version:
            raise _changed(session, inspection_id)
        raise Conflict(f"Inspection {inspection_id} carries no decision.", "There is nothing to undo.")
    before = standing[-2] if len(standing) > 1 else None
    review = Review(
        inspection_id=inspection_id,
        version=expected_version + 1,
        kind=UNDO,
        decision=before.decision if before else Decision.WITHDRAWN.value,
        defect_type=before.defect_type if before else "",
        note=before.note if before else "",
        reviewer=actor,
    )
    return _append(session, review, expected_version)


def history(session: Session, inspection_id: int) -> Sequence[Review]:
    """Every version, oldest first."""
    query = select(Review).where(Review.inspection_id == inspection_id).order_by(col(Review.version))
    return session.exec(query).all()


def _standing(reviews: Sequence[Review]) -> list[Review]:
    """Decisions that have not been taken back, the one that holds last."""
    stack: list[Review] = []
    for review in reviews:
        if review.kind == UNDO:
            stack.pop()
        else:
            stack.append(review)
    return stack


def _append(session: Session, review: Review, expected: int) -> Review:
    """The one statement that decides whose review counts, then the record of it."""
    holds = None if review.decision == Decision.WITHDRAWN else review.decision
    changed = session.connection().execute(
        update(Inspection)
        .where(col(Inspection.id) == review.inspection_id, col(Inspection.review_version) == expected)
        .values(review_version=review.version, decision=holds)
    )
    inspection = session.get_one(Inspection, review.inspection_id, populate_existing=True)
    if changed.rowcount != 1:
        raise _changed(session, review.inspection_id)
    session.add(review)
    session.flush()
    audit.write(
        session,
        actor=review.reviewer,
        action=f"review.{review.kind}",
        subject=f"inspection:{inspection.id}",
        detail={"version": review.version, "decision": review.decision, "defect_type": review.defect_type},
    )
    return review


def _changed(session: Session, inspection_id: int) -> Conflict:
    """What to tell somebody who came second, naming who came first."""
    reviews = history(session, inspection_id)
    who = f": {reviews[-1].reviewer} said {reviews[-1].decision}" if reviews else ""
    return Conflict(
        f"Inspection {inspection_id} was reviewed in the meantime{who}.",
        "Look at it again before you decide.",
    )
