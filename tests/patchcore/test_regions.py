"""Regions: boxes in pixels of the photograph."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.patchcore.regions import MOST, find_regions


def test_a_warm_rectangle_becomes_its_box_in_the_photograph() -> None:
    heat = np.zeros((100, 100), np.float32)
    heat[20:30, 40:60] = 2.0
    heat[25, 50] = 3.0
    (region,) = find_regions(heat, 1.0, (400, 200))
    assert (region.x, region.y, region.width, region.height) == (160, 40, 80, 20)
    assert (region.peak_x, region.peak_y) == (202, 51)
    assert region.peak == 3.0
    assert region.area_share == 0.02
    assert region.area_px == 1600


def test_the_strongest_comes_first_and_the_list_is_limited() -> None:
    heat = np.zeros((60, 60), np.float32)
    for i in range(20):
        heat[(i // 5) * 10, (i % 5) * 10] = i + 1
    regions = find_regions(heat, 0.5, (60, 60))
    assert [region.peak for region in regions] == [20 - i for i in range(MOST)]


def test_nothing_above_the_threshold_is_no_region() -> None:
    assert find_regions(np.ones((8, 8), np.float32), 1.0, (8, 8)) == []


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_boxes_stay_inside_the_photograph(width: int, height: int, seed: int) -> None:
    heat = np.random.default_rng(seed).random((16, 16)).astype(np.float32)
    for region in find_regions(heat, 0.8, (width, height)):
        assert 0 <= region.x < region.x + region.width <= width
        assert 0 <= region.y < region.y + region.height <= height
        assert 0 <= region.peak_x < width
        assert 0 <= region.peak_y < height
