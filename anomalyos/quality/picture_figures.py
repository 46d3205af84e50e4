"""Figures of one picture that tell whether it can be learned from: sharp, lit, and like no other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.quality.perceptual import dct_hash

VERSION = 1
"""Counted up when a figure is computed in another way: what was kept of older ones is measured anew."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in the brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class PictureFigures:
    """All over grey values of 0 to 255, at the picture's own resolution."""

    sharpness: float
    """Variance of the Laplacian (Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy,
    ICPR 2000)."""
    brightness: float
    """Mean."""
    contrast: float
    """Standard deviation."""
    perceptual_hash: str
    """16 hexadecimal digits."""


def measure(rgb: NDArray[np.uint8]) -> PictureFigures:
    """Figures of a (H, W, 3) picture of at least 8 x 8 pixels."""
    gray: NDArray[np.float32] = rgb.astype(np.float32) @ LUMA
    return PictureFigures(
        sharpness=round(float(laplacian(gray).var(dtype=np.float64)), 4),
        brightness=round(float(gray.mean(dtype=np.float64)), 4),
        contrast=round(float(gray.std(dtype=np.float64)), 4),
        perceptual_hash=f"{dct_hash(gray):016x}",
    )


def laplacian(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H - 2, W - 2): the four neighbours of each inner pixel less four times itself."""
    around = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    second: NDArray[np.float32] = around - 4 * gray[1:-1, 1:-1]
    return second
