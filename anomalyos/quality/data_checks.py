"""Data checks: what was asked of which files, and the newest answer for each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import by_id, get_or_create, stored_id
from anomalyos.quality.tables import CheckOutcome, DataCheck


def find(session: Session, content_key: str) -> DataCheck | None:
    return session.exec(select(DataCheck).where(DataCheck.content_key == content_key)).one_or_none()


def get(session: Session, check_id: int) -> DataCheck:
    """Raises ``NotFound``."""
    return by_id(session, DataCheck, check_id, "data check with the id")


def record(session: Session, check: DataCheck) -> DataCheck:
    """The stored row of this question; its page must have been written before.

    A question asked again keeps its answer and becomes the newest.
    """
    stored, created = get_or_create(session, check, lambda: find(session, check.content_key))
    if not created:
        stored.checked_at = utc_now()
        session.add(stored)
        session.flush()
    return stored


def newest(session: Session, category: str, batch_key: str = "") -> DataCheck | None:
    """The last check of a category's images, or of one night's images of it."""
    query = (
        select(DataCheck)
        .where(DataCheck.category == category, DataCheck.batch_key == batch_key)
        .order_by(col(DataCheck.checked_at).desc(), col(DataCheck.id).desc())
        .limit(1)
    )
    return session.exec(query).one_or_none()


def of_batch(session: Session, batch_key: str) -> list[DataCheck]:
    """The newest check of each category of a night, by name; of their own images when the key is empty."""
    rank = func.row_number().over(
        partition_by=col(DataCheck.category),
        order_by=(col(DataCheck.checked_at).desc(), col(DataCheck.id).desc()),
    )
    ranked = select(col(DataCheck.id), rank.label("place")).where(DataCheck.batch_key == batch_key).subquery()
    query = (
        select(DataCheck)
        .join(ranked, ranked.c.id == col(DataCheck.id))
        .where(ranked.c.place == 1)
        .order_by(col(DataCheck.category))
    )
    return list(session.exec(query))


def history(session: Session, category: str, batch_key: str, limit: int = 20) -> Sequence[DataCheck]:
    """Checks of one subject, newest first."""
    query = (
        select(DataCheck)
        .where(DataCheck.category == category, DataCheck.batch_key == batch_key)
        .order_by(col(DataCheck.checked_at).desc(), col(DataCheck.id).desc())
        .limit(limit)
    )
    return session.exec(query).all()


def stops(check: DataCheck) -> bool:
    """Whether the check holds its batch back now."""
    return check.outcome == CheckOutcome.STOPPED and not check.released_by


def stopped_reasons(session: Session, batch_key: str) -> list[str]:
    """``product: reason`` of each check that holds files of a night back now."""
    return [
        f"{check.category or 'files that wait for the router'}: {check.reason}"
        for check in of_batch(session, batch_key)
        if stops(check)
    ]


def let_go_on(session: Session, check_id: int, *, actor: str, note: str) -> DataCheck:
    """Let a batch go on that its suite stopped; the next run of the same files does.

    Raises:
        NotFound: there is no such check.
        Conflict: it was not stopped, or somebody has let it go on already.
        AnomalyOSError: without a reason.
    """
    check = get(session, check_id)
    if not note.strip():
        raise AnomalyOSError("Write a word about why.")
    if check.outcome != CheckOutcome.STOPPED:
        raise Conflict("This check stopped nothing.", "Look at the newest check.")
    if check.released_by:
        raise Conflict(f"{check.released_by} has let it go on already.", "Run it again.")
    check.released_by, check.released_at = actor, utc_now()
    session.add(check)
    audit.write(
        session,
        actor=actor,
        action="data.let_go_on",
        subject=f"check:{stored_id(check.id)}",
        detail={"category": check.category, "batch": check.batch_key, "note": note.strip()[:500]},
    )
    return check
