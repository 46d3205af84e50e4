"""Sentence vectors of the documents: embedded once per text, kept in the store."""

from __future__ import annotations

from collections.abc import Iterable

from anomalyos.core.arrays import Float32Array
from anomalyos.core.progress import Progress
from anomalyos.db.engine import Store
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.knowledge import text_vectors
from anomalyos.knowledge.search.document import Document

CHUNK = 1024
"""Texts embedded and kept in one transaction: a stop half way loses no more."""


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
