"""Image scores against the equations written out, and maps that keep places in place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anomalyos.core.errors import BundleError
from anomalyos.patchcore.memory_bank import MemoryBank
from anomalyos.patchcore.scoring import anomaly_map, score_patches


def make_bank(vectors: np.ndarray) -> MemoryBank:
    features = torch.from_numpy(vectors.astype(np.float32))
    return MemoryBank.build(features, torch.arange(len(vectors)), (1, len(vectors)))


def naive_score(bank: np.ndarray, patches: np.ndarray, b: int) -> float:
    """Equations 6 and 7, one vector at a time."""
    flat = patches.reshape(-1, patches.shape[-1])
    distances = np.linalg.norm(flat[:, None] - bank[None], axis=2)
    m_test = int(distances.min(axis=1).argmax())
    m_star = int(distances[m_test].argmin())
    s_star = distances[m_test, m_star]
    if b == 0:
        return float(s_star)
    around = np.argsort(np.linalg.norm(bank - bank[m_star], axis=1))[:b]
    weight = 1 - np.exp(s_star) / np.exp(np.linalg.norm(bank[around] - flat[m_test], axis=1)).sum()
    return float(weight * s_star)


@pytest.mark.parametrize("b", [0, 2, 3, 9])
def test_score_is_equations_6_and_7(b: int) -> None:
    rng = np.random.default_rng(b)
    vectors, patches = rng.normal(size=(60, 5)), rng.normal(size=(4, 6, 5)).astype(np.float32)
    (result,) = score_patches(make_bank(vectors), torch.from_numpy(patches)[None], b)
    assert result.score == pytest.approx(naive_score(vectors.astype(np.float32), patches, b), rel=1e-4)
    expected = np.linalg.norm(patches[..., None, :] - vectors, axis=-1)
    assert np.allclose(result.distances, expected.min(axis=-1), atol=1e-3)
    assert np.array_equal(result.nearest, expected.argmin(axis=-1))


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.1, 2), (0.5, 12)])
def test_a_share_scores_the_mean_of_the_farthest_patches(share: float, count: int) -> None:
    rng = np.random.default_rng(count)
    vectors, patches = rng.normal(size=(60, 5)), rng.normal(size=(4, 6, 5)).astype(np.float32)
    (result,) = score_patches(make_bank(vectors), torch.from_numpy(patches)[None], 9, share)
    assert result.score == pytest.approx(np.sort(result.distances.ravel())[-count:].mean(), rel=1e-6)


def test_images_are_scored_alike_alone_and_together() -> None:
    rng = np.random.default_rng(7)
    bank = make_bank(rng.normal(size=(300, 9)))
    patches = torch.from_numpy(rng.normal(size=(5, 3, 4, 9)).astype(np.float32))
    for share in (0.0, 0.2):
        together = score_patches(bank, patches, 4, share)
        for one, image in zip(together, patches, strict=True):
            (alone,) = score_patches(bank, image[None], 4, share)
            assert one.score == pytest.approx(alone.score, rel=1e-6)
            assert np.array_equal(one.nearest, alone.nearest)


def test_huge_distances_do_not_overflow_the_weights() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 4)) * 1000
    (result,) = score_patches(make_bank(vectors), torch.full((1, 2, 2, 4), 1e5), 5)
    assert np.isfinite(result.score)


def test_a_bank_of_one_vector_scores_the_plain_distance() -> None:
    (result,) = score_patches(make_bank(np.zeros((1, 3))), torch.full((1, 1, 1, 3), 2.0), 9)
    assert result.score == pytest.approx(np.sqrt(12))


def test_patches_of_another_width_are_refused() -> None:
    with pytest.raises(BundleError, match="width 3"):
        score_patches(make_bank(np.zeros((4, 3))), torch.zeros((1, 2, 2, 5)), 0)


def test_a_hot_patch_is_hot_at_its_own_place_with_and_without_border() -> None:
    for border in (0, 1):
        grid = np.zeros((14 - 2 * border, 14 - 2 * border), np.float32)
        grid[3 - border, 10 - border] = 5.0
        heat = anomaly_map(grid, size=112, border=border, sigma=4.0)
        row, col = np.unravel_index(heat.argmax(), heat.shape)
        # patch 3, 10 of a 14-wide grid covers pixels 24-31 and 80-87
        assert heat.shape == (112, 112)
        assert 24 <= row < 32
        assert 80 <= col < 88


def test_an_even_grid_gives_an_even_map() -> None:
    heat = anomaly_map(np.full((7, 7), 2.5, np.float32), size=56, border=1, sigma=4.0)
    assert np.allclose(heat, 2.5, atol=1e-5)
