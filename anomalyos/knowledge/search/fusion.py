"""One list from two: what the words say and what the meaning says."""

from __future__ import annotations

from collections.abc import Mapping

from anomalyos.knowledge.search.words import cut

WORDS_SHARE = 0.2
"""Share of the words in the fused score, chosen on the development questions."""
ASKED_KIND = 0.05
"""Added where a document is of the kind the question asks for, chosen there too."""

_ASKING_FOR = {
    "cause": "why cause caused causes causing reason reasons because root source come comes",
    "remedy": "fix fixes fixing remedy remedies repair solve solution prevent avoid stop rid against cure",
    "check": "check checks checking test verify measure inspect look confirm prove find tell sure",
    "note": "note notes noted wrote comment comments",
    "case": "case cases example examples seen before earlier",
}
ASKING_FOR = {kind: frozenset(words.split()) for kind, words in _ASKING_FOR.items()}
"""Words that tell which kind of answer is wanted."""


def asked_kinds(query: str) -> frozenset[str]:
    """Kinds whose words are in the question; those of a misspelt one are not guessed."""
    words = set(cut(query))
    return frozenset(kind for kind, telling in ASKING_FOR.items() if words & telling)


def saturated(bm25: float, rarity: float) -> float:
    """BM25 brought to [0, 1): half for a document as good as every rare word found once.

    BM25 has no upper end, and one that depends on the other answers would let a filter change the order.
    """
    return bm25 / (bm25 + rarity) if bm25 > 0 else 0.0


def fused_scores(
    bm25: Mapping[int, float],
    cosines: Mapping[int, float],
    rarity: float,
    *,
    words_share: float = WORDS_SHARE,
) -> dict[int, float]:
    """Convex combination of saturated BM25 and cosine for every document in either mapping.

    Bruch, Gai and Ingber (2023, "An Analysis of Fusion Functions for Hybrid Retrieval") find a convex
    combination of scores better than ranks, and name the one weight that has to be chosen.
    """
    return {
        number: words_share * saturated(bm25.get(number, 0.0), rarity)
        + (1 - words_share) * max(0.0, cosines.get(number, 0.0))
        for number in bm25.keys() | cosines.keys()
    }
