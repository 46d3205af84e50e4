"""The search everybody calls: one per process and store, always at the store's present state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders.text import get_text_embedder
from anomalyos.knowledge.search import collect, fusion
from anomalyos.knowledge.search.document import Document, SearchHit, only
from anomalyos.knowledge.search.filters import Filters
from anomalyos.knowledge.search.matching import matched
from anomalyos.knowledge.search.snapshot import Snapshot
from anomalyos.knowledge.search.words import Term, clean

if TYPE_CHECKING:
    from sqlmodel import Session

Mode = Literal["hybrid", "bm25", "embedding"]
MODES: tuple[str, ...] = get_args(Mode)
CANDIDATES = 100
"""Best of each list that are fused; at least four times the answers asked for."""
MOST_HITS = 100
CACHED_QUESTIONS = 256


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, read once."""

    text: str
    terms: list[Term]
    filters: Filters
    limit: int
    mend: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document's number with what put it where it is."""

    number: int
    score: float
    similarity: float | None


class KnowledgeSearch:
    """Finds knowledge, known defects and notes by what they say and by what they mean.

    Before each search a few aggregates tell whether the store has changed, by whomever; what changed is
    read, and only texts never seen before are embedded. Safe to share between threads: they take turns.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self._marks = collect.Marks()
        self._snapshot = Snapshot()
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
        mend: bool = True,
    ) -> list[SearchHit]:
        """The ``k`` best answers to ``query``, best first; none for a query without a word.

        The query is text and never a command: no character in it has a meaning of its own.

        Args:
            kinds: of documents: node kinds, ``case``, ``note``.
            category: answers that concern it, alone or among others. An unknown one has no answers.
            severity: of the defect, or of one the cause, remedy or check bears on.
            since: the day it was last changed, inclusive, as is ``until``; naive means UTC.
            mode: ``hybrid``, or ``bm25`` or ``embedding`` alone.
            mend: whether misspelt words are mended.

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
            question = Question(text, self._snapshot.vocabulary.read(text, mend=mend), filters, k, mend)
            ranked = self._rank(question, mode)
            return [self._hit(one, question) for one in ranked[:k]]

    def refresh(self) -> int:
        """Take up what changed in the store since the last time.

        Returns:
            Documents put in or taken out.
        """
        with self._turn:
            with self.store.session(read_only=True) as session:
                marks = collect.read_marks(session)
                if marks == self._marks:
                    return 0
                put, gone = self._changes(session, marks)
            changed = self._snapshot.apply(put, gone)
            self._marks = marks
            if self._snapshot.untidy:
                self._snapshot = self._snapshot.tidied()
            return changed

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Load the embedder and embed everything that is not yet: what the first search would wait for.

        Args:
            progress: called with texts done and texts in all.

        Returns:
            Documents that can be found.
        """

        with self._turn:
            self.refresh()
            embedder = get_text_embedder(self.settings)
            self._snapshot.embed(embedder, self.store, progress)
            return len(self._snapshot.numbers)

    @property
    def warm(self) -> bool:
        """Whether everything is read and embedded, so that a search answers at once."""
        return self._snapshot.meaning is not None

    def document_ids(self) -> set[str]:
        """Ids of everything that can be found now."""
        with self._turn:
            self.refresh()
            return set(self._snapshot.numbers)

    def _changes(self, session: Session, marks: collect.Marks) -> tuple[list[Document], set[str]]:
        """Documents to put in and ids to take out for the step from the last marks to ``marks``."""
        old = self._marks
        put: list[Document] = []
        gone: set[str] = set()
        if marks.knowledge != old.knowledge:
            nodes = collect.knowledge_documents(session)
            known = {name for name in self._snapshot.numbers if not name.startswith(("case:", "note:"))}
            put += nodes
            gone |= known - {node.id for node in nodes}
        if marks.cases != old.cases:
            documents, removed = collect.case_documents(session, old.cases)
            put += documents
            gone |= removed
        if marks.reviews != old.reviews:
            documents, removed = collect.note_documents(session, self._read_reviews(session, marks))
            put += documents
            gone |= removed
        return put, gone

    def _read_reviews(self, session: Session, marks: collect.Marks) -> int:
        """Highest review id that needs no second look: none when a lower id was committed later."""
        count, newest = self._marks.reviews
        fresh = collect.count_reviews_after(session, newest)
        return newest if marks.reviews[0] == count + fresh else 0

    def _rank(self, question: Question, mode: str) -> list[Ranked]:
        if mode == "bm25":
            found = self._snapshot.words.search(question.terms, question.filters, question.limit)
            return [Ranked(number, score, None) for number, score in found]
        vector = self._vector(question)
        if mode == "embedding":
            near = self._near(vector, question, question.limit)
            return [Ranked(number, cosine, cosine) for number, cosine in near]
        return self._fuse(question, vector)

    def _fuse(self, question: Question, vector: Float32Array) -> list[Ranked]:
        """Candidates of both lists, each with both of its scores."""
        snapshot = self._snapshot
        depth = max(CANDIDATES, 4 * question.limit)
        cosines = dict(self._near(vector, question, depth))
        bm25 = dict(snapshot.words.search(question.terms, question.filters, depth))
        bm25 |= snapshot.words.scores(question.terms, [n for n in cosines if n not in bm25])
        unseen = [number for number in bm25 if number not in cosines]
        if unseen and snapshot.meaning is not None:
            cosines |= zip(unseen, (snapshot.meaning.rows(unseen) @ vector).tolist(), strict=True)
        scores = fusion.fused_scores(bm25, cosines, snapshot.words.rarity(question.terms))
        wanted = fusion.asked_kinds(question.text)
        ranked = [
            Ranked(
                number, score + fusion.ASKED_KIND * (self._document(number).kind in wanted), cosines[number]
            )
            for number, score in scores.items()
        ]
        return sorted(ranked, key=lambda one: (-one.score, one.number))

    def _vector(self, question: Question) -> Float32Array:
        """The question as it was typed but for mended words, (dims,)."""

        embedder = get_text_embedder(self.settings)
        self._snapshot.embed(embedder, self.store)
        text = self._snapshot.vocabulary.rewritten(question.text) if question.mend else question.text
        if text not in self._asked:
            if len(self._asked) >= CACHED_QUESTIONS:
                self._asked.pop(next(iter(self._asked)))
            self._asked[text] = embedder.texts([text])[0]
        return self._asked[text]

    def _near(self, vector: Float32Array, question: Question, limit: int) -> list[tuple[int, float]]:
        meaning, columns = self._snapshot.meaning, self._snapshot.columns
        assert meaning is not None  # _vector has embedded everything
        whole = question.filters.empty and columns.living == columns.count
        mask = None if whole else columns.mask(question.filters)
        return meaning.search(vector, mask, limit)

    def _document(self, number: int) -> Document:
        document = self._snapshot.documents[number]
        assert document is not None  # removed documents are in neither index
        return document

    def _hit(self, ranked: Ranked, question: Question) -> SearchHit:
        document = self._document(ranked.number)
        words, spans = matched(document, question.terms)
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
