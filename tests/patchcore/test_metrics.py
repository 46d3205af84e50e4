"""Metrics against scikit-learn and against brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from anomalyos.patchcore import metrics
from anomalyos.patchcore.metrics import Rate


def brute_force_aupro(maps: np.ndarray, masks: np.ndarray, limit: float) -> float:
    """Every distinct threshold in turn, every region by itself."""
    regions = []
    for image, mask in enumerate(masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [(image, labels == number) for number in range(1, count + 1)]
    points = [(0.0, 0.0)]
    for threshold in np.unique(maps)[::-1]:
        hot = maps >= threshold
        fpr = (hot & ~masks).sum() / (~masks).sum()
        pro = np.mean([hot[image][region].mean() for image, region in regions])
        points.append((float(fpr), float(pro)))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit:
            break
        end = min(x1, limit)
        y_end = y1 if x1 == x0 else y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        area += (end - x0) * (y0 + y_end) / 2
    return area / limit


def noisy_case(seed: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    masks = np.zeros((4, 20, 20), bool)
    masks[0, 2:6, 3:9] = True
    masks[1, 10:12, 10:18] = masks[1, 15:19, 1:3] = True
    masks[2, 7, 7] = True
    maps = np.round((rng.random(masks.shape) + masks * rng.random()) * levels) / levels
    return maps, masks


@pytest.mark.parametrize("levels", [3, 20, 10_000])
@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_aupro_is_what_brute_force_says(levels: int, limit: float) -> None:
    maps, masks = noisy_case(levels, levels)
    assert metrics.aupro(maps, masks, limit) == pytest.approx(brute_force_aupro(maps, masks, limit), abs=1e-9)


@pytest.mark.parametrize("levels", [2, 30, 10_000])
def test_pixel_auroc_is_scikit_learns(levels: int) -> None:
    maps, masks = noisy_case(levels, levels)
    assert metrics.pixel_auroc(maps, masks) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))


def test_a_perfect_map_has_perfect_figures() -> None:
    _, masks = noisy_case(0, 2)
    assert metrics.pixel_auroc(masks.astype(float), masks) == 1.0
    assert metrics.aupro(masks.astype(float), masks) == pytest.approx(1.0)


def test_every_region_counts_the_same() -> None:
    masks = np.zeros((1, 30, 30), bool)
    masks[0, :20, :20] = True
    masks[0, 28, 28] = True
    maps = np.zeros(masks.shape)
    maps[0, 28, 28] = 1.0  # the single pixel is found, the large region is not
    assert metrics.aupro(maps, masks) == pytest.approx(0.5 + 0.5 * 0.15, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60))
def test_image_metrics_are_scikit_learns(pairs: list[tuple[bool, int]]) -> None:
    labels = np.array([label for label, _ in pairs])
    scores = np.array([score for _, score in pairs], float)
    if labels.all() or not labels.any():
        assert metrics.image_auroc(labels, scores) is None
        assert metrics.image_average_precision(labels, scores) is None
        return
    assert metrics.image_auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert metrics.image_average_precision(labels, scores) == pytest.approx(
        average_precision_score(labels, scores)
    )
    flagged = scores > 4
    assert metrics.f1_at(labels, flagged) == pytest.approx(f1_score(labels, flagged, zero_division=0))


def test_rates_carry_the_exact_binomial_interval() -> None:
    low, high = Rate(5, 100).interval()
    # tables of Clopper and Pearson: 1.64 % to 11.28 %
    assert low == pytest.approx(0.0164, abs=1e-4)
    assert high == pytest.approx(0.1128, abs=1e-4)
    assert Rate(0, 20).interval()[0] == 0.0
    assert Rate(20, 20).interval()[1] == 1.0
    assert Rate(0, 0).value is None
    assert Rate(0, 0).interval() == (0.0, 1.0)


def test_half_precision_maps_are_ranked_like_any_other() -> None:
    maps, masks = noisy_case(4, 50)
    half = (maps * 30).astype(np.float16)
    half[0, 0, 0] = -0.0
    levels, ranks = metrics.dense_ranks(half)
    expected_levels, expected = metrics.dense_ranks(half.astype(np.float64))
    assert levels == expected_levels
    assert np.array_equal(ranks, expected)
    assert metrics.aupro(half, masks) == pytest.approx(metrics.aupro(half.astype(float), masks))
