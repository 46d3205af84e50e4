"""Questions to the knowledge base: how they stand in an address, and what is answered."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from datetime import time as clock
from urllib.parse import urlencode

from anomalyos.cases.tables import Severity
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders.text import get_text_embedder
from anomalyos.features.weights import WeightsMissing
from anomalyos.knowledge import case_lists
from anomalyos.knowledge.search import KINDS, KnowledgeSearch, SearchHit, get_search
from anomalyos.knowledge.search.words import cut

log = logging.getLogger(__name__)

PAGE = 20
MOST = 100
"""Answers the search gives at most."""
CLOSE = 0.4
"""Cosine from which a document counts as found by its meaning too; unrelated ones rarely reach 0.3."""
LOADING = "The part that understands meaning is still loading."
MISSING = "The part that understands meaning is not installed."
LOOK_EVERY = 30.0
"""Seconds between looks for new texts to embed, so that no question waits for them."""


@dataclass(frozen=True)
class KnowledgeQuery:
    """A question with its filters, as it stands in the address."""

    text: str = ""
    kind: str = ""
    category: str = ""
    severity: str = ""
    since: str = ""
    """``YYYY-MM-DD`` or empty, as is ``until``; both inclusive."""
    until: str = ""
    page: int = 1

    @classmethod
    def read(cls, **given: str) -> KnowledgeQuery:
        """From an address; what is no kind, severity, day or page is left out."""
        page = given.get("page", "1")
        return cls(
            text=given.get("q", "").strip()[:500],
            kind=given["kind"] if given.get("kind") in KINDS else "",
            category=given.get("category", "")[:64],
            severity=given["severity"] if given.get("severity") in set(Severity) else "",
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
            page=min(max(int(page), 1), MOST) if page.isdecimal() and len(page) < 6 else 1,
        )

    @property
    def address(self) -> str:
        named = {"q": self.text, "kind": self.kind, "category": self.category, "severity": self.severity}
        named |= {"since": self.since, "until": self.until, "page": str(self.page) if self.page > 1 else ""}
        query = urlencode({name: value for name, value in named.items() if value})
        return f"/knowledge?{query}" if query else "/knowledge"

    @property
    def filtered(self) -> bool:
        return bool(self.kind or self.category or self.severity or self.since or self.until)

    def on_page(self, page: int) -> KnowledgeQuery:
        return replace(self, page=page)


@dataclass(frozen=True)
class SearchAnswers:
    """One page of answers."""

    hits: list[SearchHit] = field(default_factory=list)
    more: bool = False
    words_only: str = ""
    """Why meaning was not asked, empty when it was."""
    loading: bool = False
    """Whether asking again soon gives better answers."""
    ms: float = 0.0
    synthetic: frozenset[str] = frozenset()
    inspections: dict[str, int] = field(default_factory=dict)
    """Document id of a note to the inspection it was written for."""


class KnowledgeQuestions:
    """Answers in threads of its own: no question holds up another page. Ready soon after the start."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.ready = False
        """Whether meaning can be asked without waiting for it to load."""
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="search")
        self._stopped = threading.Event()

    @property
    def search(self) -> KnowledgeSearch:
        return get_search(self.settings, self.store)

    async def ask(self, asked: KnowledgeQuery) -> SearchAnswers:
        """Raises AnomalyOSError for filters that contradict each other."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.answer, asked)

    def answer(self, asked: KnowledgeQuery) -> SearchAnswers:
        """One page of the best answers; blocks for as long as the search takes."""
        began = time.perf_counter()
        wanted = min(asked.page * PAGE + 1, MOST)
        hits, words_only = self._hits(asked, wanted)
        start = (asked.page - 1) * PAGE
        shown = hits[start : start + PAGE]
        took = (time.perf_counter() - began) * 1000
        notes = {
            hit.document_id: int(hit.document_id.rpartition(":")[2]) for hit in shown if hit.kind == "note"
        }
        with self.store.session(read_only=True) as session:
            synthetic = case_lists.synthetic_categories(session)
            by_review = case_lists.inspections_of_reviews(session, notes.values()) if notes else {}
        inspections = {name: by_review[number] for name, number in notes.items() if number in by_review}
        return SearchAnswers(
            hits=shown,
            more=len(hits) > start + PAGE,
            words_only=words_only,
            loading=words_only == LOADING,
            ms=took,
            synthetic=synthetic,
            inspections=inspections,
        )

    def _hits(self, asked: KnowledgeQuery, wanted: int) -> tuple[list[SearchHit], str]:
        if not self.ready and self._warming:
            return self._search(asked, wanted, "bm25"), LOADING
        try:
            return self._search(asked, wanted, "hybrid"), ""
        except WeightsMissing:
            return self._search(asked, wanted, "bm25"), MISSING

    def _search(self, asked: KnowledgeQuery, wanted: int, mode: str) -> list[SearchHit]:
        return self.search.search(
            asked.text,
            kinds=[asked.kind] if asked.kind else None,
            category=asked.category or None,
            severity=asked.severity or None,
            since=_moment(asked.since, clock.min),
            until=_moment(asked.until, clock.max),
            k=wanted,
            mode=mode,
        )

    # getting ready ---------------------------------------------------------------------------

    _warming = False

    def start(self) -> None:
        """Load in a daemon thread: a stop never waits for a model."""
        threading.Thread(target=self._follow, name="search-warm-up", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _follow(self) -> None:
        # the models that inspect images come first: a night is waiting for them
        while not self._stopped.wait(LOOK_EVERY if self.ready else 2.0):
            try:
                if self.search.refresh() or self.ready or self.search.document_ids():
                    self._prepare()
                else:
                    self._stopped.wait(LOOK_EVERY)
            except WeightsMissing as error:
                log.warning("Search goes by words alone: %s", error)
                self._warming = False
                return
            except Exception:
                # searching by words goes on, and the next look tries this again
                log.exception("Search by meaning is not ready")
                self._warming = False
                self._stopped.wait(LOOK_EVERY)

    def _prepare(self) -> None:
        if not self.ready:
            self._warming = True
            get_text_embedder(self.settings)
            # a search of its own embeds what is new into the store: the one that answers stays free for words
            KnowledgeSearch(self.settings, self.store).prepare()
        self.search.prepare()
        self.ready, self._warming = True, False


def reasons(hit: SearchHit) -> str:
    """Why an answer is there: words, meaning or both."""
    close = hit.similarity is not None and hit.similarity >= CLOSE
    if not hit.words:
        return "by meaning"
    return "by words and meaning" if close else "by words"


def corrected(asked: str, hits: list[SearchHit]) -> list[str]:
    """Words that answers matched and that were not typed so, in the order of the answers."""
    typed = set(cut(asked))
    return list(dict.fromkeys(word for hit in hits for word in hit.words if word not in typed))


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _moment(day: str, at: clock) -> datetime | None:
    return datetime.combine(date.fromisoformat(day), at, UTC) if day else None
