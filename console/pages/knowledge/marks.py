"""Text with its matched words marked, from pieces of plain text: nothing of it is ever HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomalyos.knowledge.search import Span
from console.ui.kit import Text, box

LONG = 280
LEAD = 60
"""Characters kept before the first match of a long text."""


@dataclass(frozen=True)
class Piece:
    text: str
    marked: bool


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """``text`` cut at the spans (start, stop); those that overlap or lie outside are cut short."""
    found: list[Piece] = []
    at = 0
    for start, stop in sorted(spans):
        start, stop = max(start, at), min(stop, len(text))
        if stop <= start:
            continue
        if start > at:
            found.append(Piece(text[at:start], False))
        found.append(Piece(text[start:stop], True))
        at = stop
    if at < len(text):
        found.append(Piece(text[at:], False))
    return found


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """At most ``LONG`` characters that hold the first match, and the spans moved along."""
    if len(text) <= LONG:
        return text, list(spans)
    first = min((start for start, _ in spans), default=0)
    start = 0 if first < LONG - LEAD else text.rfind(" ", 0, first - LEAD) + 1
    stop = min(len(text), start + LONG)
    before, after = "… " if start else "", " …" if stop < len(text) else ""
    moved = [(a - start + len(before), b - start + len(before)) for a, b in spans if start <= a and b <= stop]
    return f"{before}{text[start:stop]}{after}", moved


def spans_in(where: str, spans: Iterable[Span]) -> list[tuple[int, int]]:
    return [(span.start, span.stop) for span in spans if span.where == where]


def draw(text: str, spans: Iterable[tuple[int, int]], tag: str, classes: str = "") -> None:
    with box(classes, tag):
        for piece in pieces(text, spans):
            Text(piece.text, "mark" if piece.marked else "span")
