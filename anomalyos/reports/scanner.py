"""Statements out of a JSON answer while it still arrives."""

from __future__ import annotations

import json
from typing import Any

STATEMENT_DEPTH = 3
"""The answer's object, a section's list, a statement's object."""


class StatementScanner:
    """Fed with pieces of ``{"section": [{...}, ...], ...}``, gives each inner object once it is complete.

    Linear in the length of the answer. What is not JSON gives nothing and raises nothing: the whole
    answer is validated when it has arrived.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._string: list[str] | None = None
        self._escaped = False
        self._depth = 0
        self._section = ""
        self._statement: list[str] | None = None

    @property
    def text(self) -> str:
        """Everything fed so far."""
        return "".join(self._text)

    def feed(self, piece: str) -> list[tuple[str, dict[str, Any]]]:
        """Statements that ``piece`` completes, each with the name of its section."""
        self._text.append(piece)
        found = []
        for character in piece:
            done = self._step(character)
            if done is not None:
                found.append((self._section, done))
        return found

    def _step(self, character: str) -> dict[str, Any] | None:
        if self._statement is not None:
            self._statement.append(character)
        if self._string is not None:
            self._in_string(character)
        elif character == '"':
            self._string = []
        elif character in "{[":
            self._depth += 1
            if character == "{" and self._depth == STATEMENT_DEPTH:
                self._statement = ["{"]
        elif character in "}]":
            self._depth -= 1
            if self._depth == STATEMENT_DEPTH - 1 and self._statement is not None:
                return self._close()
        return None

    def _in_string(self, character: str) -> None:
        assert self._string is not None
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            if self._depth == 1:
                self._section = "".join(self._string)
            self._string = None
            return
        self._string.append(character)

    def _close(self) -> dict[str, Any] | None:
        assert self._statement is not None
        text, self._statement = "".join(self._statement), None
        try:
            value = json.loads(text)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None
