"""What another promise would have changed among the items one model judged in a week: kept figures only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anomalyos.core.errors import NotFound
from anomalyos.db.columns import utc_now
from anomalyos.inspection import inspections
from anomalyos.inspection.tables import Decision, Inspection, Verdict
from anomalyos.models.tables import Category, ModelVersion

DAYS = 7
BINS = 30
_REACH = 2.5
"""Scores beyond this many thresholds share the last bin, or one of them would squeeze all others."""
_STOPS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2)
_SLACK = 1 + 1e-12
"""As in calibration: a p-value of exactly alpha is not lost to rounding."""


@dataclass(frozen=True)
class Likes:
    """Items with the same p-value, verdict and decision."""

    p_value: float
    flagged: bool
    decision: str | None
    count: int
    low: float
    """Lowest and highest score among them."""
    high: float


@dataclass(frozen=True)
class Bin:
    """Items whose scores lie between ``low`` and ``high``; the last bin holds what lies above, too."""

    low: float
    high: float
    defects: int
    """Called a defect, called a false alarm, and neither."""
    false_alarms: int
    others: int


@dataclass(frozen=True)
class Flips:
    """Items whose verdict would change, and what people had said of them."""

    count: int = 0
    defects: int = 0
    false_alarms: int = 0


@dataclass(frozen=True)
class Outcome:
    """The week under another promise."""

    alpha: float
    threshold: float
    """A score that parts the week's items as ``alpha`` does; the exact one lies in the same gap."""
    flagged: int
    to_normal: Flips
    to_flagged: Flips


@dataclass(frozen=True)
class Week:
    """What one model version judged in seven days, as it was judged."""

    category: str
    version: int
    since: datetime
    until: datetime
    current: bool
    """Whether the days end now; otherwise they end with the last item this version judged."""
    alpha: float
    threshold: float
    calibration_groups: int
    likes: tuple[Likes, ...]
    bins: tuple[Bin, ...]

    @property
    def total(self) -> int:
        return sum(like.count for like in self.likes)

    @property
    def flagged(self) -> int:
        return sum(like.count for like in self.likes if like.flagged)

    @property
    def smallest_alpha(self) -> float:
        """The strictest promise the calibration can give."""
        return 1.0 / (self.calibration_groups + 1)

    def stops(self) -> list[float]:
        """Promises worth trying, ascending; the present one is among them."""
        least = self.smallest_alpha
        tried = {stop for stop in _STOPS if stop > least * _SLACK and abs(stop - self.alpha) > 1e-9}
        return sorted(tried | {self.alpha} | ({least} if least < self.alpha / _SLACK else set()))

    def outcome(self, alpha: float) -> Outcome:
        """What ``alpha``, no smaller than ``smallest_alpha``, would make of the week."""
        limit = alpha * _SLACK
        would = [(like, like.p_value <= limit) for like in self.likes]
        return Outcome(
            alpha=alpha,
            threshold=self._threshold(alpha, would),
            flagged=sum(like.count for like, flagged in would if flagged),
            to_normal=_flips(like for like, flagged in would if like.flagged and not flagged),
            to_flagged=_flips(like for like, flagged in would if flagged and not like.flagged),
        )

    def _threshold(self, alpha: float, would: list[tuple[Likes, bool]]) -> float:
        if all(like.flagged == flagged for like, flagged in would):
            return self.threshold
        kept = [like.high for like, flagged in would if not flagged]
        # a score is flagged above the threshold, so the highest that stays normal can stand for it
        limit = max(kept) if kept else min(like.low for like, _ in would)
        return max(limit, self.threshold) if alpha < self.alpha else min(limit, self.threshold)


def week(session: Session, inspection_id: int, now: datetime | None = None) -> Week | None:
    """The last seven days of the model version that judged an inspection.

    When it judged nothing in that time, the seven days up to the last item it judged. A model version
    belongs to one category, so this is that category's week. Two grouped reads, whatever the number of
    items: there are no more p-values than calibration images.

    Returns:
        None when the inspection was not scored.

    Raises:
        NotFound: there is no such inspection.
    """
    row = inspections.get(session, inspection_id)
    version_id = row.model_version_id
    if version_id is None or row.threshold is None or row.alpha is None or row.p_value is None:
        return None
    until, current = now or utc_now(), True
    likes = _likes(session, _judged(version_id, until))
    if not likes:
        until, current = _last(session, version_id), False
        likes = _likes(session, _judged(version_id, until))
    version, category = session.get(ModelVersion, version_id), session.get(Category, row.category_id)
    if version is None or category is None:
        raise NotFound(f"The model of inspection {inspection_id} is gone.")
    return Week(
        category=category.name,
        version=version.version,
        since=until - timedelta(days=DAYS),
        until=until,
        current=current,
        alpha=row.alpha,
        threshold=row.threshold,
        calibration_groups=row.calibration_groups or 0,
        likes=likes,
        bins=_bins(session, _judged(version_id, until), likes, row.threshold),
    )


def _judged(version_id: int, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Inspection.model_version_id) == version_id,
        col(Inspection.created_at) > until - timedelta(days=DAYS),
        col(Inspection.created_at) <= until,
        col(Inspection.p_value).is_not(None),
        col(Inspection.score).is_not(None),
    )


def _last(session: Session, version_id: int) -> datetime:
    query = (
        select(Inspection.created_at)
        .where(col(Inspection.model_version_id) == version_id)
        .order_by(col(Inspection.created_at).desc())
        .limit(1)
    )
    return session.exec(query).one()


def _likes(session: Session, judged: tuple[ColumnElement[bool], ...]) -> tuple[Likes, ...]:
    key = (col(Inspection.p_value), col(Inspection.verdict), col(Inspection.decision))
    score = col(Inspection.score)
    query = (
        select(*key).add_columns(func.count(), func.min(score), func.max(score)).where(*judged).group_by(*key)
    )
    return tuple(
        Likes(float(p_value), verdict == Verdict.ANOMALOUS, decision, count, float(low), float(high))
        for p_value, verdict, decision, count, low, high in session.connection().execute(query)
    )


def _bins(
    session: Session, judged: tuple[ColumnElement[bool], ...], likes: tuple[Likes, ...], threshold: float
) -> tuple[Bin, ...]:
    low = min(min(like.low for like in likes), threshold)
    highest = max(max(like.high for like in likes), threshold)
    high = min(highest, max(_REACH * threshold, low)) or highest
    width = (high - low) / BINS or 1.0
    # rounding half a step lower is the floor that every database has
    place = func.round((col(Inspection.score) - low) / width - 0.5).label("place")
    # grouped from outside: PostgreSQL takes two equal expressions with parameters for different ones
    placed = select(place, col(Inspection.decision).label("decision")).where(*judged).subquery()
    query = select(placed.c.place, placed.c.decision, func.count()).group_by(
        placed.c.place, placed.c.decision
    )
    counts = [dict.fromkeys(("defects", "false_alarms", "others"), 0) for _ in range(BINS)]
    for number, decision, count in session.exec(query).all():
        said = {Decision.DEFECT: "defects", Decision.FALSE_ALARM: "false_alarms"}.get(decision, "others")
        counts[min(BINS - 1, max(0, int(number)))][said] += count
    return tuple(
        Bin(low + index * width, low + (index + 1) * width, **count) for index, count in enumerate(counts)
    )


def _flips(likes: Iterable[Likes]) -> Flips:
    likes = list(likes)
    return Flips(
        count=sum(like.count for like in likes),
        defects=sum(like.count for like in likes if like.decision == Decision.DEFECT),
        false_alarms=sum(like.count for like in likes if like.decision == Decision.FALSE_ALARM),
    )
