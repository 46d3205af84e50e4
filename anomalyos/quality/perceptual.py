"""Perceptual hash of a picture: two that look alike have hashes that differ in few bits.

The discrete cosine transform of the picture shrunk to 32 x 32 grey values; the 64 lowest frequencies, each
above or below their median, are the bits (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash
Functions, 2010, section 3.2.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE, KEPT = 32, 8
_CHUNK = 256
"""Rows compared with all others at once: 256 of 50,000 hashes are 100 MB."""


def dct_hash(gray: NDArray[np.float32]) -> int:
    """64-bit hash of a (H, W) grey picture of at least 8 x 8 pixels, whatever its range.

    The first coefficient, the mean, is left out of the median: light alone changes no bit of a picture.
    """
    from scipy.fft import dctn

    low = dctn(shrink(gray, SIDE), norm="ortho")[:KEPT, :KEPT].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def shrink(gray: NDArray[np.float32], side: int) -> NDArray[np.float64]:
    """(side, side) means over a grid of a (H, W) picture; cells of one that is smaller repeat its pixels."""
    rows, cols = (_edges(length, side) for length in gray.shape)
    sums = np.add.reduceat(np.add.reduceat(gray.astype(np.float64), rows[:, 0], 0), cols[:, 0], 1)
    means: NDArray[np.float64] = sums / np.outer(rows[:, 1], cols[:, 1])
    return means


def near_pairs(hashes: NDArray[np.uint64], bits: int) -> list[tuple[int, int]]:
    """Every (i, j), i < j, whose (N,) hashes differ in at most ``bits`` bits, sorted."""
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(hashes), _CHUNK):
        block = hashes[start : start + _CHUNK]
        # what stands before the block was compared with it already
        apart = np.bitwise_count(block[:, None] ^ hashes[None, start:])
        first, second = np.nonzero(apart <= bits)
        later = second > first
        pairs += [(int(i) + start, int(j) + start) for i, j in zip(first[later], second[later], strict=True)]
    return pairs


def _edges(length: int, side: int) -> NDArray[np.int64]:
    """(side, 2): where each cell starts and how many pixels it has, at least one."""
    edges = np.arange(side + 1) * length // side
    starts, counts = edges[:-1], np.maximum(np.diff(edges), 1)
    return np.stack([starts, counts], axis=1)
