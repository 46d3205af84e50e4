"""The knowledge graph as it stands: categories, defects, signs, causes, steps, remedies and checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import NotFound
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.causes import KnowledgeItem, PathStep
from anomalyos.knowledge.grammar import category_key, category_of
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, NodeKind, Relation

if TYPE_CHECKING:
    from sqlmodel import Session


@dataclass(frozen=True)
class Node:
    """One live node."""

    key: str
    kind: str
    name: str
    text: str
    attributes: dict[str, Any]
    origin: str
    version: int


class KnowledgeGraph:
    """A read-only picture of the graph; ``nx`` is the networkx.MultiDiGraph behind it.

    Nodes carry the fields of ``Node``; edges are keyed by their relation and carry ``weight``, ``origin``
    and ``version``. An edge counts only while both of its ends do.
    """

    def __init__(self, nodes: Iterable[KnowledgeNode], edges: Iterable[KnowledgeEdge]) -> None:
        import networkx

        self.nx = networkx.MultiDiGraph()
        for node in nodes:
            if node.removed_at is None:
                self.nx.add_node(node.key, **_fields(node))
        for edge in edges:
            ends_live = edge.source in self.nx and edge.target in self.nx
            if edge.removed_at is None and ends_live:
                facts = {"weight": edge.weight, "origin": edge.origin, "version": edge.version}
                self.nx.add_edge(edge.source, edge.target, key=str(edge.relation), **facts)

    def __contains__(self, key: str) -> bool:
        return key in self.nx

    def __len__(self) -> int:
        return int(self.nx.number_of_nodes())

    def node(self, key: str) -> Node:
        """Raises NotFound when the graph has no such live node."""
        if key not in self.nx:
            raise NotFound(
                f"The knowledge graph has no {key!r}.", "List its nodes with 'anomalyos knowledge show'."
            )
        return Node(key=key, **self.nx.nodes[key])

    def nodes(self, kind: str | None = None) -> list[Node]:
        """Live nodes by key, of one kind or of all."""
        keys = sorted(key for key, facts in self.nx.nodes.items() if kind in (None, facts["kind"]))
        return [self.node(key) for key in keys]

    def edges(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """Live edges in order: source, relation, target, facts."""
        found = self.nx.edges(keys=True, data=True)
        return sorted(((s, relation, t, facts) for s, t, relation, facts in found), key=lambda edge: edge[:3])

    def targets(self, key: str, relation: str) -> dict[str, float]:
        """Where ``relation`` leads from a node, with weights, heaviest first; empty for an unknown node."""
        if key not in self.nx:
            return {}
        leaving = self.nx.out_edges(key, keys=True, data="weight")
        found = [(target, weight) for _, target, kind, weight in leaving if kind == relation]
        return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))

    def sources(self, key: str, relation: str) -> list[str]:
        """Nodes from which ``relation`` leads to this one, by key; empty for an unknown node."""
        if key not in self.nx:
            return []
        return sorted(source for source, _, kind in self.nx.in_edges(key, keys=True) if kind == relation)

    def causes(self, defect: str) -> dict[str, float]:
        """Causes of a defect type with the pseudo-counts of their priors."""
        return self.targets(defect, Relation.CAUSED_BY)

    def defects(self, category: str) -> list[str]:
        """Keys of a category's defect types, by its name; empty when it is unknown."""
        return sorted(self.targets(category_key(category), Relation.HAS_DEFECT))

    def items(self, key: str, relation: str) -> tuple[KnowledgeItem, ...]:
        """The nodes a relation leads to, as they are quoted."""
        nodes = [self.node(target) for target in self.targets(key, relation)]
        return tuple(KnowledgeItem(key=node.key, name=node.name, text=node.text) for node in nodes)

    def path(self, defect: str, cause: str, *, certain: bool = True) -> tuple[PathStep, ...]:
        """From the category over the defect type to the cause.

        Args:
            certain: False when nobody named the defect type, so the path says "may have defect".
        """
        steps = []
        category = category_key(category_of(defect))
        if category in self.nx:
            steps.append(self._step(category, ""))
        relation = "has defect" if certain else "may have defect"
        steps.append(self._step(defect, relation if steps else ""))
        steps.append(self._step(cause, "caused by"))
        return tuple(steps)

    def _step(self, key: str, relation: str) -> PathStep:
        node = self.node(key)
        return PathStep(key=key, kind=node.kind, name=node.name, relation=relation)


def load_graph(session: Session) -> KnowledgeGraph:
    """The graph as this session sees it.

    Reading sessions share one picture per process and database until anybody commits an edit. A writing
    session gets its own: it may hold changes that will never be committed.
    """
    if not session.info.get("read_only"):
        return _read(session)
    database = str(session.get_bind().engine.url)
    now = knowledge_repository.generation(session)
    newest = (now.newest_revision, now.revisions)
    known = _cache.get(database)
    if known is None or known[0] != newest:
        # read after its number: what comes in between is read again next time, never missed
        known = _cache[database] = (newest, _read(session))
    return known[1]


_cache: dict[str, tuple[tuple[int, int], KnowledgeGraph]] = {}


def _read(session: Session) -> KnowledgeGraph:
    return KnowledgeGraph(knowledge_repository.all_nodes(session), knowledge_repository.all_edges(session))


def _fields(node: KnowledgeNode) -> dict[str, Any]:
    return {
        "kind": str(NodeKind(node.kind)),
        "name": node.name,
        "text": node.text,
        "attributes": dict(node.attributes),
        "origin": node.origin,
        "version": node.version,
    }
