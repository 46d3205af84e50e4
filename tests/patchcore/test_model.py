"""PatchCore as a whole, on patches whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.patchcore import model
from anomalyos.patchcore.model import PatchCoreModel, cross_calibrate

RECIPE = get_recipe("lite", input_size=64, coreset_ratio=0.5)


def normal_patches(images: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(images, 6, 6, 10, generator=torch.Generator().manual_seed(seed))


def folds_of(groups: list[str], parts: int) -> list[np.ndarray]:
    numbers = np.unique(groups, return_inverse=True)[1] % parts
    return [numbers == part for part in range(parts)]


@pytest.mark.parametrize("changes", [{}, {"reduced_dims": 6, "whitening": 0.25}])
def test_an_odd_patch_raises_the_score_where_it_is(changes: dict[str, object]) -> None:
    recipe = Recipe.model_validate(RECIPE.model_dump() | changes)
    model = PatchCoreModel.fit(normal_patches(12), recipe)
    image = normal_patches(1, seed=9)[0]
    before = model.score(image)
    image[4, 1] += 25
    after = model.score(image)
    assert after.score > 2 * before.score
    assert np.unravel_index(after.distances.argmax(), after.distances.shape) == (4, 1)


def test_training_patches_are_left_as_they_were() -> None:
    patches = normal_patches(8)
    copy = patches.clone()
    PatchCoreModel.fit(patches, RECIPE)
    PatchCoreModel.fit(patches, RECIPE, keep=np.arange(8) % 2 == 0)
    assert torch.equal(patches, copy)


def test_a_patch_of_the_bank_has_no_distance() -> None:
    patches = normal_patches(6)
    model = PatchCoreModel.fit(patches, RECIPE)
    image, row, col = model.bank.origin[3]
    result = model.score(patches[image])
    assert result.distances[row, col] == pytest.approx(0, abs=2e-3)


def test_held_out_images_never_meet_their_own_group() -> None:
    # pairs of identical images: with its twin in the bank, an image would score about nothing
    patches = normal_patches(10).repeat_interleave(2, dim=0)
    groups = [f"part{i // 2}" for i in range(20)]
    recipe = Recipe.model_validate(RECIPE.model_dump() | {"coreset_ratio": 1.0})
    calibration = cross_calibrate(patches, groups, folds_of(groups, 5), recipe, 0.1)
    assert calibration.group_count == 10
    assert calibration.scores.min() > 1.0


def test_folds_that_cut_a_group_or_miss_an_image_are_refused() -> None:
    patches, groups = normal_patches(6), ["a", "a", "b", "b", "c", "c"]
    cut = [np.array([1, 0, 1, 1, 1, 1], bool), np.array([0, 1, 0, 0, 0, 0], bool)]
    with pytest.raises(ValueError, match="both sides"):
        cross_calibrate(patches, groups, cut, RECIPE, 0.1)
    missing = [np.array([1, 1, 0, 0, 0, 0], bool), np.array([0, 0, 1, 1, 0, 0], bool)]
    with pytest.raises(ValueError, match="exactly once"):
        cross_calibrate(patches, groups, missing, RECIPE, 0.1)


def test_folds_side_by_side_give_what_one_after_the_other_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [str(i) for i in range(9)]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = cross_calibrate(normal_patches(9), groups, folds_of(groups, 3), RECIPE, 0.1)
        assert torch.get_num_threads() == 2
        monkeypatch.setattr(model, "SIDE_BY_SIDE", 0)
        in_turn = cross_calibrate(normal_patches(9), groups, folds_of(groups, 3), RECIPE, 0.1)
    finally:
        torch.set_num_threads(before)
    assert np.allclose(together.scores, in_turn.scores, rtol=1e-6)
    assert together.map_threshold == pytest.approx(in_turn.map_threshold, rel=1e-6)


def test_a_fold_that_fails_stops_the_others_and_is_raised() -> None:
    def work(fold: np.ndarray) -> int:
        if fold[0]:
            raise ValueError("a torn bank")
        return 1

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="a torn bank"):
            list(model.each_fold(work, [np.array([True]), np.array([False])], torch.zeros(1)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_calibration_counts_every_image_for_the_progress_bar() -> None:
    seen: list[tuple[int, int]] = []
    groups = [str(i) for i in range(9)]
    cross_calibrate(
        normal_patches(9), groups, folds_of(groups, 3), RECIPE, 0.1, progress=lambda *at: seen.append(at)
    )
    assert seen == [(3, 9), (6, 9), (9, 9)], "a fold's images are scored together"
