"""What an explanation is worth: does it point at the defect, and does the score hang on what it shows?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.features.patches import PatchExtractor
from anomalyos.patchcore.model import PatchCoreModel

TOLERANCE = 15 / 500
"""Zhang et al. 2016 allow 15 pixels on photographs of about 500 pixels a side."""
STEPS = 12
FEATHER = 8.0
"""Sigma, in pixels of 224, that softens the seam between kept and replaced pixels: a cell of the patch
grid. With a harder seam the seam is what scores, and no map tells itself from chance."""
ScoreMany = Callable[[list[NDArray[np.uint8]]], NDArray[np.float64]]


def within(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``mask`` (S, S) with the pointing game's tolerance around it."""
    from scipy import ndimage

    if not mask.any():
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask) <= TOLERANCE * mask.shape[0], dtype=bool)


def points_inside(heat: Float32Array, mask: NDArray[np.bool_]) -> bool:
    """Whether the peak of ``heat`` (S, S) lies in ``mask`` (S, S): one round of the pointing game
    (Zhang et al. 2016). Among equal peaks the first in reading order counts."""
    return bool(mask.ravel()[int(heat.argmax())])


def shares() -> NDArray[np.float64]:
    """Shares (STEPS + 1,) of pixels replaced, from 0 to 1, quadratic: defects are small, and equal steps
    would jump over them in the first one."""
    return np.linspace(0, 1, STEPS + 1) ** 2


def replacement_masks(heat: Float32Array) -> Float32Array:
    """(STEPS - 1, S, S) in [0, 1]: the most important pixels of ``heat`` at each inner step, feathered.

    Equal heats are ordered by a fixed shuffle, so that a flat map is no reading-order map.
    """
    from scipy import ndimage

    size = heat.shape[0]
    order = np.lexsort((np.random.default_rng(0).permutation(heat.size), -heat.ravel()))
    rank = np.empty(heat.size, dtype=np.int64)
    rank[order] = np.arange(heat.size)
    counts = np.round(shares()[1:-1] * heat.size)
    hard = (rank[None] < counts[:, None]).reshape(-1, size, size).astype(np.float32)
    sigma = FEATHER * size / 224
    return np.asarray(ndimage.gaussian_filter(hard, (0, sigma, sigma), mode="nearest"), dtype=np.float32)


def blend(front: NDArray[np.uint8], back: NDArray[np.uint8], masks: Float32Array) -> list[NDArray[np.uint8]]:
    """``front`` where a mask is 1 and ``back`` where it is 0, for each of (K, S, S)."""
    near, far = front.astype(np.float32), back.astype(np.float32)
    return [np.round(far + (near - far) * mask[..., None]).astype(np.uint8) for mask in masks]


def deletion_insertion(
    image: NDArray[np.uint8],
    normal: NDArray[np.uint8],
    heat: Float32Array,
    score_many: ScoreMany,
    ends: tuple[float, float],
) -> tuple[float, float] | None:
    """Deletion and insertion AUC (Petsiuk et al. 2018) of one heat map, both in [0, 1].

    Deletion replaces the hottest pixels of ``image`` by the same pixels of ``normal``, a normal
    photograph of the same product; insertion lays the hottest pixels of ``image`` onto ``normal``. The
    score is taken on the scale from ``normal`` (0) to ``image`` (1) and clipped to it, and integrated over
    the share of pixels by the trapezoid rule. A good map has a low deletion and a high insertion AUC.

    Args:
        image, normal: (S, S, 3); heat: (S, S).
        ends: scores of ``image`` and of ``normal``.

    Returns:
        None when ``image`` does not score above ``normal``: there is nothing to take away.
    """
    top, bottom = ends
    if top <= bottom:
        return None
    masks = replacement_masks(heat)
    scores = score_many(blend(normal, image, masks) + blend(image, normal, masks))
    inner = np.clip((scores - bottom) / (top - bottom), 0, 1)
    deletion = np.concatenate([[1.0], inner[: len(masks)], [0.0]])
    insertion = np.concatenate([[0.0], inner[len(masks) :], [1.0]])
    return float(np.trapezoid(deletion, shares())), float(np.trapezoid(insertion, shares()))


def nearest_picture(image: NDArray[np.uint8], pictures: list[NDArray[np.uint8]]) -> int:
    """Which of ``pictures`` (S, S, 3) differs least from ``image`` in mean square, at a quarter of S."""
    wanted = image[::4, ::4].astype(np.float32)
    gaps = [float(np.square(picture[::4, ::4] - wanted).mean()) for picture in pictures]
    return int(np.argmin(gaps))


def scorer(model: PatchCoreModel, extractor: PatchExtractor, batch: int = 8) -> ScoreMany:
    """Anomaly scores (n,) of many photographs, ``batch`` through the backbone at a time."""

    def score_many(images: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
        scores: list[float] = []
        for start in range(0, len(images), batch):
            patches, _ = extractor.extract(images[start : start + batch])
            scores += [model.score(patch).score for patch in patches]
        return np.array(scores, dtype=np.float64)

    return score_many


def centre_map(size: int) -> Float32Array:
    """(size, size): a Gaussian about the centre, sigma a quarter of the side. The guess to beat."""
    line = np.exp(-0.5 * np.square((np.arange(size) - (size - 1) / 2) / (size / 4)))
    return np.asarray(np.outer(line, line), dtype=np.float32)


def random_map(size: int, seed: int) -> Float32Array:
    """(size, size): noise as coarse as the patch grid, so that it differs from a map in place alone."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).normal(size=(size, size))
    return np.asarray(ndimage.gaussian_filter(noise, size / 28), dtype=np.float32)
