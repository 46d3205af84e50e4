"""How well two people agree beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from anomalyos.core.statistics.proportion import CONFIDENCE, exact_interval


@dataclass(frozen=True)
class Agreement:
    """Two raters over the same items."""

    items: int
    same: int
    """Items both put into the same class."""
    chance: float
    """Share of equal answers to expect if both only kept their own habits; 0 without items."""
    kappa: float | None
    """Cohen's kappa in [-1, 1]; None without items, or when both always gave the same one answer."""
    low: float | None
    high: float | None


def cohen_kappa(first: Sequence[str], second: Sequence[str], confidence: float = CONFIDENCE) -> Agreement:
    """Cohen's kappa (1960) of paired answers: (observed - chance) / (1 - chance).

    The interval is the exact binomial one of the observed agreement, with the agreement by chance
    held fixed as in Cohen's own standard error. Unlike the usual normal approximation it does not
    shrink to nothing when two people agree on all of a handful of items.

    Raises:
        ValueError: the sequences differ in length.
    """
    if len(first) != len(second):
        raise ValueError("both raters must have judged the same items")
    items = len(first)
    if not items:
        return Agreement(0, 0, 0.0, None, None, None)
    same = sum(a == b for a, b in zip(first, second, strict=True))
    of_first, of_second = Counter(first), Counter(second)
    # integers until the end: 1 - chance would be lost to rounding near 1
    together = sum(of_first[answer] * of_second[answer] for answer in of_first)
    chance = together / items**2
    if together == items**2:
        return Agreement(items, same, chance, None, None, None)
    low, high = exact_interval(same, items, confidence)
    return Agreement(
        items,
        same,
        chance,
        _beyond_chance(same / items, chance),
        _beyond_chance(low, chance),
        _beyond_chance(high, chance),
    )


def _beyond_chance(observed: float, chance: float) -> float:
    return max(-1.0, min(1.0, (observed - chance) / (1 - chance)))
