"""Batches: the night's work, or one day's live inspections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.db import rows
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import plain_text
from anomalyos.inspection.tables import Batch, BatchKind, Inspection, Verdict


@dataclass(frozen=True)
class BatchSummary:
    """Counts of one batch."""

    total: int
    normal: int
    anomalous: int
    unknown_category: int
    rejected: int
    undecided: int
    """Flagged images (anomalous or of unknown category) nobody has decided about."""
    decided: int
    """Images, flagged or not, that carry a decision."""
    expected: int
    """Files discovered; 0 for live batches."""
    finished: bool


def get_or_create(session: Session, *, key: str, kind: str, day: str, run_id: str = "") -> Batch:
    """The batch with this key; another process creating it at the same moment is no trouble.

    Args:
        key: ``night-2026-11-24``, unique.
        kind: a ``BatchKind``.
        day: ISO date.
        run_id: the Airflow run that made it; kept from the first call.
    """
    key = plain_text(key, "batch key", 64, required=True)
    try:
        batch = Batch(
            key=key, kind=BatchKind(kind).value, day=date.fromisoformat(day).isoformat(), run_id=run_id
        )
    except ValueError as error:
        raise AnomalyOSError(f"A batch needs a kind and an ISO date: {error}.") from error
    return rows.get_or_create(session, batch, lambda: _find(session, key))[0]


def by_key(session: Session, key: str) -> Batch:
    """Raises ``NotFound``."""
    batch = _find(session, key)
    if batch is None:
        raise NotFound(f"There is no batch {key!r}.")
    return batch


def get(session: Session, batch_id: int) -> Batch:
    """Raises ``NotFound``."""
    return rows.by_id(session, Batch, batch_id, "batch with the id")


def set_expected(session: Session, batch_id: int, expected: int) -> Batch:
    """How many files the batch was found to have."""
    if expected < 0:
        raise AnomalyOSError(f"A batch cannot expect {expected} files.")
    batch = get(session, batch_id)
    batch.expected = expected
    session.flush()
    return batch


def finish(session: Session, batch_id: int) -> Batch:
    """Note that the work is done; the first time stays when a run is repeated."""
    batch = get(session, batch_id)
    if batch.finished_at is None:
        batch.finished_at = utc_now()
        session.flush()
    return batch


def summary(session: Session, batch_id: int) -> BatchSummary:
    """Counts of a batch as they are now. Raises ``NotFound``."""
    batch = get(session, batch_id)
    open_row = col(Inspection.decision).is_(None)
    rows = session.exec(
        select(Inspection.verdict, open_row, func.count())
        .where(Inspection.batch_id == batch_id)
        .group_by(Inspection.verdict, open_row)
    ).all()
    by_verdict = {verdict.value: 0 for verdict in Verdict}
    undecided = decided = 0
    for verdict, is_open, count in rows:
        by_verdict[verdict] += count
        if not is_open:
            decided += count
        elif verdict in {Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY}:
            undecided += count
    return BatchSummary(
        total=sum(by_verdict.values()),
        **by_verdict,
        undecided=undecided,
        decided=decided,
        expected=batch.expected,
        finished=batch.finished_at is not None,
    )


def _find(session: Session, key: str) -> Batch | None:
    return session.exec(select(Batch).where(Batch.key == key)).one_or_none()
