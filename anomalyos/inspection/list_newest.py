"""Inspections of one batch in the order they came, the newest first: what live inspection lists."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from anomalyos.inspection.tables import Batch, BatchKind, Inspection, Verdict


def list_newest(
    session: Session,
    batch_id: int,
    *,
    verdicts: Sequence[str] = tuple(Verdict),
    limit: int = 24,
    offset: int = 0,
) -> list[Inspection]:
    """One page of a batch, the newest inspection first."""
    # sort the ids alone: the JSON columns would make the sort several times as heavy
    page = (
        select(Inspection.id)
        .where(
            col(Inspection.batch_id) == batch_id,
            col(Inspection.verdict).in_([str(verdict) for verdict in verdicts]),
        )
        .order_by(col(Inspection.id).desc())
        .limit(limit)
        .offset(offset)
    )
    ids = session.exec(page).all()
    rows = session.exec(
        select(Inspection).where(col(Inspection.id).in_(ids)).order_by(col(Inspection.id).desc())
    )
    return list(rows.all())


def live_batch_of(session: Session, day: str) -> Batch | None:
    """The batch of one day's live inspections; None before its first, for looking makes no batch."""
    query = select(Batch).where(Batch.kind == BatchKind.LIVE.value, Batch.day == day)
    return session.exec(query).first()
