"""Finding past inspections: by number, file, product, verdict, decision, defect type and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from anomalyos.inspection.tables import Batch, Inspection, Review
from anomalyos.models.tables import Category

UNDECIDED = "undecided"
"""As ``InspectionFilter.decision``: nobody has decided, or the decision was taken back."""
COUNTED = 1000
"""Hits beyond this are not counted: "more than 1,000" tells a person as much, at once."""
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class InspectionFilter:
    """What to look for; what is empty does not narrow the search."""

    text: str = ""
    """Part of a file's name or path in any case, or an inspection's number."""
    category: str = ""
    verdict: str = ""
    decision: str = ""
    """A ``Decision``, or ``UNDECIDED``."""
    defect_type: str = ""
    """As the standing review names it, in any case."""
    first_day: str = ""
    """ISO dates of the batch, both included."""
    last_day: str = ""


@dataclass(frozen=True)
class InspectionHit:
    """One hit with what a list shows of it."""

    id: int
    source: str
    verdict: str
    decision: str | None
    defect_type: str
    category: str
    synthetic: bool
    day: str
    kind: str
    has_image: bool
    score: float | None
    threshold: float | None


def find(
    session: Session, wanted: InspectionFilter, *, limit: int = 30, offset: int = 0
) -> list[InspectionHit]:
    """Newest first. Ids are found before the rows are read, so a deep page reads no more than a page."""
    ids = select(Inspection.id).where(*_conditions(session, wanted)).order_by(col(Inspection.id).desc())
    page = session.exec(ids.limit(limit).offset(offset)).all()
    standing = and_(
        col(Review.inspection_id) == col(Inspection.id), col(Review.version) == col(Inspection.review_version)
    )
    query = (
        select(Inspection, Batch.day, Batch.kind, Category.name, Category.synthetic, Review.defect_type)  # type: ignore[call-overload]
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .outerjoin(Category, col(Category.id) == col(Inspection.category_id))
        .outerjoin(Review, standing)
        .where(col(Inspection.id).in_(page))
        .order_by(col(Inspection.id).desc())
    )
    return [_found(*row) for row in session.exec(query)]


def _found(
    row: Inspection, day: str, kind: str, category: str | None, synthetic: bool | None, defect: str | None
) -> InspectionHit:
    assert row.id is not None
    return InspectionHit(
        id=row.id,
        source=row.source.removeprefix("upload:"),
        verdict=row.verdict,
        decision=row.decision,
        defect_type=(defect or "") if row.decision else "",
        category=category or row.routed_category or row.given_category or "",
        synthetic=bool(synthetic),
        day=day,
        kind=kind,
        has_image=row.image_id is not None,
        score=row.score,
        threshold=row.threshold,
    )


def count(session: Session, wanted: InspectionFilter) -> int:
    """How many there are, at most ``COUNTED`` + 1."""
    hits = select(Inspection.id).where(*_conditions(session, wanted)).limit(COUNTED + 1).subquery()
    return session.exec(select(func.count()).select_from(hits)).one()


def known_categories(session: Session) -> list[str]:
    return list(session.exec(select(Category.name).order_by(Category.name)))


def known_defect_types(session: Session, limit: int = 200) -> list[str]:
    """Names reviewers have given, in alphabetical order."""
    query = select(Review.defect_type).where(Review.defect_type != "").distinct()
    return list(session.exec(query.order_by(Review.defect_type).limit(limit)))


def _conditions(session: Session, wanted: InspectionFilter) -> Sequence[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    text = wanted.text.strip().removeprefix("#")
    if text:
        named = col(Inspection.source).icontains(text, autoescape=True)
        number = int(text) if text.isascii() and text.isdigit() else None
        is_id = number is not None and number <= _LARGEST_ID
        where.append(or_(col(Inspection.id) == number, named) if is_id else named)
    if wanted.category:
        # an unknown name gives nothing: the subquery is NULL and nothing equals NULL
        category = select(Category.id).where(Category.name == wanted.category).scalar_subquery()
        where.append(col(Inspection.category_id) == category)
    if wanted.verdict:
        where.append(col(Inspection.verdict) == wanted.verdict)
    if wanted.decision == UNDECIDED:
        where.append(col(Inspection.decision).is_(None))
    elif wanted.decision:
        where.append(col(Inspection.decision) == wanted.decision)
    if wanted.defect_type.strip():
        where.append(_called(wanted.defect_type.strip()))
    if wanted.first_day or wanted.last_day:
        where.append(col(Inspection.batch_id).in_(_batches(session, wanted)))
    return where


def _called(defect_type: str) -> ColumnElement[bool]:
    """Inspections whose standing review names this defect type: few, so they are found from the reviews."""
    called = (
        select(Review.inspection_id)
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .where(
            func.lower(Review.defect_type) == defect_type.lower(),
            col(Review.version) == col(Inspection.review_version),
            col(Inspection.decision).is_not(None),
        )
    )
    return col(Inspection.id).in_(called)


def _batches(session: Session, wanted: InspectionFilter) -> list[int]:
    """Asked first, and given as numbers: a database plans better over a short list than over a join."""
    query = select(Batch.id)
    if wanted.first_day:
        query = query.where(Batch.day >= wanted.first_day)
    if wanted.last_day:
        query = query.where(Batch.day <= wanted.last_day)
    return [batch_id for batch_id in session.exec(query) if batch_id is not None]
