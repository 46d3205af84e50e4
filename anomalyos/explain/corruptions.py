"""Local damage drawn onto normal photographs, so that scores vary without a single label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float64]
Opacity = NDArray[np.float64]
"""(H, W) in [0, 1]: how much of the damage each pixel takes."""


def corrupt(rgb: NDArray[np.uint8], kind: str, seed: list[int]) -> NDArray[np.uint8]:
    """A copy (H, W, 3) of a photograph with one piece of damage, the same for the same seed.

    Place, size (3 to 30 % of the shorter side) and strength (0.15 to 1) are drawn from ``seed``.

    Args:
        kind: a key of ``KINDS``.
    """
    rng = np.random.default_rng(seed)
    pixels = rgb.astype(np.float64)
    height, width = rgb.shape[:2]
    radius = rng.uniform(0.03, 0.3) * min(height, width) / 2
    centre = (rng.uniform(0.1, 0.9) * height, rng.uniform(0.1, 0.9) * width)
    place = (
        line(rng, height, width, centre) if kind == "scratch" else blob(rng, height, width, centre, radius)
    )
    damaged = KINDS[kind](rng, pixels, centre)
    share = (place * rng.uniform(0.15, 1.0))[..., None]
    mixed = pixels * (1 - share) + damaged * share
    return np.asarray(np.clip(np.round(mixed), 0, 255), dtype=np.uint8)


def blob(
    rng: np.random.Generator, height: int, width: int, centre: tuple[float, float], radius: float
) -> Opacity:
    """A soft-edged, uneven disc."""
    rows, cols = np.mgrid[:height, :width]
    dy, dx = rows - centre[0], (cols - centre[1]) * rng.uniform(0.6, 1.6)
    angle = np.arctan2(dy, dx)
    wobble = 1 + 0.25 * np.sin(rng.integers(2, 6) * angle + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(1.5 - np.hypot(dy, dx) / (radius * wobble), 0, 1), dtype=np.float64)


def line(rng: np.random.Generator, height: int, width: int, centre: tuple[float, float]) -> Opacity:
    """A thin straight stroke through ``centre``."""
    rows, cols = np.mgrid[:height, :width]
    direction = rng.uniform(0, np.pi)
    dy, dx = rows - centre[0], cols - centre[1]
    along = np.abs(dx * np.cos(direction) + dy * np.sin(direction))
    across = np.abs(dy * np.cos(direction) - dx * np.sin(direction))
    side = min(height, width)
    thick, half = rng.uniform(0.004, 0.015) * side, rng.uniform(0.05, 0.3) * side
    return np.asarray(np.clip(1.5 - across / thick, 0, 1) * (along < half), dtype=np.float64)


def _stain(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    return np.broadcast_to(rng.uniform(0, 255, 3), pixels.shape)


def _scratch(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    return np.full_like(pixels, rng.choice([10.0, 245.0]))


def _displaced(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    """Another place of the same photograph, turned (after CutPaste, Li et al. 2021)."""
    height, width = pixels.shape[:2]
    shift = (int(rng.uniform(0.2, 0.8) * height), int(rng.uniform(0.2, 0.8) * width))
    return np.roll(pixels[::-1, ::-1], shift, axis=(0, 1))


def _smeared(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    from scipy import ndimage

    sigma = rng.uniform(0.01, 0.03) * min(pixels.shape[:2])
    return np.asarray(ndimage.gaussian_filter(pixels, (sigma, sigma, 0)), dtype=np.float64)


def _roughened(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    return pixels + rng.normal(0, 60, pixels.shape[:2])[..., None]


def _dented(rng: np.random.Generator, pixels: Pixels, centre: tuple[float, float]) -> Pixels:
    """Light on one flank and shade on the other, as under a lamp from one side."""
    height, width = pixels.shape[:2]
    rows, cols = np.mgrid[:height, :width]
    light = rng.uniform(0, 2 * np.pi)
    scale = 0.08 * min(height, width)
    flank = ((rows - centre[0]) * np.sin(light) + (cols - centre[1]) * np.cos(light)) / scale
    return np.asarray(pixels + 110 * np.tanh(flank)[..., None], dtype=np.float64)


KINDS: dict[str, Callable[[np.random.Generator, Pixels, tuple[float, float]], Pixels]] = {
    "stain": _stain,
    "scratch": _scratch,
    "displaced": _displaced,
    "smeared": _smeared,
    "roughened": _roughened,
    "dented": _dented,
}
