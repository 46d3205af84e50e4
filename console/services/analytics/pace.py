"""How long inspections and decisions take, and how far reviewers agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

from anomalyos.analytics.review_statistics import Sitting
from anomalyos.core.statistics.agreement import Agreement, cohen_kappa
from anomalyos.core.statistics.quantiles import quantile
from console.services.analytics.periods import Bins

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


PAUSE_S = 5 * 60.0
"""A longer gap between two entries of one person is a pause, not the time a decision took."""


@dataclass(frozen=True)
class Pair:
    """Two reviewers who decided some of the same items."""

    first: str
    second: str
    agreement: Agreement


@dataclass(frozen=True)
class Pace:
    """How long one reviewer's decisions took."""

    reviewer: str
    decisions: int
    timed: int
    """Decisions that followed the person's previous entry within ``PAUSE_S``."""
    median_s: float | None
    p90_s: float | None


def pairs(shared: Sequence[dict[str, str]]) -> list[Pair]:
    """Agreement of everybody with everybody, most items first.

    Args:
        shared: for each item, what each of its reviewers said.
    """
    together: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for said in shared:
        for first, second in combinations(sorted(said), 2):
            answers = together.setdefault((first, second), ([], []))
            answers[0].append(said[first])
            answers[1].append(said[second])
    found = [Pair(*names, cohen_kappa(*answers)) for names, answers in together.items()]
    return sorted(found, key=lambda pair: (-pair.agreement.items, pair.first, pair.second))


def paces(entries: Sequence[Sitting]) -> list[Pace]:
    """One row a reviewer, most decisions first.

    Args:
        entries: reviews of all items, each person's in order; only selected ones are counted.
    """
    took: dict[str, list[float]] = {}
    decisions: dict[str, int] = {}
    for entry in entries:
        if entry.decides and entry.selected:
            decisions[entry.reviewer] = decisions.get(entry.reviewer, 0) + 1
    for before, entry in pairwise(entries):
        gap = (entry.when - before.when).total_seconds()
        if entry.decides and entry.selected and before.reviewer == entry.reviewer and gap < PAUSE_S:
            took.setdefault(entry.reviewer, []).append(gap)
    rows = [_pace(reviewer, count, took.get(reviewer, [])) for reviewer, count in decisions.items()]
    return sorted(rows, key=lambda row: (-row.decisions, row.reviewer))


def _pace(reviewer: str, decisions: int, took: list[float]) -> Pace:
    if not took:
        return Pace(reviewer, decisions, 0, None, None)
    return Pace(reviewer, decisions, len(took), quantile(took, 0.5), quantile(took, 0.9))
