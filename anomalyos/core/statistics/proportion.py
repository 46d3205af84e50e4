"""Shares of counted cases with exact intervals, and what they say about a promised share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


def exact_intervals(
    hits: Sequence[int], totals: Sequence[int], confidence: float = CONFIDENCE
) -> NDArray[np.float64]:
    """Exact binomial intervals (Clopper, Pearson 1934) of many shares at once.

    Returns:
        (n, 2): lower and upper bounds; (0, 1) where nothing was counted.

    Raises:
        ValueError: hits outside 0..total, or a confidence outside (0, 1).
    """
    from scipy.special import betaincinv

    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence}")
    k, n = np.asarray(hits, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if k.shape != n.shape or np.any(k < 0) or np.any(k > n):
        raise ValueError("hits and totals must pair up, with 0 <= hits <= total")
    tail = (1 - confidence) / 2
    bounds = np.empty((len(k), 2))
    # where a bound is 0 or 1 by definition the beta distribution does not exist: ask it for 1 of 1
    low, high = k > 0, k < n
    bounds[:, 0] = np.where(low, betaincinv(np.where(low, k, 1), np.where(low, n - k + 1, 1), tail), 0.0)
    bounds[:, 1] = np.where(
        high, betaincinv(np.where(high, k + 1, 1), np.where(high, n - k, 1), 1 - tail), 1.0
    )
    return bounds


def exact_interval(hits: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of one share; see ``exact_intervals``."""
    low, high = exact_intervals([hits], [total], confidence)[0]
    return float(low), float(high)


@dataclass(frozen=True)
class Share:
    """``hits`` of ``total`` with the exact 95 % interval of the share behind them."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share itself, None when nothing was counted."""
        return self.hits / self.total if self.total else None


def share(hits: int, total: int) -> Share:
    return Share(hits, total, *exact_interval(hits, total))


def shares(hits: Sequence[int], totals: Sequence[int]) -> list[Share]:
    """Many shares, computed together: quicker than one after another."""
    bounds = exact_intervals(hits, totals)
    return [
        Share(k, n, float(low), float(high)) for k, n, (low, high) in zip(hits, totals, bounds, strict=True)
    ]


class Standing(StrEnum):
    """What counts say about a promise of the kind "at most this share"."""

    KEPT = "kept"
    """Shown: the whole interval lies at or below the promise."""
    NOT_SHOWN = "not shown"
    """The interval holds the promise: too few cases to tell."""
    BROKEN = "broken"
    """Shown to be broken: the whole interval lies above it."""


def standing(certain: Share, at_worst: Share, promised: float) -> Standing:
    """How a promise stands while some cases are still undecided.

    Args:
        certain: only the cases known to count against the promise.
        at_worst: those and every undecided one. The same as ``certain`` when all are decided.
        promised: the largest share allowed.
    """
    if certain.total and certain.low > promised:
        return Standing.BROKEN
    if at_worst.total and at_worst.high <= promised:
        return Standing.KEPT
    return Standing.NOT_SHOWN
