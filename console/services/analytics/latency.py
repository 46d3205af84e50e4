"""How long inspections took, from the times kept with each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from anomalyos.core.statistics.quantiles import quantile
from console.services.analytics.bins import Bins

STAGES = ("decode", "route", "features", "search", "map", "store")
TOTAL = "total"


@dataclass(frozen=True)
class Spent:
    """Milliseconds of one stage, or of the whole inspection."""

    images: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Latency:
    sampled: int
    scored: int
    """Scored images in the range; more than ``sampled`` when only a part was read."""
    total: Spent | None
    by_bin: dict[date, Spent]
    by_stage: dict[str, Spent]
    """In the order the stages run."""


def latency(timings: Sequence[tuple[str, dict[str, float]]], scored: int, bins: Bins) -> Latency:
    totals: dict[date, list[float]] = {}
    stages: dict[str, list[float]] = {}
    for day, spent in timings:
        for stage, milliseconds in spent.items():
            stages.setdefault(stage, []).append(milliseconds)
        if TOTAL in spent:
            totals.setdefault(bins.start_of(date.fromisoformat(day)), []).append(spent[TOTAL])
    return Latency(
        sampled=len(timings),
        scored=scored,
        total=_spent(stages[TOTAL]) if TOTAL in stages else None,
        by_bin={start: _spent(values) for start, values in totals.items()},
        by_stage={stage: _spent(stages[stage]) for stage in STAGES if stage in stages},
    )


def _spent(values: list[float]) -> Spent:
    return Spent(len(values), quantile(values, 0.5), quantile(values, 0.95))
