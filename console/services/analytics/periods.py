"""Time in pieces: the bins of a chart, and the periods in which each version was champion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from anomalyos.analytics.statistics import Move
from anomalyos.models.promotions import ROLLBACK

_DAYS_AT_MOST = 120
_WEEKS_AT_MOST = 7 * 156


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Bins:
    """Consecutive days, weeks from Monday, or months; empty ones in between are among them."""

    step: Step
    starts: tuple[date, ...]

    def start_of(self, day: date) -> date:
        if self.step is Step.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step is Step.MONTH else day

    def label(self, start: date) -> str:
        """For an axis: ``24 Nov``, ``Nov 2026``."""
        return f"{start:%b %Y}" if self.step is Step.MONTH else f"{start.day} {start:%b}"

    def name(self, start: date) -> str:
        """For a sentence: ``Tue 24 Nov 2026``, ``Week from 23 Nov 2026``, ``November 2026``."""
        if self.step is Step.MONTH:
            return f"{start:%B %Y}"
        long = f"{start.day} {start:%b %Y}"
        return f"Week from {long}" if self.step is Step.WEEK else f"{start:%a} {long}"


def bins(days: Iterable[date], span: int) -> Bins:
    """Bins from the first to the last of ``days``.

    Args:
        span: days of the whole range asked for, which decides how wide the bins are.
    """
    step = Step.DAY if span <= _DAYS_AT_MOST else Step.WEEK if span <= _WEEKS_AT_MOST else Step.MONTH
    empty = Bins(step, ())
    found = sorted({empty.start_of(day) for day in days})
    if not found:
        return empty
    starts = [found[0]]
    while starts[-1] < found[-1]:
        starts.append(empty.start_of(_after(starts[-1], step)))
    return Bins(step, tuple(starts))


def _after(start: date, step: Step) -> date:
    return start + timedelta(days={Step.DAY: 1, Step.WEEK: 7, Step.MONTH: 31}[step])


@dataclass(frozen=True)
class ChampionPeriod:
    """One version as champion of one product."""

    category: str
    version: int
    since: datetime
    until: datetime | None
    """None while it is the champion."""
    rolled_back: bool
    """Whether a rollback, not a promotion, made it champion."""


def champion_periods(moves: Sequence[Move]) -> list[ChampionPeriod]:
    """Moves of the champion pointers, oldest first, as the times between them, product by product."""
    by_category: dict[str, list[Move]] = {}
    for move in moves:
        by_category.setdefault(move.category, []).append(move)
    found = []
    for category in sorted(by_category):
        own = by_category[category]
        ends = [move.when for move in own[1:]] + [None]
        found += [
            ChampionPeriod(category, move.version, move.when, end, move.kind == ROLLBACK)
            for move, end in zip(own, ends, strict=True)
        ]
    return found


def within(found: Sequence[ChampionPeriod], first: date, last: date) -> list[ChampionPeriod]:
    """Those that were champion at some moment of the range (UTC)."""
    begin, end = bounds(first, last)
    return [reign for reign in found if reign.since < end and (reign.until is None or reign.until > begin)]


def begun_within(found: Sequence[ChampionPeriod], first: date, last: date) -> list[ChampionPeriod]:
    """Those that became champion within the range."""
    begin, end = bounds(first, last)
    return [reign for reign in found if begin <= reign.since < end]


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """The first moment of the range and the first one after it."""
    return (datetime.combine(first, time.min, UTC), datetime.combine(last + timedelta(days=1), time.min, UTC))
