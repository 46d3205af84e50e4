"""What the page of a product, a defect type or a cause shows beside the node itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlmodel import Session

from anomalyos.knowledge import case_lists, cause_evidence, likelihood
from anomalyos.knowledge.grammar import category_key, category_of, defect_key
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.tables import NodeKind, Relation
from console.services.knowledge_views import DefectShare, entry_of, severity_of, slug

ALL_CAUSES = 100
PICTURES = 6


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
            "cases": list(case_lists.newest(session, category=category, limit=PICTURES)),
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
        "cases": list(case_lists.newest(session, category=category, defect_types=spellings, limit=PICTURES)),
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
