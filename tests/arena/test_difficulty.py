from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.arena import difficulty
from anomalyos.arena.difficulty import hardness, level

scores = st.floats(0.01, 100)


@given(scores, scores)
def test_hardness_is_highest_at_the_threshold(score: float, threshold: float) -> None:
    assert 0 < hardness(score, threshold) + 1e-300 <= 1 + 1e-300
    assert hardness(threshold, threshold) == 1


@given(st.floats(1.01, 5), st.floats(1.01, 5))
def test_hardness_falls_with_the_distance_on_either_side(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert hardness(2 * near, 2) >= hardness(2 * far, 2)
    assert hardness(2 / near, 2) >= hardness(2 / far, 2)


def test_scores_of_nothing_have_a_hardness_too() -> None:
    assert 0 < hardness(0.0, 1.0) < hardness(0.0, 0.1) <= 1


@given(st.lists(st.booleans(), max_size=200))
def test_the_level_stays_in_bounds_and_moves_with_the_last_call(outcomes: list[bool]) -> None:
    now = level(outcomes)
    assert 0 <= now <= 1
    if len(outcomes) < difficulty.REMEMBERED:
        assert level([*outcomes, True]) >= now
        assert level([*outcomes, False]) <= now


def test_it_rises_with_wins_and_falls_with_losses() -> None:
    assert level([]) == difficulty.START
    assert level([True] * 10) == pytest.approx(difficulty.START + 10 * difficulty.UP)
    assert level([False] * 3) == pytest.approx(difficulty.START - 3 * difficulty.DOWN)
    assert level([False] * 50) == 0
    assert level([True] * 60) == 1


def test_three_of_four_right_keeps_the_level() -> None:
    assert level([True, True, True, False] * 10) == pytest.approx(difficulty.START)


def test_only_the_latest_calls_count() -> None:
    assert level([False] * 500 + [True] * difficulty.REMEMBERED) == level([True] * difficulty.REMEMBERED)


def test_every_level_has_a_word() -> None:
    words = [difficulty.level_in_words(value / 10) for value in range(11)]
    assert (words[0], words[3], words[10]) == ("gentle", "moderate", "very hard")
