from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.arena.placement import distance_to_boxes, distance_to_mask
from anomalyos.arena.truth import boxes_mask, outline

shares = st.floats(0, 1)
BOX = {"x": 0.25, "y": 0.5, "width": 0.25, "height": 0.25}


def square() -> np.ndarray:
    mask = np.zeros((100, 200), dtype=bool)
    mask[50:75, 50:100] = True
    return mask


def test_inside_is_no_distance() -> None:
    assert distance_to_mask(square(), 0.3, 0.6) == 0
    assert distance_to_boxes([BOX], 0.3, 0.6, 2.0) == 0


def test_outside_is_a_share_of_the_diagonal() -> None:
    diagonal = np.hypot(200, 100)
    assert distance_to_mask(square(), 0.0, 0.6) == pytest.approx(50 / diagonal)
    assert distance_to_boxes([BOX], 0.0, 0.6, 2.0) == pytest.approx(50 / diagonal)


def test_nothing_marked_has_no_distance() -> None:
    assert distance_to_mask(np.zeros((4, 4), dtype=bool), 0.5, 0.5) is None
    assert distance_to_boxes([], 0.5, 0.5, 1.0) is None


def test_the_nearest_of_several_boxes_counts() -> None:
    far = {"x": 0.9, "y": 0.9, "width": 0.1, "height": 0.1}
    assert distance_to_boxes([far, BOX], 0.3, 0.6, 1.0) == 0


@given(shares, shares)
def test_mask_and_box_agree_up_to_a_pixel(x: float, y: float) -> None:
    by_mask = distance_to_mask(square(), x, y)
    by_box = distance_to_boxes([BOX], x, y, 2.0)
    assert by_mask is not None
    assert by_box is not None
    assert 0 <= by_mask <= 1
    assert by_mask == pytest.approx(by_box, abs=2.5 / np.hypot(200, 100))


def test_boxes_become_the_mask_they_describe() -> None:
    assert np.array_equal(boxes_mask([BOX], 200, 100), square())
    assert boxes_mask([{"x": 0.5, "y": 0.5, "width": 0.0, "height": 0.0}], 10, 10).sum() == 1


def test_the_outline_goes_around_the_place_and_leaves_it_clear() -> None:
    rgba = outline(square())
    assert rgba.dtype == np.uint8
    assert rgba.shape == (480, 960, 4)
    assert rgba[300, 360, 3] == 0
    assert rgba[20, 20, 3] == 0
    ring = rgba[300, 200:240]
    assert (ring[:, 3] > 0).any()
    assert ((ring[:, :3] == 255).all(axis=1) & (ring[:, 3] == 255)).any()


def test_the_outline_of_a_large_mask_is_drawn_smaller() -> None:
    assert outline(np.ones((3000, 1000), dtype=bool)).shape[:2] == (1024, 341)
