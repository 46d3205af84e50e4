"""A region's depth against the depth around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from anomalyos.features.depth.estimate import DepthMap

FEWEST = 16
"""Pixels below which a spread or a skew means nothing."""


class DepthStatistics(BaseModel):
    """A region held against its surroundings: all 0 where the two are alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    """``midas_small``, ``shape_from_shading``, or a DPT model's name."""
    mean: float
    spread: float
    skew: float
    gradient_energy: float
    range: float
    deviation: float
    """One number for all five."""


def region_statistics(depth: DepthMap, region: NDArray[np.bool_]) -> DepthStatistics | None:
    """The five statistics of ``region`` (H, W) held against a ring around it of about equal area.

    All five are differences, 0 where the region is like its surroundings: of the means in standard
    deviations of the ring (positive is nearer), of skewness, and the natural logarithms of the ratios
    of spread, of mean squared gradient and of the range from the 2nd to the 98th percentile.
    ``deviation`` is their root mean square.

    Returns:
        None for a region that is too small, or that leaves nothing around itself.
    """
    ring = surroundings(region)
    if region.sum() < FEWEST or ring.sum() < FEWEST:
        return None
    inside, outside = _describe(depth.values, region), _describe(depth.values, ring)
    mean = (inside["mean"] - outside["mean"]) / outside["spread"]
    skew = inside["skew"] - outside["skew"]
    ratios = {
        key: float(np.log(inside[key] / outside[key])) for key in ("spread", "gradient_energy", "range")
    }
    deviation = float(np.sqrt(np.mean(np.square([mean, skew, *ratios.values()]))))
    return DepthStatistics(
        method=depth.method, mean=float(mean), skew=float(skew), deviation=deviation, **ratios
    )


def surroundings(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A ring (H, W) around the region, as many pixels wide as gives it about the region's area."""
    from scipy import ndimage

    if not region.any() or region.all():
        return np.zeros_like(region)
    distance = ndimage.distance_transform_edt(~region)
    outside = np.sort(distance[~region])
    reach = outside[min(len(outside), max(int(region.sum()), FEWEST)) - 1]
    return np.asarray((distance > 0) & (distance <= reach), dtype=bool)


def _describe(values: NDArray[np.float32], where: NDArray[np.bool_]) -> dict[str, float]:
    from scipy import stats

    slopes = [np.asarray(np.gradient(values.astype(np.float64), axis=axis))[where] for axis in (0, 1)]
    chosen = values[where].astype(np.float64)
    # a thousandth of the picture's own spread: below that a difference is rounding, not relief
    least = 1e-3
    low, high = np.quantile(chosen, 0.02), np.quantile(chosen, 0.98)
    spread = float(chosen.std())
    return {
        "mean": float(chosen.mean()),
        "spread": max(spread, least),
        "skew": float(stats.skew(chosen)) if spread > least else 0.0,
        "gradient_energy": max(float(np.square(slopes).sum(axis=0).mean()), least**2),
        "range": max(float(high - low), least),
    }
