"""The line above a picture: which one it is, how it went so far, you against the AI."""

from __future__ import annotations

from nicegui import ui

from anomalyos.arena.tables import ArenaCall
from console.services.arena import QUESTION, READY, Play, is_daily
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw(head: ui.element, play: Play) -> None:
    head.clear()
    with head:
        kit.link("Arena", "/arena", "aos-button small quiet", "arrow_back")
        with box("aos-arena-title"):
            Text(_title(play), "h1", "aos-night-title")
            Text(_subtitle(play), "div", "aos-muted aos-small")
        _pips(play)
        with box("aos-arena-score"):
            mine, its = score(play)
            _figure(f"{mine} : {its}", "You : AI")
            _figure(f"{play.points:,}", "points")
            _figure(str(play.streak), "in a row")


def score(play: Play) -> tuple[int, int]:
    """Right calls of the person and of the AI among the pictures that were answered."""
    done = [call for call in play.calls if call.answered_at is not None and call.shown_at is not None]
    return sum(call.right for call in done), sum(call.ai_defective == call.defective for call in done)


def _title(play: Play) -> str:
    if play.call is None:
        return "Daily challenge" if is_daily(play.round) else "New round"
    return f"Picture {play.call.place + 1} of {len(play.calls)}"


def _subtitle(play: Play) -> str:
    if play.material is None:
        return wording.product(play.round.category) if play.round.category else "All products"
    made = " · synthetic" if play.material.synthetic else ""
    return wording.product(play.material.category) + made


def _pips(play: Play) -> None:
    mine, _ = score(play)
    with box("aos-arena-pips", aria_label=f"{mine} right so far").props("role=img"):
        for call in play.calls:
            _pip(call, play)


def _pip(call: ArenaCall, play: Play) -> None:
    here = play.call is not None and call.id == play.call.id
    if call.answered_at is None or play.stage == READY:
        box("pip here" if here and play.stage == QUESTION else "pip", "i")
        return
    tone, name = ("normal", "check") if call.right else ("defect", "close")
    with box(f"pip done tone-{tone}" + (" here" if here else ""), "i"):
        kit.icon(name)


def _figure(value: str, word: str) -> None:
    with box("aos-arena-figure"):
        Text(value, "b")
        Text(word)
