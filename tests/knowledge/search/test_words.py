"""Words: cutting, correcting, and a vocabulary that forgets what was taken out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.knowledge.search.words import LONGEST_QUERY, MOST_WORDS, Vocabulary, clean, cut, stem


@pytest.fixture
def vocabulary() -> Vocabulary:
    known = Vocabulary()
    known.add("cracked nut shell, blowhole in the solder paste; moisture measured twice")
    known.add("blowhole again")
    return known


def stems(vocabulary: Vocabulary, query: str, *, correct_spelling: bool = True) -> list[str]:
    return [term.stems[0][0] for term in vocabulary.read(query, correct_spelling=correct_spelling)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("carcked", "cracked"),  # swapped
        ("crackd", "cracked"),  # left out
        ("blowwhole", "blowhole"),  # added
        ("moistore", "moisture"),  # changed
        ("mosture mesured", "moisture measured"),
        ("blwohloe", "blowhole"),  # two edits in a long word
        ("solderpaste", "solder paste"),  # written as one
        ("blow hole", "blowhole"),  # written as two
        ("waht cracked", "cracked"),  # an asking word, misspelt
    ],
)
def test_misspelt_words_are_corrected(vocabulary: Vocabulary, typed: str, meant: str) -> None:
    assert set(stems(vocabulary, meant)) <= set(stems(vocabulary, typed))


def test_nothing_is_corrected_unless_asked(vocabulary: Vocabulary) -> None:
    assert stems(vocabulary, "carcked solderpaste", correct_spelling=False) == [
        stem("carcked"),
        stem("solderpaste"),
    ]


def test_known_and_short_words_stay(vocabulary: Vocabulary) -> None:
    assert vocabulary.read("cracks", correct_spelling=True)[0].word == "cracks"
    assert stems(vocabulary, "nub") == ["nub"]
    assert stems(vocabulary, "12345") == ["12345"]


def test_a_corrected_word_weighs_less(vocabulary: Vocabulary) -> None:
    (term,) = vocabulary.read("blowholr", correct_spelling=True)
    assert term.word == "blowhole"
    assert term.stems == ((stem("blowhole"), 0.5),)


def test_asking_words_are_left_out(vocabulary: Vocabulary) -> None:
    assert stems(vocabulary, "why is there a blowhole?") == [stem("blowhole")]
    assert stems(vocabulary, "what is this") == []


def test_correcting_leaves_all_else(vocabulary: Vocabulary) -> None:
    assert vocabulary.corrected("Why carcked? (nut, 3 mm)") == "Why cracked? (nut, 3 mm)"


def test_questions_are_cleaned_and_bounded(vocabulary: Vocabulary) -> None:
    assert clean("nut\x00 \x1b[31mshell\n\tcracked\u2028") == "nut [31mshell cracked"
    assert len(clean("x" * 100_000)) == LONGEST_QUERY
    assert len(vocabulary.read(" ".join(f"w{i}q" for i in range(90)), correct_spelling=True)) <= MOST_WORDS


@given(st.text(max_size=80), st.text(max_size=80))
def test_taking_a_text_out_leaves_the_vocabulary_as_before(first: str, second: str) -> None:
    known, same = Vocabulary(), Vocabulary()
    known.add(first)
    same.add(first)
    known.add(second)
    known.discard(second)
    for word in {*cut(first), *cut(second), "cracked"}:
        assert known.knows(word) == same.knows(word)
        assert known.nearest(word) == same.nearest(word)


@given(st.text(max_size=200))
def test_any_text_can_be_asked(query: str) -> None:
    known = Vocabulary()
    known.add("cracked nut shell")
    for term in known.read(clean(query), correct_spelling=True):
        assert all(text_stem and 0 < weight <= 1 for text_stem, weight in term.stems)
