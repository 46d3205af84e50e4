"""Leases of open items: one person at a time looks at one, for a while.

A lease only steers people apart; what a decision counts for is still settled by the review version.
Times are those of the machine that asks, so machines that share a database need clocks in step.
Release and acquire in separate transactions: one that changed two leases could lock out another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from anomalyos.db.columns import utc_now
from anomalyos.inspection.lease_tables import QueueLease


def acquire(
    session: Session, inspection_id: int, holder: str, seconds: float, *, now: datetime | None = None
) -> datetime | None:
    """Hold an item until ``seconds`` from now, or hold it longer.

    Args:
        now: the present, for tests.

    Returns:
        Until when ``holder`` has it, which is also what releases it; None when somebody else does.

    Raises:
        IntegrityError: there is no such inspection.
    """
    moment = now or utc_now()
    until = moment + timedelta(seconds=seconds)
    free = or_(col(QueueLease.holder) == holder, col(QueueLease.expires_at) <= moment)
    taken = session.connection().execute(
        update(QueueLease)
        .where(col(QueueLease.inspection_id) == inspection_id, free)
        .values(holder=holder, expires_at=until)
    )
    if taken.rowcount == 1:
        return until
    if _exists(session, inspection_id):
        return None
    row = QueueLease(inspection_id=inspection_id, holder=holder, expires_at=until)
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        if not _exists(session, inspection_id):  # not a race: there is no such inspection
            raise
        return None
    # the session must not answer from memory what another process changes
    session.expunge(row)
    return until


def acquire_first(
    session: Session,
    inspection_ids: Sequence[int],
    holder: str,
    seconds: float,
    *,
    now: datetime | None = None,
) -> tuple[int, datetime] | None:
    """Hold the first of the items nobody else holds: which, and until when; None when all are held."""
    taken = held_by_others(session, inspection_ids, holder, now=now)
    for inspection_id in inspection_ids:
        if inspection_id not in taken:
            until = acquire(session, inspection_id, holder, seconds, now=now)
            if until is not None:
                return inspection_id, until
    return None


def release(session: Session, inspection_id: int, holder: str, until: datetime) -> bool:
    """Give an item back; whether there was something to give.

    Args:
        until: as ``acquire`` said. What the same person has taken again since stays held: a page that
            closes must not give away what a newer page of that person shows.
    """
    gone = session.connection().execute(
        delete(QueueLease).where(
            col(QueueLease.inspection_id) == inspection_id,
            col(QueueLease.holder) == holder,
            col(QueueLease.expires_at) == until,
        )
    )
    return gone.rowcount == 1


def held_by_others(
    session: Session, inspection_ids: Iterable[int], holder: str, *, now: datetime | None = None
) -> dict[int, str]:
    """Who holds which of the items now, leaving out ``holder``."""
    query = select(QueueLease.inspection_id, QueueLease.holder).where(
        col(QueueLease.inspection_id).in_(list(inspection_ids)),
        col(QueueLease.holder) != holder,
        col(QueueLease.expires_at) > (now or utc_now()),
    )
    return dict(session.exec(query).all())


def forget_expired(session: Session, *, now: datetime | None = None) -> int:
    """Delete what has run out; returns how many rows went. Only tidies up: expired leases bind nobody."""
    gone = session.connection().execute(
        delete(QueueLease).where(col(QueueLease.expires_at) <= (now or utc_now()))
    )
    return gone.rowcount


def _exists(session: Session, inspection_id: int) -> bool:
    query = select(QueueLease.inspection_id).where(QueueLease.inspection_id == inspection_id)
    return session.exec(query).one_or_none() is not None
