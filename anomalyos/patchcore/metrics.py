"""How good a model is: on images, on pixels, and at the threshold it would really use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.statistics.proportion import exact_interval

BoolArray = NDArray[np.bool_]
Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rate:
    """A share of counted cases with its exact 95 % binomial interval (Clopper, Pearson 1934)."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        return self.hits / self.total if self.total else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Lower and upper bound; (0, 1) when nothing was counted."""
        return exact_interval(self.hits, self.total, confidence)

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval()
        return {"hits": self.hits, "of": self.total, "rate": self.value, "low95": low, "high95": high}


def image_auroc(defective: BoolArray, scores: Scores) -> float | None:
    """Probability that a defective image scores above a normal one; None when either is missing."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(defective, scores)) if both_present(defective) else None


def image_average_precision(defective: BoolArray, scores: Scores) -> float | None:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(defective, scores)) if both_present(defective) else None


def f1_at(defective: BoolArray, flagged: BoolArray) -> float | None:
    """F1 of the flags themselves: the threshold is the calibrated one, never picked on test images."""
    if not both_present(defective):
        return None
    hits = int((defective & flagged).sum())
    return 2 * hits / (int(defective.sum()) + int(flagged.sum())) if hits else 0.0


def pixel_auroc(maps: Scores, masks: BoolArray) -> float | None:
    """AUROC over all pixels of ``maps`` and ``masks`` (N, H, W); None when either kind is missing."""
    flat = masks.ravel()
    if not both_present(flat):
        return None
    values, inverse = dense_ranks(maps)
    positives = np.bincount(inverse[flat], minlength=values)
    negatives = np.bincount(inverse, minlength=values) - positives
    below = np.concatenate([[0], np.cumsum(negatives)[:-1]])
    wins = (positives * (below + negatives / 2)).sum()
    return float(wins / (int(positives.sum()) * int(negatives.sum())))


def aupro(maps: Scores, masks: BoolArray, fpr_limit: float = 0.3) -> float | None:
    """Area under the per-region overlap curve up to ``fpr_limit``, divided by it.

    Every connected region of every mask counts the same however large it is (Bergmann et al. 2021,
    section 5.2). Exact: all thresholds, ties together, straight lines between. None without both
    kinds of pixels.

    Args:
        maps: (N, H, W) anomaly maps.
        masks: (N, H, W) ground truth.
    """
    from scipy import ndimage

    if not both_present(masks.ravel()):
        return None
    weights = np.zeros(masks.shape, dtype=np.float64)
    regions = 0
    for image, mask in enumerate(masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        if count:
            sizes = np.bincount(labels.ravel())
            weights[image][mask] = (1.0 / sizes)[labels[mask]]
            regions += count
    levels, inverse = dense_ranks(maps)
    flat = masks.ravel()
    overlap = np.bincount(inverse, weights=weights.ravel(), minlength=levels)[::-1] / regions
    negatives = np.bincount(inverse[~flat], minlength=levels)[::-1]
    pro = np.concatenate([[0.0], np.cumsum(overlap)])
    fpr = np.concatenate([[0.0], np.cumsum(negatives) / negatives.sum()])
    return limited_area(fpr, pro, fpr_limit)


def limited_area(x: NDArray[np.float64], y: NDArray[np.float64], limit: float) -> float:
    """Trapezoid area under ``y(x)`` for x in [0, limit], divided by ``limit``; ``x`` ascends from 0."""
    inside = int(np.searchsorted(x, limit, side="right"))
    xs, ys = x[:inside], y[:inside]
    if inside < len(x) and xs[-1] < limit:
        step = (limit - xs[-1]) / (x[inside] - xs[-1])
        xs = np.append(xs, limit)
        ys = np.append(ys, ys[-1] + step * (y[inside] - ys[-1]))
    return float(np.trapezoid(ys, xs) / limit)


def dense_ranks(maps: Scores) -> tuple[int, NDArray[np.int64]]:
    """Number of distinct values, and each value's rank among them, in memory order (ascending)."""
    flat = maps.ravel()
    if flat.dtype == np.float16 and flat.min() >= 0:
        # the bits of non-negative half floats ascend with their values: counting beats sorting by far
        bits = (flat + np.float16(0)).view(np.uint16)
        present = np.bincount(bits, minlength=1 << 16) > 0
        ranks = np.cumsum(present) - 1
        return int(present.sum()), ranks[bits]
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    steps = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
    inverse = np.empty(len(flat), dtype=np.int64)
    inverse[order] = steps
    return int(steps[-1]) + 1, inverse


def both_present(labels: BoolArray) -> bool:
    return bool(labels.any() and not labels.all())
