"""Sentence vectors of the documents: embedded once per text, kept in the store, searched exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.partition import one_thread
from anomalyos.core.arrays import Float32Array
from anomalyos.db.engine import Store
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.knowledge import text_vectors
from anomalyos.knowledge.search.document import Document

CHUNK = 1024
"""Texts embedded and kept in one transaction: a stop half way loses no more."""


class MeaningIndex:
    """Rows of unit vectors, the row being the document's number; inner product is cosine."""

    def __init__(self, dims: int) -> None:
        import faiss

        self._index: Any = faiss.IndexFlatIP(dims)

    @property
    def count(self) -> int:
        return int(self._index.ntotal)

    def append(self, vectors: Float32Array) -> None:
        """Rows (N, dims) for the next N numbers."""
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors, np.float32))

    def rows(self, numbers: list[int]) -> Float32Array:
        """Vectors (len(numbers), dims)."""
        rows: Float32Array = self._index.reconstruct_batch(np.asarray(numbers, np.int64))
        return rows

    def search(
        self, vector: Float32Array, mask: NDArray[np.bool_] | None, limit: int
    ) -> list[tuple[int, float]]:
        """Numbers and cosines of the nearest rows to ``vector`` (dims,), only those where ``mask`` (N,)."""
        import faiss

        parameters = None
        if mask is not None:
            limit = min(limit, int(mask.sum()))
            bits = np.packbits(mask, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))  # type: ignore[call-arg, arg-type]
        if limit == 0 or self.count == 0:
            return []
        with one_thread():
            cosines, numbers = self._index.search(vector[None, :], limit, params=parameters)
        hits = zip(numbers[0].tolist(), cosines[0].tolist(), strict=True)
        return sorted(((n, c) for n, c in hits if n >= 0), key=lambda hit: (-hit[1], hit[0]))


def embed_documents(
    documents: list[Document],
    embedder: TextEmbedder,
    store: Store,
    progress: Callable[[int, int], None] | None = None,
) -> Float32Array:
    """Unit vectors (N, dims) of the documents; only texts the store does not know are embedded, and kept.

    Args:
        progress: called with texts done and texts in all.
    """
    keys = [document.sentence_key() for document in documents]
    with store.session(read_only=True) as session:
        known = text_vectors.load(session, set(keys), embedder.digest, embedder.dims)
    missing = {key: document for key, document in zip(keys, documents, strict=True) if key not in known}
    waiting = list(missing.items())
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        vectors = embedder.texts([document.sentence() for _, document in chunk])
        fresh = dict(zip((key for key, _ in chunk), vectors, strict=True))
        with store.session() as session:
            text_vectors.keep(session, fresh, embedder.digest)
        known.update(fresh)
        if progress is not None:
            progress(start + len(chunk), len(waiting))
    if not documents:
        return np.zeros((0, embedder.dims), np.float32)
    return np.stack([known[key] for key in keys])
