from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from anomalyos.knowledge.grammar import kind_of
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode
from console.pages.knowledge import map_drawing
from console.ui.graph_picture import COLUMN, GROUP, MOST_DRAWN, MapFilter, Picture, picture, start

Edge = tuple[str, str, str, float]
EDGES: list[Edge] = [
    ("category:nut", "has_defect", "defect:nut/crack", 1),
    ("category:nut", "has_defect", "defect:nut/hole", 1),
    ("category:pin", "has_defect", "defect:pin/bend", 1),
    ("defect:nut/crack", "shows", "sign:line", 1),
    ("defect:nut/crack", "caused_by", "cause:drop", 1.5),
    ("defect:nut/crack", "caused_by", "cause:heat", 0.5),
    ("defect:pin/bend", "caused_by", "cause:drop", 2),
    ("cause:drop", "remedied_by", "remedy:pad", 1),
    ("cause:drop", "verified_by", "check:look", 1),
    ("cause:heat", "verified_by", "check:look", 1),
]


def graph_of(edges: Iterable[Edge]) -> KnowledgeGraph:
    edges = list(edges)
    keys = sorted({key for source, _, target, _ in edges for key in (source, target)})
    nodes = [KnowledgeNode(key=key, kind=kind_of(key), name=key, origin="person") for key in keys]
    return KnowledgeGraph(
        nodes,
        [KnowledgeEdge(source=s, relation=r, target=t, weight=w, origin="person") for s, r, t, w in edges],
    )


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return graph_of(EDGES)


def test_without_a_focus_the_products_are_shown(graph: KnowledgeGraph) -> None:
    shown = picture(graph, MapFilter())
    assert list(shown.nodes) == ["category:nut", "category:pin"]
    assert shown.nodes["category:nut"].hidden == 2
    assert (shown.lines, shown.left_out, shown.columns) == ([], 0, [0])
    assert list(picture(graph, MapFilter(category="pin")).nodes) == ["category:pin"]
    assert list(picture(graph, MapFilter(focus="cause:gone")).nodes) == ["category:nut", "category:pin"]


def test_a_focus_shows_both_ways_and_what_is_opened_leads_on(graph: KnowledgeGraph) -> None:
    around = picture(graph, MapFilter(focus="defect:nut/crack"))
    assert set(around.nodes) == {
        "category:nut",
        "defect:nut/crack",
        "sign:line",
        "cause:drop",
        "cause:heat",
    }
    assert around.nodes["cause:drop"].hidden == 2
    opened = picture(graph, MapFilter(focus="defect:nut/crack", opened=start(graph, "defect:nut/crack")))
    assert {"remedy:pad", "check:look"} <= set(opened.nodes)
    # away from the focus: the cause's other defect is not drawn, it would lead elsewhere
    assert "defect:pin/bend" not in opened.nodes
    assert opened.nodes["check:look"].parent == "cause:drop"
    # and both causes are joined to the check, whoever brought it in
    assert {line.source for line in opened.lines if line.target == "check:look"} == {
        "cause:drop",
        "cause:heat",
    }


def test_a_way_that_ends_leads_back_over_the_other_side(graph: KnowledgeGraph) -> None:
    shown = picture(graph, MapFilter(focus="cause:heat", opened=("check:look",)))
    assert "cause:drop" in shown.nodes
    assert (shown.nodes["cause:drop"].outgoing, shown.nodes["cause:drop"].relation) == (False, "verified_by")


def test_kinds_and_products_are_filtered(graph: KnowledgeGraph) -> None:
    bare = picture(graph, MapFilter(focus="defect:nut/crack", kinds=frozenset({"sign"})))
    assert "sign:line" not in bare.nodes
    only = picture(graph, MapFilter(focus="cause:drop", category="pin"))
    assert "defect:pin/bend" in only.nodes
    assert "defect:nut/crack" not in only.nodes


def busy(causes: int) -> KnowledgeGraph:
    return graph_of(
        ("defect:nut/crack", "caused_by", f"cause:c{number:03}", 1 + number) for number in range(causes)
    )


def test_the_heaviest_come_first_and_the_rest_is_counted(graph: KnowledgeGraph) -> None:
    many = busy(40)
    first = picture(many, MapFilter(focus="defect:nut/crack"))
    causes = [key for key in first.nodes if kind_of(key) == "cause"]
    assert causes == [f"cause:c{number:03}" for number in range(39, 39 - GROUP, -1)]
    assert first.nodes["defect:nut/crack"].hidden == 40 - GROUP
    more = picture(many, MapFilter(focus="defect:nut/crack", more={"defect:nut/crack": 1}))
    assert len(more.nodes) == 1 + 2 * GROUP


def test_never_more_is_drawn_than_there_is_room_for() -> None:
    many = busy(400)
    shown = picture(many, MapFilter(focus="defect:nut/crack", more={"defect:nut/crack": 60}))
    assert len(shown.nodes) == MOST_DRAWN
    assert shown.left_out == shown.nodes["defect:nut/crack"].hidden == 401 - MOST_DRAWN


def test_every_node_has_a_place_of_its_own_in_its_column(graph: KnowledgeGraph) -> None:
    shown = picture(
        graph, MapFilter(focus="defect:nut/crack", opened=("cause:drop", "cause:heat", "category:nut"))
    )
    places = {(drawn.column, drawn.row) for drawn in shown.nodes.values()}
    assert len(places) == len(shown.nodes)
    assert all(drawn.column == COLUMN[drawn.kind] for drawn in shown.nodes.values())
    assert all(0 <= drawn.row < shown.rows for drawn in shown.nodes.values())
    assert kinds_together(shown)


def kinds_together(shown: Picture) -> bool:
    """Whether the kinds of one column do not mix."""
    last = [d.kind for d in sorted(shown.nodes.values(), key=lambda d: d.row) if d.column == 3]
    return sum(a != b for a, b in pairwise(last)) == len(set(last)) - 1


def test_what_is_shown_comes_back_from_its_address() -> None:
    wanted = MapFilter(
        focus="defect:nut/crack",
        opened=("cause:drop", "category:nut"),
        kinds=frozenset({"sign", "step"}),
        category="nut",
        more={"cause:drop": 2},
    )
    from urllib.parse import parse_qsl, urlsplit

    address = map_drawing.write_address(wanted)
    assert map_drawing.read_address(dict(parse_qsl(urlsplit(address).query))) == wanted
    assert map_drawing.write_address(MapFilter()) == "/knowledge/graph"
    assert map_drawing.read_address({"without": "sign,nonsense", "open": "~~"}).kinds == frozenset({"sign"})


def test_opening_and_closing() -> None:
    wanted = map_drawing.more_of(map_drawing.toggled(MapFilter(), "a", opened=True), "a")
    assert (wanted.opened, wanted.more) == (("a",), {"a": 1})
    closed = map_drawing.toggled(wanted, "a", opened=False)
    assert (closed.opened, closed.more) == ((), {})
