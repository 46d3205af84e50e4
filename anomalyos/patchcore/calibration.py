"""Conformal p-values: what share of normal parts would score at least as high."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray64 = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Scores of held-out normal images, grouped by part.

    Each group weighs the same however many pictures it holds: pictures of one part are not
    independent, and a new image comes from a new part. With K groups, the p-value of a score s is

        p(s) = (1 + sum over groups of the share of its scores >= s) / (K + 1)

    which is the split-conformal p-value when every group holds one image, and the pooled hierarchical
    one otherwise (Dunn, Wasserman, Ramdas 2023; Lee, Barber, Willett 2023). For a normal image
    exchangeable with these, P(p <= alpha) <= alpha.
    """

    scores: FloatArray64
    """(N,) image scores"""
    groups: NDArray[np.int64]
    """(N,) group number of each score"""
    alpha: float
    map_threshold: float
    """Anomaly-map value that the maximum of a normal image exceeds with probability alpha at most."""
    map_median: float
    """Typical anomaly-map value of a normal image: where a heat map starts to show."""

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or len(self.scores) == 0 or self.scores.shape != self.groups.shape:
            raise ValueError("calibration needs one group number for each of at least one score")
        if not np.isfinite(self.scores).all():
            raise ValueError("calibration scores must be finite")

    @cached_property
    def _steps(self) -> tuple[FloatArray64, FloatArray64]:
        """Ascending scores, and the group-weighted mass at or above each."""
        order = np.argsort(self.scores, kind="stable")
        _, inverse, counts = np.unique(self.groups, return_inverse=True, return_counts=True)
        weights = (1.0 / counts)[inverse][order]
        return self.scores[order], np.cumsum(weights[::-1])[::-1]

    @property
    def group_count(self) -> int:
        return len(np.unique(self.groups))

    def p_value(self, score: float) -> float:
        """Conformal p-value of one image score, in [1 / (K + 1), 1]."""
        ascending, mass = self._steps
        first = int(np.searchsorted(ascending, score, side="left"))
        above = float(mass[first]) if first < len(mass) else 0.0
        return min(1.0, (1.0 + above) / (self.group_count + 1))

    @property
    def smallest_alpha(self) -> float:
        """The strictest promise this many groups can give."""
        return 1.0 / (self.group_count + 1)

    def effective_alpha(self, alpha: float | None = None) -> float:
        """``alpha``, or the smallest that can be promised when it asks for more than that."""
        wanted = self.alpha if alpha is None else alpha
        return max(wanted, self.smallest_alpha)

    def threshold(self, alpha: float | None = None) -> float:
        """The score t with ``score > t`` exactly when ``p_value(score) <= effective alpha``."""
        return upper_threshold(self.scores, self.groups, self.effective_alpha(alpha))

    def to_json(self) -> dict[str, Any]:
        return {
            "scores": [float(score) for score in self.scores],
            "groups": [int(group) for group in self.groups],
            "alpha": self.alpha,
            "map_threshold": self.map_threshold,
            "map_median": self.map_median,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Calibration:
        return cls(
            scores=np.asarray(document["scores"], dtype=np.float64),
            groups=np.asarray(document["groups"], dtype=np.int64),
            alpha=float(document["alpha"]),
            map_threshold=float(document["map_threshold"]),
            map_median=float(document["map_median"]),
        )


def upper_threshold(scores: FloatArray64, groups: NDArray[np.int64], alpha: float) -> float:
    """Smallest of ``scores`` above which the grouped conformal p-value is at most ``alpha``.

    Returns +inf when ``alpha`` is below 1 / (groups + 1): no score can then be flagged.
    """
    probe = Calibration(scores, groups, alpha, 0.0, 0.0)
    # a hair of slack, so that alpha = 1 / (K + 1) is not lost to rounding
    allowed = alpha * (1 + 1e-12)
    if probe.smallest_alpha > allowed:
        return math.inf
    ascending, mass = probe._steps
    values, first = np.unique(ascending, return_index=True)
    # just above values[j] everything from values[j + 1] on still counts
    beyond = np.append(mass[first[1:]], 0.0)
    fits = (1.0 + beyond) / (probe.group_count + 1) <= allowed
    return float(values[int(np.argmax(fits))])


def p_value_in_words(p: float, groups: int) -> str:
    """``p`` as a sentence a reviewer can act on; ``groups`` is what the p-value was held against."""
    if p <= 1.0 / (groups + 1) * (1 + 1e-9):
        return f"higher than all of the {groups} normal parts it was held against"
    one_in = 1.0 / p
    if one_in < 2:
        return f"as ordinary as {round(p * 100)} in 100 normal parts"
    return f"about 1 in {round(one_in)} normal parts scores this high"
