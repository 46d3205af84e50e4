from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.cases.appearance import Appearance, FocusedImage, views
from anomalyos.cases.crops import VIEW_SHARES, crop_box, cut, mask_box, square
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.features.embedders import get_image_embedder
from tests.support.products import draw

SIDES = st.integers(8, 400)


@given(SIDES, SIDES, st.integers(-3, 400), st.integers(-3, 400), st.integers(1, 400), st.integers(1, 400))
def test_crops_lie_inside_and_hold_the_defect(
    width: int, height: int, x: int, y: int, across: int, down: int
) -> None:
    x, y = min(x, width - 1), min(y, height - 1)
    tight = Box(x=x, y=y, width=min(across, width - x + 1), height=min(down, height - y + 1))
    crop = crop_box(tight, width, height)
    for box in (crop, *(square((x, y), share, width, height) for share in VIEW_SHARES)):
        assert 0 <= box.x <= box.x + box.width <= width
        assert 0 <= box.y <= box.y + box.height <= height
        assert min(box.width, box.height) >= min(16, width, height)
    assert crop.x <= max(0, tight.x)
    assert crop.x + crop.width >= min(width, tight.x + tight.width)


def test_the_largest_marked_place_counts() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:4, 3:5] = mask[10:18, 20:26] = True
    assert mask_box(mask) == Box(x=20, y=10, width=6, height=8)
    assert mask_box(np.zeros((4, 4), bool)) is None


def test_a_place_is_seen_closely_and_with_its_surroundings() -> None:
    rgb, _ = draw("dots", 1)
    close, wide = views(FocusedImage(rgb, (50, 40)))
    assert (close.shape, wide.shape) == ((16, 16, 3), (58, 58, 3))
    np.testing.assert_array_equal(close, cut(rgb, Box(x=42, y=32, width=16, height=16)))
    assert [view.shape for view in views(FocusedImage(rgb, None))] == [rgb.shape] * 2


def test_vectors_are_of_unit_length_and_tell_places_apart(settings: Settings) -> None:
    appearance = Appearance(get_image_embedder(settings))
    rgb, mask = draw("stripes", 7, flawed=True)
    rows, columns = mask.nonzero()
    here = (int(columns.mean()), int(rows.mean()))
    vectors = appearance.vectors(
        [FocusedImage(rgb, here), FocusedImage(rgb, (here[0] + 1, here[1])), FocusedImage(rgb, (8, 88))]
    )
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05
    assert appearance.vectors([]).shape == (0, appearance.dims)
    assert appearance.digest != appearance.embedder.digest
