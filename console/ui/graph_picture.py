"""What is drawn of the knowledge graph around one node: which nodes, where, and what is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from anomalyos.knowledge.grammar import category_of, kind_of
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.tables import NodeKind

MOST_DRAWN = 150
GROUP = 8
"""Neighbours of one relation that an opened node shows at first; asking for more adds as many again."""
COLUMNS: tuple[tuple[str, ...], ...] = (
    (NodeKind.CATEGORY,),
    (NodeKind.DEFECT,),
    (NodeKind.SIGN, NodeKind.CAUSE),
    (NodeKind.STEP, NodeKind.REMEDY, NodeKind.CHECK),
)
"""From the left to the right: the way from a product to what can be done."""
COLUMN = {kind: place for place, kinds in enumerate(COLUMNS) for kind in kinds}

Neighbour = tuple[str, str, bool, float]
"""Key, relation, whether the edge leads to it, weight."""


@dataclass(frozen=True)
class MapFilter:
    """What somebody wants to see; all of it stands in the address."""

    focus: str = ""
    """Empty shows the products."""
    opened: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    """Kinds that are left out."""
    category: str = ""
    more: Mapping[str, int] = field(default_factory=dict)
    """Key to how often more of its neighbours were asked for."""


@dataclass
class MapNode:
    """One node of the picture."""

    key: str
    kind: str
    name: str
    parent: str
    """The node that brought it in, empty for a root."""
    relation: str
    outgoing: bool
    """Whether the edge leads from the parent to it."""
    weight: float
    opened: bool = False
    hidden: int = 0
    """Neighbours that opening it, or asking for more, would add."""
    column: int = 0
    row: float = 0.0


@dataclass(frozen=True)
class Line:
    source: str
    target: str
    relation: str
    weight: float


@dataclass(frozen=True)
class Picture:
    nodes: dict[str, MapNode]
    """In the order in which they came in, so a parent stands before its children."""
    lines: list[Line]
    left_out: int
    """Neighbours of opened nodes for which there was no room."""
    columns: list[int]
    """Columns that hold anything."""
    rows: int


def picture(graph: KnowledgeGraph, wanted: MapFilter) -> Picture:
    """Nodes around the focus, at most ``MOST_DRAWN``; an unknown focus shows the products."""
    focus = wanted.focus if wanted.focus in graph else ""
    roots = [focus] if focus else _products(graph, wanted.category)
    nodes: dict[str, MapNode] = {}
    left_out = max(0, len(roots) - MOST_DRAWN)
    for key in roots[:MOST_DRAWN]:
        _put(graph, nodes, (key, "", True, 1.0), "")
    opened = dict.fromkeys(([focus] if focus else []) + list(wanted.opened))
    for key in opened:
        if key in nodes:
            left_out += _open(graph, nodes, key, focus, wanted)
    for drawn in nodes.values():
        if not drawn.opened:
            around = _neighbours(graph, drawn.key, focus, wanted)
            drawn.hidden = sum(neighbour[0] not in nodes for neighbour in around)
    lines = _lines(graph, nodes)
    columns = sorted({drawn.column for drawn in nodes.values()})
    return Picture(nodes, lines, left_out, columns, _arrange(nodes, lines))


def start(graph: KnowledgeGraph, focus: str) -> tuple[str, ...]:
    """What is open at first around a focus: of a defect type also its causes, so that remedies show."""
    if kind_of(focus) == NodeKind.DEFECT:
        return tuple(list(graph.causes(focus))[:3])
    return ()


def _products(graph: KnowledgeGraph, category: str) -> list[str]:
    nodes = graph.nodes(NodeKind.CATEGORY)
    chosen = [node for node in nodes if not category or node.key.partition(":")[2] == category]
    return [node.key for node in sorted(chosen, key=lambda node: node.name.lower())]


def _put(graph: KnowledgeGraph, nodes: dict[str, MapNode], neighbour: Neighbour, parent: str) -> None:
    key, relation, outgoing, weight = neighbour
    node = graph.node(key)
    nodes[key] = MapNode(
        key=key,
        kind=node.kind,
        name=node.name,
        parent=parent,
        relation=relation,
        outgoing=outgoing,
        weight=weight,
        column=COLUMN[node.kind],
    )


def _open(graph: KnowledgeGraph, nodes: dict[str, MapNode], key: str, focus: str, wanted: MapFilter) -> int:
    """Bring in the neighbours of one node; returns how many there was no room for."""
    nodes[key].opened = True
    allowance = GROUP * (1 + wanted.more.get(key, 0))
    groups: dict[tuple[str, bool], int] = {}
    no_room = 0
    for neighbour in _neighbours(graph, key, focus, wanted):
        if neighbour[0] in nodes:
            continue
        group = (neighbour[1], neighbour[2])
        if groups.get(group, 0) >= allowance:
            nodes[key].hidden += 1
        elif len(nodes) >= MOST_DRAWN:
            nodes[key].hidden += 1
            no_room += 1
        else:
            groups[group] = groups.get(group, 0) + 1
            _put(graph, nodes, neighbour, key)
    return no_room


def _neighbours(graph: KnowledgeGraph, key: str, focus: str, wanted: MapFilter) -> list[Neighbour]:
    """Who stands next to a node in the direction away from the focus, heaviest first.

    From the focus itself both ways; where a way ends, the other one, so that a remedy leads on to the other
    causes it helps against.
    """
    leaving = [
        (target, str(relation), True, float(weight))
        for _, target, relation, weight in graph.nx.out_edges(key, keys=True, data="weight")
    ]
    coming = [
        (source, str(relation), False, float(weight))
        for source, _, relation, weight in graph.nx.in_edges(key, keys=True, data="weight")
    ]
    if key == focus:
        found = coming + leaving
    elif focus and COLUMN[kind_of(key)] < COLUMN[kind_of(focus)]:
        found = coming or leaving
    else:
        found = leaving or coming
    shown = [one for one in found if _passes(one[0], wanted)]
    return sorted(shown, key=lambda one: (-one[3], graph.nx.nodes[one[0]]["name"].lower(), one[0]))


def _passes(key: str, wanted: MapFilter) -> bool:
    kind = kind_of(key)
    if kind in wanted.kinds:
        return False
    if wanted.category and kind == NodeKind.DEFECT:
        return category_of(key) == wanted.category
    if wanted.category and kind == NodeKind.CATEGORY:
        return key.partition(":")[2] == wanted.category
    return True


def _lines(graph: KnowledgeGraph, nodes: Collection[str]) -> list[Line]:
    """Every edge between drawn nodes."""
    inside = graph.nx.subgraph(nodes).edges(keys=True, data="weight")
    return sorted(
        (Line(source, target, str(relation), float(weight)) for source, target, relation, weight in inside),
        key=lambda line: (line.source, line.relation, line.target),
    )


def _arrange(nodes: dict[str, MapNode], lines: Sequence[Line]) -> int:
    """Give every node its row: kinds stay together, and neighbours come near each other.

    Each column is sorted by where its neighbours stand in the others (the barycentre heuristic of layered
    drawing), a few times from the left to the right and back.

    Returns:
        Rows of the longest column.
    """
    around: dict[str, list[str]] = {key: [] for key in nodes}
    for line in lines:
        around[line.source].append(line.target)
        around[line.target].append(line.source)
    columns = [[drawn for drawn in nodes.values() if drawn.column == place] for place in range(len(COLUMNS))]
    for column in columns:
        _stack(sorted(column, key=lambda one: COLUMNS[one.column].index(one.kind)))
    longest = max((len(column) for column in columns), default=0)
    for _ in range(3):
        for column in (*columns, *reversed(columns)):
            means = {one.key: _mean([nodes[key].row for key in around[one.key]], one.row) for one in column}
            order = COLUMNS[column[0].column] if column else ()
            _stack(sorted(column, key=lambda one: (order.index(one.kind), means[one.key], one.name)))
            # shorter columns stand in the middle of the longest
            for one in column:
                one.row += (longest - len(column)) / 2
    return longest


def _stack(column: Sequence[MapNode]) -> None:
    for row, one in enumerate(column):
        one.row = float(row)


def _mean(rows: Sequence[float], otherwise: float) -> float:
    return sum(rows) / len(rows) if rows else otherwise
