"""Inspections: recording them once, and the queue reviewers work through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Float, func
from sqlmodel import Session, col, select

from anomalyos.errors import NotFound
from anomalyos.store.rows import insert_or_find, storable
from anomalyos.store.tables import Batch, Category, Inspection, Verdict

FLAGGED = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)


def work_key(batch_key: str, source: str, content_sha256: str) -> str:
    """SHA-256 that names one piece of work; the same work always has the same key."""
    # JSON keeps the parts apart and turns any file name, valid text or not, into ASCII
    return hashlib.sha256(json.dumps([batch_key, source, content_sha256]).encode("ascii")).hexdigest()


def record(session: Session, inspection: Inspection) -> tuple[Inspection, bool]:
    """Store an inspection once per ``work_key``.

    Returns:
        The stored row, and whether this call made it; a row that was there stays as it is.
    """
    inspection.source = storable(inspection.source)
    inspection.reject_reason = storable(inspection.reject_reason)
    query = select(Inspection).where(Inspection.work_key == inspection.work_key)
    return insert_or_find(session, inspection, lambda: session.exec(query).one_or_none())


def existing_work_keys(session: Session, batch_id: int) -> set[str]:
    """Keys of the work a batch has behind it, to skip when a run is repeated."""
    return set(session.exec(select(Inspection.work_key).where(Inspection.batch_id == batch_id)))


def get(session: Session, inspection_id: int) -> Inspection:
    """Raises ``NotFound``."""
    inspection = session.get(Inspection, inspection_id)
    if inspection is None:
        raise NotFound(f"There is no inspection {inspection_id}.")
    return inspection


def queue(
    session: Session,
    *,
    batch_key: str | None = None,
    category: str | None = None,
    verdicts: Sequence[str] = FLAGGED,
    decided: bool | None = False,
    limit: int = 50,
    offset: int = 0,
) -> Sequence[Inspection]:
    """What to look at, the most suspicious first.

    Order: p-value ascending with those that have none in front, then how far the score is
    above its threshold, then age. p-values of a small calibration set tie often, which is
    why the ratio matters.

    Args:
        batch_key: only this batch.
        category: only images routed to this category.
        verdicts: which verdicts to show.
        decided: False for open work, True for what is decided, None for both.
    """
    # named a float: SQLAlchemy would divide decimals otherwise, which is slower and overflows sooner
    ratio = col(Inspection.score) / func.nullif(col(Inspection.threshold), 0, type_=Float())
    order = (col(Inspection.p_value).asc().nulls_first(), ratio.desc().nulls_last(), col(Inspection.id))
    # sort the ids alone: the JSON columns would make the sort several times as heavy
    page = (
        select(Inspection.id)
        .where(*_filters(session, batch_key, category, verdicts, decided))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    ids = session.exec(page).all()
    rows = session.exec(select(Inspection).where(col(Inspection.id).in_(ids))).all()
    place = {row_id: index for index, row_id in enumerate(ids)}
    return sorted(rows, key=lambda row: place[row.id])


def queue_count(
    session: Session,
    *,
    batch_key: str | None = None,
    category: str | None = None,
    verdicts: Sequence[str] = FLAGGED,
    decided: bool | None = False,
) -> int:
    """How many rows ``queue`` would list with the same filters and no limit."""
    filters = _filters(session, batch_key, category, verdicts, decided)
    return session.exec(select(func.count()).select_from(Inspection).where(*filters)).one()


def _filters(
    session: Session,
    batch_key: str | None,
    category: str | None,
    verdicts: Sequence[str],
    decided: bool | None,
) -> list[ColumnElement[Any]]:
    filters: list[ColumnElement[Any]] = [col(Inspection.verdict).in_([str(v) for v in verdicts])]
    # unknown names give an empty queue: the subquery is NULL and nothing equals NULL
    if batch_key is not None:
        batch = select(Batch.id).where(Batch.key == batch_key).scalar_subquery()
        filters.append(col(Inspection.batch_id) == batch)
    if category is not None:
        wanted = select(Category.id).where(Category.name == category).scalar_subquery()
        filters.append(col(Inspection.category_id) == wanted)
    if decided is not None:
        open_row = col(Inspection.decision).is_(None)
        filters.append(~open_row if decided else open_row)
    return filters
