"""The store's knowledge, cases and notes as documents, and what tells that they changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.cases.tables import DefectCase
from anomalyos.inspection.tables import Decision, Inspection, Review
from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.search.filters import CASE, NOTE
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, NodeKind, Relation
from anomalyos.models.tables import Category

NEIGHBOURS = 12
"""Names of one relation that a document mentions: a check used everywhere would mention everything."""

CONTEXT: dict[NodeKind, tuple[tuple[str, str], ...]] = {
    NodeKind.CATEGORY: (("Defects", "defects"),),
    NodeKind.DEFECT: (("Caused by", Relation.CAUSED_BY), ("Shows as", Relation.SHOWS)),
    NodeKind.SIGN: (("Seen on", "defects"),),
    NodeKind.CAUSE: (
        ("Causes", "defects"),
        ("In", Relation.ARISES_IN),
        ("Remedies", Relation.REMEDIED_BY),
        ("Checks", Relation.VERIFIED_BY),
    ),
    NodeKind.REMEDY: (("Remedy for", "causes"), ("Against", "defects")),
    NodeKind.CHECK: (("Check for", "causes"), ("With", "defects")),
    NodeKind.STEP: (("Causes here", "causes"), ("Defects", "defects")),
}
"""What a document of each kind says of its neighbours: the word, and whom it names."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far each table has been read; equal marks mean that nothing changed."""

    knowledge: tuple[object, ...] = ()
    cases: int = 0
    """Highest ``DefectCase.change``."""
    reviews: tuple[int, int] = (0, 0)
    """Count and highest id: an id committed late, after a higher one, shows in the count."""


def read_marks(session: Session) -> Marks:
    """A few aggregates, quick enough to ask before every search."""
    knowledge: list[object] = []
    for table in (KnowledgeNode, KnowledgeEdge):
        aggregates = sqlalchemy.select(
            func.count(),
            func.max(col(table.id)),
            func.sum(col(table.version)),
            func.count(col(table.removed_at)),
            func.max(col(table.updated_at)),
        )
        knowledge += list(session.connection().execute(aggregates.select_from(table)).one())
    cases = session.exec(select(func.max(DefectCase.change))).one()
    count, newest = session.exec(select(func.count(), func.max(Review.id)).select_from(Review)).one()
    return Marks(tuple(knowledge), cases or 0, (count, newest or 0))


def changes(
    session: Session, old: Marks, new: Marks, known: Collection[str]
) -> tuple[list[Document], set[str]]:
    """Documents to put in and ids to take out for the step between two marks.

    Args:
        known: ids of the documents there are at ``old``.
    """
    put: list[Document] = []
    gone: set[str] = set()
    if new.knowledge != old.knowledge:
        put = knowledge_documents(session)
        nodes = {name for name in known if not name.startswith((f"{CASE}:", f"{NOTE}:"))}
        gone = nodes - {node.id for node in put}
    if new.cases != old.cases:
        documents, removed = case_documents(session, old.cases)
        put, gone = put + documents, gone | removed
    if new.reviews != old.reviews:
        count, newest = old.reviews
        later = select(func.count()).select_from(Review).where(col(Review.id) > newest)
        on_time = new.reviews[0] == count + session.exec(later).one()
        # an id below the highest was committed since: every review is looked at again
        documents, removed = note_documents(session, newest if on_time else 0)
        put, gone = put + documents, gone | removed
    return put, gone


def knowledge_documents(session: Session) -> list[Document]:
    """Every living node with the names of its neighbours."""
    rows = session.exec(select(KnowledgeNode).where(col(KnowledgeNode.removed_at).is_(None))).all()
    edges = session.exec(select(KnowledgeEdge).where(col(KnowledgeEdge.removed_at).is_(None))).all()
    graph = Neighbourhood({row.key: row for row in rows}, edges)
    return [graph.document(row) for row in rows]


class Neighbourhood:
    """Who stands next to whom, read in both directions."""

    def __init__(self, nodes: dict[str, KnowledgeNode], edges: Iterable[KnowledgeEdge]) -> None:
        self.nodes = nodes
        self._to: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._from: dict[tuple[str, str], list[str]] = defaultdict(list)
        for edge in sorted(edges, key=lambda edge: (-edge.weight, edge.source, edge.target)):
            if edge.source in nodes and edge.target in nodes:
                self._to[edge.source, edge.relation].append(edge.target)
                self._from[edge.target, edge.relation].append(edge.source)

    def targets(self, key: str, relation: Relation) -> list[str]:
        return self._to.get((key, relation), [])

    def sources(self, key: str, relation: Relation) -> list[str]:
        return self._from.get((key, relation), [])

    def document(self, node: KnowledgeNode) -> Document:
        defects = self.defects(node)
        owners = [node.key] if node.kind == NodeKind.CATEGORY else []
        owners += [owner for key in defects for owner in self.sources(key, Relation.HAS_DEFECT)]
        severities = (str(self.nodes[key].attributes.get("severity") or "") for key in defects)
        return Document(
            id=node.key,
            kind=node.kind,
            title=self.title(node.key),
            text=node.text,
            context=self.context(node, defects),
            categories=frozenset(slug(key) for key in owners),
            severities=frozenset(severity for severity in severities if severity),
            date=node.updated_at,
        )

    def defects(self, node: KnowledgeNode) -> list[str]:
        """Keys of the defects a node bears on, each once, those of the likeliest cause first."""
        match node.kind:
            case NodeKind.DEFECT:
                found = [node.key]
            case NodeKind.CATEGORY:
                found = self.targets(node.key, Relation.HAS_DEFECT)
            case NodeKind.SIGN:
                found = self.sources(node.key, Relation.SHOWS)
            case _:
                found = [d for cause in self.causes(node) for d in self.sources(cause, Relation.CAUSED_BY)]
        return list(dict.fromkeys(found))

    def causes(self, node: KnowledgeNode) -> list[str]:
        relations = {
            NodeKind.STEP.value: Relation.ARISES_IN,
            NodeKind.REMEDY.value: Relation.REMEDIED_BY,
            NodeKind.CHECK.value: Relation.VERIFIED_BY,
        }
        relation = relations.get(node.kind)
        return [node.key] if relation is None else self.sources(node.key, relation)

    def title(self, key: str) -> str:
        """A defect is told by its product too: there are dozens of cracks and scratches."""
        node = self.nodes[key]
        owners = self.sources(key, Relation.HAS_DEFECT)
        return f"{node.name} · {self.nodes[owners[0]].name}" if owners else node.name

    def context(self, node: KnowledgeNode, defects: list[str]) -> str:
        """Sentences that name the neighbours."""
        sentences = []
        for word, kind in CONTEXT[NodeKind(node.kind)]:
            match kind:
                case "defects":
                    keys = defects
                case "causes":
                    keys = self.causes(node)
                case _:
                    keys = self.targets(node.key, Relation(kind))
            if keys:
                sentences.append(f"{word}: {'; '.join(map(self.title, keys[:NEIGHBOURS]))}.")
        return " ".join(sentences)


def case_documents(session: Session, after: int) -> tuple[list[Document], set[str]]:
    """Cases whose ``change`` is above ``after``: documents, and the ids of those that were removed."""
    columns = (
        col(DefectCase.id),
        col(DefectCase.category),
        col(DefectCase.defect_type),
        col(DefectCase.severity),
        col(DefectCase.note),
        col(DefectCase.added_at),
        col(DefectCase.removed_at),
    )
    documents: list[Document] = []
    removed: set[str] = set()
    rows = session.connection().execute(sqlalchemy.select(*columns).where(col(DefectCase.change) > after))
    for number, category, defect_type, severity, note, added_at, removed_at in rows:
        if removed_at is not None:
            removed.add(f"{CASE}:{number}")
            continue
        documents.append(
            Document(
                id=f"{CASE}:{number}",
                kind=CASE,
                title=f"{in_words(defect_type)} · {in_words(category)}",
                text=note,
                categories=frozenset({category}),
                severities=frozenset({severity} if severity else ()),
                date=added_at,
            )
        )
    return documents, removed


def note_documents(session: Session, after: int) -> tuple[list[Document], set[str]]:
    """Notes of the decisions that stand, of inspections reviewed after the review with id ``after``.

    Returns:
        The documents, and the ids of those that these inspections' other reviews may have had.
    """
    touched = select(Review.inspection_id).where(col(Review.id) > after)
    rows = session.connection().execute(
        sqlalchemy.select(
            col(Review.id),
            col(Review.version) == col(Inspection.review_version),
            col(Review.decision),
            col(Review.defect_type),
            col(Review.note),
            col(Review.created_at),
            col(Category.name),
            col(Inspection.given_category),
            col(Inspection.routed_category),
        )
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .join(Category, col(Category.id) == col(Inspection.category_id), isouter=True)
        .where(col(Review.inspection_id).in_(touched))
    )
    documents: list[Document] = []
    gone: set[str] = set()
    for number, newest, decision, defect_type, note, created_at, *categories in rows:
        if not newest or decision == Decision.WITHDRAWN or not note.strip():
            gone.add(f"{NOTE}:review:{number}")
            continue
        category = next((name for name in categories if name), "")
        about = in_words(defect_type) or in_words(decision)
        documents.append(
            Document(
                id=f"{NOTE}:review:{number}",
                kind=NOTE,
                title=" · ".join(part for part in (about, in_words(category)) if part),
                text=note,
                categories=frozenset({category} if category else ()),
                date=created_at,
            )
        )
    return documents, gone


def in_words(name: str) -> str:
    """``sample_hazelnut`` as people say it."""
    return name.replace("_", " ").strip().capitalize()


def slug(key: str) -> str:
    """``hazelnut`` of ``category:hazelnut``."""
    return key.partition(":")[2]
