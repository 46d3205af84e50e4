"""BM25 over title, text and context, in memory, with tantivy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.search.filters import Filters, micros
from anomalyos.knowledge.search.words import Term, analyser

if TYPE_CHECKING:
    from tantivy import Query, Schema

FIELDS = {"title": 2.0, "text": 1.0, "context": 0.6}
"""Searched fields with their weights, chosen on the development questions."""
ANALYSER = "plain_english"
WRITER_BYTES = 50_000_000


class LexicalIndex:
    """Documents by their numbers. Questions never pass a query parser: they are built term by term.

    Scores are BM25 (Robertson and Zaragoza 2009) per field with k1 = 1.2 and b = 0.75, weighted and
    summed. Removed documents leave the answers at once, and the word statistics when their segment is
    merged: until then scores differ a little from those of a fresh index.
    """

    def __init__(self) -> None:
        import tantivy

        self.schema = make_schema()
        self._index = tantivy.Index(self.schema)
        self._index.register_tokenizer(ANALYSER, analyser())
        self._writer = self._index.writer(heap_size=WRITER_BYTES, num_threads=1)
        self._searcher = self._index.searcher()

    def add(self, number: int, document: Document) -> None:
        """Found after the next :meth:`commit`."""
        import tantivy

        entry = tantivy.Document()
        entry.add_integer("number", number)
        for field in FIELDS:
            entry.add_text(field, getattr(document, field))
        entry.add_text("kind", document.kind)
        for name in document.categories:
            entry.add_text("category", name)
        for name in document.severities:
            entry.add_text("severity", name)
        entry.add_integer("date", micros(document.date))
        self._writer.add_document(entry)

    def remove(self, number: int) -> None:
        """Gone after the next :meth:`commit`."""
        self._writer.delete_documents_by_term("number", number)

    def commit(self) -> None:
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, terms: list[Term], filters: Filters, limit: int) -> list[tuple[int, float]]:
        """Numbers and scores of the best documents that hold at least one term, best first."""
        if not terms:
            return []
        return self._run(self._matching(terms), self._conditions(filters), limit)

    def scores(self, terms: list[Term], numbers: list[int]) -> dict[int, float]:
        """BM25 scores of these documents; those without any term are absent."""
        import tantivy

        if not terms or not numbers:
            return {}
        chosen = tantivy.Query.term_set_query(self.schema, "number", numbers)
        return dict(self._run(self._matching(terms), [chosen], len(numbers)))

    def rarity(self, terms: list[Term]) -> float:
        """Sum over the terms of their weighted inverse document frequency in the text, > 0 for any term."""
        total = 0.0
        n = self._searcher.num_docs
        for term in terms:
            total += max(
                weight * idf(n, max(self._searcher.doc_freq(field, stem) for field in FIELDS))
                for stem, weight in term.stems
            )
        return total

    def _run(self, matching: Query, conditions: list[Query], limit: int) -> list[tuple[int, float]]:
        from tantivy import Occur, Query

        clauses = [(Occur.Must, matching)]
        clauses += [(Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions]
        found = self._searcher.search(Query.boolean_query(clauses), limit=limit, count=False)
        numbers = self._searcher.fast_field_values("number", [address for _, address in found.hits])
        hits = [
            (int(number), float(score))
            for number, (score, _) in zip(numbers, found.hits, strict=True)
            if number is not None
        ]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def _matching(self, terms: list[Term]) -> Query:
        from tantivy import Occur, Query

        clauses = []
        for term in terms:
            for stem, weight in term.stems:
                for field, boost in FIELDS.items():
                    query = Query.term_query(self.schema, field, stem)
                    clauses.append((Occur.Should, Query.boost_query(query, boost * weight)))
        return Query.boolean_query(clauses)

    def _conditions(self, filters: Filters) -> list[Query]:
        from tantivy import FieldType, Query

        conditions = []
        if filters.kinds is not None:
            conditions.append(Query.term_set_query(self.schema, "kind", sorted(filters.kinds)))
        for field, value in (("category", filters.category), ("severity", filters.severity)):
            if value is not None:
                conditions.append(Query.term_query(self.schema, field, value, "basic"))
        if filters.since is not None or filters.until is not None:
            since, until = (moment and micros(moment) for moment in (filters.since, filters.until))
            conditions.append(Query.range_query(self.schema, "date", FieldType.Integer, since, until))
        return conditions


def make_schema() -> Schema:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    # signed: deleting by a term finds nothing in an unsigned field (tantivy 0.27)
    builder.add_integer_field("number", indexed=True, fast=True)
    for field in FIELDS:
        builder.add_text_field(field, tokenizer_name=ANALYSER, index_option="freq")
    for field in ("kind", "category", "severity"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("date", indexed=True, fast=True)
    return builder.build()


def idf(documents: int, holding: int) -> float:
    """Inverse document frequency of BM25, above zero."""
    return math.log(1 + (max(documents, holding) - holding + 0.5) / (holding + 0.5))
