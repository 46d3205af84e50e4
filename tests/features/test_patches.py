"""Patch features: the right values at the right places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anomalyos.core.settings import Settings
from anomalyos.features.networks import assemble_patches
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import get_recipe


@pytest.mark.parametrize("p", [1, 3, 5])
def test_each_place_holds_the_mean_of_its_neighbourhood(p: int) -> None:
    level = torch.randn(2, 3, 6, 7, generator=torch.Generator().manual_seed(p))
    patches = assemble_patches([level], p, 0)
    reach = p // 2
    for row, col in [(0, 0), (2, 3), (5, 6)]:
        window = level[:, :, max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1]
        assert torch.allclose(patches[:, row, col], window.mean(dim=(2, 3)), atol=1e-6)


def test_levels_share_the_finest_grid_and_the_border_is_cut_off() -> None:
    fine, coarse = torch.zeros(1, 2, 8, 8), torch.arange(16.0).view(1, 1, 4, 4)
    patches = assemble_patches([fine, coarse], 1, 1)
    assert patches.shape == (1, 6, 6, 3)
    # cell (1, 1) of the fine grid lies a quarter of the way from coarse cell 0 to its neighbours
    assert patches[0, 0, 0, 2] == pytest.approx(0.25 * 1 + 0.25 * 4)


def test_features_of_an_image_do_not_depend_on_its_company(settings: Settings) -> None:
    extractor = PatchExtractor(get_recipe("lite"), settings)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in [(224, 224), (90, 300), (500, 120)]]
    together, whole = extractor.extract(images)
    assert together.shape == (3, 26, 26, 152)
    assert torch.allclose(whole.norm(dim=1), torch.ones(3), atol=1e-5)
    alone, _ = extractor.extract(images[1:2])
    assert torch.allclose(together[1], alone[0], atol=1e-3)
