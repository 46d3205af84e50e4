"""What is searched, and what a search answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

EMBEDDED_CONTEXT = 300
"""Characters of the context that are embedded: neighbours beyond it blur what a document is about."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be found: a knowledge node, a known defect, or a reviewer's note."""

    id: str
    """A node's key, ``case:12``, or ``note:review:5``."""
    kind: str
    title: str
    text: str
    context: str = ""
    """Names of what stands next to it in the graph: searched, counted less, never shown."""
    categories: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    date: datetime = field(kw_only=True)

    def searched_text(self) -> str:
        return f"{self.title} {self.text} {self.context}"

    def sentence(self) -> str:
        """What is embedded. The kind is said, for a question often asks for one."""
        return f"{self.kind}: {self.title}. {self.text} {self.context[:EMBEDDED_CONTEXT]}".strip()

    def sentence_key(self) -> str:
        """SHA-256 of :meth:`sentence`: a document that reads as before is not embedded again."""
        return hashlib.sha256(self.sentence().encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Span:
    """A matched word: characters ``start:stop`` of the hit's ``title`` or ``text``."""

    where: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One answer, best first in its list."""

    document_id: str
    kind: str
    title: str
    text: str
    category: str
    """The category it belongs to, empty when it concerns none or several."""
    categories: tuple[str, ...]
    severity: str
    """The same for severity."""
    date: datetime
    score: float
    """What the list is ordered by; comparable within one answer only."""
    similarity: float | None
    """Cosine between question and document, None when only words were compared."""
    why: str
    """The words that matched, or ``by meaning``."""
    words: tuple[str, ...]
    """Matched words as the question has them, corrected where it was misspelt."""
    spans: tuple[Span, ...]


def only(values: frozenset[str]) -> str:
    """The single member, or an empty string."""
    return next(iter(values)) if len(values) == 1 else ""
