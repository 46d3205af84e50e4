from __future__ import annotations

import pytest

from console.pages.knowledge.labels import percent
from console.pages.knowledge.node_forms import read_facts
from console.pages.knowledge.results import LONG, Piece, excerpt, pieces


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([], [Piece("a <b> crack", False)]),
        ([(6, 11)], [Piece("a <b> ", False), Piece("crack", True)]),
        ([(0, 1), (0, 3)], [Piece("a", True), Piece(" <", True), Piece("b> crack", False)]),
        ([(6, 99)], [Piece("a <b> ", False), Piece("crack", True)]),
        ([(50, 60)], [Piece("a <b> crack", False)]),
    ],
)
def test_text_is_cut_at_its_matches(spans: list[tuple[int, int]], wanted: list[Piece]) -> None:
    found = pieces("a <b> crack", spans)
    assert found == wanted
    assert "".join(piece.text for piece in found) == "a <b> crack"


def test_a_long_text_is_shown_around_its_first_match() -> None:
    text = "word " * 200 + "needle " + "word " * 50
    at = text.index("needle")
    shown, spans = excerpt(text, [(at, at + 6)])
    assert len(shown) <= LONG + 4
    assert [shown[a:b] for a, b in spans] == ["needle"]
    assert shown.startswith("… ")
    assert excerpt("short", [(0, 5)]) == ("short", [(0, 5)])


def test_facts_keep_what_reads_the_same() -> None:
    known = {"every_h": 8, "severity": "critical"}
    assert read_facts("every_h: 8\nwho: mia: and erik\n: nobody\nseverity: none", known) == {
        "every_h": 8,
        "who": "mia: and erik",
    }
    assert read_facts("every_h: 9", known) == {"every_h": "9"}


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.001, "under 1 %"), (0.37, "37 %"), (0.999, "over 99 %"), (1, "100 %")]
)
def test_shares_never_read_as_certain_when_they_are_not(share: float, words: str) -> None:
    assert percent(share) == words
