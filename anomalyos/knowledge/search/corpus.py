"""All documents with both indexes over them, changed in step."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.progress import Progress
from anomalyos.db.engine import Store
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.knowledge.search.dense_index import DenseIndex
from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.search.embedding import embed_documents
from anomalyos.knowledge.search.filters import Filters
from anomalyos.knowledge.search.lexical import LexicalIndex
from anomalyos.knowledge.search.words import Vocabulary

MOST_DEAD = 0.2
"""Share of numbers whose documents went: above it everything is better read anew."""
LEAST_TO_COMPACT = 1000


class Corpus:
    """Documents numbered in the order they came. A changed document gets a new number.

    Vectors follow later than words, when :meth:`embed` is called: searching by words alone never waits
    for an embedder.
    """

    def __init__(self) -> None:
        self.documents: list[Document | None] = []
        self.numbers: dict[str, int] = {}
        self.words = LexicalIndex()
        self.vocabulary = Vocabulary()
        self.dense: DenseIndex | None = None
        self._masks: dict[Filters, NDArray[np.bool_]] = {}

    def apply(self, put: Iterable[Document], gone: Iterable[str]) -> int:
        """Take documents out, put new and changed ones in, and make both findable by words.

        Returns:
            How many documents were put in or taken out; one that is as before counts as neither.
        """
        changed = sum(self._remove(name) for name in gone)
        for document in put:
            number = self.numbers.get(document.id)
            if number is not None and self.documents[number] == document:
                continue
            self._remove(document.id)
            self.numbers[document.id] = len(self.documents)
            self.words.add(len(self.documents), document)
            self.vocabulary.add(document.searched_text())
            self.documents.append(document)
            changed += 1
        if changed:
            self.words.commit()
            self._masks.clear()
        return changed

    def embed(self, embedder: TextEmbedder, store: Store, progress: Progress | None = None) -> DenseIndex:
        """The vectors of all documents, those that were put in since the last call embedded first."""
        if self.dense is None:
            self.dense = DenseIndex(embedder.dims)
        waiting = self.documents[self.dense.count :]
        if waiting:
            known = embed_documents(filter(None, waiting), embedder, store, progress)
            empty = np.zeros(embedder.dims, np.float32)
            self.dense.append(np.stack([known[one.sentence_key()] if one else empty for one in waiting]))
        return self.dense

    @property
    def needs_compaction(self) -> bool:
        dead = len(self.documents) - len(self.numbers)
        return dead > max(LEAST_TO_COMPACT, MOST_DEAD * len(self.documents))

    def mask(self, filters: Filters) -> NDArray[np.bool_]:
        """(N,) True where a living document passes."""
        if filters not in self._masks:
            passes = (one is not None and filters.admit(one) for one in self.documents)
            self._masks = {filters: np.fromiter(passes, np.bool_, len(self.documents))}
        return self._masks[filters]

    def _remove(self, name: str) -> bool:
        number = self.numbers.pop(name, None)
        if number is None:
            return False
        document = self.documents[number]
        assert document is not None  # numbers names living documents only
        self.documents[number] = None
        self.words.remove(number)
        self.vocabulary.discard(document.searched_text())
        return True
