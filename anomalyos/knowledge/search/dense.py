"""Sentence vectors of the documents: embedded once per text, kept in the store, searched exactly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.progress import Progress
from anomalyos.db.engine import Store
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.knowledge import text_vectors
from anomalyos.knowledge.search.document import Document

CHUNK = 1024
"""Texts embedded and kept in one transaction: a stop half way loses no more."""


class DenseIndex:
    """Rows of unit vectors, the row being the document's number; inner product is cosine."""

    def __init__(self, dims: int) -> None:
        self.count = 0
        self._rows = np.zeros((0, dims), np.float32)

    def append(self, vectors: Float32Array) -> None:
        """Rows (N, dims) for the next N numbers."""
        end = self.count + len(vectors)
        if end > len(self._rows):
            grown = np.zeros((max(end, end + end // 4), self._rows.shape[1]), np.float32)
            grown[: self.count] = self._rows[: self.count]
            self._rows = grown
        self._rows[self.count : end] = vectors
        self.count = end

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


def embed_documents(
    documents: Iterable[Document],
    embedder: TextEmbedder,
    store: Store,
    progress: Progress | None = None,
) -> dict[str, Float32Array]:
    """Unit vectors (dims,) by the documents' sentence keys.

    Only texts the store does not know are embedded, and kept there.

    Args:
        progress: called with texts done and texts in all.
    """
    sentences = {document.sentence_key(): document.sentence() for document in documents}
    with store.session(read_only=True) as session:
        known = text_vectors.load(session, sentences, embedder.digest, embedder.dims)
    waiting = [key for key in sentences if key not in known]
    for start in range(0, len(waiting), CHUNK):
        keys = waiting[start : start + CHUNK]
        vectors = embedder.texts([sentences[key] for key in keys])
        fresh = dict(zip(keys, vectors, strict=True))
        with store.session() as session:
            text_vectors.keep(session, fresh, embedder.digest)
        known.update(fresh)
        if progress is not None:
            progress(start + len(keys), len(waiting))
    return known
