"""Statements out of a JSON answer while it still arrives."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json


class StatementScanner:
    """Fed with pieces of ``{"section": [{...}, ...], ...}``, gives each inner object once it is complete.

    What is not JSON gives nothing and raises nothing: the whole answer is validated when it has arrived.
    """

    def __init__(self) -> None:
        self.text = ""
        """Everything fed so far."""
        self._given = 0

    def feed(self, piece: str) -> list[tuple[str, dict[str, Any]]]:
        """Statements that ``piece`` completes, each with the name of its section."""
        start, self.text = len(self.text), self.text + piece
        found: list[tuple[str, dict[str, Any]]] = []
        for at, character in enumerate(piece, start + 1):
            if character == "}":
                found += self._complete(self.text[:at])[self._given + len(found) :]
        self._given += len(found)
        return found

    def _complete(self, text: str) -> list[tuple[str, dict[str, Any]]]:
        """Every statement when the last brace of ``text`` ends one: its list and the answer may end there."""
        try:
            answer = from_json(text + "]}")
        except ValueError:
            return []
        sections = answer.items() if isinstance(answer, dict) else ()
        lists = [(name, value) for name, value in sections if isinstance(value, list)]
        return [(name, one) for name, value in lists for one in value if isinstance(one, dict)]
