"""What of a photograph a classifier is shown."""

from __future__ import annotations

import numpy as np
import pytest

from anomalyos.classifier.crops import crop_at, crop_near, pictures_of, place_box
from anomalyos.classifier.dataset import load_defects
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.classifier import drawn


def test_a_square_of_half_the_shorter_side_around_the_focus_and_inside() -> None:
    box = place_box((100, 40), 300, 120)
    assert (box.x, box.y, box.width, box.height) == (70, 10, 60, 60)
    corner = place_box((0, 119), 300, 120)
    assert (corner.x, corner.y, corner.width, corner.height) == (0, 60, 60, 60)
    everything = place_box(None, 300, 120)
    assert (everything.width, everything.height) == (300, 120)


def test_looking_about_stays_near_and_changes_size() -> None:
    y, x = np.mgrid[:200, :200]
    rgb = np.stack([x, y, x], axis=2).astype(np.uint8)
    rng = np.random.default_rng(0)
    plain = crop_at(rgb, (100, 100))
    assert plain.shape == (100, 100, 3)
    looks = [crop_near(rgb, (100, 100), rng) for _ in range(40)]
    sides = {found.shape[0] for found in looks}
    assert min(sides) >= 80
    assert max(sides) <= 125
    assert len(sides) > 10
    for found in looks:
        middle = found.reshape(-1, 3).mean(axis=0)[:2]
        assert np.abs(middle - 100).max() <= 0.25 * found.shape[0] + 1.5
        # the defect itself is always in it
        assert (found[..., 0].min(), found[..., 1].min()) <= (100, 100)
        assert found[..., 0].max() >= 100 <= found[..., 1].max()
    np.testing.assert_array_equal(crop_near(rgb, None, rng), rgb)


def test_the_views_of_an_example_begin_with_the_plain_one_and_are_the_same_again(
    settings: Settings, store: Store
) -> None:
    drawn.fill(store, 4)
    drawn.add_case(store, "stain", 60, focus=(24, 24))
    data = load_defects("dots", settings, store)
    place = next(i for i, example in enumerate(data.examples) if example.focus)
    pictures = pictures_of(data, 32, 8, settings, store)
    found = pictures(place)
    assert [picture.shape for picture in found] == [(32, 32, 3)] * 8
    assert len({picture.tobytes() for picture in found}) == 8
    for view, again in enumerate(pictures_of(data, 32, 8, settings, store)(place)):
        np.testing.assert_array_equal(again, found[view])
    other = pictures_of(data, 32, 8, settings, store, seed=1)(place)
    np.testing.assert_array_equal(other[0], found[0])
    assert not np.array_equal(other[1], found[1])
    store.objects.absolute(data.examples[place].image_path).unlink()
    with pytest.raises(NotFound):
        pictures(place)
