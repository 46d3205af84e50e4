"""Moving a category's champion pointer, forwards and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.rows import stored_id
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import Category, ModelVersion, Promotion

PROMOTE = "promote"
ROLLBACK = "rollback"


@dataclass(frozen=True)
class Move:
    """One move of a pointer, with the names people know."""

    id: int
    category: str
    version: int
    kind: str
    actor: str
    reason: str
    when: datetime


def promote(
    session: Session, *, category_id: int, version_id: int, expected_pointer: int, actor: str, reason: str
) -> Promotion:
    """Make a version the champion.

    Args:
        expected_pointer: ``Category.pointer_version`` as it was when the decision was made.

    Raises:
        NotFound: no such category, or the version is not one of its own.
        Conflict: somebody moved the pointer in between, or the version is the champion already.
    """
    category = _fresh_category(session, category_id)
    version = model_versions.get(session, version_id)
    if version.category_id != category_id:
        raise NotFound(f"Model version {version_id} belongs to another category than {category.name}.")
    if category.pointer_version == expected_pointer and category.champion_id == version_id:
        raise Conflict(f"{category.name} v{version.version} is the champion already.")
    return _move(session, category, version_id, expected_pointer, PROMOTE, actor, reason)


def rollback(
    session: Session,
    *,
    category_name: str,
    actor: str,
    reason: str,
    expected_pointer: int | None = None,
) -> Promotion:
    """Return to the champion before the newest promotion that has not been rolled back.

    Rolling back again goes further back, never to and fro.

    Args:
        expected_pointer: as for ``promote``; None takes the pointer as it is now.

    Raises:
        NotFound: no such category, or nothing was ever promoted.
        Conflict: there is no earlier champion, or somebody moved the pointer in between.
    """
    category = _fresh_category(session, stored_id(categories.by_name(session, category_name).id))
    champions = _champions(history(session, category_name))
    if not champions:
        raise NotFound(f"No model of {category_name} was ever promoted.", "There is nothing to roll back.")
    if len(champions) == 1:
        raise Conflict(
            f"{category_name} has no earlier champion to return to.", "Promote another version instead."
        )
    expected = category.pointer_version if expected_pointer is None else expected_pointer
    return _move(session, category, champions[-2], expected, ROLLBACK, actor, reason)


def rollback_target(session: Session, category_name: str) -> int | None:
    """Id of the version a rollback would return to; None when there is no earlier champion."""
    champions = _champions(history(session, category_name))
    return champions[-2] if len(champions) > 1 else None


def newest_id(session: Session) -> int:
    """Id of the newest move of any pointer, 0 before the first."""
    return session.exec(select(func.max(Promotion.id))).one() or 0


def moves_after(session: Session, promotion_id: int, limit: int = 20) -> list[Move]:
    """The newest moves of all pointers later than ``promotion_id``, oldest first."""
    return _moves(session, col(Promotion.id) > promotion_id, limit)[::-1]


def recent_moves(session: Session, category_name: str, limit: int = 5) -> list[Move]:
    """The newest moves of one category's pointer, newest first."""
    return _moves(session, col(Category.name) == category_name, limit)


def _moves(session: Session, where: ColumnElement[bool], limit: int) -> list[Move]:
    query = (
        select(Promotion, Category.name, ModelVersion.version)
        .join(Category, col(Category.id) == col(Promotion.category_id))
        .join(ModelVersion, col(ModelVersion.id) == col(Promotion.to_id))
        .where(where)
        .order_by(col(Promotion.id).desc())
        .limit(limit)
    )
    return [
        Move(stored_id(move.id), name, version, move.kind, move.actor, move.reason, move.created_at)
        for move, name, version in session.exec(query)
    ]


def history(session: Session, category_name: str) -> Sequence[Promotion]:
    """Every move of the pointer, oldest first."""
    query = (
        select(Promotion)
        .join(Category, col(Category.id) == col(Promotion.category_id))
        .where(Category.name == category_name)
        .order_by(col(Promotion.id))
    )
    return session.exec(query).all()


def _champions(moves: Sequence[Promotion]) -> list[int]:
    """Version ids a rollback would walk through, the present champion last."""
    stack: list[int] = []
    for move in moves:
        if move.kind == ROLLBACK:
            stack.pop()
        else:
            stack.append(move.to_id)
    return stack


def _fresh_category(session: Session, category_id: int) -> Category:
    category = session.get(Category, category_id, populate_existing=True)
    if category is None:
        raise NotFound(f"There is no category with the id {category_id}.")
    return category


def _move(
    session: Session, category: Category, to_id: int, expected: int, kind: str, actor: str, reason: str
) -> Promotion:
    """The one statement that decides who wins, then the record of it."""
    from_id = category.champion_id
    moved = session.connection().execute(
        update(Category)
        .where(col(Category.id) == category.id, col(Category.pointer_version) == expected)
        .values(champion_id=to_id, pointer_version=expected + 1)
    )
    if moved.rowcount != 1:
        raise Conflict(
            f"The champion of {category.name} was changed by somebody else in the meantime.",
            "Look at the present champion and decide again.",
        )
    session.refresh(category)
    move = Promotion(
        category_id=stored_id(category.id),
        from_id=from_id,
        to_id=to_id,
        kind=kind,
        reason=reason,
        actor=actor,
    )
    session.add(move)
    session.flush()
    audit.write(
        session,
        actor=actor,
        action=f"model.{kind}",
        subject=f"category:{category.name}",
        detail={"from_id": from_id, "to_id": to_id, "pointer": expected + 1, "reason": reason},
    )
    return move
