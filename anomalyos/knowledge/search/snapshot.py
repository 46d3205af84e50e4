"""All documents with both indexes over them, changed in step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.db.engine import Store
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.knowledge.search.dense import MeaningIndex, embed_documents
from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.search.filters import Columns
from anomalyos.knowledge.search.lexical import LexicalIndex
from anomalyos.knowledge.search.words import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_DEAD = 0.2
"""Share of numbers whose documents went: above it everything is laid out anew."""
LEAST_TO_TIDY = 1000


class Snapshot:
    """Documents numbered in the order they came. A changed document gets a new number.

    Vectors follow later than words, when :meth:`embed` is called: searching by words alone never waits
    for an embedder.
    """

    def __init__(self) -> None:
        self.documents: list[Document | None] = []
        self.numbers: dict[str, int] = {}
        self.columns = Columns()
        self.words = LexicalIndex()
        self.vocabulary = Vocabulary()
        self.meaning: MeaningIndex | None = None

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
            self._add(document)
            changed += 1
        if changed:
            self.words.commit()
        return changed

    def embed(
        self,
        embedder: TextEmbedder,
        store: Store,
        progress: Callable[[int, int], None] | None = None,
    ) -> MeaningIndex:
        """The vectors of all documents, those that were put in since the last call embedded first."""
        if self.meaning is None:
            self.meaning = MeaningIndex(embedder.dims)
        waiting = self.documents[self.meaning.count :]
        if waiting:
            living = [document for document in waiting if document is not None]
            found = iter(embed_documents(living, embedder, store, progress))
            empty = np.zeros(embedder.dims, np.float32)
            self.meaning.append(
                np.stack([empty if document is None else next(found) for document in waiting])
            )
        return self.meaning

    @property
    def untidy(self) -> bool:
        dead = len(self.documents) - self.columns.living
        return dead > max(LEAST_TO_TIDY, MOST_DEAD * len(self.documents))

    def tidied(self) -> Snapshot:
        """The same documents laid out anew: nothing is embedded again."""
        fresh = Snapshot()
        living = [(n, document) for n, document in enumerate(self.documents) if document is not None]
        fresh.apply([document for _, document in living], ())
        if self.meaning is not None:
            embedded = [number for number, _ in living if number < self.meaning.count]
            rows: Float32Array = self.meaning.rows(embedded)
            fresh.meaning = MeaningIndex(rows.shape[1])
            fresh.meaning.append(rows)
        return fresh

    def _add(self, document: Document) -> None:
        number = self.columns.append(document)
        self.documents.append(document)
        self.numbers[document.id] = number
        self.words.add(number, document)
        self.vocabulary.add(searched_text(document))

    def _remove(self, name: str) -> bool:
        number = self.numbers.pop(name, None)
        if number is None:
            return False
        document = self.documents[number]
        assert document is not None  # numbers names living documents only
        self.documents[number] = None
        self.columns.remove(number)
        self.words.remove(number)
        self.vocabulary.discard(searched_text(document))
        return True


def searched_text(document: Document) -> str:
    return f"{document.title} {document.text} {document.context}"
