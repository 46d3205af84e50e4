"""What every embedder offers, whatever model is inside."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array


class ImageEmbedder(Protocol):
    """Pictures as vectors whose inner product says how alike they look."""

    @property
    def name(self) -> str:
        """``lite`` or ``open_clip``."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over model, weights and preparation: vectors compare only under equal digests."""
        ...

    @property
    def dims(self) -> int: ...

    def images(self, pictures: list[NDArray[np.uint8]]) -> Float32Array:
        """Unit-length vectors (N, dims) float32 of RGB pictures (H, W, 3) of any size; N may be 0."""
        ...


class TextEmbedder(Protocol):
    """Sentences as vectors whose inner product says how alike their meanings are."""

    @property
    def name(self) -> str:
        """``minilm`` or ``open_clip``."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over model, weights and tokeniser."""
        ...

    @property
    def dims(self) -> int: ...

    def texts(self, sentences: list[str]) -> Float32Array:
        """Unit-length vectors (N, dims) float32; N may be 0, a sentence may be empty."""
        ...
