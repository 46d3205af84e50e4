"""The trace: different places, the very vectors the score came from, boxes where the patches are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.explain.trace import cell_box, strongest_cells, trace, with_surroundings
from anomalyos.models.champions import Champions
from tests.support.products import SIZE, draw

if TYPE_CHECKING:
    from anomalyos.db.engine import Store


def test_the_most_anomalous_patch_lies_on_the_flaw_and_names_its_training_image(
    settings: Settings, built: Store
) -> None:
    champions = Champions(settings, built)
    bundle = champions.load(champions.pointers()["dots"])
    extractor = champions.extractor(bundle.recipe)
    rgb, mask = draw("dots", 5, flawed=True)
    asked: list[str] = []

    def size_of(entry: dict[str, str]) -> tuple[int, int]:
        asked.append(entry["path"])
        return (2 * SIZE, 4 * SIZE)

    pairs = trace(rgb, bundle, extractor, image_sha256="f" * 64, size_of=size_of)
    scores = bundle.model.score(extractor.extract([rgb])[0][0])
    assert len(pairs) == 5
    assert [pair.score for pair in pairs] == sorted((pair.score for pair in pairs), reverse=True)
    assert pairs[0].score == pytest.approx(float(scores.distances.max()), rel=1e-5)
    box = pairs[0].place.box
    assert mask[box.y - 4 : box.y + box.height + 4, box.x - 4 : box.x + box.width + 4].any()
    assert len(asked) == len(set(asked))
    known = {entry["path"]: entry["sha256"] for entry in bundle.training_images}
    for pair in pairs:
        assert pair.place.image_sha256 == "f" * 64
        assert len(pair.neighbours) == 3
        distances = [found.distance for found in pair.neighbours]
        assert distances == sorted(distances)
        assert distances[0] == pytest.approx(pair.score, rel=1e-5)
        for found in pair.neighbours:
            number, row, _ = bundle.model.bank.origin[found.bank_position]
            assert found.place.image == bundle.training_images[number]["path"]
            assert found.place.image_sha256 == known[found.place.image]
            rows = scores.distances.shape[0] + 2 * bundle.recipe.border
            assert found.place.box.y == int((row + bundle.recipe.border) * 4 * SIZE / rows)


@given(st.integers(0, 2**31), st.integers(1, 12))
def test_strongest_cells_are_apart_and_in_order(seed: int, count: int) -> None:
    distances = np.random.default_rng(seed).random((14, 11)).astype(np.float32)
    cells = strongest_cells(distances, count)
    values = [float(distances[cell]) for cell in cells]
    assert values[0] == distances.max()
    assert values == sorted(values, reverse=True)
    for i, one in enumerate(cells):
        assert all(max(abs(one[0] - other[0]), abs(one[1] - other[1])) > 3 for other in cells[:i])


def test_there_are_no_more_places_than_fit() -> None:
    assert len(strongest_cells(np.ones((3, 3), np.float32), 5)) == 1


@given(st.integers(10, 4000), st.integers(10, 4000), st.integers(0, 2))
def test_cells_lie_inside_the_photograph(width: int, height: int, border: int) -> None:
    for cell in ((0, 0), (5, 5), (0, 5)):
        box = cell_box(cell, (6, 6), border, (width, height))
        assert 0 <= box.x < width
        assert 0 <= box.y < height
        assert box.x + box.width <= width
        assert box.y + box.height <= height
        wide = with_surroundings(box, (width, height))
        assert wide.x >= 0
        assert wide.y >= 0
        assert wide.x + wide.width <= width
        assert wide.y + wide.height <= height


def test_the_border_moves_the_first_cell_inwards() -> None:
    assert cell_box((0, 0), (26, 26), 1, (224, 224)) == Box(x=8, y=8, width=8, height=8)
    assert with_surroundings(Box(x=8, y=8, width=8, height=8), (224, 224)) == Box(
        x=0, y=0, width=40, height=40
    )
