"""Bootstrap over test images: how far a figure would move with other images of the same kind.

The same seed draws the same images for every model that is measured on them, so the replicates of two models
are paired: their differences tell how sure it is that one is better (Efron and Tibshirani 1993, chapter 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.patchcore.metrics import BoolArray, Scores, limited_area

REPLICATES = 200
SEED = 0
LEVELS = 1000
"""Thresholds at which per-region overlap is summed up for each image."""
FPR_LIMIT = 0.3


def draws(defective: BoolArray, count: int = REPLICATES, seed: int = SEED) -> NDArray[np.int64]:
    """How often each image was drawn, (count, N): good and defective ones drawn among themselves.

    Drawn together, some replicates of a small test set would hold no good image at all.
    """
    rng = np.random.default_rng(seed)
    found = np.zeros((count, len(defective)), dtype=np.int64)
    for kind in (~defective, defective):
        places = np.flatnonzero(kind)
        if len(places):
            found[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), count)
    return found


def auroc_replicates(defective: BoolArray, scores: Scores, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """Image AUROC of each replicate, (B,): ties count half. Both kinds of images must be there."""
    _, inverse = np.unique(scores, return_inverse=True)
    levels = int(inverse.max()) + 1
    found = np.empty(len(drawn))
    for replicate, weights in enumerate(drawn):
        positives = np.bincount(inverse[defective], weights[defective], levels)
        negatives = np.bincount(inverse[~defective], weights[~defective], levels)
        below = np.concatenate([[0.0], np.cumsum(negatives)[:-1]])
        found[replicate] = (positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum())
    return found


@dataclass(frozen=True)
class OverlapCurves:
    """What each image adds to the per-region overlap curve, at descending thresholds."""

    negatives: NDArray[np.float64]
    """(N, levels) normal pixels that lie between this threshold and the one before."""
    overlap: NDArray[np.float64]
    """(N, levels) shares of regions that lie between them, summed over an image's regions."""
    regions: NDArray[np.float64]
    """(N,)"""

    def aupro(self, weights: NDArray[np.int64] | None = None) -> float:
        """AUPRO with image ``n`` counted ``weights[n]`` times; once each when None. NaN without regions."""
        counts = np.ones(len(self.regions)) if weights is None else weights.astype(np.float64)
        regions = counts @ self.regions
        if not regions:
            return float("nan")
        negatives = np.cumsum(counts @ self.negatives)
        overlap = np.cumsum(counts @ self.overlap) / regions
        fpr, pro = np.concatenate([[0.0], negatives / negatives[-1]]), np.concatenate([[0.0], overlap])
        return limited_area(fpr, pro, FPR_LIMIT)


def overlap_curves(maps: Scores, masks: BoolArray, levels: int = LEVELS) -> OverlapCurves:
    """Curves of (N, H, W) maps and masks, at thresholds spread over the false positive rates that count.

    With every distinct value as a threshold the sum over images gives :func:`metrics.aupro` exactly; with
    ``levels`` of them it is off by less than a thousandth.
    """
    from scipy import ndimage

    normal = maps[~masks].astype(np.float64)
    wanted = 1 - np.linspace(0, FPR_LIMIT, levels)
    edges = np.unique(np.quantile(normal, wanted, method="nearest"))  # ascending
    size = len(edges) + 1
    negatives, overlap = np.zeros((len(maps), size)), np.zeros((len(maps), size))
    regions = np.zeros(len(maps))
    for image, (heat, mask) in enumerate(zip(maps, masks, strict=True)):
        # place 0 holds what is above all edges, the last what is below the lowest
        places = len(edges) - np.searchsorted(edges, heat.astype(np.float64), side="right")
        negatives[image] = np.bincount(places[~mask], minlength=size)
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        if count:
            weights = 1.0 / np.bincount(labels.ravel())
            overlap[image] = np.bincount(places[mask], weights[labels[mask]], size)
            regions[image] = count
    return OverlapCurves(negatives, overlap, regions)


def interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of replicates; NaN ones, which held no region, are left out."""
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


def summary(values: NDArray[np.float64]) -> dict[str, Any] | None:
    """JSON-able interval and replicates, rounded to 1e-5; None where nothing could be measured."""
    if not np.isfinite(values).any():
        return None
    low, high = interval(values)
    rounded = [round(float(value), 5) if np.isfinite(value) else None for value in values]
    return {"low95": round(low, 5), "high95": round(high, 5), "replicates": rounded}
