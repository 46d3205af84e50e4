"""Cases counted with their causes, for people who browse the knowledge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.cases.tables import DefectCase
from anomalyos.inspection.tables import Review
from anomalyos.knowledge.tables import CauseEvidence
from anomalyos.models.tables import Category


def type_counts(session: Session, category: str | None = None) -> dict[tuple[str, str], int]:
    """(category, defect type) to the cases that stand, of one category or of all."""
    query = (
        select(DefectCase.category, DefectCase.defect_type, func.count())
        .where(col(DefectCase.removed_at).is_(None))
        .group_by(DefectCase.category, DefectCase.defect_type)
    )
    if category is not None:
        query = query.where(DefectCase.category == category)
    return {(name, kind): number for name, kind, number in session.exec(query)}


def evidence_counts(session: Session) -> dict[tuple[str, str], int]:
    """(defect, cause) to cases in which that cause is established, over the whole graph."""
    query = (
        select(CauseEvidence.defect, CauseEvidence.cause, func.count(col(CauseEvidence.id)))
        .join(DefectCase, col(DefectCase.id) == col(CauseEvidence.case_id))
        .where(col(CauseEvidence.withdrawn_at).is_(None), col(DefectCase.removed_at).is_(None))
        .group_by(col(CauseEvidence.defect), col(CauseEvidence.cause))
    )
    return {(defect, cause): number for defect, cause, number in session.exec(query)}


def cases_of_cause(session: Session, cause: str, limit: int = 12) -> Sequence[DefectCase]:
    """Cases in which ``cause`` is established, newest first."""
    query = (
        select(DefectCase)
        .join(CauseEvidence, col(CauseEvidence.case_id) == col(DefectCase.id))
        .where(
            CauseEvidence.cause == cause,
            col(CauseEvidence.withdrawn_at).is_(None),
            col(DefectCase.removed_at).is_(None),
        )
        .order_by(col(DefectCase.id).desc())
        .limit(limit)
    )
    return session.exec(query).all()


def synthetic_categories(session: Session) -> frozenset[str]:
    """Names of the categories whose images are generated sample data."""
    return frozenset(session.exec(select(Category.name).where(col(Category.synthetic).is_(True))))


def inspections_of_reviews(session: Session, review_ids: Iterable[int]) -> dict[int, int]:
    """Review id to the inspection it decided; unknown ids are left out."""
    query = select(Review.id, Review.inspection_id).where(col(Review.id).in_(sorted(set(review_ids))))
    return {number: inspection for number, inspection in session.exec(query) if number is not None}
