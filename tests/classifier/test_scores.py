"""Macro F1 and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.classifier import scores


@settings(deadline=None)  # the first example pays an import
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import f1_score

    truth, called = np.array(pairs).T
    expected = f1_score(truth, called, labels=np.unique(truth), average="macro", zero_division=0)
    assert scores.macro_f1(truth, called, 4) == pytest.approx(expected)


def test_whole_parts_are_drawn() -> None:
    parts = ["a", "a", "b", "c", "c", "c"]
    draws = scores.part_draws(parts, 50)
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, 3] == draws[:, 5]).all()
    assert (draws[:, [0, 2, 3]].sum(axis=1) == 3).all()
    np.testing.assert_array_equal(draws, scores.part_draws(parts, 50))


def test_the_interval_is_wider_when_crops_share_their_photograph() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.integers(0, 2, 30), 4)
    wrong = np.repeat(rng.random(30) < 0.3, 4)
    called = np.where(wrong, 1 - truth, truth)
    apart = scores.with_interval(truth, called, 2, [str(i) for i in range(120)])
    together = scores.with_interval(truth, called, 2, [str(i // 4) for i in range(120)])
    assert apart["value"] == together["value"]
    assert together["low95"] < together["value"] < together["high95"]
    assert together["high95"] - together["low95"] > 1.4 * (apart["high95"] - apart["low95"])


def test_figures_by_class() -> None:
    rows = scores.by_class(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ["spot", "stain"])
    assert rows["spot"] == {"precision": 1.0, "recall": 0.66667, "f1": 0.8, "cases": 3}
    assert rows["stain"] == {"precision": 0.5, "recall": 1.0, "f1": 0.66667, "cases": 1}
