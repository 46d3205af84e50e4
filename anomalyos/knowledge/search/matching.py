"""Which words of a document a question matched, and where they stand."""

from __future__ import annotations

from anomalyos.knowledge.search.document import Document, Span
from anomalyos.knowledge.search.words import WORD, Term, stem


def matched(document: Document, terms: list[Term]) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """Words of the question found in the document, in the question's order, and places in title and text.

    A word found only in the context, which is not shown, is named and has no place.
    """
    told = {text_stem: term.word for term in terms for text_stem, _ in term.stems}
    spans: list[Span] = []
    found: set[str] = set()
    for where in ("title", "text"):
        for match in WORD.finditer(getattr(document, where)):
            word = told.get(stem(match.group().lower()))
            if word is not None:
                spans.append(Span(where, match.start(), match.end()))
                found.add(word)
    found |= {
        told[text_stem]
        for text_stem in map(stem, WORD.findall(document.context.lower()))
        if text_stem in told
    }
    return tuple(term.word for term in terms if term.word in found), tuple(spans)
