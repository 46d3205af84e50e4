"""Read-only questions the console asks across batches; everything else goes through the repositories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.inspection.tables import Batch, BatchKind, Inspection, Review, Verdict

TO_DECIDE = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)


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
    counts = _counts(session, [batch.id for batch in batches if batch.id is not None])
    return [night_row(batch, counts.get(batch.id or 0, {})) for batch in batches]


def night_count(session: Session) -> int:
    return session.exec(select(func.count(col(Batch.id)))).one()


def night_row(batch: Batch, counts: dict[tuple[str, bool], int], *, key: str = "") -> NightRow:
    """A row from ``batch`` and its numbers of images by verdict and by whether they are decided."""

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


def _counts(session: Session, batch_ids: list[int]) -> dict[int, dict[tuple[str, bool], int]]:
    if not batch_ids:
        return {}
    decided = col(Inspection.decision).is_not(None)
    query = (
        select(Inspection.batch_id, Inspection.verdict, decided, func.count())
        .where(col(Inspection.batch_id).in_(batch_ids))
        .group_by(col(Inspection.batch_id), col(Inspection.verdict), decided)
    )
    result: dict[int, dict[tuple[str, bool], int]] = {}
    for batch_id, verdict, is_decided, count in session.exec(query).all():
        result.setdefault(batch_id, {})[(verdict, bool(is_decided))] = count
    return result


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


def inspections_by_verdict(session: Session) -> dict[str, int]:
    rows = session.exec(select(Inspection.verdict, func.count()).group_by(col(Inspection.verdict))).all()
    return dict(rows)


def reviews_by_decision(session: Session) -> dict[str, int]:
    rows = session.exec(select(Review.decision, func.count()).group_by(col(Review.decision))).all()
    return dict(rows)
