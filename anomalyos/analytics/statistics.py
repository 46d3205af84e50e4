"""Counts over many inspections, grouped by the database: what the analytics are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func
from sqlalchemy import select as columns  # sqlmodel's own knows four columns at most
from sqlmodel import Session, col, select

from anomalyos.analytics.lines import Line, teach
from anomalyos.inspection.tables import Batch, BatchKind, Decision, Inspection, Review, Verdict
from anomalyos.models.tables import Category, ModelVersion, Promotion

SPREAD = 65_537
"""A prime: ``id * STRIDE % SPREAD`` scatters neighbouring ids evenly over 0 to SPREAD - 1."""
STRIDE = 48_271


@dataclass(frozen=True)
class Selection:
    """Which inspections are looked at."""

    first: str
    """ISO day, included."""
    last: str
    """ISO day, included."""
    category: str | None = None
    line: str | None = None
    """See ``lines.line_of``."""
    kind: str | None = BatchKind.NIGHTLY
    """A ``BatchKind``, None for both."""


@dataclass(frozen=True)
class Cell:
    """How many inspections share a day, a product, a promise and an outcome."""

    day: str
    category: str
    """Empty for files that could not be read and parts of unknown product."""
    promised: float | None
    """Share of normal parts the model may flag; None where nothing was scored."""
    verdict: str
    decision: str | None
    count: int


@dataclass(frozen=True)
class LineCell:
    line: str
    verdict: str
    decision: str | None
    count: int


@dataclass(frozen=True)
class Span:
    """What a store holds in all."""

    first: str
    last: str
    days: int


@dataclass(frozen=True)
class Move:
    """A version becoming champion."""

    category: str
    version: int
    kind: str
    when: datetime


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """For a query that has ``Inspection`` and its ``Batch`` joined."""
    found = [col(Batch.day) >= selection.first, col(Batch.day) <= selection.last]
    if selection.kind is not None:
        found.append(col(Batch.kind) == selection.kind)
    if selection.category is not None:
        wanted = select(Category.id).where(Category.name == selection.category).scalar_subquery()
        found.append(col(Inspection.category_id) == wanted)
    if selection.line is not None:
        found.append(Line(col(Inspection.source)) == selection.line)
    return found


def counts(session: Session, selection: Selection) -> list[Cell]:
    """Every count there is, from one grouped query; days and products without images have no cell."""
    teach(session)
    keys = (
        col(Batch.day),
        col(Inspection.category_id),
        col(Inspection.model_version_id),
        col(Inspection.verdict),
        col(Inspection.decision),
    )
    query = (
        columns(*keys, func.count())
        .select_from(Inspection)
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(*conditions(selection))
        .group_by(*keys)
        .order_by(col(Batch.day))
    )
    rows = session.connection().execute(query).all()
    names = dict(session.exec(select(Category.id, Category.name)).all())
    promised = _promises(session, {row[2] for row in rows if row[2] is not None})
    return [
        Cell(day, names.get(category_id, ""), promised.get(version_id), verdict, decision, count)
        for day, category_id, version_id, verdict, decision, count in rows
    ]


def _promises(session: Session, version_ids: set[int]) -> dict[int | None, float]:
    query = select(ModelVersion.id, ModelVersion.alpha).where(col(ModelVersion.id).in_(version_ids))
    return dict(session.exec(query).all())


def lines(session: Session, selection: Selection) -> list[LineCell]:
    """Counts of all lines, whichever line is selected; what tells no line is left out."""
    teach(session)
    everywhere = Selection(selection.first, selection.last, selection.category, None, selection.kind)
    line = Line(col(Inspection.source))
    keys = (col(Inspection.verdict), col(Inspection.decision))
    query = (
        select(line.label("line"), *keys, func.count())
        .select_from(Inspection)
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(*conditions(everywhere), line != "")
        .group_by("line", *keys)
    )
    return [LineCell(*row) for row in session.exec(query)]


def defect_types(session: Session, selection: Selection) -> dict[str, int]:
    """How often each defect type was confirmed, by the decisions that stand; empty is unnamed."""
    teach(session)
    query = (
        select(Review.defect_type, func.count())
        .select_from(Inspection)
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .join(
            Review,
            and_(
                col(Review.inspection_id) == col(Inspection.id),
                col(Review.version) == col(Inspection.review_version),
            ),
        )
        .where(*conditions(selection), Inspection.decision == Decision.DEFECT.value)
        .group_by(col(Review.defect_type))
    )
    return dict(session.exec(query).all())


def timings(
    session: Session, selection: Selection, *, scored: int, limit: int
) -> list[tuple[str, dict[str, float]]]:
    """Day and ``timings_ms`` of scored images: all of them, or about ``limit`` spread over the range.

    Args:
        scored: how many there are, which decides how thin the sample gets.
    """
    teach(session)
    query = (
        select(Batch.day, Inspection.timings_ms)
        .select_from(Inspection)
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(
            *conditions(selection),
            col(Inspection.verdict).in_((Verdict.NORMAL.value, Verdict.ANOMALOUS.value)),
        )
    )
    if scored > limit:
        # PostgreSQL multiplies two 32-bit integers in 32 bits and stops at the 44,490th inspection
        number = cast(col(Inspection.id), BigInteger)
        query = query.where(number * STRIDE % SPREAD < round(SPREAD * limit / scored))
    return [(day, dict(spent)) for day, spent in session.exec(query)]


def champion_moves(session: Session, category: str | None, *, limit: int) -> list[Move]:
    """The newest ``limit`` moves of champion pointers, oldest first."""
    query = (
        select(Category.name, ModelVersion.version, Promotion.kind, Promotion.created_at)
        .select_from(Promotion)
        .join(Category, col(Category.id) == col(Promotion.category_id))
        .join(ModelVersion, col(ModelVersion.id) == col(Promotion.to_id))
        .order_by(col(Promotion.id).desc())
        .limit(limit)
    )
    if category is not None:
        query = query.where(Category.name == category)
    return [Move(*row) for row in session.exec(query).all()][::-1]


def span(session: Session, kind: str | None) -> Span | None:
    """First and last day with images, and how many days have some; None in an empty store."""
    filled = select(Inspection.id).where(col(Inspection.batch_id) == col(Batch.id)).exists()
    query = select(func.min(Batch.day), func.max(Batch.day), func.count(col(Batch.day).distinct())).where(
        filled
    )
    if kind is not None:
        query = query.where(Batch.kind == kind)
    first, last, days = session.exec(query).one()
    return Span(first, last, days) if first is not None else None


def fingerprint(session: Session) -> tuple[int, int, int]:
    """Changes whenever an inspection, a review or a promotion is added; rows are never taken away."""
    newest = (func.max(Inspection.id), func.max(Review.id), func.max(Promotion.id))
    inspection, review, promotion = (session.exec(select(column)).one() for column in newest)
    return inspection or 0, review or 0, promotion or 0
