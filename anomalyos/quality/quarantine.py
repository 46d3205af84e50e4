"""Training images set aside, and what engineers decide about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import get_or_create, plain_text, stored_id
from anomalyos.quality.tables import QuarantinedImage, QuarantineState

OUT = (QuarantineState.HELD, QuarantineState.KEPT_OUT)
"""States in which an image is not learned from."""


@dataclass(frozen=True)
class BadFile:
    """One file a check found bad enough to set aside."""

    file: str
    sha256: str
    rules: tuple[str, ...]
    reason: str


def get(session: Session, image_id: int) -> QuarantinedImage:
    """Raises ``NotFound``."""
    row = session.get(QuarantinedImage, image_id)
    if row is None:
        raise NotFound(f"There is no file {image_id} in quarantine.", "See `anomalyos data quarantine list`.")
    return row


def decided(session: Session, category: str) -> dict[tuple[str, str], QuarantinedImage]:
    """Files of a category an engineer decided about, by path and SHA-256."""
    query = select(QuarantinedImage).where(
        QuarantinedImage.category == category,
        col(QuarantinedImage.state).in_([QuarantineState.RELEASED, QuarantineState.KEPT_OUT]),
    )
    return {(row.file, row.sha256): row for row in session.exec(query)}


def sync(session: Session, category: str, found: Collection[BadFile]) -> list[QuarantinedImage]:
    """Bring the category's rows in line with what the newest check found; returns those that are out.

    What was released stays so until another rule finds fault with it; what was kept out stays out. Held
    files that are no longer found are cleared.
    """
    known = {
        (row.file, row.sha256): row
        for row in session.exec(select(QuarantinedImage).where(QuarantinedImage.category == category))
    }
    now = {(bad.file, bad.sha256) for bad in found}
    for place, row in known.items():
        if place not in now and row.state == QuarantineState.HELD:
            row.state = QuarantineState.CLEARED
            session.add(row)
    for bad in found:
        _hold(session, category, bad, known.get((bad.file, bad.sha256)))
    session.flush()
    return list(listed(session, category, states=OUT, limit=None))


def _hold(session: Session, category: str, bad: BadFile, row: QuarantinedImage | None) -> None:
    if row is None:
        fresh = QuarantinedImage(
            category=category, file=bad.file, sha256=bad.sha256, rules=list(bad.rules), reason=bad.reason
        )
        get_or_create(session, fresh, lambda: _find(session, category, bad))
        return
    if row.state == QuarantineState.RELEASED and set(bad.rules) <= set(row.rules):
        return
    if row.state == QuarantineState.KEPT_OUT:
        return
    row.state, row.rules, row.reason = QuarantineState.HELD.value, list(bad.rules), bad.reason
    session.add(row)


def listed(
    session: Session,
    category: str = "",
    *,
    states: Sequence[str] = (),
    limit: int | None = 50,
    offset: int = 0,
) -> Sequence[QuarantinedImage]:
    """Rows by category and file; of every category and in every state unless some are named."""
    query = select(QuarantinedImage).order_by(
        col(QuarantinedImage.category), col(QuarantinedImage.file), col(QuarantinedImage.id)
    )
    for condition in _conditions(category, states):
        query = query.where(condition)
    return session.exec(query.offset(offset).limit(limit)).all()


def count(session: Session, category: str = "", *, states: Sequence[str] = ()) -> int:
    query = select(func.count()).select_from(QuarantinedImage)
    for condition in _conditions(category, states):
        query = query.where(condition)
    return session.exec(query).one()


def out_by_category(session: Session) -> Mapping[str, int]:
    """How many files of each category are out now."""
    query = (
        select(QuarantinedImage.category, func.count())
        .where(col(QuarantinedImage.state).in_(OUT))
        .group_by(QuarantinedImage.category)
    )
    return dict(session.exec(query).all())


def release(session: Session, image_id: int, *, actor: str, note: str = "") -> QuarantinedImage:
    """Let the next rebuild learn from a file again.

    Raises:
        NotFound: there is no such row.
        Conflict: it is not out, or nothing could be learned from it.
    """
    row = get(session, image_id)
    if "decodable" in row.rules:
        raise Conflict(
            f"{row.file} cannot be decoded, so nothing can be learned from it.",
            "Replace the file; the next check looks at it anew.",
        )
    if row.state not in OUT:
        raise Conflict(f"{row.file} is not set aside: {row.state}.", "Look at the list again.")
    return _decide(session, row, QuarantineState.RELEASED, "data.release", actor, note)


def keep_out(session: Session, image_id: int, *, actor: str, note: str = "") -> QuarantinedImage:
    """Keep a file out for good, whatever later checks find.

    Raises:
        NotFound: there is no such row.
        Conflict: it is kept out already, or is not found any more.
    """
    row = get(session, image_id)
    if row.state in (QuarantineState.KEPT_OUT, QuarantineState.CLEARED):
        raise Conflict(f"{row.file} cannot be kept out: {row.state}.", "Look at the list again.")
    return _decide(session, row, QuarantineState.KEPT_OUT, "data.keep_out", actor, note)


def _decide(
    session: Session, row: QuarantinedImage, state: QuarantineState, action: str, actor: str, note: str
) -> QuarantinedImage:
    row.note = plain_text(note, "note", 500)
    row.state, row.decided_by, row.decided_at = state.value, actor, utc_now()
    session.add(row)
    detail = {"category": row.category, "file": row.file, "reason": row.reason, "note": row.note}
    audit.write(session, actor=actor, action=action, subject=f"quarantine:{stored_id(row.id)}", detail=detail)
    return row


def _find(session: Session, category: str, bad: BadFile) -> QuarantinedImage | None:
    return session.exec(
        select(QuarantinedImage).where(
            QuarantinedImage.category == category,
            QuarantinedImage.file == bad.file,
            QuarantinedImage.sha256 == bad.sha256,
        )
    ).one_or_none()


def _conditions(category: str, states: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    if category:
        found.append(QuarantinedImage.category == category)
    if states:
        found.append(col(QuarantinedImage.state).in_(list(states)))
    return found
