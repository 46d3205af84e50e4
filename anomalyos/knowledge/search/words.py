"""Words: how they are cut, stemmed, and corrected when they were misspelt."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tantivy import TextAnalyzer

WORD = re.compile(r"[^\W_]+")
LONGEST_WORD = 40
LONGEST_QUERY = 500
"""Characters of a question that are read; what follows is ignored."""
MOST_WORDS = 24
SHORTEST_CORRECTED = 4
"""Shorter words have too many neighbours one letter away to guess among."""
TWO_EDITS_FROM = 7
CORRECTIONS = 2
"""Candidates kept for one misspelt word."""

# Words that say how something is asked, not what about; tantivy's English list holds only 33.
_ASKING_TEXT = (
    "a about after again all also am an and any are as at be because been being but by can cant could did "
    "do does doesnt doing dont down for from get gets getting go goes going got had has have having he "
    "help her here him his how i if im in into is isnt it its just keep keeps know like me mean more most "
    "much must my need no not now of off on once one only or other our out over please really said say "
    "see seeing she should show so some stuff such tell than that thats the their them then there these "
    "they thing things this those through to too up us very was we went were what whats when where which "
    "while who why will with wont would you your "
)
ASKING = frozenset(_ASKING_TEXT.split())


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a question: stems that count as it, each with its weight in (0, 1]."""

    word: str
    """As it is shown: the corrected word where there is one."""
    stems: tuple[tuple[str, float], ...]


def clean(query: str) -> str:
    """``query`` without control characters and what lies beyond ``LONGEST_QUERY``."""
    printable = "".join(c if c.isprintable() else " " for c in query[:LONGEST_QUERY])
    return " ".join(printable.split())


def cut(text: str) -> list[str]:
    """Words in lower case, split like tantivy's simple tokenizer: runs of letters and digits."""
    return [word for word in WORD.findall(text.lower()) if len(word) <= LONGEST_WORD]


@lru_cache(maxsize=1)
def analyser() -> TextAnalyzer:
    """Cut, lower case, without accents and asking words, stemmed (Porter 2, English)."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.custom_stopword(sorted(ASKING)))
        .filter(Filter.stemmer("english"))
        .build()
    )


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of one word, empty for an asking word."""
    stems = analyser().analyze(word)
    return stems[0] if stems else ""


class Vocabulary:
    """Words of the documents, with how many documents hold each."""

    def __init__(self) -> None:
        self._words: Counter[str] = Counter()
        self._stems: Counter[str] = Counter()
        self._by_length: dict[int, set[str]] = defaultdict(set)
        # a misspelt "what" should be seen as such, and not as some other word
        for word in ASKING:
            self._by_length[len(word)].add(word)

    def add(self, text: str) -> None:
        for word in set(cut(text)):
            self._words[word] += 1
            self._stems[stem(word)] += 1
            self._by_length[len(word)].add(word)

    def discard(self, text: str) -> None:
        """Take back one earlier :meth:`add` of the same text."""
        for word in set(cut(text)):
            self._words[word] -= 1
            self._stems[stem(word)] -= 1
            if self._words[word] == 0:
                del self._words[word]
                if word not in ASKING:
                    self._by_length[len(word)].discard(word)

    def knows(self, word: str) -> bool:
        """Whether a document holds the word, or another form of it."""
        return word in self._words or self._stems[stem(word)] > 0

    def nearest(self, word: str) -> list[tuple[str, int]]:
        """Up to ``CORRECTIONS`` known words with their distance in edits, nearest and most used first.

        An edit is one letter added, left out, changed, or two swapped (optimal string alignment).
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < SHORTEST_CORRECTED or word.isdigit():
            return []
        reach = 2 if len(word) >= TWO_EDITS_FROM else 1
        near: list[tuple[int, bool, int, str]] = []
        for length in range(max(3, len(word) - reach), len(word) + reach + 1):
            known = self._by_length.get(length)
            if known:
                found = process.extract(word, known, scorer=OSA.distance, score_cutoff=reach, limit=None)
                near += [(int(d), other[0] != word[0], -self._words[other], other) for other, d, _ in found]
        near.sort()
        return [(other, distance) for distance, _, _, other in near[:CORRECTIONS] if distance == near[0][0]]

    def halves(self, word: str) -> tuple[str, str] | None:
        """Two known words of three letters or more that were written as one, None when there are none."""
        for i in range(3, len(word) - 2):
            if word[:i] in self._words and word[i:] in self._words:
                return word[:i], word[i:]
        return None

    def read(self, query: str, *, correct_spelling: bool) -> list[Term]:
        """The terms of a question, asking words left out, each stem once.

        Args:
            correct_spelling: misspelt words count as the nearest known ones, at half weight per edit;
                words written as one count as two, and the other way round.
        """
        words = cut(query)[:MOST_WORDS]
        terms: list[Term] = []
        for word, following in zip_longest(words, words[1:], fillvalue=""):
            if not stem(word):
                continue
            joined = word + following
            if correct_spelling and joined in self._words and stem(following):
                terms.append(term_of([(joined, 0)]))
            meant = self._meant(word) if correct_spelling else [[(word, 0)]]
            terms += [term_of(options) for options in meant if stem(options[0][0])]
        seen: dict[str, Term] = {}
        for term in terms:
            seen.setdefault(term.stems[0][0], term)
        return list(seen.values())

    def corrected(self, query: str) -> str:
        """``query`` with every misspelt word replaced by the nearest known one, all else as it was."""

        def better(match: re.Match[str]) -> str:
            word = match.group().lower()
            meant = " ".join(options[0][0] for options in self._meant(word))
            return match.group() if meant == word else meant

        return WORD.sub(better, query)

    def _meant(self, word: str) -> list[list[tuple[str, int]]]:
        """The words that were meant, one or two halves, each as what it may be and how many edits away."""
        if self.knows(word) or word in ASKING:
            return [[(word, 0)]]
        near = self.nearest(word)
        if near and near[0][1] == 1:
            return [near]
        halves = self.halves(word)
        if halves:
            return [[(half, 0)] for half in halves]
        return [near or [(word, 0)]]


def term_of(options: list[tuple[str, int]]) -> Term:
    """A term that counts as any of these words, each at half weight per edit."""
    stems: dict[str, float] = {}
    for word, edits in options:
        if stem(word):
            stems.setdefault(stem(word), 0.5**edits)
    return Term(options[0][0], tuple(stems.items()))
