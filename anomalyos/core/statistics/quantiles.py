"""Quantiles of a handful of measured values."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(values: Sequence[float], level: float) -> float:
    """The ``level`` quantile with straight lines between the order statistics (Hyndman, Fan type 7).

    Raises:
        ValueError: without values, or for a level outside 0..1.
    """
    if not values:
        raise ValueError("there is no quantile of nothing")
    if not 0 <= level <= 1:
        raise ValueError(f"a quantile's level lies between 0 and 1, not at {level}")
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    # rounding must not lead out of the two
    between = ordered[below] + (place - below) * (ordered[above] - ordered[below])
    return min(max(between, ordered[below]), ordered[above])
