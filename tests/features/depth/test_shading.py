from __future__ import annotations

import numpy as np

from anomalyos.features.depth.shading import SLANT, ShapeFromShading, height_from_brightness


def bump(size: int = 96, radius: float = 8) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size / 2
    return 3 * np.exp(-(x**2 + y**2) / (2 * radius**2))


def lit_from_above(height: np.ndarray) -> np.ndarray:
    """Brightness (H, W) of a matte surface by the linear model, less its constant."""
    # a slope that rises on the way down the picture faces the lamp at its top
    return np.gradient(height, axis=0) * np.sin(SLANT)


def as_picture(brightness: np.ndarray) -> np.ndarray:
    grey = np.clip(128 + 300 * brightness, 0, 255).astype(np.uint8)
    return np.dstack([grey] * 3)


def test_a_bump_comes_out_as_a_bump_and_a_dent_as_a_dent() -> None:
    surface = bump()
    for sign in (1, -1):
        found = height_from_brightness(lit_from_above(sign * surface))
        assert np.corrcoef(found.ravel(), (sign * surface).ravel())[0, 1] > 0.7
        assert found.dtype == np.float32
        assert found.shape == surface.shape


def test_the_lamps_slow_gradient_is_not_taken_for_a_slope() -> None:
    fade = np.linspace(0, 0.2, 96)[:, None] * np.ones(96)
    plain = ShapeFromShading()(as_picture(lit_from_above(bump())))
    faded = ShapeFromShading()(as_picture(lit_from_above(bump()) + fade))
    middle = np.s_[24:72, 24:72]
    assert np.corrcoef(plain[middle].ravel(), faded[middle].ravel())[0, 1] > 0.95


def test_a_blank_picture_has_no_relief() -> None:
    assert np.abs(ShapeFromShading()(np.full((40, 60, 3), 90, np.uint8))).max() < 1e-6
