"""What the pages of the knowledge base read: blocking methods over the library, safe to call from threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import DefectCase
from anomalyos.core.errors import NotFound
from anomalyos.db.engine import Store
from anomalyos.knowledge import case_lists, cause_evidence, likelihood, revision_lists
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.grammar import defect_key
from anomalyos.knowledge.graph import KnowledgeGraph, load_graph
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeRevision, NodeKind
from console.services.knowledge_views import (
    ALL_CAUSES,
    CasePage,
    Entry,
    NodePage,
    Overview,
    bearing_on,
    entry_of,
    extras,
    join_of,
    made,
    owner_of,
    severity_of,
    slug,
)
from console.texts import wording

PAGE = 24


class KnowledgeReader:
    """Reads of the knowledge base over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def overview(self) -> Overview:
        with self.store.session(read_only=True) as session:
            graph = load_graph(session)
            types = case_lists.type_counts(session)
            synthetic = case_lists.synthetic_categories(session)
            established = sum(case_lists.evidence_counts(session).values())
        per_category: Counter[str] = Counter()
        for (category, _), number in types.items():
            per_category[category] += number
        counts = Counter(node.kind for node in graph.nodes())
        counts["case"] = sum(types.values())
        products = [
            (
                entry_of(graph, node.key, synthetic),
                len(graph.defects(slug(node.key))),
                per_category[slug(node.key)],
            )
            for node in graph.nodes(NodeKind.CATEGORY)
        ]
        return Overview(dict(counts), sorted(products, key=lambda row: (-row[2], row[0].name)), established)

    def categories(self) -> dict[str, str]:
        """Names people read by category, of the graph and of cases."""
        with self.store.session(read_only=True) as session:
            graph = load_graph(session)
            known = case_repository.categories(session)
        named = {slug(node.key): node.name for node in graph.nodes(NodeKind.CATEGORY)}
        found = {**{name: wording.product(name) for name in known}, **named}
        return dict(sorted(found.items(), key=lambda pair: pair[1].lower()))

    def browse(
        self, kinds: Sequence[str], category: str, severity: str, offset: int
    ) -> tuple[list[Entry], int]:
        """One page of nodes by kind and name, and how many there are in all.

        Args:
            category: only what bears on this category; empty means all.
            severity: only defect types of this severity, and products, signs and causes that have one.
        """
        with self.store.session(read_only=True) as session:
            graph = load_graph(session)
            synthetic = case_lists.synthetic_categories(session)
        within = bearing_on(graph, category, severity) if category or severity else None
        nodes = [
            node
            for node in graph.nodes()
            if (not kinds or node.kind in kinds) and (within is None or node.key in within)
        ]
        nodes.sort(key=lambda node: (list(NodeKind).index(NodeKind(node.kind)), node.name.lower(), node.key))
        return [entry_of(graph, node.key, synthetic) for node in nodes[offset : offset + PAGE]], len(nodes)

    def case_list(
        self, category: str, severity: str, *, removed: bool, offset: int
    ) -> tuple[list[DefectCase], int]:
        """One page of cases, newest first, and how many there are in all."""
        wanted = {"category": category or None, "severity": severity or None}
        with self.store.session(read_only=True) as session:
            rows = case_repository.list_cases(
                session, newest_first=True, **wanted, removed=removed, limit=PAGE, offset=offset
            )
            return list(rows), case_repository.count(session, **wanted, removed=removed)

    def node(self, key: str) -> NodePage:
        """One node, removed or not.

        Raises:
            NotFound: there never was such a node.
        """
        with self.store.session(read_only=True) as session:
            row = (
                knowledge_repository.find(session, knowledge_repository.node_subject(key))
                if "|" not in key
                else None
            )
            if row is None or isinstance(row, KnowledgeEdge):
                raise NotFound(f"The knowledge base has no {key!r}.", "Search for it instead.")
            graph = load_graph(session)
            synthetic = case_lists.synthetic_categories(session)
            names = (
                {node.key: node for node in knowledge_repository.all_nodes(session)} if row.removed_at else {}
            )
            joins = [
                join_of(graph, edge, key, synthetic, {k: n.name for k, n in names.items()})
                for edge in revision_lists.edges_of(session, key)
            ]
            entry = Entry(
                key,
                row.kind,
                row.name,
                row.text,
                owner_of(graph, key),
                severity_of(row.attributes),
                made(key, synthetic),
            )
            page = NodePage(
                entry=entry,
                attributes=dict(row.attributes),
                version=row.version,
                by_person=row.origin == knowledge_repository.PERSON,
                removed=row.removed_at is not None,
                joins=sorted(joins, key=lambda join: (-join.weight, join.other.name.lower())),
                history=list(revision_lists.around(session, key)),
                **extras(session, graph, key, row.kind, synthetic),
            )
        return page

    def case(self, case_id: int) -> CasePage:
        """Raises NotFound when there is no such case."""
        with self.store.session(read_only=True) as session:
            case = case_repository.get(session, case_id)
            graph = load_graph(session)
            key = defect_key(case.category, case.defect_type)
            evidence = list(cause_evidence.of_case(session, case_id))
            known = revision_lists.names(session, [row.cause for row in evidence])
            return CasePage(
                case=case,
                defect=key,
                listed=key in graph,
                causes=likelihood.root_causes(graph, session, [(key, 1.0)], ALL_CAUSES),
                standing=next((row for row in evidence if row.withdrawn_at is None), None),
                evidence=evidence,
                names=known,
            )

    def changes(self, offset: int, limit: int = 50) -> tuple[list[KnowledgeRevision], int]:
        """What people changed, newest first, and how many changes there are."""
        with self.store.session(read_only=True) as session:
            rows = revision_lists.by_people(session, limit=limit, offset=offset)
            return list(rows), revision_lists.count_by_people(session)

    def history(self, subject: str) -> list[KnowledgeRevision]:
        with self.store.session(read_only=True) as session:
            return list(reversed(knowledge_repository.history(session, subject)))

    def choices(self, kind: str) -> dict[str, str]:
        """Live nodes of one kind that can be joined to: key to name, with the product for defect types."""
        graph = self.graph()
        found = {}
        for node in graph.nodes(kind):
            owner = owner_of(graph, node.key)
            found[node.key] = f"{node.name} · {owner}" if owner else node.name
        return dict(sorted(found.items(), key=lambda pair: pair[1].lower()))

    def graph(self) -> KnowledgeGraph:
        """The graph as it stands; shared and never written to."""
        with self.store.session(read_only=True) as session:
            return load_graph(session)

    def entries(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Live nodes by key."""
        with self.store.session(read_only=True) as session:
            graph = load_graph(session)
            synthetic = case_lists.synthetic_categories(session)
        return {key: entry_of(graph, key, synthetic) for key in keys if key in graph}

    def names(self, keys: Sequence[str]) -> dict[str, str]:
        """Names by key, of removed nodes too."""
        with self.store.session(read_only=True) as session:
            return revision_lists.names(session, keys)
