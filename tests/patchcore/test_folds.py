"""Folds that never put one group on both sides."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from anomalyos.patchcore.folds import fold_numbers

many_groups = st.lists(st.sampled_from("abcdefghijklmnop"), min_size=2, max_size=60)


@given(many_groups, st.integers(2, 8), st.integers(0, 2**32))
def test_folds_are_filled_evenly_and_keep_groups_whole(groups: list[str], folds: int, seed: int) -> None:
    folds = min(folds, len(set(groups)))
    numbers = fold_numbers(groups, folds, seed)
    assert set(numbers) == set(range(folds))
    assert len(set(zip(groups, numbers, strict=True))) == len(set(groups))
    sizes = [numbers.count(fold) for fold in range(folds)]
    assert max(sizes) - min(sizes) <= max(groups.count(group) for group in groups)


@given(many_groups, st.integers(0, 2**32), st.integers())
def test_folds_depend_on_the_groups_and_not_on_their_order(groups: list[str], seed: int, order: int) -> None:
    folds = min(3, len(set(groups)))
    shuffled = Random(order).sample(groups, len(groups))
    first = dict(zip(groups, fold_numbers(groups, folds, seed), strict=True))
    second = dict(zip(shuffled, fold_numbers(shuffled, folds, seed), strict=True))
    assert first == second


def test_another_seed_gives_other_folds() -> None:
    groups = [str(index) for index in range(40)]
    assert len({tuple(fold_numbers(groups, 4, seed)) for seed in range(5)}) == 5
