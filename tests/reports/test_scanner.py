"""Statements out of an unfinished answer."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from anomalyos.reports.scanner import StatementScanner

claims = st.fixed_dictionaries({"text": st.text(max_size=20), "cites": st.lists(st.text(max_size=5))})
answers = st.dictionaries(
    st.sampled_from(["finding", "evidence", 'odd "name" \\']), st.lists(claims, max_size=3)
)


@given(answers, st.integers(1, 9), st.booleans())
def test_pieces_give_what_the_whole_holds(answer: dict[str, list[object]], size: int, wide: bool) -> None:
    text = json.dumps({**answer, "confidence": {"level": "low"}}, ensure_ascii=not wide)
    scanner = StatementScanner()
    found = [hit for at in range(0, len(text), size) for hit in scanner.feed(text[at : at + size])]
    assert [claim for _, claim in found] == [claim for claims in answer.values() for claim in claims]
    assert [name for name, _ in found] == [name for name, claims in answer.items() for _ in claims]
    assert scanner.text == text


@given(st.text(alphabet='{}[]",:\\ab1', max_size=60))
def test_nonsense_never_raises(text: str) -> None:
    StatementScanner().feed(text)


def test_a_statement_comes_with_its_last_brace() -> None:
    scanner = StatementScanner()
    assert scanner.feed('{"finding": [{"text": "a } \\" {", "cites": []') == []
    assert scanner.feed("}") == [("finding", {"text": 'a } " {', "cites": []})]
