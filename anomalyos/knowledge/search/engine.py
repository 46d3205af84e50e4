"""The search everybody calls: one per process and store, always at the store's present state."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders.text import get_text_embedder
from anomalyos.knowledge.search import collect, fusion
from anomalyos.knowledge.search.corpus import Corpus
from anomalyos.knowledge.search.document import Document, SearchHit, only
from anomalyos.knowledge.search.filters import Filters
from anomalyos.knowledge.search.matching import matched
from anomalyos.knowledge.search.words import Term, clean

Mode = Literal["hybrid", "bm25", "embedding"]
MODES: tuple[str, ...] = get_args(Mode)
CANDIDATES = 100
"""Best of each list that are fused; at least four times the answers asked for."""
MOST_HITS = 100
CACHED_QUESTIONS = 256


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document's number with what put it where it is."""

    number: int
    score: float
    similarity: float | None = None


class KnowledgeSearch:
    """Finds knowledge, known defects and notes by what they say and by what they mean.

    Before each search a few aggregates tell whether the store has changed, by whomever; what changed is
    read, and only texts never seen before are embedded. Safe to share between threads: they take turns.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self._marks = collect.Marks()
        self._corpus = Corpus()
        self._turn = threading.RLock()
        self._asked: dict[str, Float32Array] = {}

    def search(
        self,
        query: str,
        *,
        kinds: Collection[str] | None = None,
        category: str | None = None,
        severity: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        k: int = 10,
        mode: str = "hybrid",
        correct_spelling: bool = True,
    ) -> list[SearchHit]:
        """The ``k`` best answers to ``query``, best first; none for a query without a word.

        The query is text and never a command: no character in it has a meaning of its own.

        Args:
            kinds: of documents: node kinds, ``case``, ``note``.
            category: answers that concern it, alone or among others. An unknown one has no answers.
            severity: of the defect, or of one the cause, remedy or check bears on.
            since: the day it was last changed, inclusive, as is ``until``; naive means UTC.
            mode: ``hybrid``, or ``bm25`` or ``embedding`` alone.

        Raises:
            AnomalyOSError: an unknown kind, severity or mode, ``k`` outside 1 to 100, or an impossible time.
            WeightsMissing: the text embedder is not installed (not for ``bm25``).
        """
        filters = Filters.checked(kinds, category, severity, since, until)
        if mode not in MODES:
            raise AnomalyOSError(f"{mode!r} is not a way to search.", f"Choose one of: {', '.join(MODES)}.")
        if not 1 <= k <= MOST_HITS:
            raise AnomalyOSError(f"{k} answers cannot be given.", f"Ask for 1 to {MOST_HITS}.")
        text = clean(query)
        if not any(c.isalnum() for c in text):
            return []
        with self._turn:
            self.refresh()
            vocabulary = self._corpus.vocabulary
            terms = vocabulary.read(text, correct_spelling=correct_spelling)
            if mode == "bm25":
                ranked = [Ranked(*hit) for hit in self._corpus.words.search(terms, filters, k)]
            else:
                self._corpus.embed(get_text_embedder(self.settings), self.store)
                vector = self._embedded(vocabulary.corrected(text) if correct_spelling else text)
                if mode == "embedding":
                    ranked = [Ranked(n, cosine, cosine) for n, cosine in self._near(vector, filters, k)]
                else:
                    ranked = self._fuse(text, terms, vector, filters, k)[:k]
            return [self._hit(one, terms) for one in ranked]

    def refresh(self) -> int:
        """Take up what changed in the store since the last time.

        Returns:
            Documents put in or taken out.
        """
        with self._turn:
            changed = self._follow()
            if self._corpus.needs_compaction:
                self._marks, self._corpus = collect.Marks(), Corpus()
                self._follow()
            return changed

    def prepare(self, progress: Progress | None = None) -> int:
        """Load the embedder and embed everything that is not yet: what the first search would wait for.

        Args:
            progress: called with texts done and texts in all.

        Returns:
            Documents that can be found.
        """
        with self._turn:
            self.refresh()
            self._corpus.embed(get_text_embedder(self.settings), self.store, progress)
            return len(self._corpus.numbers)

    @property
    def warm(self) -> bool:
        """Whether everything is read and embedded, so that a search answers at once."""
        return self._corpus.dense is not None

    def document_ids(self) -> set[str]:
        """Ids of everything that can be found now."""
        with self._turn:
            self.refresh()
            return set(self._corpus.numbers)

    def _follow(self) -> int:
        with self.store.session(read_only=True) as session:
            marks = collect.read_marks(session)
            if marks == self._marks:
                return 0
            put, gone = collect.changes(session, self._marks, marks, self._corpus.numbers)
        changed = self._corpus.apply(put, gone)
        self._marks = marks
        return changed

    def _fuse(
        self, text: str, terms: list[Term], vector: Float32Array, filters: Filters, k: int
    ) -> list[Ranked]:
        """Candidates of both lists, each with both of its scores, best first."""
        words, dense = self._corpus.words, self._corpus.dense
        assert dense is not None  # embedded before anything is compared
        depth = max(CANDIDATES, 4 * k)
        cosines = dict(self._near(vector, filters, depth))
        bm25 = dict(words.search(terms, filters, depth))
        bm25 |= words.scores(terms, [number for number in cosines if number not in bm25])
        unseen = [number for number in bm25 if number not in cosines]
        cosines |= zip(unseen, (dense.rows(unseen) @ vector).tolist(), strict=True)
        scores = fusion.fused_scores(bm25, cosines, words.rarity(terms))
        wanted = fusion.asked_kinds(text)
        for number in scores:
            scores[number] += fusion.ASKED_KIND * (self._document(number).kind in wanted)
        best = sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
        return [Ranked(number, score, cosines[number]) for number, score in best]

    def _embedded(self, text: str) -> Float32Array:
        """Vector (dims,) of a question."""
        if text not in self._asked:
            if len(self._asked) >= CACHED_QUESTIONS:
                self._asked.pop(next(iter(self._asked)))
            self._asked[text] = get_text_embedder(self.settings).texts([text])[0]
        return self._asked[text]

    def _near(self, vector: Float32Array, filters: Filters, limit: int) -> list[tuple[int, float]]:
        assert self._corpus.dense is not None  # embedded before anything is compared
        return self._corpus.dense.search(vector, self._corpus.mask(filters), limit)

    def _document(self, number: int) -> Document:
        document = self._corpus.documents[number]
        assert document is not None  # removed documents are in neither index
        return document

    def _hit(self, ranked: Ranked, terms: list[Term]) -> SearchHit:
        document = self._document(ranked.number)
        words, spans = matched(document, terms)
        return SearchHit(
            document_id=document.id,
            kind=document.kind,
            title=document.title,
            text=document.text,
            category=only(document.categories),
            categories=tuple(sorted(document.categories)),
            severity=only(document.severities),
            date=document.date,
            score=round(ranked.score, 6),
            similarity=None if ranked.similarity is None else round(ranked.similarity, 4),
            why=f"words: {', '.join(words)}" if words else "by meaning",
            words=words,
            spans=spans,
        )


_searches: dict[str, KnowledgeSearch] = {}
_making = threading.Lock()


def get_search(settings: Settings, store: Store) -> KnowledgeSearch:
    """The process's search over this store, made once."""
    key = f"{store.url}|{settings.home}"
    with _making:
        found = _searches.get(key)
        if found is None or found.store is not store:
            found = _searches[key] = KnowledgeSearch(settings, store)
        return found
