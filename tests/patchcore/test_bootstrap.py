"""Replicates against naive resampling, and pairs of models against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from anomalyos.patchcore import bootstrap, metrics


def images(seed: int, count: int = 12, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Maps that follow their masks only roughly; every third image is good."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, side, side), dtype=bool)
    for index in range(count):
        if index % 3:
            for _ in range(int(rng.integers(1, 3))):
                row, col = rng.integers(0, side - 6, 2)
                masks[index, row : row + rng.integers(2, 6), col : col + rng.integers(2, 6)] = True
    maps = rng.gamma(2.0, 1.0, masks.shape) + masks * rng.uniform(0.5, 3.0, (count, 1, 1))
    return maps.astype(np.float16), masks


@given(st.integers(0, 2**31), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_auroc_is_that_of_the_drawn_images(seed: int, good: int, bad: int) -> None:
    rng = np.random.default_rng(seed)
    defective = rng.permutation(np.repeat([False, True], [good, bad]))
    scores = rng.integers(0, 6, good + bad).astype(float)  # many ties
    drawn = bootstrap.draws(defective, count=5, seed=seed)
    for weights, value in zip(drawn, bootstrap.auroc_replicates(defective, scores, drawn), strict=True):
        assert weights[defective].sum() == bad
        assert weights[~defective].sum() == good
        taken = np.repeat(np.arange(len(scores)), weights)
        assert value == pytest.approx(roc_auc_score(defective[taken], scores[taken]))


@pytest.mark.parametrize("seed", range(5))
def test_overlap_curves_sum_up_to_aupro(seed: int) -> None:
    maps, masks = images(seed)
    exact = metrics.aupro(maps, masks)
    curves = bootstrap.overlap_curves(maps, masks)
    assert curves.aupro() == pytest.approx(exact, abs=1e-3)
    weights = bootstrap.draws(masks.any((1, 2)), count=1, seed=seed)[0]
    taken = np.repeat(np.arange(len(maps)), weights)
    assert curves.aupro(weights) == pytest.approx(metrics.aupro(maps[taken], masks[taken]), abs=2e-3)


def test_a_draw_without_regions_has_no_value() -> None:
    maps, masks = images(0)
    curves = bootstrap.overlap_curves(maps, masks)
    assert np.isnan(curves.aupro((~masks.any((1, 2))).astype(np.int64)))
    assert bootstrap.summary(np.array([np.nan, np.nan])) is None
    kept = bootstrap.summary(np.array([0.5, np.nan, 0.7]))
    assert kept is not None
    assert kept["replicates"] == [0.5, None, 0.7]


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    defective = np.repeat([False, True], [40, 40])
    truth, held = 0.760, 0  # P(N(1, 1) > N(0, 1))
    for _ in range(60):
        scores = rng.normal(defective.astype(float), 1.0)
        drawn = bootstrap.draws(defective, count=100)
        low, high = bootstrap.interval(bootstrap.auroc_replicates(defective, scores, drawn))
        held += low <= truth <= high
    assert held >= 51


def test_the_same_seed_pairs_two_models() -> None:
    rng = np.random.default_rng(4)
    defective = np.repeat([False, True], [60, 60])
    drawn = bootstrap.draws(defective)
    assert np.array_equal(drawn, bootstrap.draws(defective))
    scores = rng.normal(defective.astype(float), 1.0)
    slightly_worse = scores - 0.2 * defective
    gap = bootstrap.auroc_replicates(defective, slightly_worse, drawn) - bootstrap.auroc_replicates(
        defective, scores, drawn
    )
    low, high = bootstrap.interval(gap)
    assert high < 0, "unpaired, the two intervals would overlap"
    assert high - low < 0.05
