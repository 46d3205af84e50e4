"""Around a picture: how the round went so far, and after an answer the truth, the AI's call, the points."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.arena.rules import Call
from anomalyos.arena.tables import ArenaCall, ArenaMaterial
from console.services.arena import QUESTION, READY, Play, is_daily, place_known
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box


def draw_scoreline(head: ui.element, play: Play) -> None:
    with kit.redrawn(head):
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


PARTS = {
    "right": "right",
    "speed": "speed",
    "place": "place",
    "streak": "streak",
    "beat": "better than the AI",
}


def draw_overlays(play: Play) -> None:
    """Into the photograph's box: heat map, outline, mark."""
    call, material = play.call, play.material
    assert call is not None
    assert material is not None
    kit.image(
        f"/arena/heat/{call.token}",
        "The AI's heat map: bright where it differs from normal",
        "heat",
        draggable="false",
    )
    if place_known(material):
        kit.image(f"/arena/truth/{call.token}", "Outline of the defect", "aos-arena-truth", draggable="false")
    if call.mark_x is not None and call.mark_y is not None:
        with box("aos-arena-mark placed").props("aria-hidden=true") as mark:
            mark.style(f"left: {100 * call.mark_x:.2f}%; top: {100 * call.mark_y:.2f}%")
            box("ring")


def draw_legend(play: Play) -> None:
    """What lies over the photograph, in the line where the clock was."""
    call, material = play.call, play.material
    assert call is not None
    assert material is not None
    with box("aos-arena-legend"):
        with box("", "span"):
            box("swatch heat-swatch", "i")
            Text("What the AI found unusual")
            kit.key("H")
        if place_known(material):
            with box("", "span"):
                box("swatch line-swatch", "i")
                Text("Where the defect is")
        if call.mark_x is not None:
            with box("", "span"):
                box("swatch mark-swatch", "i")
                Text("Your mark")


def draw_foot(play: Play, go_on: Callable[[], Awaitable[None]]) -> None:
    """Outcome, the AI's call, points, and the way on."""
    call, material = play.call, play.material
    assert call is not None
    assert material is not None
    with box("aos-arena-reveal").mark("arena-reveal"):
        with box(f"aos-arena-outcome tone-{'normal' if call.right else 'defect'}").props("role=status"):
            kit.icon("check_circle" if call.right else "cancel" if call.said else "timer_off")
            with box():
                Text(outcome(call), "h2")
                Text(truth(call, material), "p")
        with box("aos-arena-ai"):
            Text("The AI", "h3")
            Text(ai_words(call, material), "p")
        _points(call)
        draw_next("See the result" if play.last else "Next picture", go_on).mark("arena-next")


def draw_next(word: str, go_on: Callable[[], Awaitable[None]]) -> ui.element:
    """The button that arena.js presses on Enter and Space, wherever the focus is not on something else."""
    with kit.button(word, go_on, classes="primary aos-arena-next", data_arena="next") as button:
        kit.key("Enter")
    return button


def outcome(call: ArenaCall) -> str:
    if call.said == Call.NONE:
        return "Time is up"
    return "Right" if call.right else "Wrong"


def truth(call: ArenaCall, material: ArenaMaterial) -> str:
    """What it was, and how good the mark was."""
    if not call.defective:
        return "It is a normal part."
    if not place_known(material):
        return "It is a defect. Nobody has marked where."
    if call.said != Call.DEFECT:
        return "It is a defect."
    if call.distance is None:
        return "It is a defect. You marked no place."
    if call.distance == 0:
        return "It is a defect, and your mark is on it."
    return f"It is a defect. Your mark is {call.distance:.0%} of the picture away."


def ai_words(call: ArenaCall, material: ArenaMaterial) -> str:
    said = "Defect" if call.ai_defective else "Normal"
    right = "right" if call.ai_defective == call.defective else "wrong"
    score, threshold = wording.number(material.score), wording.number(material.threshold)
    return f"It said {said}, and is {right}. Score {score}, threshold {threshold}."


def _points(call: ArenaCall) -> None:
    with box("aos-arena-points"):
        Text(f"+{call.points}" if call.points else "0", "b", "total").mark("arena-gain")
        with box("parts"):
            if not call.parts:
                Text("no points")
            for name, value in call.parts.items():
                Text(f"+{value} {PARTS.get(name, name)}")
