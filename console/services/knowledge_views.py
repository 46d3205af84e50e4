"""What the knowledge base's pages show, read from the store and independent of it afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import DefectCase
from anomalyos.knowledge import case_lists, cause_evidence, likelihood
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.causes import RankedCause
from anomalyos.knowledge.grammar import category_key, category_of, defect_key, kind_of
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.tables import CauseEvidence, KnowledgeEdge, KnowledgeRevision, NodeKind, Relation

ALL_CAUSES = 100
PICTURES = 6


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
        subject=knowledge_repository.subject_of(edge),
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


def extras(
    session: Session, graph: KnowledgeGraph, key: str, kind: str, synthetic: frozenset[str]
) -> dict[str, Any]:
    """What only pages of this kind show."""
    if kind == NodeKind.DEFECT:
        return _of_defect(session, graph, key)
    if kind == NodeKind.CAUSE:
        return _of_cause(session, graph, key, synthetic)
    if kind == NodeKind.CATEGORY:
        category = slug(key)
        counts = case_lists.type_counts(session, category)
        per_defect: Counter[str] = Counter()
        for (name, defect_type), number in counts.items():
            per_defect[defect_key(name, defect_type)] += number
        return {
            "cases": list(
                case_repository.list_cases(session, newest_first=True, category=category, limit=PICTURES)
            ),
            "case_count": sum(counts.values()),
            "defect_cases": dict(per_defect),
        }
    return {}


def _of_defect(session: Session, graph: KnowledgeGraph, key: str) -> dict[str, Any]:
    category = category_of(key)
    counts = case_lists.type_counts(session, category)
    # cases keep the reviewer's spelling; the graph has one key for all of them
    spellings = [name for _, name in counts if defect_key(category, name) == key]
    listed = key in graph and bool(graph.causes(key))
    causes = likelihood.root_causes(graph, session, [(key, 1.0)], ALL_CAUSES) if listed else ()
    return {
        "causes": causes,
        "established": causes[0].confirmed_all if causes else 0,
        "cases": list(
            case_repository.list_cases(
                session, newest_first=True, category=category, defect_types=spellings, limit=PICTURES
            )
        ),
        "case_count": sum(counts[category, name] for name in spellings),
    }


def _of_cause(session: Session, graph: KnowledgeGraph, key: str, synthetic: frozenset[str]) -> dict[str, Any]:
    defects = graph.sources(key, Relation.CAUSED_BY)
    counts = cause_evidence.counts(session, defects)
    shares = []
    for defect in defects:
        priors = graph.causes(defect)
        confirmed = {cause: counts.get((defect, cause), 0) for cause in priors}
        shares.append(
            DefectShare(
                defect=entry_of(graph, defect, synthetic),
                probability=likelihood.marginals(priors, confirmed)[key].mean,
                prior=likelihood.marginals(priors, {})[key].mean,
                confirmed=confirmed[key],
                established=sum(confirmed.values()),
            )
        )
    shares.sort(key=lambda share: (-share.confirmed, -share.probability, share.defect.name))
    return {
        "shares": shares,
        "established": sum(share.confirmed for share in shares),
        "cases": list(case_lists.cases_of_cause(session, key, PICTURES)),
    }


def bearing_on(graph: KnowledgeGraph, category: str, severity: str) -> set[str]:
    """Keys of what stands in the chains of these defect types: products, signs, causes and what follows."""
    defects = [
        node.key
        for node in graph.nodes(NodeKind.DEFECT)
        if (not category or category_of(node.key) == category)
        and (not severity or severity_of(node.attributes) == severity)
    ]
    found = {category_key(category_of(defect)) for defect in defects} | set(defects)
    if category:
        found.add(category_key(category))
    for defect in defects:
        found |= set(graph.targets(defect, Relation.SHOWS))
        for cause in graph.causes(defect):
            found.add(cause)
            for relation in (Relation.ARISES_IN, Relation.REMEDIED_BY, Relation.VERIFIED_BY):
                found |= set(graph.targets(cause, relation))
    return found
