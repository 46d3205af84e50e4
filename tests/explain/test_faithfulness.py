"""The yardsticks: a perfect map gets the best marks, a blind one the worst."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks import faithfulness

S = 48


def flaw() -> np.ndarray:
    mask = np.zeros((S, S), bool)
    mask[10:16, 20:26] = True
    return mask


def redness(images: list[np.ndarray]) -> np.ndarray:
    return np.array([float(image[flaw()][:, 0].mean()) for image in images])


def judged(heat: np.ndarray) -> tuple[float, float]:
    image, normal = np.zeros((S, S, 3), np.uint8), np.zeros((S, S, 3), np.uint8)
    image[flaw()] = 200
    found = faithfulness.deletion_insertion(image, normal, heat, redness, (200.0, 0.0))
    assert found is not None
    return found


def test_a_perfect_map_beats_chance_and_chance_beats_its_opposite() -> None:
    perfect = judged(flaw().astype(np.float32))
    chance = judged(faithfulness.random_map(S, 1))
    opposite = judged(1 - flaw().astype(np.float32))
    assert perfect[0] < chance[0] < opposite[0]
    assert perfect[1] > chance[1] > opposite[1]
    assert perfect[0] < 0.25
    assert perfect[1] > 0.75


def test_without_excess_score_there_is_nothing_to_delete() -> None:
    image = np.zeros((S, S, 3), np.uint8)
    heat = faithfulness.centre_map(S)
    assert faithfulness.deletion_insertion(image, image, heat, redness, (1.0, 1.0)) is None


@given(st.integers(0, 1000))
def test_each_step_replaces_its_share_of_pixels_and_keeps_what_it_replaced(seed: int) -> None:
    masks = faithfulness.replacement_masks(faithfulness.random_map(S, seed))
    assert len(masks) == faithfulness.STEPS - 1
    np.testing.assert_allclose(masks.mean(axis=(1, 2)), faithfulness.shares()[1:-1], atol=0.02)
    assert (np.diff(masks, axis=0) >= -1e-6).all()


def test_a_flat_map_is_not_read_from_the_top_left() -> None:
    first = faithfulness.replacement_masks(np.zeros((S, S), np.float32))[5]
    assert abs(float(first[: S // 2].mean() - first[S // 2 :].mean())) < 0.05


def test_the_peak_counts_in_the_mask_or_within_the_tolerance() -> None:
    heat = np.zeros((S, S), np.float32)
    heat[9, 20] = 1
    assert not faithfulness.points_inside(heat, flaw())
    assert faithfulness.points_inside(heat, faithfulness.within(flaw()))
    assert not faithfulness.within(flaw())[4, 20]
    assert not faithfulness.within(np.zeros((S, S), bool)).any()


def test_the_most_similar_normal_photograph_is_chosen() -> None:
    pictures = [np.full((S, S, 3), value, np.uint8) for value in (0, 90, 250)]
    assert faithfulness.nearest_picture(np.full((S, S, 3), 100, np.uint8), pictures) == 1


def test_many_photographs_score_as_each_does_alone() -> None:
    import torch

    class Extractor:
        def extract(self, images: list[np.ndarray]) -> tuple[torch.Tensor, None]:
            return torch.from_numpy(np.stack(images)).float(), None

    class Model:
        def score(self, patches: torch.Tensor) -> object:
            return type("Scores", (), {"score": float(patches.mean())})

    images = [np.full((2, 2, 3), value, np.uint8) for value in range(7)]
    assert faithfulness.scorer(Model(), Extractor(), batch=3)(images) == pytest.approx(np.arange(7.0))
