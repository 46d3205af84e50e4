"""The picture of the map: chips in columns from product to remedy, joined by curves, thick with weight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from console.pages.knowledge import labels
from console.services.knowledge_views import Entry
from console.ui import kit
from console.ui.graph_picture import Drawn, Picture
from console.ui.kit import Text, box

ROW = 50
"""Pixels from one chip to the next below it."""
CHIP = 42
TOP = 30
"""Pixels above the first chip, for the columns' names."""
TITLES = ("Products", "Defect types", "Signs and causes", "Steps, remedies, checks")
"""Of the columns of ``console.ui.graph_picture.COLUMNS``."""
GAP = 5.5
"""Percent of the width between two columns, where the curves run."""


@dataclass(frozen=True)
class Choose:
    """What picture and outline do alike."""

    toggle: Callable[[str], Awaitable[None]]
    more: Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Frame:
    """Where the columns stand, in percent of the width."""

    columns: list[int]

    @property
    def width(self) -> float:
        # few columns keep the width of three: a chip across the whole picture reads badly
        places = max(len(self.columns), 3)
        return (100 - GAP * (places - 1)) / places

    def left(self, column: int) -> float:
        return self.columns.index(column) * (self.width + GAP)


def draw_picture(
    shown: Picture, entries: dict[str, Entry], selected: str, focus: str, choose: Choose
) -> None:
    frame = Frame(shown.columns)
    height = TOP + shown.rows * ROW + 8
    with box("aos-kb-canvas").style(f"height: {height}px").props("role=group aria-label='Map'"):
        ui.html(lines_svg(shown, frame, selected, height), sanitize=False).classes("aos-kb-lines")
        for column in shown.columns:
            title = Text(TITLES[column], "div", "aos-kb-column")
            title.style(f"left: {frame.left(column):.3f}%; width: {frame.width:.3f}%")
        for drawn in shown.nodes.values():
            place = (
                f"left: {frame.left(drawn.column):.3f}%; width: {frame.width:.3f}%; "
                f"top: {TOP + drawn.row * ROW:.1f}px"
            )
            _draw_chip(drawn, entries[drawn.key], place, drawn.key in (selected, focus), choose)


def lines_svg(shown: Picture, frame: Frame, selected: str, height: float) -> str:
    """The curves, made from numbers alone; x runs from 0 to 1000 whatever the width."""
    heaviest = max((line.weight for line in shown.lines), default=1.0)
    parts = []
    for line in shown.lines:
        a, b = shown.nodes[line.source], shown.nodes[line.target]
        x1, x2 = 10 * (frame.left(a.column) + frame.width), 10 * frame.left(b.column)
        y1, y2 = (TOP + one.row * ROW + CHIP / 2 for one in (a, b))
        bend = (x2 - x1) / 2
        thick = 1.2 + 3.8 * line.weight / heaviest if line.relation == "caused_by" else 1.2
        near = " near" if selected in (line.source, line.target) else ""
        parts.append(
            f'<path class="line{near}" style="stroke-width: {thick:.2f}px" '
            f'd="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"/>'
        )
    return (
        f'<svg viewBox="0 0 1000 {height:.0f}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def hint(drawn: Drawn) -> str:
    """What choosing a node does, for those who do not see the picture."""
    if drawn.opened:
        return "opened; choose it to close it"
    return (
        f"{drawn.hidden} more behind it; choose it to open them" if drawn.hidden else "nothing more behind it"
    )


def _draw_chip(drawn: Drawn, entry: Entry, place: str, near: bool, choose: Choose) -> None:
    label = labels.kind_label(drawn.kind)
    classes = (
        f"aos-kb-chip tone-{label.tone}" + (" near" if near else "") + (" opened" if drawn.opened else "")
    )
    with (
        kit.press(
            classes,
            lambda: choose.toggle(drawn.key),
            aria_label=f"{entry.name}, {label.word.lower()}, {hint(drawn)}",
            data_node=drawn.key,
        )
        .style(place)
        .mark(f"chip-{drawn.key}")
    ):
        kit.icon(label.icon)
        Text(entry.name, classes="name")
        if drawn.hidden and not drawn.opened:
            Text(f"+{drawn.hidden}", classes="more")
        ui.tooltip(entry.name)
