"""Comparisons that were made, and which of them may start a retraining."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from anomalyos.db.columns import utc_now
from anomalyos.db.rows import get_or_create, stored_id
from anomalyos.drift.tables import DriftAlarm, DriftCheck, DriftOutcome, InjectedRecord
from anomalyos.models.tables import Category

_AT_ONCE = 500
"""Parameters of one query: databases have a limit."""


@dataclass(frozen=True)
class Refusal:
    """Drift that starts nothing now."""

    category: str
    reason: str


def by_key(session: Session, content_key: str) -> DriftCheck | None:
    return session.exec(select(DriftCheck).where(DriftCheck.content_key == content_key)).one_or_none()


def by_ids(session: Session, ids: Iterable[int]) -> list[DriftCheck]:
    """Comparisons by number, in order of category; missing ones are left out."""
    query = select(DriftCheck).where(col(DriftCheck.id).in_(list(ids))).order_by(col(DriftCheck.category))
    return list(session.exec(query))


def record(session: Session, row: DriftCheck) -> DriftCheck:
    """Keep a comparison; the same one made twice is the row that is there."""
    return get_or_create(session, row, lambda: by_key(session, row.content_key))[0]


def history(session: Session, categories: Iterable[str], first: str, last: str) -> list[DriftCheck]:
    """The last comparison of each category and day from ``first`` to ``last``, by day."""
    query = (
        select(DriftCheck)
        .where(
            col(DriftCheck.category).in_(list(categories)), DriftCheck.day >= first, DriftCheck.day <= last
        )
        .order_by(col(DriftCheck.day), col(DriftCheck.id))
    )
    newest = {(row.category, row.day): row for row in session.exec(query)}
    return list(newest.values())


def newest_alarms(session: Session, categories: Iterable[str]) -> dict[str, DriftAlarm]:
    """The last alarm of each category that ever raised one."""
    query = (
        select(DriftAlarm)
        .where(col(DriftAlarm.category).in_(list(categories)))
        .order_by(col(DriftAlarm.raised_at), col(DriftAlarm.id))
    )
    return {row.category: row for row in session.exec(query)}


def raise_alarms(
    session: Session,
    checks: Sequence[DriftCheck],
    *,
    run_id: str,
    cooldown: timedelta,
    runs_per_day: int,
    now: datetime | None = None,
) -> tuple[list[DriftAlarm], list[Refusal]]:
    """Let drift through to retraining, unless its product cools down or the day has had its runs.

    One transaction decides about all of them, and only one process decides at a time. A run that is tried
    again gets the alarms it had: it may have died before anybody heard of them.

    Args:
        checks: comparisons; those that found no drift are passed over.
        now: the present, for tests.
    """
    moment = now or utc_now()
    # whoever decides holds these rows (SQLite: its one write lock): two runs cannot both be the last allowed
    session.exec(select(Category).order_by(col(Category.id)).with_for_update()).all()
    drifted = [check for check in checks if check.outcome == DriftOutcome.DRIFTED]
    own = select(DriftAlarm).where(DriftAlarm.run_id == run_id).order_by(col(DriftAlarm.id))
    if found := session.exec(own).all():
        return list(found), []
    day_ago = moment - timedelta(hours=24)
    runs = session.exec(select(DriftAlarm.run_id).where(col(DriftAlarm.raised_at) > day_ago).distinct()).all()
    if len(runs) >= runs_per_day:
        words = f"drift has started {len(runs)} retraining runs in the last 24 hours already"
        return [], [Refusal(check.category, words) for check in drifted]
    alarms, refusals = [], []
    for check in drifted:
        last = newest_alarms(session, [check.category]).get(check.category)
        if last is not None and last.raised_at + cooldown > moment:
            until = last.raised_at + cooldown
            words = f"it was retrained because of drift on {last.raised_at:%d %b at %H:%M}"
            refusals.append(Refusal(check.category, f"{words} and cools down until {until:%d %b, %H:%M} UTC"))
            continue
        worst = largest(check.figures)
        alarms.append(
            DriftAlarm(
                category=check.category,
                check_id=stored_id(check.id),
                run_id=run_id,
                metric=str(worst["metric"]),
                size=float(worst["value"]),
                raised_at=moment,
            )
        )
    session.add_all(alarms)
    session.flush()
    return alarms, refusals


def largest(figures: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The figure farthest above its threshold."""
    return max(figures, key=lambda figure: float(figure["value"]) / float(figure["threshold"]))


def forget_injected(session: Session, category: str | None = None) -> list[str]:
    """Delete comparisons that injected records were part of, with their alarms; returns their pages."""
    query = select(DriftCheck).where(DriftCheck.injected_count > 0)
    if category is not None:
        query = query.where(DriftCheck.category == category)
    checks = session.exec(query).all()
    for start in range(0, len(checks), _AT_ONCE):
        numbers = [check.id for check in checks[start : start + _AT_ONCE]]
        session.connection().execute(delete(DriftAlarm).where(col(DriftAlarm.check_id).in_(numbers)))
        session.connection().execute(delete(DriftCheck).where(col(DriftCheck.id).in_(numbers)))
    kept = set(session.exec(select(DriftCheck.page_path)).all())
    return sorted({check.page_path for check in checks} - kept - {""})


def fingerprint(session: Session) -> tuple[int, int, int]:
    """Changes whenever a comparison is added, or records are injected or cleared."""
    newest = session.exec(select(func.max(DriftCheck.id))).one()
    made, count = session.exec(select(func.max(InjectedRecord.id), func.count(col(InjectedRecord.id)))).one()
    return newest or 0, made or 0, count
