"""The map as a list that can be read and used without seeing the picture; both always show the same."""

from __future__ import annotations

from collections import defaultdict

from console.pages.knowledge import labels
from console.pages.knowledge.graph_drawing import Choose
from console.ui import kit
from console.ui.graph_picture import Drawn, Picture
from console.ui.kit import Text, box


def draw(shown: Picture, selected: str, choose: Choose) -> None:
    """Each node below the one that brought it in, with what joins them."""
    children: dict[str, list[Drawn]] = defaultdict(list)
    for drawn in shown.nodes.values():
        children[drawn.parent].append(drawn)
    Text("The same as a list", "h2", "aos-kb-outline-title")
    _draw_level(children[""], children, selected, choose)


def relation_words(drawn: Drawn) -> str:
    """How a node is joined to the one above it, with the weight where it means something."""
    if not drawn.relation:
        return ""
    words = labels.SAYS if drawn.outgoing else labels.SAYS_BACK
    weight = f", weight {drawn.weight:g}" if drawn.relation == "caused_by" else ""
    return f"{words[drawn.relation]}{weight}"


def _draw_level(level: list[Drawn], children: dict[str, list[Drawn]], selected: str, choose: Choose) -> None:
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


def _draw_row(drawn: Drawn, selected: str, choose: Choose) -> None:
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
