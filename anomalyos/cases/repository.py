"""Cases: the known defects, every change to them numbered so that an index can follow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from anomalyos.accounts import audit
from anomalyos.cases.tables import CaseOrigin, CaseVector, DefectCase
from anomalyos.core.errors import Conflict
from anomalyos.db.rows import by_id, get_or_create, plain_text, stored_id
from anomalyos.inspection.tables import Decision, Inspection, Review

UNNAMED = "unnamed"
"""Defect type of a defect that a reviewer confirmed without naming it."""
FOLLOWING = "review"
"""``removed_by`` of a case that went because its review changed, not because somebody removed it."""
_CHANGE_LOCK = 0x616E6F6D63617365
"""PostgreSQL advisory lock under which ``change`` is counted up."""
_MANY = 500
"""Values in one IN list: SQLite and PostgreSQL both take far more than this."""


def content_key(case: DefectCase) -> str:
    """SHA-256 of what makes a case this case; the source counts only where a review is behind it.

    A data set may be imported twice from two folders, while two inspections of one image carry two
    decisions, each of which can be taken back alone.
    """
    box = [case.box.get(key) for key in ("x", "y", "width", "height")]
    source = case.source if case.origin == CaseOrigin.REVIEW else ""
    parts = [case.image_sha256, box, case.category, case.defect_type, str(case.origin), source]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def add(session: Session, case: DefectCase, actor: str) -> tuple[DefectCase, bool]:
    """Store a case once; ``content_key``, ``change`` and who added it are filled in here.

    Its files must have been written before.

    Returns:
        The stored row, and whether this call made it. A case that was removed stays removed.

    Raises:
        AnomalyOSError: a text that is missing, too long or cannot be stored.
    """
    case.category = plain_text(case.category, "category", 64, required=True)
    case.defect_type = plain_text(case.defect_type, "defect type", 64, required=True)
    case.note = plain_text(case.note, "note", 2000)
    case.origin = str(case.origin)
    case.content_key = content_key(case)
    case.added_by = actor
    known = session.exec(_by_key(case.content_key)).one_or_none()
    if known is not None:
        return known, False
    case.change = _next_change(session)
    query = _by_key(case.content_key)
    row, created = get_or_create(session, case, lambda: session.exec(query).one_or_none())
    if created:
        _audit(session, actor, "case.add", row, {"source": row.source})
    return row, created


def remove(session: Session, case_id: int, actor: str, reason: str, *, following: bool = False) -> DefectCase:
    """Take a case out of every search; its row and its history stay.

    Args:
        following: the review behind it changed; a later review may bring it back.

    Raises:
        NotFound: no such case.
        Conflict: it is removed already.
    """
    case = get(session, case_id)
    if case.removed_at is not None:
        raise Conflict(f"Case {case_id} is removed already.")
    case.change = _next_change(session)
    case.removed_at = datetime.now(UTC)
    case.removed_by = FOLLOWING if following else actor
    _audit(session, actor, "case.remove", case, {"reason": plain_text(reason, "reason", 2000)})
    return case


def restore(session: Session, case_id: int, actor: str, reason: str = "") -> DefectCase:
    """Bring a removed case back.

    Raises:
        NotFound: no such case.
        Conflict: it is not removed.
    """
    case = get(session, case_id)
    if case.removed_at is None:
        raise Conflict(f"Case {case_id} is not removed.")
    case.change = _next_change(session)
    case.removed_at, case.removed_by = None, ""
    _audit(session, actor, "case.restore", case, {"reason": plain_text(reason, "reason", 2000)})
    return case


def annotate(session: Session, case_id: int, actor: str, note: str) -> DefectCase:
    """Give a case another note; nothing is written when it has this one.

    Raises:
        NotFound: no such case.
    """
    case = get(session, case_id)
    words = plain_text(note, "note", 2000)
    if case.note != words:
        case.change = _next_change(session)
        case.note = words
        _audit(session, actor, "case.annotate", case, {})
    return case


def get(session: Session, case_id: int) -> DefectCase:
    """Raises ``NotFound``."""
    return by_id(session, DefectCase, case_id, "case", "List them with 'anomalyos cases list'.")


def get_many(session: Session, case_ids: Iterable[int]) -> dict[int, DefectCase]:
    """Cases by id; ids that do not exist are left out."""
    found: dict[int, DefectCase] = {}
    wanted = sorted(set(case_ids))
    for start in range(0, len(wanted), _MANY):
        query = select(DefectCase).where(col(DefectCase.id).in_(wanted[start : start + _MANY]))
        found.update({stored_id(case.id): case for case in session.exec(query)})
    return found


def list_cases(
    session: Session,
    category: str | None = None,
    defect_type: str | None = None,
    removed: bool = False,
    limit: int = 100,
    offset: int = 0,
    *,
    defect_types: Collection[str] | None = None,
    severity: str | None = None,
    newest_first: bool = False,
) -> Sequence[DefectCase]:
    """Cases by id, oldest first unless told otherwise; the removed ones alone when ``removed``.

    Args:
        defect_types: as cases spell them; an empty collection has no cases.
    """
    where = _conditions(category, defect_type, removed, defect_types, severity)
    order = col(DefectCase.id).desc() if newest_first else col(DefectCase.id)
    return session.exec(select(DefectCase).where(*where).order_by(order).limit(limit).offset(offset)).all()


def count(
    session: Session,
    category: str | None = None,
    defect_type: str | None = None,
    removed: bool = False,
    *,
    defect_types: Collection[str] | None = None,
    severity: str | None = None,
) -> int:
    """How many ``list_cases`` would list without a limit."""
    where = _conditions(category, defect_type, removed, defect_types, severity)
    return session.exec(select(func.count()).select_from(DefectCase).where(*where)).one()


def categories(session: Session) -> set[str]:
    """Categories of which any case was ever known, removed ones included."""
    return set(session.exec(select(DefectCase.category).distinct()))


def of_inspection(session: Session, inspection_id: int) -> Sequence[DefectCase]:
    """Cases that come from the review of one inspection, removed ones included."""
    query = select(DefectCase).where(
        DefectCase.inspection_id == inspection_id, DefectCase.origin == CaseOrigin.REVIEW.value
    )
    return session.exec(query.order_by(col(DefectCase.id))).all()


def changes_since(session: Session, change: int, limit: int = 10_000) -> Sequence[DefectCase]:
    """Cases whose newest change is later than ``change``, earliest change first, removed ones included."""
    query = select(DefectCase).where(DefectCase.change > change).order_by(col(DefectCase.change)).limit(limit)
    return session.exec(query).all()


def last_change(session: Session) -> int:
    """Number of the newest change, 0 before the first."""
    return int(session.exec(select(func.max(DefectCase.change))).one() or 0)


def put_vector(session: Session, case_id: int, embedder: str, vector: NDArray[np.float32]) -> None:
    """Keep the embedding (D,) of a case's crop under one embedder; the first one written stays."""
    data = np.ascontiguousarray(vector, dtype="<f4").tobytes()
    row = CaseVector(case_id=case_id, embedder=embedder, vector=data)
    query = select(CaseVector).where(CaseVector.case_id == case_id, CaseVector.embedder == embedder)
    get_or_create(session, row, lambda: session.exec(query).one_or_none())


def vectors(session: Session, embedder: str, case_ids: Iterable[int]) -> dict[int, NDArray[np.float32]]:
    """Embeddings (D,) float32 by case id; cases that have none under this embedder are left out."""
    found: dict[int, NDArray[np.float32]] = {}
    wanted = sorted(set(case_ids))
    for start in range(0, len(wanted), _MANY):
        query = select(CaseVector.case_id, CaseVector.vector).where(
            CaseVector.embedder == embedder, col(CaseVector.case_id).in_(wanted[start : start + _MANY])
        )
        for case_id, data in session.exec(query):
            found[case_id] = np.frombuffer(data, dtype="<f4").astype(np.float32)
    return found


def reviews_not_followed(session: Session) -> list[int]:
    """Inspections whose cases disagree with the decision that stands, ascending.

    A case that a person removed stays removed, and so counts as agreeing.
    """
    newest = and_(
        col(Review.inspection_id) == col(Inspection.id),
        col(Review.version) == col(Inspection.review_version),
    )
    query = (
        select(Inspection.id, Review.defect_type)
        .join(Review, newest)
        .where(Inspection.decision == Decision.DEFECT.value, col(Inspection.category_id).is_not(None))
    )
    wanted = {stored_id(number): name or UNNAMED for number, name in session.exec(query)}
    held: dict[int, list[DefectCase]] = {}
    for case in session.exec(select(DefectCase).where(DefectCase.origin == CaseOrigin.REVIEW.value)):
        held.setdefault(stored_id(case.inspection_id), []).append(case)
    behind = [number for number in wanted if not agrees(held.get(number, ()), wanted[number])]
    stale = [number for number in held if number not in wanted and not agrees(held[number], None)]
    return sorted(behind + stale)


def agrees(cases: Sequence[DefectCase], wanted: str | None) -> bool:
    """Whether the cases of one inspection are what its decision asks for.

    Args:
        wanted: the defect type that stands, None when the decision is anything but a defect.
    """
    live = [case for case in cases if case.removed_at is None]
    if wanted is None:
        return not live
    if any(case.defect_type != wanted for case in live):
        return False
    by_hand = any(case.defect_type == wanted and case.removed_by not in ("", FOLLOWING) for case in cases)
    return len(live) == 1 or (not live and by_hand)


def _conditions(
    category: str | None,
    defect_type: str | None,
    removed: bool,
    defect_types: Collection[str] | None,
    severity: str | None,
) -> list[ColumnElement[bool]]:
    gone = col(DefectCase.removed_at)
    where: list[ColumnElement[bool]] = [gone.is_not(None) if removed else gone.is_(None)]
    equal = ((DefectCase.category, category), (DefectCase.defect_type, defect_type))
    where += [col(column) == value for column, value in equal if value is not None]
    if defect_types is not None:
        where.append(col(DefectCase.defect_type).in_(sorted(defect_types)))
    if severity is not None:
        where.append(col(DefectCase.severity) == severity)
    return where


def _by_key(key: str) -> SelectOfScalar[DefectCase]:
    return select(DefectCase).where(DefectCase.content_key == key)


def _next_change(session: Session) -> int:
    """The next number of the table-wide count.

    Writers take turns until they commit: an index that has seen number n must never find a smaller
    one appearing later. SQLite's writing sessions take turns anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGE_LOCK})
    session.flush()
    return last_change(session) + 1


def _audit(session: Session, actor: str, action: str, case: DefectCase, detail: dict[str, object]) -> None:
    session.add(case)
    session.flush()
    facts = {"category": case.category, "defect_type": case.defect_type, **detail}
    audit.write(session, actor=actor, action=action, subject=f"case:{case.id}", detail=facts)
