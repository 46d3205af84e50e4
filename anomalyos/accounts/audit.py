"""Who did what to what. Written in the transaction of the change, so neither exists without the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anomalyos.accounts.tables import AuditEvent


def write(
    session: Session, *, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None
) -> AuditEvent:
    """Add one event to the caller's transaction.

    Args:
        actor: user name, ``cli`` or ``airflow``.
        action: ``review.decide``, ``model.promote``, ``user.create``...
        subject: ``inspection:17``, ``category:hazelnut``, ``user:mia``.
        detail: JSON-able facts; never a password or a token.
    """
    event = AuditEvent(actor=actor, action=action, subject=subject, detail=detail or {})
    session.add(event)
    session.flush()
    return event


def recent(
    session: Session,
    *,
    limit: int = 100,
    before_id: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> Sequence[AuditEvent]:
    """Newest events first; ``before_id`` pages on from the last one seen."""
    query = select(AuditEvent).order_by(col(AuditEvent.id).desc()).limit(limit)
    if before_id is not None:
        query = query.where(col(AuditEvent.id) < before_id)
    wanted = {"actor": actor, "action": action, "subject": subject}
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    return session.exec(query).all()


@dataclass(frozen=True)
class AuditFilter:
    """Which events are looked for; what is empty or None asks for nothing."""

    actor: str = ""
    """The start of the name."""
    action: str = ""
    """``model.promote``, or ``model.`` for everything about models."""
    subject: str = ""
    """The start of the subject: ``user:`` finds all people."""
    since: datetime | None = None
    """Inclusive."""
    until: datetime | None = None
    """Exclusive."""


def search(
    session: Session,
    wanted: AuditFilter,
    *,
    limit: int = 50,
    before_id: int | None = None,
    after_id: int | None = None,
) -> list[AuditEvent]:
    """One page, newest first.

    Args:
        before_id: the page of events older than this one.
        after_id: the page of events just newer than this one.
    """
    query = select(AuditEvent).where(*_conditions(wanted)).limit(limit)
    if after_id is not None:
        later = query.where(col(AuditEvent.id) > after_id).order_by(col(AuditEvent.id))
        return list(session.exec(later).all())[::-1]
    if before_id is not None:
        query = query.where(col(AuditEvent.id) < before_id)
    return list(session.exec(query.order_by(col(AuditEvent.id).desc())).all())


def count(session: Session, wanted: AuditFilter) -> int:
    return session.exec(select(func.count(col(AuditEvent.id))).where(*_conditions(wanted))).one()


def actions(session: Session) -> list[str]:
    """Every action that was ever recorded, by name."""
    return list(session.exec(select(AuditEvent.action).distinct().order_by(AuditEvent.action)).all())


def walk(session: Session, wanted: AuditFilter, *, at_once: int = 500) -> Iterator[AuditEvent]:
    """Every event that fits, newest first, never more than ``at_once`` in memory."""
    before: int | None = None
    while page := search(session, wanted, limit=at_once, before_id=before):
        yield from page
        before = page[-1].id
        session.expunge_all()


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for column, start in (
        (col(AuditEvent.actor), wanted.actor),
        (col(AuditEvent.action), wanted.action),
        (col(AuditEvent.subject), wanted.subject),
    ):
        if start:
            where.append(column.startswith(start, autoescape=True))
    if wanted.since is not None:
        where.append(col(AuditEvent.created_at) >= wanted.since)
    if wanted.until is not None:
        where.append(col(AuditEvent.created_at) < wanted.until)
    return where
