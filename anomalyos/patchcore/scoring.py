"""From patch distances to an image score and an anomaly map (paper, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.patchcore.memory_bank import MemoryBank

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PatchScores:
    """One image against one memory bank."""

    score: float
    """The image's anomaly score, in units of feature distance."""
    distances: Float32Array
    """(rows, cols) distance of each patch to its nearest normal patch."""
    nearest: NDArray[np.int64]
    """(rows, cols) position of that patch in the memory bank."""


def score_patches(
    bank: MemoryBank, patches: Tensor, neighbours: int, share: float = 0.0
) -> list[PatchScores]:
    """Score the patches (N, rows, cols, D) of N images.

    1. every patch: distance to its nearest m* in the bank (Eq. 6, inner minimum)
    2. m_test, the patch farthest from the bank, gives s* (Eq. 6, outer maximum)
    3. s* is weighted by how unusual m* itself is among its ``neighbours`` nearest (Eq. 7)

    Args:
        neighbours: b of Eq. 7; 0 leaves s* as it is.
        share: when above 0, the score is the mean distance of this share of the farthest patches instead of
            steps 2 and 3: one odd patch then counts for less than an odd region.
    """
    count, rows, cols, dims = patches.shape
    flat = patches.reshape(-1, dims)
    distances, found = (each.cpu().numpy() for each in bank.nearest(flat))
    scored = []
    for image in range(count):
        places = slice(image * rows * cols, (image + 1) * rows * cols)
        own, stars = distances[places], found[places]
        if share:
            score = farthest_mean(own, share)
        else:
            worst = int(own.argmax())
            score = float(own[worst])
            if neighbours > 0:
                m_test = flat[image * rows * cols + worst].cpu().numpy()
                score *= reweighting(bank, m_test, int(stars[worst]), score, neighbours)
        scored.append(PatchScores(score, own.reshape(rows, cols), stars.reshape(rows, cols)))
    return scored


def farthest_mean(distances: Float32Array, share: float) -> float:
    """Mean of the largest ``share`` of ``distances`` (N,), of one at least."""
    count = max(1, round(share * distances.size))
    return float(np.partition(distances, distances.size - count)[-count:].mean(dtype=np.float64))


def reweighting(bank: MemoryBank, m_test: Float32Array, star: int, s_star: float, neighbours: int) -> float:
    """``1 - exp(s*) / sum over m in N_b(m*) of exp(|m_test - m|)`` (Eq. 7), in [0, 1).

    A far patch whose nearest normal patch stands alone in the bank counts for less than one whose
    nearest has company. The exponentials are taken relative to each other, so none overflows.
    """
    _, around = bank.search(bank.vectors[star : star + 1], neighbours)
    others = np.linalg.norm(bank.vectors[around[0]].astype(np.float64) - m_test, axis=1)
    return float(1.0 - np.exp(-np.logaddexp.reduce(others - s_star))) if len(others) > 1 else 1.0


def anomaly_map(distances: Float32Array, *, size: int, border: int, sigma: float) -> Float32Array:
    """Patch distances (rows, cols) as a smooth map (size, size) float32.

    The grid is laid back where its patches were, bilinearly upsampled and smoothed with a Gaussian
    of ``sigma`` pixels; ``border`` rings that were left out take the value of their nearest patch.
    """
    import torch
    import torch.nn.functional as F  # noqa: N812
    from scipy.ndimage import gaussian_filter

    grid = torch.from_numpy(np.ascontiguousarray(distances, np.float32))[None, None]
    if border:
        grid = F.pad(grid, (border,) * 4, mode="replicate")
    full = F.interpolate(grid, size=(size, size), mode="bilinear", align_corners=False)[0, 0].numpy()
    if sigma == 0:
        return np.asarray(full, dtype=np.float32)
    return np.asarray(gaussian_filter(full, sigma, mode="nearest"), dtype=np.float32)
