"""After an answer: the truth, the AI's map and call, the person's mark, the points."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.arena.rules import Call
from anomalyos.arena.tables import ArenaCall, ArenaMaterial
from console.services.arena import Play, place_known
from console.ui import kit, wording
from console.ui.kit import Text, box

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
    _layer(f"/arena/heat/{call.token}", "heat", "The AI's heat map: bright where it differs from normal")
    if place_known(material):
        _layer(f"/arena/truth/{call.token}", "aos-arena-truth", "Outline of the defect")
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


def _layer(address: str, classes: str, alt: str) -> None:
    kit.image(address, alt, classes, draggable="false")
