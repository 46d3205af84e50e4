"""BM25: against a plain reading of its formula, and filters that change no order."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.search.filters import Filters
from anomalyos.knowledge.search.lexical import FIELDS, LexicalIndex
from anomalyos.knowledge.search.words import Term, analyser

DAY = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["shell", "crack", "gas", "pore", "dry", "glue", "wire", "punch", "kiln", "oil"]
K1, B = 1.2, 0.75


def draw(count: int, seed: int = 0) -> list[Document]:
    rng = Random(seed)

    def some(most: int) -> str:
        return " ".join(rng.choices(WORDS, k=rng.randrange(1, most)))

    return [
        Document(
            id=f"cause:{i}",
            kind=rng.choice(["cause", "remedy", "case"]),
            title=some(4),
            text=some(12),
            context=some(9),
            categories=frozenset(rng.sample(["a", "b", "c"], rng.randrange(3))),
            severities=frozenset(rng.sample(["cosmetic", "critical"], rng.randrange(2))),
            date=DAY + timedelta(days=rng.randrange(30)),
        )
        for i in range(count)
    ]


def index_of(documents: list[Document]) -> LexicalIndex:
    index = LexicalIndex()
    for number, document in enumerate(documents):
        index.add(number, document)
    index.commit()
    return index


def asked(*words: str) -> list[Term]:
    return [Term(word, ((analyser().analyze(word)[0], 1.0),)) for word in words]


def naive_bm25(documents: list[Document], terms: list[Term]) -> dict[int, float]:
    """Robertson and Zaragoza (2009), eq. 3.15, with Lucene's idf, field by field."""
    scores: dict[int, float] = {}
    for field, boost in FIELDS.items():
        bags = [analyser().analyze(getattr(document, field)) for document in documents]
        mean = sum(map(len, bags)) / len(bags)
        for term in terms:
            stem = term.stems[0][0]
            holding = sum(stem in bag for bag in bags)
            idf = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
            for number, bag in enumerate(bags):
                tf = bag.count(stem)
                if tf:
                    norm = K1 * (1 - B + B * len(bag) / mean)
                    scores[number] = scores.get(number, 0) + boost * idf * tf * (K1 + 1) / (tf + norm)
    return scores


@pytest.mark.parametrize("words", [("crack",), ("crack", "shell"), ("gas", "pore", "dry", "kiln")])
def test_scores_are_those_of_the_formula(words: tuple[str, ...]) -> None:
    documents = draw(60)
    found = dict(index_of(documents).search(asked(*words), Filters(), 60))
    expected = naive_bm25(documents, asked(*words))
    assert found.keys() == expected.keys()
    # lengths up to 40 are kept exactly by tantivy's one-byte length
    assert [found[n] for n in sorted(found)] == pytest.approx([expected[n] for n in sorted(found)], rel=1e-4)


FILTERS = [
    Filters(kinds=frozenset({"cause"})),
    Filters(kinds=frozenset({"remedy", "case"}), category="b"),
    Filters(severity="critical"),
    Filters(since=DAY + timedelta(days=10), until=DAY + timedelta(days=20)),
    Filters(category="nowhere"),
    Filters(kinds=frozenset({"case"}), category="a", severity="cosmetic", since=DAY),
]


@pytest.mark.parametrize("filters", FILTERS)
def test_a_filtered_answer_is_the_whole_answer_filtered(filters: Filters) -> None:
    documents = draw(120, seed=3)
    index = index_of(documents)
    whole = index.search(asked("crack", "gas"), Filters(), 120)
    assert index.search(asked("crack", "gas"), filters, 120) == [
        hit for hit in whole if filters.admit(documents[hit[0]])
    ]


def test_removed_documents_are_gone_and_scores_can_be_asked_for_some() -> None:
    documents = draw(30, seed=5)
    index = index_of(documents)
    whole = dict(index.search(asked("crack"), Filters(), 30))
    some = sorted(whole)[:3]
    assert index.scores(asked("crack"), some) == {number: whole[number] for number in some}
    index.remove(some[0])
    index.commit()
    assert some[0] not in dict(index.search(asked("crack"), Filters(), 30))


def test_no_terms_no_answer() -> None:
    index = index_of(draw(3))
    assert index.search([], Filters(), 5) == []
    assert index.scores([], [0]) == {}
    assert index.rarity([]) == 0


def test_rare_words_count_more() -> None:
    documents = draw(50, seed=8)
    documents.append(Document(id="x", kind="cause", title="weevil", text="", date=DAY))
    index = index_of(documents)
    assert index.rarity(asked("weevil")) > index.rarity(asked("crack"))
