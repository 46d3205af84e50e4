"""Seeded randomness, one independent stream for each purpose of a picture."""

from __future__ import annotations

from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.floating[Any]]
"""A float32 array over the picture, (n, n) or (n, n, 3) with linear RGB last."""


class Draw:
    """One stream of random numbers; every scalar is a plain ``float`` so that fields stay float32."""

    def __init__(self, *entropy: int) -> None:
        self.generator = np.random.default_rng(list(entropy))

    def span(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return float(self.generator.uniform(low, high))

    def bell(self, scale: float, centre: float = 0.0) -> float:
        """Normal, cut at 2.5 standard deviations so that no picture is absurd."""
        return centre + scale * float(np.clip(self.generator.standard_normal(), -2.5, 2.5))

    def whole(self, low: int, high: int) -> int:
        """Integer in [low, high]."""
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.generator.uniform() < probability)

    def bells(self, *shape: int) -> Field:
        """Standard normal array."""
        return self.generator.standard_normal(shape, dtype=np.float32)

    def spans(self, low: float, high: float, *shape: int) -> Field:
        """Uniform array in [low, high)."""
        return low + (high - low) * self.generator.random(shape, dtype=np.float32)


class Draws:
    """Streams of one picture, told apart by name.

    A defect draws only from its own stream, so the same seed with and without the defect is
    the same part under the same light.
    """

    def __init__(self, category: str, seed: int) -> None:
        self._entropy = (crc32(category.encode()), seed)

    def of(self, purpose: str) -> Draw:
        return Draw(*self._entropy, crc32(purpose.encode()))
