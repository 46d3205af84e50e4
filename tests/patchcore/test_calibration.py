"""Conformal p-values: what they promise, and the threshold that stands for them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.patchcore.calibration import Calibration, p_value_in_words, upper_threshold


def make(scores: list[float], groups: list[int] | None = None, alpha: float = 0.1) -> Calibration:
    numbers = np.arange(len(scores)) if groups is None else np.asarray(groups)
    return Calibration(np.asarray(scores, float), numbers, alpha, map_threshold=1.0, map_median=0.1)


def naive_p(calibration: Calibration, score: float) -> float:
    shares = [
        np.mean(calibration.scores[calibration.groups == group] >= score)
        for group in np.unique(calibration.groups)
    ]
    return (1 + sum(shares)) / (len(shares) + 1)


scored_groups = st.lists(
    st.tuples(st.floats(0, 100, allow_subnormal=False).map(lambda x: round(x, 2)), st.integers(0, 12)),
    min_size=1,
    max_size=80,
)


@given(scored_groups, st.floats(-1, 101))
def test_p_value_is_the_grouped_rank(pairs: list[tuple[float, int]], score: float) -> None:
    calibration = make([s for s, _ in pairs], [g for _, g in pairs])
    assert calibration.p_value(score) == pytest.approx(naive_p(calibration, score), abs=1e-9)
    assert calibration.smallest_alpha - 1e-12 <= calibration.p_value(score) <= 1


@given(scored_groups, st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]), st.floats(-1, 101))
def test_above_the_threshold_means_p_at_most_alpha(
    pairs: list[tuple[float, int]], alpha: float, score: float
) -> None:
    calibration = make([s for s, _ in pairs], [g for _, g in pairs], alpha)
    flagged = score > calibration.threshold()
    assert flagged == (calibration.p_value(score) <= calibration.effective_alpha() * (1 + 1e-9))


@given(scored_groups, st.floats(0, 100), st.floats(0, 100))
def test_p_value_never_grows_with_the_score(pairs: list[tuple[float, int]], a: float, b: float) -> None:
    calibration = make([s for s, _ in pairs], [g for _, g in pairs])
    low, high = sorted((a, b))
    assert calibration.p_value(high) <= calibration.p_value(low)


def test_a_promise_too_strict_for_the_data_becomes_the_strictest_possible() -> None:
    calibration = make([1.0, 2.0, 3.0], alpha=0.01)
    assert calibration.effective_alpha() == pytest.approx(0.25)
    assert calibration.threshold() == 3.0
    assert upper_threshold(calibration.scores, calibration.groups, 0.01) == math.inf


def test_the_promise_holds_on_exchangeable_scores() -> None:
    rng = np.random.default_rng(5)
    flagged = 0
    for _ in range(3000):
        scores = rng.gamma(3.0, size=40)
        flagged += scores[-1] > make(scores[:-1].tolist(), alpha=0.1).threshold()
    # 300 expected at most; four standard deviations of slack
    assert flagged <= 300 + 4 * math.sqrt(3000 * 0.1 * 0.9)


def test_the_promise_holds_for_new_parts_when_parts_have_many_pictures() -> None:
    rng = np.random.default_rng(6)
    flagged = 0
    for _ in range(2000):
        parts = rng.normal(size=20)
        sizes = rng.integers(1, 7, size=20)
        groups = np.repeat(np.arange(20), sizes)
        scores = parts[groups] * 3 + rng.normal(size=len(groups))
        calibration = Calibration(scores, groups, 0.1, 1.0, 0.1)
        flagged += rng.normal() * 3 + rng.normal() > calibration.threshold()
    assert flagged <= 200 + 4 * math.sqrt(2000 * 0.1 * 0.9)


def test_json_keeps_every_digit() -> None:
    calibration = make([1 / 3, 2 / 7, math.pi], [0, 0, 1])
    copy = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert np.array_equal(copy.scores, calibration.scores)
    assert np.array_equal(copy.groups, calibration.groups)
    assert copy.threshold() == calibration.threshold()


@pytest.mark.parametrize("scores", [[], [float("nan")], [float("inf"), 1.0]])
def test_scores_that_mean_nothing_are_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        make(scores)


@pytest.mark.parametrize(
    ("p", "groups", "words"),
    [
        (1 / 61, 60, "higher than all of the 60 normal parts"),
        (2 / 61, 60, "about 1 in 30 normal parts"),
        (0.7, 60, "as ordinary as 70 in 100"),
    ],
)
def test_p_values_are_put_into_words(p: float, groups: int, words: str) -> None:
    assert words in p_value_in_words(p, groups)
