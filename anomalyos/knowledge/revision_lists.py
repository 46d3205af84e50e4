"""Edits of the knowledge graph as people look back at them: around one node, or over the whole graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, KnowledgeRevision

SEED_ACTOR = "seed"
"""Who writes the revisions of the seeds; ``anomalyos.knowledge.seeds`` signs with it."""


def edges_of(session: Session, key: str) -> Sequence[KnowledgeEdge]:
    """Every edge that touches a node, removed ones included, by source, relation and target."""
    query = select(KnowledgeEdge).where(
        or_(col(KnowledgeEdge.source) == key, col(KnowledgeEdge.target) == key)
    )
    order = (KnowledgeEdge.source, KnowledgeEdge.relation, KnowledgeEdge.target)
    return session.exec(query.order_by(*order)).all()


def around(session: Session, key: str, limit: int = 30) -> Sequence[KnowledgeRevision]:
    """Revisions of a node and of its edges, newest first."""
    subjects = [
        knowledge_repository.node_subject(key),
        *(knowledge_repository.subject_of(edge) for edge in edges_of(session, key)),
    ]
    query = select(KnowledgeRevision).where(col(KnowledgeRevision.subject).in_(subjects))
    return session.exec(query.order_by(col(KnowledgeRevision.id).desc()).limit(limit)).all()


def by_people(session: Session, *, limit: int = 50, offset: int = 0) -> Sequence[KnowledgeRevision]:
    """Revisions that people made, newest first; what the seeds wrote is left out."""
    query = select(KnowledgeRevision).where(KnowledgeRevision.actor != SEED_ACTOR)
    return session.exec(query.order_by(col(KnowledgeRevision.id).desc()).limit(limit).offset(offset)).all()


def count_by_people(session: Session) -> int:
    query = select(func.count()).select_from(KnowledgeRevision).where(KnowledgeRevision.actor != SEED_ACTOR)
    return session.exec(query).one()


def since(session: Session, revision_id: int, limit: int = 20) -> Sequence[KnowledgeRevision]:
    """Revisions after the one with ``revision_id``, oldest first."""
    query = select(KnowledgeRevision).where(col(KnowledgeRevision.id) > revision_id)
    return session.exec(query.order_by(col(KnowledgeRevision.id)).limit(limit)).all()


def names(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """Names of nodes by key, removed ones included; unknown keys are left out."""
    query = select(KnowledgeNode.key, KnowledgeNode.name).where(col(KnowledgeNode.key).in_(sorted(set(keys))))
    found: dict[str, str] = dict(session.exec(query).all())
    return found
