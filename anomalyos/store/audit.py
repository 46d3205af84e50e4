"""Who did what to what. Written in the transaction of the change, so neither exists without the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from anomalyos.store.tables import AuditEvent


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
    if actor is not None:
        query = query.where(AuditEvent.actor == actor)
    if action is not None:
        query = query.where(AuditEvent.action == action)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    return session.exec(query).all()
