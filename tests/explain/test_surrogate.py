"""The surrogate and its SHAP values: they add up, agree with their definition, and come back the same."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st

from anomalyos.core.settings import Settings
from anomalyos.explain.corruptions import KINDS, corrupt
from anomalyos.explain.readable import NAMES, Normality
from anomalyos.explain.shapley import explain_score, shapley_values
from anomalyos.explain.surrogate import (
    Surrogate,
    agreement,
    fit_surrogate,
    fold_numbers,
    load_surrogate,
    on_grid,
    save_surrogate,
    surrogate_path,
    without_parts,
)
from anomalyos.images.decoding import read_image
from anomalyos.models.champions import Champions
from anomalyos.patchcore.scoring import score_patches
from tests.support.products import draw

if TYPE_CHECKING:
    from anomalyos.db.engine import Store


def made_up(rows: int = 120) -> Surrogate:
    rng = np.random.default_rng(3)
    features = on_grid(rng.uniform(0, 3, (rows, 5)))
    scores = 20 * features[:, 0] + 5 * features[:, 1] * features[:, 2] + np.sin(features[:, 3])
    clean = np.arange(rows) % 6 == 0
    normality = Normality(0.1, np.full((1, 10), 0.1))
    return Surrogate(normality, features, scores, np.arange(rows) // 6, clean)


SURROGATE = made_up()
FIGURES = st.lists(st.floats(-5, 200, width=32), min_size=5, max_size=5).map(np.array)


@checks(deadline=None, max_examples=60)
@given(FIGURES)
def test_base_and_contributions_add_up_to_the_output(figures: np.ndarray) -> None:
    found = explain_score(SURROGATE, figures, score=1.0)
    assert abs(found.base + sum(value.contribution for value in found.values) - found.output) < 1e-6
    assert {value.feature for value in found.values} == set(NAMES)


def test_they_add_up_a_rounding_error_away_from_any_threshold() -> None:
    for (stage,) in SURROGATE.model.estimators_[::20]:
        for feature, limit in zip(stage.tree_.feature, stage.tree_.threshold, strict=True):
            for value in (limit, np.nextafter(limit, 9), np.nextafter(np.float32(limit), np.float32(-9))):
                figures = SURROGATE.features[int(abs(limit) * 1000) % 120].copy()
                figures[max(feature, 0)] = value
                base, values = shapley_values(SURROGATE, figures)
                assert abs(base + values.sum() - SURROGATE.predict(figures[None])[0]) < 1e-6


def enumerated(surrogate: Surrogate, figures: np.ndarray) -> np.ndarray:
    """Shapley values from their definition: all 2^5 coalitions, absent figures from the background."""
    worth = {}
    for size in range(6):
        for members in combinations(range(5), size):
            mixed = surrogate.background.copy()
            mixed[:, list(members)] = figures[list(members)]
            worth[members] = surrogate.predict(mixed).mean()
    values = np.zeros(5)
    for i in range(5):
        for members in (key for key in worth if i not in key):
            weight = factorial(len(members)) * factorial(4 - len(members)) / factorial(5)
            values[i] += weight * (worth[tuple(sorted((*members, i)))] - worth[members])
    return values


@checks(deadline=None, max_examples=10)
@given(FIGURES)
def test_the_values_are_those_of_the_definition(figures: np.ndarray) -> None:
    base, values = shapley_values(SURROGATE, figures)
    assert base == pytest.approx(SURROGATE.predict(SURROGATE.background).mean())
    np.testing.assert_allclose(values, enumerated(SURROGATE, figures), atol=1e-5)


def test_a_kept_table_gives_the_same_explanation_again(tmp_path: Path) -> None:
    path = surrogate_path(tmp_path, "a" * 64, "shape_from_shading")
    assert load_surrogate(path) is None
    save_surrogate(SURROGATE, path)
    again = load_surrogate(path)
    assert again is not None
    figures = np.array([1.0, 2.0, 0.5, 0.1, 3.0])
    assert explain_score(again, figures, 5.0) == explain_score(SURROGATE, figures, 5.0)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    for damaged in (path.read_bytes()[:200], b""):
        path.write_bytes(damaged)
        assert load_surrogate(path) is None
    assert path != surrogate_path(tmp_path, "a" * 64, "midas_small")
    assert path != surrogate_path(tmp_path, "b" * 64, "shape_from_shading")


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60))
def test_rows_of_one_part_share_a_fold(groups: list[int]) -> None:
    numbers = np.array(groups)
    folds = fold_numbers(numbers)
    assert all(len(np.unique(folds[numbers == group])) == 1 for group in groups)


def test_agreement_of_what_does_not_vary_is_nothing() -> None:
    assert agreement(np.ones(3), np.ones(3)) == {"r2": 0.0, "spearman": 0.0, "n": 3.0}
    assert agreement(np.arange(4.0), np.arange(4.0))["r2"] == 1


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_damage_is_local_visible_and_the_same_again(kind: str) -> None:
    rgb, _ = draw("dots", 1)
    damaged = corrupt(rgb, kind, [4, 2])
    changed = (damaged != rgb).any(axis=2).mean()
    assert damaged.shape == rgb.shape
    assert 0 < changed < 0.5
    np.testing.assert_array_equal(damaged, corrupt(rgb, kind, [4, 2]))


def test_a_fitted_surrogate_tells_damaged_from_normal(settings: Settings, built: Store) -> None:
    champions = Champions(settings, built)
    bundle = champions.load(champions.pointers()["stripes"])
    extractor = champions.extractor(bundle.recipe)
    seen: list[tuple[int, int]] = []

    def read(entry: dict[str, str]) -> np.ndarray:
        return read_image(settings.data_dir / "stripes" / entry["path"], settings).rgb

    def fit() -> Surrogate:
        return fit_surrogate(
            bundle, extractor, read, lambda rgb, region: 0.0, lambda *done: seen.append(done)
        )

    found = fit()
    assert seen[-1] == (12, 12)
    assert found.features.shape == (72, 5)
    # a photograph held against its own patches would score about nothing
    assert found.scores[found.clean].min() > 0.2 * bundle.calibration.scores.min()
    assert np.median(found.scores[~found.clean]) > np.median(found.scores[found.clean])
    assert found.fidelity["spearman"] > 0.5
    np.testing.assert_array_equal(found.features, fit().features)


def test_a_part_is_held_against_the_bank_of_the_others(settings: Settings, built: Store) -> None:
    champions = Champions(settings, built)
    model = champions.load(champions.pointers()["dots"]).model
    left_out = np.arange(12) == 4
    rest = without_parts(model.bank, left_out)
    assert set(rest.origin[:, 0]) == set(model.bank.origin[:, 0]) - {4}
    own = torch.from_numpy(model.bank.vectors[model.bank.origin[:, 0] == 4][:4].reshape(1, 2, 2, -1))
    assert score_patches(model.bank, own, 0)[0].score == pytest.approx(0, abs=1e-2)
    assert score_patches(rest, own, 0)[0].score > 1
    assert without_parts(model.bank, np.ones(12, bool)) is model.bank
