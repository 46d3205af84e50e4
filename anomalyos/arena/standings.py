"""Figures of the Arena: rankings, a person's form, people against the AI by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from anomalyos.accounts.tables import User
from anomalyos.arena.difficulty import REMEMBERED
from anomalyos.arena.tables import ArenaCall, ArenaRound

SHOWN = 10
"""Lines of a ranking."""


@dataclass(frozen=True)
class Standing:
    """One line of a ranking."""

    user_id: int
    name: str
    points: int
    right: int
    ai_right: int
    rounds: int
    best: int
    """Points of the best round."""
    best_streak: int


@dataclass(frozen=True)
class Tally:
    """People and the AI on the same calls of one category."""

    category: str
    calls: int
    right: int
    ai_right: int


def of_day(session: Session, day: str, limit: int = SHOWN) -> list[Standing]:
    """The day's finished challenges: most points first, then who was earlier."""
    query = (
        select(ArenaRound, User.name)
        .join(User, col(User.id) == col(ArenaRound.user_id))
        .where(ArenaRound.day == day, col(ArenaRound.finished_at).is_not(None))
        .order_by(col(ArenaRound.points).desc(), col(ArenaRound.finished_at))
        .limit(limit)
    )
    return [
        Standing(row.user_id, name, row.points, row.right, row.ai_right, 1, row.points, row.best_streak)
        for row, name in session.exec(query).all()
    ]


def of_all_time(session: Session, limit: int = SHOWN) -> list[Standing]:
    """Everybody's finished rounds added up, most points first."""
    points = func.sum(col(ArenaRound.points))
    query = (
        select_columns(
            col(ArenaRound.user_id),
            col(User.name),
            points,
            func.sum(col(ArenaRound.right)),
            func.sum(col(ArenaRound.ai_right)),
            func.count(col(ArenaRound.id)),
            func.max(col(ArenaRound.points)),
            func.max(col(ArenaRound.best_streak)),
        )
        .join(User, col(User.id) == col(ArenaRound.user_id))
        .where(col(ArenaRound.finished_at).is_not(None))
        .group_by(col(ArenaRound.user_id), col(User.name))
        .order_by(points.desc(), col(User.name))
        .limit(limit)
    )
    rows = session.connection().execute(query).all()
    return [
        Standing(user_id, name, int(total), int(right), int(ai), int(rounds), int(best), int(streak))
        for user_id, name, total, right, ai, rounds, best, streak in rows
    ]


def by_category(session: Session) -> list[Tally]:
    """Every call that was shown and closed, one line a category, most played first."""
    query = (
        select_columns(
            col(ArenaCall.category),
            func.count(),
            func.sum(case((col(ArenaCall.right), 1), else_=0)),
            func.sum(case((col(ArenaCall.ai_defective) == col(ArenaCall.defective), 1), else_=0)),
        )
        .where(col(ArenaCall.shown_at).is_not(None), col(ArenaCall.answered_at).is_not(None))
        .group_by(col(ArenaCall.category))
        .order_by(func.count().desc(), col(ArenaCall.category))
    )
    rows = session.connection().execute(query).all()
    return [Tally(category, int(count), int(right), int(ai)) for category, count, right, ai in rows]


def outcomes(session: Session, user_id: int, limit: int = REMEMBERED) -> list[bool]:
    """Whether the person's latest calls were right, oldest first."""
    query = (
        select(ArenaCall.right)
        .join(ArenaRound, col(ArenaRound.id) == col(ArenaCall.round_id))
        .where(
            ArenaRound.user_id == user_id,
            col(ArenaCall.shown_at).is_not(None),
            col(ArenaCall.answered_at).is_not(None),
        )
        .order_by(col(ArenaCall.round_id).desc(), col(ArenaCall.place).desc())
        .limit(limit)
    )
    return list(session.exec(query).all())[::-1]


def days_played(session: Session, user_id: int, limit: int = 400) -> Sequence[str]:
    """Days whose challenge the person finished, newest first."""
    query = (
        select(ArenaRound.day)
        .where(
            ArenaRound.user_id == user_id,
            col(ArenaRound.day).is_not(None),
            col(ArenaRound.finished_at).is_not(None),
        )
        .order_by(col(ArenaRound.day).desc())
        .limit(limit)
    )
    return [day for day in session.exec(query).all() if day is not None]


def best_streak(session: Session, user_id: int) -> int:
    """The person's longest run of right calls in one round."""
    query = select(func.max(col(ArenaRound.best_streak))).where(ArenaRound.user_id == user_id)
    return session.exec(query).one() or 0
