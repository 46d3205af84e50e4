from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.features.depth import DepthMap, region_statistics
from anomalyos.features.depth.estimate import standardise
from anomalyos.features.depth.statistics import surroundings


def rough(seed: int = 0, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)


def square(size: int = 64, low: int = 24, high: int = 40) -> np.ndarray:
    region = np.zeros((size, size), bool)
    region[low:high, low:high] = True
    return region


def test_a_region_like_its_surroundings_deviates_little() -> None:
    found = region_statistics(DepthMap(rough(), "made"), square())
    assert found is not None
    assert found.method == "made"
    assert found.deviation < 0.3


def test_each_statistic_answers_to_its_own_change() -> None:
    region = square()
    base = rough()
    plain = region_statistics(DepthMap(base, "made"), region)
    raised = region_statistics(DepthMap(np.where(region, base + 2, base), "made"), region)
    wild = region_statistics(DepthMap(np.where(region, 3 * base, base), "made"), region)
    tailed = region_statistics(DepthMap(np.where(region, np.exp(base), base), "made"), region)
    assert plain is not None
    assert raised is not None
    assert wild is not None
    assert tailed is not None
    assert raised.mean == pytest.approx(plain.mean + 2, abs=0.2)
    assert wild.spread == pytest.approx(plain.spread + np.log(3), abs=1e-5)
    assert wild.range == pytest.approx(plain.range + np.log(3), abs=1e-5)
    assert wild.gradient_energy > plain.gradient_energy + 1
    assert tailed.skew > plain.skew + 1
    assert min(raised.deviation, wild.deviation, tailed.deviation) > plain.deviation


def test_what_cannot_be_compared_has_no_statistics() -> None:
    depth = DepthMap(rough(), "made")
    speck = np.zeros((64, 64), bool)
    speck[3, 3] = True
    assert region_statistics(depth, speck) is None
    assert region_statistics(depth, np.zeros((64, 64), bool)) is None
    assert region_statistics(depth, np.ones((64, 64), bool)) is None


def test_a_blank_picture_gives_finite_numbers() -> None:
    found = region_statistics(DepthMap(np.zeros((64, 64), np.float32), "made"), square())
    assert found is not None
    assert found.deviation == 0


@given(st.integers(0, 40), st.integers(0, 40), st.integers(5, 23), st.integers(5, 23))
@settings(max_examples=40, deadline=None)
def test_the_ring_touches_the_region_and_is_about_as_large(row: int, col: int, high: int, wide: int) -> None:
    region = np.zeros((64, 64), bool)
    region[row : row + high, col : col + wide] = True
    ring = surroundings(region)
    assert not (ring & region).any()
    # whole circles of equal distance are taken: up to one more of them than the area asks for
    assert region.sum() <= ring.sum() <= 2 * region.sum() + 128


def test_scale_and_zero_of_an_estimate_do_not_matter() -> None:
    nearness = rough()
    assert standardise(nearness * 7 + 100) == pytest.approx(standardise(nearness), abs=1e-4)
    assert not standardise(np.full((8, 8), 5, np.float32)).any()
