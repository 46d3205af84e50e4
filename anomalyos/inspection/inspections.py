"""Inspections: recording them once, and the queue reviewers work through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Float, func
from sqlmodel import Session, col, select

from anomalyos.db.rows import by_id, get_or_create, get_or_create_many, storable
from anomalyos.inspection.tables import Batch, Inspection, Review, Verdict
from anomalyos.models.tables import Category

FLAGGED = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)


def work_key(batch_key: str, source: str, content_sha256: str) -> str:
    """SHA-256 that names one piece of work; the same work always has the same key."""
    # JSON keeps the parts apart and turns any file name, valid text or not, into ASCII
    return hashlib.sha256(json.dumps([batch_key, source, content_sha256]).encode("ascii")).hexdigest()


def rejected(source: str, content_sha256: str, code: str, reason: str, category: str | None) -> Inspection:
    """The row of a file that could not be inspected, without its batch and work key."""
    return Inspection(
        work_key="",
        batch_id=0,
        source=source,
        content_sha256=content_sha256,
        verdict=Verdict.REJECTED.value,
        reject_code=code,
        reject_reason=reason,
        given_category=category,
    )


def record(session: Session, inspection: Inspection) -> tuple[Inspection, bool]:
    """Store an inspection once per ``work_key``.

    Returns:
        The stored row, and whether this call made it; a row that was there stays as it is.
    """
    inspection.source = storable(inspection.source)
    inspection.reject_reason = storable(inspection.reject_reason)
    query = select(Inspection).where(Inspection.work_key == inspection.work_key)
    return get_or_create(session, inspection, lambda: session.exec(query).one_or_none())


def record_many(session: Session, inspections: Sequence[Inspection]) -> list[Inspection]:
    """``record`` of several in one statement each; the stored rows, in order."""
    for inspection in inspections:
        inspection.source = storable(inspection.source)
        inspection.reject_reason = storable(inspection.reject_reason)
    wanted = {inspection.work_key: inspection for inspection in inspections}
    query = select(Inspection).where(col(Inspection.work_key).in_(wanted))
    stored = get_or_create_many(session, wanted, lambda: {row.work_key: row for row in session.exec(query)})
    return [stored[inspection.work_key][0] for inspection in inspections]


def known_work_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Which of these pieces of work have a result, to skip them when a run is repeated."""
    return set(session.exec(select(Inspection.work_key).where(col(Inspection.work_key).in_(keys))))


def sources(session: Session, batch_id: int) -> set[str]:
    """The sources a batch has rows of."""
    return set(session.exec(select(Inspection.source).where(Inspection.batch_id == batch_id)))


def get(session: Session, inspection_id: int) -> Inspection:
    """Raises ``NotFound``."""
    return by_id(session, Inspection, inspection_id, "inspection")


class QueueFilters(TypedDict, total=False):
    """Which rows a queue lists; what is left out does not narrow it, but for the defaults named here."""

    batch_key: str | None
    batch_kind: str | None
    """Batches of this kind, when ``batch_key`` names none: a ``BatchKind``."""
    category: str | None
    """Images routed to this category."""
    verdicts: Sequence[str]
    """``FLAGGED`` when left out."""
    decided: bool | None
    """False, also when left out, for open work; True for what is decided; None for both."""
    model_version_id: int | None
    reviewer: str | None
    """Whose review is the newest one."""


def queue(
    session: Session, *, limit: int = 50, offset: int = 0, **wanted: Unpack[QueueFilters]
) -> Sequence[Inspection]:
    """What to look at, the most suspicious first.

    Order: p-value ascending with those that have none in front, then how far the score is
    above its threshold, then age. p-values of a small calibration set tie often, which is
    why the ratio matters.
    """
    # sort the ids alone: the JSON columns would make the sort several times as heavy
    page = select(Inspection.id).where(*_filters(wanted)).order_by(*_order()).limit(limit).offset(offset)
    ids = session.exec(page).all()
    rows = session.exec(select(Inspection).where(col(Inspection.id).in_(ids))).all()
    place = {row_id: index for index, row_id in enumerate(ids)}
    return sorted(rows, key=lambda row: place[row.id])


def queue_count(session: Session, **wanted: Unpack[QueueFilters]) -> int:
    """How many rows ``queue`` would list with the same filters and no limit."""
    return session.exec(select(func.count()).select_from(Inspection).where(*_filters(wanted))).one()


def queue_place(session: Session, inspection_id: int, **wanted: Unpack[QueueFilters]) -> int | None:
    """Offset at which ``queue`` lists an inspection with the same filters; None when it does not."""
    place = func.row_number().over(order_by=_order()).label("place")
    ranked = select(Inspection.id, place).where(*_filters(wanted)).subquery()
    found = session.exec(select(ranked.c.place).where(ranked.c.id == inspection_id)).one_or_none()
    return None if found is None else int(found) - 1


def _order() -> tuple[ColumnElement[Any], ...]:
    # named a float: SQLAlchemy would divide decimals otherwise, which is slower and overflows sooner
    ratio = col(Inspection.score) / func.nullif(col(Inspection.threshold), 0, type_=Float())
    return (col(Inspection.p_value).asc().nulls_first(), ratio.desc().nulls_last(), col(Inspection.id).asc())


def _filters(wanted: QueueFilters) -> list[ColumnElement[Any]]:
    verdicts, decided = wanted.get("verdicts", FLAGGED), wanted.get("decided", False)
    filters: list[ColumnElement[Any]] = [col(Inspection.verdict).in_([str(v) for v in verdicts])]
    # unknown names give an empty queue: the subquery is NULL and nothing equals NULL
    if (key := wanted.get("batch_key")) is not None:
        batch = select(Batch.id).where(Batch.key == key).scalar_subquery()
        filters.append(col(Inspection.batch_id) == batch)
    elif (kind := wanted.get("batch_kind")) is not None:
        filters.append(col(Inspection.batch_id).in_(select(Batch.id).where(Batch.kind == kind)))
    if (name := wanted.get("category")) is not None:
        category = select(Category.id).where(Category.name == name).scalar_subquery()
        filters.append(col(Inspection.category_id) == category)
    if (model := wanted.get("model_version_id")) is not None:
        filters.append(col(Inspection.model_version_id) == model)
    if decided is not None:
        open_row = col(Inspection.decision).is_(None)
        filters.append(~open_row if decided else open_row)
    if (reviewer := wanted.get("reviewer")) is not None:
        filters.append(_newest_review_by(reviewer))
    return filters


def _newest_review_by(reviewer: str) -> ColumnElement[bool]:
    return (
        select(Review.id)
        .where(
            col(Review.inspection_id) == col(Inspection.id),
            col(Review.version) == col(Inspection.review_version),
            Review.reviewer == reviewer,
        )
        .exists()
    )
