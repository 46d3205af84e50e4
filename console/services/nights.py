"""Batches as the console lists them, and how much of each is left to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anomalyos.inspection.tables import Batch, BatchKind, Inspection, Verdict

EVERY_NIGHT = "all"
"""Stands for a batch's key where the items of all nights are meant."""
TO_DECIDE = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)
Counts = dict[tuple[str, bool], int]
"""Numbers of images by verdict and by whether they are decided."""


@dataclass(frozen=True)
class NightRow:
    """One batch in a list of nights."""

    key: str
    kind: str
    day: str
    created_at: datetime
    finished_at: datetime | None
    expected: int
    total: int
    flagged: int
    """Anomalous images and images of unknown products: what a reviewer has to look at."""
    rejected: int
    undecided: int


def nights(session: Session, *, kind: str | None = None, limit: int = 60, offset: int = 0) -> list[NightRow]:
    """Batches, newest day first, with their counts from one grouped query."""
    query = select(Batch).order_by(col(Batch.day).desc(), col(Batch.id).desc()).limit(limit).offset(offset)
    if kind is not None:
        query = query.where(Batch.kind == kind)
    batches = session.exec(query).all()
    decided = col(Inspection.decision).is_not(None)
    found = session.exec(
        select(Inspection.batch_id, Inspection.verdict, decided, func.count())
        .where(col(Inspection.batch_id).in_([batch.id for batch in batches]))
        .group_by(col(Inspection.batch_id), col(Inspection.verdict), decided)
    )
    counts: dict[int, Counts] = {}
    for batch_id, verdict, is_decided, count in found:
        counts.setdefault(batch_id, {})[(verdict, bool(is_decided))] = count
    return [_row(batch, counts.get(batch.id or 0, {})) for batch in batches]


def night(session: Session, key: str) -> NightRow | None:
    """The batch with this key, or for ``EVERY_NIGHT`` all nights as if they were one; None without any."""
    query = select(Batch).where(Batch.key == key)
    if key == EVERY_NIGHT:
        query = select(Batch).where(Batch.kind == BatchKind.NIGHTLY).order_by(col(Batch.day).desc()).limit(1)
    batch = session.exec(query).one_or_none()
    if batch is None:
        return None
    decided = col(Inspection.decision).is_not(None)
    found = session.exec(
        select(Inspection.verdict, decided, func.count())
        .where(in_batches(key))
        .group_by(col(Inspection.verdict), decided)
    )
    return _row(batch, {(verdict, bool(flag)): count for verdict, flag, count in found}, key)


def in_batches(key: str) -> ColumnElement[bool]:
    """Whether an inspection belongs to the batch with this key, or for ``EVERY_NIGHT`` to any night."""
    of = Batch.kind == BatchKind.NIGHTLY if key == EVERY_NIGHT else Batch.key == key
    return col(Inspection.batch_id).in_(select(Batch.id).where(of))


def night_count(session: Session) -> int:
    return session.exec(select(func.count(col(Batch.id)))).one()


def open_items(session: Session) -> int:
    """Items of all nights that wait for a decision (live uploads are nobody's queue)."""
    query = (
        select(func.count(col(Inspection.id)))
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(
            Batch.kind == BatchKind.NIGHTLY,
            col(Inspection.verdict).in_(TO_DECIDE),
            col(Inspection.decision).is_(None),
        )
    )
    return session.exec(query).one()


def _row(batch: Batch, counts: Counts, key: str = "") -> NightRow:
    def sum_of(verdicts: tuple[str, ...], decided: tuple[bool, ...] = (True, False)) -> int:
        return sum(counts.get((verdict, flag), 0) for verdict in verdicts for flag in decided)

    return NightRow(
        key=key or batch.key,
        kind=batch.kind,
        day=batch.day,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        expected=batch.expected,
        total=sum(counts.values()),
        flagged=sum_of(TO_DECIDE),
        rejected=sum_of((Verdict.REJECTED,)),
        undecided=sum_of(TO_DECIDE, (False,)),
    )
