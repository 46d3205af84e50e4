"""The overlay: clear over normal parts, bright over flaws, its order safe for colour-blind eyes."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anomalyos.inspection.anomaly_map import colourise, encode_overlay, relative_heat


def luminance(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., :3] @ np.array([0.2126, 0.7152, 0.0722])


def test_what_is_typical_is_invisible_and_twice_the_threshold_is_opaque() -> None:
    heat = np.array([[1.0, 3.0, 5.0, 50.0]], np.float32)
    alpha = colourise(relative_heat(heat, median=1.0, threshold=3.0))[0, :, 3]
    assert alpha.tolist() == [0, 255, 255, 255]


def test_lightness_rises_with_the_anomaly() -> None:
    scale = colourise(np.linspace(0, 1, 101, dtype=np.float32)[None])
    assert (np.diff(luminance(scale[0].astype(float))) > 0).all()
    assert (np.diff(scale[0, :, 3].astype(int)) >= 0).all()


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 100))
def test_relative_heat_stays_between_nothing_and_full(median: float, threshold: float, value: float) -> None:
    relative = relative_heat(np.full((2, 2), value, np.float32), median, threshold)
    assert ((relative >= 0) & (relative <= 1)).all()


def test_the_overlay_has_the_shape_of_the_photograph_up_to_1024_pixels() -> None:
    heat = np.random.default_rng(0).random((56, 56)).astype(np.float32)
    for size, expected in [((300, 100), (300, 100)), ((4096, 2048), (1024, 512)), ((1, 3000), (1, 1024))]:
        picture = Image.open(io.BytesIO(encode_overlay(heat, 0.1, 0.5, size)))
        assert picture.size == expected
        assert picture.mode == "RGBA"
