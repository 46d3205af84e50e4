from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomalyos.quality.perceptual import KEPT, SIDE, dct_hash, near_pairs, shrink
from anomalyos.quality.picture_figures import laplacian, measure
from tests.support.products import draw


def slow_hash(picture: np.ndarray) -> int:
    """The definition, term by term."""
    small = shrink(picture, SIDE)
    n = np.arange(SIDE)
    values = []
    for u in range(KEPT):
        for v in range(KEPT):
            rows = np.cos(np.pi * (2 * n + 1) * u / (2 * SIDE)) * (np.sqrt(0.5) if u == 0 else 1)
            cols = np.cos(np.pi * (2 * n + 1) * v / (2 * SIDE)) * (np.sqrt(0.5) if v == 0 else 1)
            values.append(float(rows @ small @ cols))
    middle = float(np.median(values[1:]))
    bits = "0" + "".join("1" if value > middle else "0" for value in values[1:])
    return int(bits, 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_is_that_of_its_definition(seed: int) -> None:
    picture = np.random.default_rng(seed).uniform(0, 255, (64 + seed, 50)).astype(np.float32)
    assert dct_hash(picture) == slow_hash(picture)


def test_light_noise_and_size_change_few_bits_and_another_picture_many() -> None:
    rng = np.random.default_rng(0)
    # clouds, as a photograph has them: energy in all of the low frequencies
    picture = np.kron(rng.uniform(50, 200, (8, 8)), np.ones((12, 12))).astype(np.float32)
    same = [picture * 1.1 + 10, picture + rng.normal(0, 2, picture.shape), np.kron(picture, np.ones((2, 2)))]
    for other in same:
        assert (dct_hash(picture) ^ dct_hash(other.astype(np.float32))).bit_count() <= 4
    stripes = draw("stripes", 1)[0].mean(axis=2).astype(np.float32)
    assert (dct_hash(picture) ^ dct_hash(stripes)).bit_count() > 10


@given(
    arrays(np.uint64, st.integers(0, 40), elements=st.integers(0, 2**64 - 1) | st.integers(0, 7)),
    st.integers(0, 6),
)
def test_near_pairs_are_those_of_a_double_loop(hashes: np.ndarray, bits: int) -> None:
    values = [int(value) for value in hashes]
    expected = [
        (i, j)
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if (values[i] ^ values[j]).bit_count() <= bits
    ]
    assert near_pairs(hashes, bits) == expected


def test_near_pairs_across_blocks_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anomalyos.quality.perceptual._CHUNK", 3)
    hashes = np.array([0, 255, 0, 1, 2**63, 0, 3], dtype=np.uint64)
    expected = [(0, 2), (0, 3), (0, 4), (0, 5), (2, 3), (2, 4), (2, 5), (3, 5), (3, 6), (4, 5)]
    assert near_pairs(hashes, 1) == expected


@pytest.mark.parametrize("shape", [(8, 8), (8, 500), (33, 31), (100, 9)])
def test_shrinking_keeps_the_mean_of_a_flat_picture(shape: tuple[int, int]) -> None:
    assert np.allclose(shrink(np.full(shape, 7, np.float32), SIDE), 7)


def test_figures_of_known_pictures() -> None:
    flat = measure(np.full((20, 30, 3), 100, np.uint8))
    assert (flat.sharpness, flat.contrast) == (0, pytest.approx(0, abs=1e-3))
    assert flat.brightness == pytest.approx(100, abs=1e-3)
    board = np.indices((16, 16)).sum(axis=0) % 2 * 255
    sharp = measure(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    # every inner pixel differs from its four neighbours by 255
    assert sharp.sharpness == pytest.approx((4 * 255) ** 2, rel=1e-4)
    assert sharp.contrast == pytest.approx(127.5, rel=1e-4)
    ramp = np.tile(np.arange(10, dtype=np.float32), (10, 1))
    assert np.abs(laplacian(ramp)).max() == 0
