"""Which version of each product's model was champion when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from anomalyos.analytics.statistics import Move
from anomalyos.models.promotions import ROLLBACK


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
    return (
        datetime.combine(first, time.min, UTC),
        datetime.combine(last + timedelta(days=1), time.min, UTC),
    )
