"""Cases as lists and counts for people who browse them; adding and changing them is ``cases``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, func
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


def newest(
    session: Session,
    *,
    category: str | None = None,
    defect_types: Collection[str] | None = None,
    severity: str | None = None,
    removed: bool = False,
    limit: int = 24,
    offset: int = 0,
) -> Sequence[DefectCase]:
    """Cases that stand, or the removed ones, newest first.

    Args:
        defect_types: as cases spell them; an empty collection has no cases.
    """
    where = _conditions(category, defect_types, severity, removed)
    query = select(DefectCase).where(*where).order_by(col(DefectCase.id).desc())
    return session.exec(query.limit(limit).offset(offset)).all()


def count(
    session: Session,
    *,
    category: str | None = None,
    defect_types: Collection[str] | None = None,
    severity: str | None = None,
    removed: bool = False,
) -> int:
    """How many ``newest`` would list without a limit."""
    where = _conditions(category, defect_types, severity, removed)
    return session.exec(select(func.count()).select_from(DefectCase).where(*where)).one()


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


def _conditions(
    category: str | None, defect_types: Collection[str] | None, severity: str | None, removed: bool
) -> list[ColumnElement[bool]]:
    gone = col(DefectCase.removed_at)
    where: list[ColumnElement[bool]] = [gone.is_not(None) if removed else gone.is_(None)]
    if category is not None:
        where.append(col(DefectCase.category) == category)
    if defect_types is not None:
        where.append(col(DefectCase.defect_type).in_(sorted(defect_types)))
    if severity is not None:
        where.append(col(DefectCase.severity) == severity)
    return where
