"""Evidence: which cause somebody established for which case. Withdrawn evidence stays on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.cases.tables import DefectCase
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.rows import plain_text
from anomalyos.knowledge.tables import CauseEvidence


def confirm(
    session: Session, *, case_id: int, defect: str, cause: str, actor: str, note: str = ""
) -> CauseEvidence:
    """Record what caused a case. One case has one root cause at a time.

    Args:
        defect: key of the case's defect type in the graph.
        cause: key of the cause in the graph.

    Raises:
        NotFound: no such case.
        Conflict: the case is removed, or a cause of it stands already.
    """
    # two people confirming at once take turns at the case
    query = select(DefectCase).where(DefectCase.id == case_id).with_for_update()
    case = session.exec(query).one_or_none()
    if case is None:
        raise NotFound(f"There is no case {case_id}.", "List them with 'anomalyos cases list'.")
    if case.removed_at is not None:
        raise Conflict(f"Case {case_id} is removed, so it proves nothing.", "Restore the case first.")
    known = standing(session, case_id)
    if known is not None:
        raise Conflict(
            f"{known.actor} established {known.cause} for case {case_id} already.",
            f"Withdraw evidence {known.id} first if that is wrong.",
        )
    row = CauseEvidence(
        case_id=case_id, defect=defect, cause=cause, actor=actor, note=plain_text(note, "note", 2000)
    )
    session.add(row)
    session.flush()
    _audit(session, row, actor, "cause.confirm")
    return row


def withdraw(session: Session, evidence_id: int, actor: str) -> CauseEvidence:
    """Take evidence back: it counts no longer.

    Raises:
        NotFound: no such evidence.
        Conflict: it was withdrawn before.
    """
    row = session.get(CauseEvidence, evidence_id, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no evidence {evidence_id}.", "Look at the case it was given for.")
    done = session.connection().execute(
        update(CauseEvidence)
        .where(col(CauseEvidence.id) == evidence_id, col(CauseEvidence.withdrawn_at).is_(None))
        .values(withdrawn_at=datetime.now(UTC), withdrawn_by=actor)
    )
    session.refresh(row)
    if done.rowcount != 1:
        raise Conflict(f"Evidence {evidence_id} was withdrawn by {row.withdrawn_by} already.")
    _audit(session, row, actor, "cause.withdraw")
    return row


def standing(session: Session, case_id: int) -> CauseEvidence | None:
    """The evidence that holds for a case now."""
    query = select(CauseEvidence).where(
        CauseEvidence.case_id == case_id, col(CauseEvidence.withdrawn_at).is_(None)
    )
    return session.exec(query).one_or_none()


def of_case(session: Session, case_id: int) -> Sequence[CauseEvidence]:
    """All evidence ever given for a case, oldest first."""
    query = select(CauseEvidence).where(CauseEvidence.case_id == case_id)
    return session.exec(query.order_by(col(CauseEvidence.id))).all()


def counts(session: Session, defects: Iterable[str]) -> dict[tuple[str, str], int]:
    """(defect, cause) to the cases in which that cause is established.

    Evidence of a removed case does not count while the case is removed.
    """
    query = (
        select(CauseEvidence.defect, CauseEvidence.cause, func.count(col(CauseEvidence.id)))
        .join(DefectCase, col(DefectCase.id) == col(CauseEvidence.case_id))
        .where(
            col(CauseEvidence.defect).in_(sorted(set(defects))),
            col(CauseEvidence.withdrawn_at).is_(None),
            col(DefectCase.removed_at).is_(None),
        )
        .group_by(col(CauseEvidence.defect), col(CauseEvidence.cause))
    )
    return {(defect, cause): number for defect, cause, number in session.exec(query)}


def _audit(session: Session, row: CauseEvidence, actor: str, action: str) -> None:
    audit.write(
        session,
        actor=actor,
        action=action,
        subject=f"case:{row.case_id}",
        detail={"evidence": row.id, "defect": row.defect, "cause": row.cause},
    )
