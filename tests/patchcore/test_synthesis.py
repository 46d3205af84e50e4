"""Drawn defects: visible, where the mask says, of every kind, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.patchcore.synthesis import KINDS, LEAST_CHANGE, add_defect, contrast_unit
from tests.support.products import draw


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_changes_what_its_mask_covers(kind: str) -> None:
    rgb, other = draw("dots", 1)[0], draw("dots", 2)[0]
    for seed in range(6):
        drawn = add_defect(rgb, other, np.random.default_rng(seed), kind)
        change = np.abs(drawn.rgb.astype(int) - rgb.astype(int)).mean(axis=2)
        assert drawn.kind == kind
        assert drawn.rgb.shape == rgb.shape
        assert drawn.mask.any()
        assert change[drawn.mask].mean() > LEAST_CHANGE
        # a soft edge may reach beyond the mask, and no farther than a tenth of the picture
        assert (change[~drawn.mask] > 8).mean() < 0.1


def test_the_same_seed_draws_the_same_defect() -> None:
    rgb, other = draw("stripes", 1)[0], draw("stripes", 2)[0]
    first, again = (add_defect(rgb, other, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.rgb, again.rgb)
    assert first.kind == again.kind
    third = add_defect(rgb, other, np.random.default_rng(6))
    assert not np.array_equal(first.rgb, third.rgb)


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 10_000))
def test_pictures_of_any_size_take_a_defect(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(60, 190, (height, width, 3), dtype=np.uint8)
    other = rng.integers(60, 190, (width, height, 3), dtype=np.uint8)
    drawn = add_defect(rgb, other, rng)
    assert drawn.rgb.shape == rgb.shape
    assert drawn.mask.shape == rgb.shape[:2]
    assert drawn.mask.any()


def test_the_contrast_unit_is_the_local_spread() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((160, 160, 3), 120, np.float32)
    assert contrast_unit(flat) == 0
    noise = rng.normal(120, 12, (160, 160, 1)).astype(np.float32).repeat(3, axis=2)
    assert contrast_unit(noise) == pytest.approx(12, rel=0.1)
    # a slow change from one side to the other is no texture
    ramp = np.linspace(0, 255, 160, dtype=np.float32)[None, :, None] * np.ones((160, 1, 3), np.float32)
    assert contrast_unit(ramp) < 6
