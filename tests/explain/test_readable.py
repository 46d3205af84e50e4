"""The five figures: each answers to what it is named after, and to nothing else that is held still."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.core.settings import Settings
from anomalyos.explain.readable import (
    NAMES,
    SIZE,
    Normality,
    histogram,
    hot_region,
    measure,
    texture_distance,
)
from tests.support.products import draw

HISTOGRAMS = st.lists(st.integers(0, 9), min_size=1, max_size=40).map(
    lambda numbers: histogram(np.array(numbers, np.uint8))
)


def flat(value: int = 128) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), value, np.uint8)


def figures(rgb: np.ndarray, heat: np.ndarray, limit: float = 2.0) -> dict[str, float]:
    normality = Normality(0.05, histogram(np.full(10, 8, np.uint8))[None])
    found = measure(rgb, heat, limit, normality, lambda picture, region: float(region.mean()))
    return dict(zip(NAMES, found.tolist(), strict=True))


def test_peak_and_area_follow_the_map() -> None:
    heat = np.ones((SIZE, SIZE), np.float32)
    heat[:56] = 5.0
    found = figures(flat(), heat)
    assert found["peak_score"] == 2.5
    assert found["anomalous_area"] == 25
    assert found["depth_deviation"] == 0.25


def test_edges_count_inside_the_region_only() -> None:
    heat = np.ones((SIZE, SIZE), np.float32)
    heat[:56, :56] = 5.0
    striped = flat()
    striped[:56, :56:8] = 255
    elsewhere = flat()
    elsewhere[100:156, 100:156:8] = 255
    assert figures(striped, heat)["edge_density"] > 40
    assert figures(elsewhere, heat)["edge_density"] == 0


def test_noise_is_another_texture_than_a_plain_surface() -> None:
    heat = np.ones((SIZE, SIZE), np.float32)
    heat[:56, :56] = 5.0
    noisy = flat()
    noisy[:56, :56] = np.random.default_rng(0).integers(0, 255, (56, 56, 1))
    assert figures(flat(), heat)["texture_deviation"] == pytest.approx(0, abs=1e-6)
    assert figures(noisy, heat)["texture_deviation"] > 0.4


def test_a_normal_image_is_measured_at_its_hottest_hundredth() -> None:
    heat = np.linspace(0, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    region = hot_region(heat, limit=2.0)
    assert region.mean() == pytest.approx(0.01, abs=1e-3)
    assert figures(flat(), heat)["anomalous_area"] == 0


@given(HISTOGRAMS, HISTOGRAMS)
def test_texture_distance_is_a_bounded_symmetric_distance(one: np.ndarray, other: np.ndarray) -> None:
    forth, back = texture_distance(one, other[None]), texture_distance(other, one[None])
    assert 0 <= forth <= 1
    assert forth == pytest.approx(back, abs=1e-9)
    # the square root makes a rounding error of 1e-16 one of 1e-8
    assert texture_distance(one, one[None]) == pytest.approx(0, abs=1e-7)


def test_texture_distance_agrees_with_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    one, other = np.random.default_rng(0).dirichlet(np.ones(10), 2)
    assert texture_distance(one, other[None]) == pytest.approx(jensenshannon(one, other, base=2))


def test_the_same_photographs_teach_the_same_normality() -> None:
    pictures = [draw("dots", seed)[0] for seed in range(6)]
    one, other = Normality.learn(pictures), Normality.learn(pictures)
    assert one.edge_threshold == other.edge_threshold > 0
    np.testing.assert_array_equal(one.textures, other.textures)
    np.testing.assert_allclose(one.textures.sum(axis=1), 1)
    with pytest.raises(ValueError, match="at least one"):
        Normality.learn([])


def test_the_configured_depth_is_what_deviates(settings: Settings) -> None:
    from anomalyos.explain.readable import depth_by

    rgb, mask = draw("dots", 3, flawed=True)
    deviation = depth_by(settings)
    assert deviation(rgb, mask) > 0
    assert deviation(rgb, np.ones_like(mask)) == 0


def test_a_map_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        figures(flat(), np.ones((8, 8), np.float32), limit=0)
