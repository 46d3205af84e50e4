"""What the knowledge base's pages show, read from the store and independent of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from anomalyos.cases.tables import DefectCase
from anomalyos.knowledge import repository as knowledge
from anomalyos.knowledge.causes import RankedCause
from anomalyos.knowledge.grammar import kind_of
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.tables import CauseEvidence, KnowledgeEdge, KnowledgeRevision, NodeKind, Relation


@dataclass(frozen=True)
class Entry:
    """A node in a list."""

    key: str
    kind: str
    name: str
    text: str = ""
    owner: str = ""
    """Name of the product, for a defect type."""
    severity: str = ""
    synthetic: bool = False


@dataclass(frozen=True)
class Edge:
    """An edge as the node at one of its ends shows it."""

    other: Entry
    relation: str
    outgoing: bool
    weight: float
    subject: str
    version: int
    removed: bool
    """Whether it was taken out itself; ``lost`` is when the node at its other end was."""
    lost: bool = False


@dataclass(frozen=True)
class DefectShare:
    """How likely one cause is under one defect type that lists it."""

    defect: Entry
    probability: float
    prior: float
    confirmed: int
    established: int


@dataclass(frozen=True)
class NodePage:
    """One node with everything its page shows."""

    entry: Entry
    attributes: dict[str, Any]
    version: int
    by_person: bool
    removed: bool
    joins: list[Edge]
    causes: tuple[RankedCause, ...] = ()
    shares: list[DefectShare] = field(default_factory=list)
    cases: list[DefectCase] = field(default_factory=list)
    case_count: int = 0
    established: int = 0
    """Cases whose cause somebody established: of the defect type, or this very cause."""
    defect_cases: dict[str, int] = field(default_factory=dict)
    """For a product: defect key to its cases."""
    history: list[KnowledgeRevision] = field(default_factory=list)


@dataclass(frozen=True)
class CasePage:
    """One known defect with what is known of its cause."""

    case: DefectCase
    defect: str
    """Key of its defect type."""
    listed: bool
    """Whether the graph has that defect type."""
    causes: tuple[RankedCause, ...]
    standing: CauseEvidence | None
    evidence: list[CauseEvidence]
    names: dict[str, str]
    """Names of the causes that evidence speaks of."""


@dataclass(frozen=True)
class Overview:
    counts: dict[str, int]
    """Kind to how many there are, ``case`` among them."""
    products: list[tuple[Entry, int, int]]
    """Products with their defect types and cases."""
    established: int


def entry_of(graph: KnowledgeGraph, key: str, synthetic: frozenset[str]) -> Entry:
    node = graph.node(key)
    severity = severity_of(node.attributes)
    return Entry(key, node.kind, node.name, node.text, owner_of(graph, key), severity, made(key, synthetic))


def join_of(
    graph: KnowledgeGraph, edge: KnowledgeEdge, key: str, synthetic: frozenset[str], names: dict[str, str]
) -> Edge:
    outgoing = edge.source == key
    other = edge.target if outgoing else edge.source
    live = other in graph
    entry = (
        entry_of(graph, other, synthetic) if live else Entry(other, kind_of(other), names.get(other, other))
    )
    return Edge(
        other=entry,
        relation=edge.relation,
        outgoing=outgoing,
        weight=edge.weight,
        subject=knowledge.subject_of(edge),
        version=edge.version,
        removed=edge.removed_at is not None,
        lost=not live,
    )


def owner_of(graph: KnowledgeGraph, key: str) -> str:
    owners = graph.sources(key, Relation.HAS_DEFECT)
    return graph.node(owners[0]).name if owners else ""


def severity_of(attributes: dict[str, Any]) -> str:
    return str(attributes.get("severity") or "")


def made(key: str, synthetic: frozenset[str]) -> bool:
    """Whether a product or defect type belongs to generated sample data."""
    kind, _, rest = key.partition(":")
    return kind in (NodeKind.CATEGORY, NodeKind.DEFECT) and rest.partition("/")[0] in synthetic


def slug(key: str) -> str:
    return key.partition(":")[2]
