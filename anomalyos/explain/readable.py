"""Five figures of an inspected photograph that a person can check by looking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.settings import Settings
from anomalyos.features.depth.estimate import estimate_depth
from anomalyos.features.depth.statistics import region_statistics

SIZE = 224
"""Side that photograph and map are measured at, whatever the recipe's input size."""
LEAST_SHARE = 0.01
"""The region holds at least this share of the image: a normal one has a hottest place too."""
EDGE_QUANTILE = 0.9
"""A gradient counts as an edge above this quantile of the category's normal gradients."""
LBP_POINTS, LBP_RADIUS = 8, 1
WINDOW = 32
WINDOWS_KEPT = 256

DepthDeviation = Callable[[NDArray[np.uint8], NDArray[np.bool_]], float]
"""How far the depth inside a region lies from that around it: ((H, W, 3), (H, W) mask) -> number."""


@dataclass(frozen=True)
class ReadableFeature:
    name: str
    label: str
    unit: str


FEATURES = (
    ReadableFeature("peak_score", "peak of the anomaly map", "× limit"),
    ReadableFeature("anomalous_area", "anomalous area", "% of image"),
    ReadableFeature("edge_density", "edge density", "% of region"),
    ReadableFeature("texture_deviation", "texture deviation", "0–1"),
    ReadableFeature("depth_deviation", "depth deviation", "σ"),
)
NAMES = tuple(feature.name for feature in FEATURES)


@dataclass(frozen=True)
class Normality:
    """What edges and textures of a category's normal photographs are like."""

    edge_threshold: float
    """Gradient magnitude per pixel, grey values in [0, 1]."""
    textures: NDArray[np.float64]
    """(K, LBP_POINTS + 2) pattern histograms of windows, each summing to 1."""

    @classmethod
    def learn(cls, images: list[NDArray[np.uint8]], seed: int = 0) -> Normality:
        """From normal photographs (H, W, 3) of any sizes.

        Raises:
            ValueError: without images.
        """
        if not images:
            raise ValueError("at least one normal photograph is needed")
        greys = [to_grey(image) for image in images]
        slopes = np.concatenate([gradient(grey)[::4, ::4].ravel() for grey in greys])
        windows = [window for grey in greys for window in _windows(patterns(grey))]
        # a fixed draw: the same photographs give the same reference
        chosen = np.random.default_rng(seed).permutation(len(windows))[:WINDOWS_KEPT]
        textures = np.stack([histogram(windows[i]) for i in np.sort(chosen)])
        return cls(float(max(np.quantile(slopes, EDGE_QUANTILE), 1e-3)), textures)


def measure(
    rgb: NDArray[np.uint8],
    heat: Float32Array,
    limit: float,
    normality: Normality,
    depth_deviation: DepthDeviation,
) -> NDArray[np.float64]:
    """The five figures (5,) float64 in the order of ``FEATURES``.

    - peak of the map, as a multiple of what the map of a normal image reaches (``limit``)
    - share of the map above ``limit``, in percent
    - share of edge pixels in the region, in percent; 10 is what normal photographs have on the whole
    - Jensen-Shannon distance (base 2) of the region's histogram of uniform local binary patterns
      (Ojala et al. 2002; P = 8, R = 1) to the most similar window of a normal photograph
    - deviation of depth in the region from depth around it, as ``depth_deviation`` gives it

    The region is what exceeds ``limit``, and at least the hottest hundredth of the image. Edges are
    counted as they are and not against the surroundings: the figure can then be checked by eye, and
    beside it stands what is typical of normal images at *their* hottest place.

    Args:
        rgb: (H, W, 3) uint8 of any size.
        heat: (S, S) float32 anomaly map of the same photograph.
        limit: the calibrated map threshold, above 0.

    Raises:
        ValueError: when ``limit`` is not above 0.
    """
    if limit <= 0:
        raise ValueError("the limit of the anomaly map must be above 0")
    small, warmth = fit_picture(rgb), fit_heat(heat)
    region = hot_region(warmth, limit)
    grey = to_grey(small)
    return np.array(
        [
            float(heat.max()) / limit,
            float((heat > limit).mean()) * 100,
            float((gradient(grey)[region] > normality.edge_threshold).mean()) * 100,
            texture_distance(histogram(patterns(grey)[region]), normality.textures),
            depth_deviation(small, region),
        ],
        dtype=np.float64,
    )


def hot_region(heat: Float32Array, limit: float) -> NDArray[np.bool_]:
    """(H, W) bool: above ``limit``, or among the hottest hundredth. Never empty."""
    return np.asarray(heat >= min(limit, float(np.quantile(heat, 1 - LEAST_SHARE))), dtype=bool)


def depth_by(settings: Settings) -> DepthDeviation:
    """Depth deviation by the estimator that ``settings.depth_model`` names; 0 where the region leaves
    nothing around itself to be held against."""

    def deviation(rgb: NDArray[np.uint8], region: NDArray[np.bool_]) -> float:
        found = region_statistics(estimate_depth(rgb, settings), region)
        return 0.0 if found is None else found.deviation

    return deviation


def fit_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) -> (SIZE, SIZE, 3)."""
    from PIL import Image

    if rgb.shape[:2] == (SIZE, SIZE):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def fit_heat(heat: Float32Array) -> Float32Array:
    """(S, S) -> (SIZE, SIZE), bilinear."""
    from PIL import Image

    if heat.shape == (SIZE, SIZE):
        return heat
    return np.asarray(Image.fromarray(heat).resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def to_grey(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W, 3) uint8 -> (SIZE, SIZE) luma in [0, 1] (Rec. 601)."""
    return np.asarray(fit_picture(rgb) @ np.array([0.299, 0.587, 0.114]) / 255, dtype=np.float64)


def gradient(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude (H, W) of the gradient after smoothing with one pixel, which removes sensor noise."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_gradient_magnitude(grey, 1.0, mode="nearest"), dtype=np.float64)


def patterns(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(H, W) number of the uniform local binary pattern around each pixel, 0 to LBP_POINTS + 1."""
    from skimage.feature import local_binary_pattern

    # whole grey values: comparing floats would turn rounding into texture
    whole = np.pad(np.round(grey * 255).astype(np.uint8), LBP_RADIUS, mode="edge")
    find: Any = local_binary_pattern
    found = find(whole, LBP_POINTS, LBP_RADIUS, method="uniform")
    # padded first, or what lies outside the photograph would count as black
    return np.asarray(found[LBP_RADIUS:-LBP_RADIUS, LBP_RADIUS:-LBP_RADIUS], dtype=np.uint8)


def histogram(numbers: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares (LBP_POINTS + 2,) of the patterns in any number of pixels, at least one."""
    counts = np.bincount(numbers.ravel(), minlength=LBP_POINTS + 2).astype(np.float64)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def texture_distance(one: NDArray[np.float64], many: NDArray[np.float64]) -> float:
    """Smallest Jensen-Shannon distance, in [0, 1], of a histogram (B,) to any of ``many`` (K, B)."""
    middle = (one[None] + many) / 2
    divergence = (_divergence(one[None], middle) + _divergence(many, middle)) / 2
    return float(np.sqrt(np.clip(divergence.min(), 0, 1)))


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence in bits along the last axis, 0 log 0 being 0."""
    ratio = np.where(p > 0, p / np.where(q > 0, q, 1), 1)
    return np.asarray((p * np.log2(ratio)).sum(axis=-1), dtype=np.float64)


def _windows(numbers: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    starts = range(0, SIZE - WINDOW + 1, WINDOW)
    return [numbers[row : row + WINDOW, col : col + WINDOW] for row in starts for col in starts]
