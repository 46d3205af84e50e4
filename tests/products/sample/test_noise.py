"""Noise fields and blurs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Draw, Draws


@given(st.integers(0, 2**31), st.sampled_from([4, 9, 30, 90]), st.sampled_from([64, 192, 256]))
def test_smooth_noise_is_centred_bounded_and_float32(seed: int, cells: int, n: int) -> None:
    field = noise.smooth(Draw(seed), n, cells)
    assert field.shape == (n, n)
    assert field.dtype == np.float32
    assert np.abs(field).max() < 8
    assert abs(field.mean()) < 3.5 / cells**0.5


def test_octaves_add_detail_without_adding_power() -> None:
    coarse, fine = (noise.fractal(Draw(5), 256, 8, octaves=k) for k in (1, 5))
    assert fine.std() == pytest.approx(1, abs=0.25)
    assert np.abs(np.diff(fine)).mean() > 1.5 * np.abs(np.diff(coarse)).mean()


def test_worley_cells_know_their_nearest_seeds() -> None:
    f1, f2, tone = noise.cells(Draw(3), 128, 10)
    assert (f1 <= f2 + 1e-5).all()
    assert f1.min() >= 0
    assert f1.max() < 1.6
    assert 0 <= tone.min() <= tone.max() <= 1


def test_halving_undoes_doubling_and_blurring_keeps_the_mean() -> None:
    field = noise.smooth(Draw(1), 64, 6)
    assert noise.halve(noise.enlarge(field, 128)) == pytest.approx(field, abs=0.3)
    spike = np.zeros((128, 128), dtype=np.float32)
    spike[64, 64] = 1
    for sigma in (2.0, 8.0, 40.0):
        assert noise.blur(spike, sigma).sum() == pytest.approx(1, abs=0.02)


def test_streams_of_one_picture_are_independent_by_name_and_seed() -> None:
    draws = Draws("sample_gear", 4)
    assert draws.of("pose").span(0, 1) == draws.of("pose").span(0, 1)
    values = {
        draws.of("pose").span(0, 1),
        draws.of("defect").span(0, 1),
        Draws("sample_gear", 5).of("pose").span(0, 1),
        Draws("sample_pill", 4).of("pose").span(0, 1),
    }
    assert len(values) == 4
