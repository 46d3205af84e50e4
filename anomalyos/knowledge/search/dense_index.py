"""Exact search among unit vectors: one matrix, one product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array


class DenseIndex:
    """Rows of unit vectors, numbered from 0; their inner product is the cosine."""

    def __init__(self, dims: int) -> None:
        self.count = 0
        self._rows = np.zeros((0, dims), np.float32)

    def append(self, vectors: Float32Array) -> None:
        """Rows (N, dims), which get the next N numbers."""
        end = self.count + len(vectors)
        if end > len(self._rows):
            grown = np.zeros((max(end, end + end // 4), self._rows.shape[1]), np.float32)
            grown[: self.count] = self._rows[: self.count]
            self._rows = grown
        self._rows[self.count : end] = vectors
        self.count = end

    def remove(self, number: int) -> None:
        """Take a row out; the last one takes its number."""
        self.count -= 1
        self._rows[number] = self._rows[self.count]

    def rows(self, numbers: list[int]) -> Float32Array:
        """Vectors (len(numbers), dims)."""
        return self._rows[numbers]

    def search(
        self, vector: Float32Array, mask: NDArray[np.bool_] | None, limit: int
    ) -> list[tuple[int, float]]:
        """Numbers and cosines of the nearest rows to ``vector`` (dims,), only those where ``mask`` (N,)."""
        cosines = self._rows[: self.count] @ vector
        numbers = np.arange(self.count) if mask is None else np.flatnonzero(mask)
        if 0 < limit < len(numbers):
            there = cosines[numbers]
            numbers = numbers[there >= np.partition(there, -limit)[-limit]]
        best = numbers[np.argsort(-cosines[numbers], kind="stable")][:limit]
        return list(zip(best.tolist(), cosines[best].tolist(), strict=True))
