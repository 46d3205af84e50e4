"""The choice of a recipe: by drawn defects, for the preferred one within the noise, on parts set apart."""

from __future__ import annotations

import numpy as np
import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.runtime import Runtime
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.patchcore import tuning
from anomalyos.patchcore.tuning import (
    SPARE_FROM,
    Trial,
    candidate_recipes,
    shrunk,
    spared,
    spread,
    tune,
)
from tests.support.products import draw

RUNTIME = Runtime(device="cpu", threads=1)


def small(name: str, **changes: object) -> Recipe:
    return get_recipe("lite", input_size=64, border=0, coreset_ratio=0.2, **changes).model_copy(
        update={"name": name}
    )


def read(number: int) -> np.ndarray | None:
    return draw("dots", number)[0]


def test_a_recipe_that_sees_nothing_is_not_chosen() -> None:
    seeing = small("seeing")
    # every patch of every picture is the same to it: one level, and the picture's mean taken off the mean
    blind = small("blind", reduced_dims=1, whitening=0.0, score_share=0.5)
    found = tune(read, [str(i) for i in range(12)], RUNTIME, [blind, seeing])
    rows = {row.recipe: row for row in found.candidates}
    assert found.chosen == "seeing"
    assert rows["seeing"].auroc > rows["blind"].auroc + 0.1
    assert rows["seeing"].behind == 0
    assert set(rows["seeing"].kinds) >= {"blob", "scratch", "missing"}
    assert found.pictures == 12


def test_of_equals_the_first_is_chosen_and_the_choice_is_the_same_again() -> None:
    twins = [small("first"), small("second", smoothing_sigma=2.0)]
    groups = [str(i // 2) for i in range(14)]
    found = tune(read, groups, RUNTIME, twins)
    assert found.chosen == "first"
    again = tune(read, groups, RUNTIME, twins)
    assert [row.auroc for row in found.candidates] == [row.auroc for row in again.candidates]
    reverse = tune(read, groups, RUNTIME, twins[::-1])
    assert reverse.chosen == "second"


def test_a_slow_candidate_waits_for_a_quick_one_to_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = small("blind", reduced_dims=1, score_share=0.5)
    seeing = small("seeing")
    slow = small("slow", centred=True)
    groups = [str(i) for i in range(12)]
    monkeypatch.setattr(tuning, "ONLY_IF", {"slow": ("seeing", "blind")})
    tried = tune(read, groups, RUNTIME, [blind, seeing, slow])
    assert [row.recipe for row in tried.candidates] == ["blind", "seeing", "slow"]
    monkeypatch.setattr(tuning, "ONLY_IF", {"slow": ("blind", "seeing")})
    seen: list[tuple[int, int]] = []
    spared_it = tune(read, groups, RUNTIME, [blind, seeing, slow], progress=lambda *at: seen.append(at))
    assert [row.recipe for row in spared_it.candidates] == ["blind", "seeing"]
    assert seen[-1][0] == seen[-1][1]


def test_too_few_parts_take_the_first_untried() -> None:
    found = tune(read, ["a", "a", "b", "b", "c", "c"], RUNTIME, [small("one"), small("two", centred=True)])
    assert (found.chosen, found.candidates) == ("one", ())
    assert "untried" in found.reason


def test_pictures_that_cannot_be_read_are_left_out() -> None:
    found = tune(
        lambda number: None if number == 3 else read(number),
        [str(i) for i in range(10)],
        RUNTIME,
        [small("one"), small("two", centred=True)],
    )
    assert found.pictures == 9


def test_without_a_readable_picture_the_first_is_taken() -> None:
    found = tune(
        lambda number: None, [str(i) for i in range(10)], RUNTIME, [small("one"), small("two", centred=True)]
    )
    assert (found.chosen, found.pictures) == ("one", 0)


def test_no_picture_is_scored_by_a_bank_that_saw_its_part() -> None:
    trial = Trial([draw("dots", i)[0] for i in range(18)], [str(i // 3) for i in range(18)], 0)
    for fold in np.unique(trial.folds):
        held = {group for group, at in zip(trial.groups, trial.folds, strict=True) if at == fold}
        rest = {group for group, at in zip(trial.groups, trial.folds, strict=True) if at != fold}
        assert not held & rest
    assert [trial.groups[number] for number in trial.parent[:3]] == [trial.groups[0]] * 3


def test_with_many_parts_a_third_is_set_apart_and_the_threshold_learned_on_the_others() -> None:
    groups = [str(i // 2) for i in range(4 * SPARE_FROM)]
    numbers = spread(groups, 60, 0)
    seen = {groups[number] for number in numbers}
    assert len(numbers) == 60
    assert len(seen) <= len(set(groups)) // 3
    counted = spared(seen, groups, 0.05)
    assert {group for group, own in zip(groups, counted, strict=True) if own} == set(groups) - seen
    few = [str(i) for i in range(SPARE_FROM - 1)]
    assert len({few[number] for number in spread(few, 200, 0)}) == len(few)
    assert spared(few, few, 0.05).all()


def test_a_promise_that_only_all_parts_can_give_is_learned_on_all() -> None:
    groups = [str(i) for i in range(120)]
    seen = groups[:40]
    assert spared(seen, groups, 0.05).sum() == 80
    assert spared(seen, groups, 0.01).all(), "1/81 is no promise of 1 %, 1/121 is"
    assert spared(seen, groups, 0.001).sum() == 80, "nobody could promise it"
    assert spared(groups[:90], groups, 0.05).all(), "thirty are too few"


def test_changes_of_a_category_reach_every_candidate_they_fit() -> None:
    assert {recipe.coreset_max for recipe in candidate_recipes(coreset_max=123)} == {123}
    # 256 is no multiple of a transformer's patches, and one size leaves one of each
    assert [recipe.name for recipe in candidate_recipes(input_size=256)] == ["lite"]
    with pytest.raises(AnomalyOSError, match="compared takes the changes coreset_ration") as told:
        candidate_recipes(coreset_ration=1)
    assert "Extra inputs are not permitted" in told.value.hint


def test_large_pictures_are_shrunk_and_small_ones_left() -> None:
    assert shrunk(np.zeros((3000, 1000, 3), np.uint8), 600).shape == (600, 200, 3)
    picture = np.zeros((30, 40, 3), np.uint8)
    assert shrunk(picture, 600) is picture
