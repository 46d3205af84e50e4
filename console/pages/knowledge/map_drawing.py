"""The map as an address, as a picture and as the same list beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from nicegui import ui

from anomalyos.knowledge.tables import NodeKind
from console.pages.knowledge import labels
from console.services.knowledge_views import Entry
from console.ui import kit
from console.ui.graph_picture import MapFilter, MapNode, Picture
from console.ui.kit import Text, box

MOST_OPENED = 150
_SEPARATOR = "~"


def read_address(given: Mapping[str, str]) -> MapFilter:
    """From an address; kinds that do not exist and what is too much are left out."""
    opened = [key for key in given.get("open", "").split(_SEPARATOR) if key]
    more: dict[str, int] = {}
    for key in given.get("more", "").split(_SEPARATOR):
        if key:
            more[key] = min(more.get(key, 0) + 1, MOST_OPENED)
    hidden = frozenset(kind for kind in given.get("without", "").split(",") if kind in set(NodeKind))
    return MapFilter(
        focus=given.get("focus", "")[:200],
        opened=tuple(dict.fromkeys(opened))[:MOST_OPENED],
        kinds=hidden,
        category=given.get("category", "")[:64],
        more=more,
    )


def write_address(wanted: MapFilter) -> str:
    """The address that shows ``wanted``."""
    repeated = [key for key, times in wanted.more.items() for _ in range(times)]
    named = {
        "focus": wanted.focus,
        "open": _SEPARATOR.join(wanted.opened),
        "more": _SEPARATOR.join(repeated),
        "without": ",".join(sorted(wanted.kinds)),
        "category": wanted.category,
    }
    query = urlencode({name: value for name, value in named.items() if value}, safe=":/~,")
    return f"/knowledge/graph?{query}" if query else "/knowledge/graph"


def toggled(wanted: MapFilter, key: str, *, opened: bool) -> MapFilter:
    """With one node opened or closed; a closed one forgets that more of it was asked for."""
    rest = tuple(other for other in wanted.opened if other != key)
    if opened:
        return replace(wanted, opened=(*rest, key))
    return replace(wanted, opened=rest, more={k: n for k, n in wanted.more.items() if k != key})


def more_of(wanted: MapFilter, key: str) -> MapFilter:
    return replace(wanted, more={**wanted.more, key: wanted.more.get(key, 0) + 1})


def draw_outline(shown: Picture, selected: str, choose: Choose) -> None:
    """Each node below the one that brought it in, with what joins them."""
    children: dict[str, list[MapNode]] = defaultdict(list)
    for drawn in shown.nodes.values():
        children[drawn.parent].append(drawn)
    Text("The same as a list", "h2", "aos-kb-outline-title")
    _draw_level(children[""], children, selected, choose)


def relation_words(drawn: MapNode) -> str:
    """How a node is joined to the one above it, with the weight where it means something."""
    if not drawn.relation:
        return ""
    words = labels.SAYS if drawn.outgoing else labels.SAYS_BACK
    weight = f", weight {drawn.weight:g}" if drawn.relation == "caused_by" else ""
    return f"{words[drawn.relation]}{weight}"


def _draw_level(
    level: list[MapNode], children: dict[str, list[MapNode]], selected: str, choose: Choose
) -> None:
    with box("aos-kb-tree", "ul"):
        for drawn in level:
            with box("", "li"):
                _draw_row(drawn, selected, choose)
                if children[drawn.key]:
                    _draw_level(children[drawn.key], children, selected, choose)
                if drawn.opened and drawn.hidden:
                    kit.button(
                        f"{drawn.hidden} more of {drawn.name}",
                        lambda key=drawn.key: choose.more(key),
                        icon_name="add",
                        classes="small quiet",
                    ).mark(f"more-{drawn.key}")


def _draw_row(drawn: MapNode, selected: str, choose: Choose) -> None:
    chosen = " selected" if drawn.key == selected else ""
    with kit.press(
        f"aos-kb-branch{chosen}",
        lambda: choose.toggle(drawn.key),
        data_row=drawn.key,
        aria_expanded="true" if drawn.opened else "false" if drawn.opened or drawn.hidden else None,
        aria_current="true" if drawn.key == selected else None,
    ).mark(f"row-{drawn.key}"):
        kit.icon("expand_more" if drawn.opened else "chevron_right" if drawn.hidden else "remove")
        with box("words", "span"):
            Text(relation_words(drawn), classes="aos-muted relation")
            Text(drawn.name)
            Text(f"({labels.kind_label(drawn.kind).word.lower()})", classes="aos-muted")
            if drawn.hidden and not drawn.opened:
                Text(f"+{drawn.hidden}", classes="aos-muted")


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
class Columns:
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
    frame = Columns(shown.columns)
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


def lines_svg(shown: Picture, frame: Columns, selected: str, height: float) -> str:
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


def hint(drawn: MapNode) -> str:
    """What choosing a node does, for those who do not see the picture."""
    if drawn.opened:
        return "opened; choose it to close it"
    return (
        f"{drawn.hidden} more behind it; choose it to open them" if drawn.hidden else "nothing more behind it"
    )


def _draw_chip(drawn: MapNode, entry: Entry, place: str, near: bool, choose: Choose) -> None:
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
