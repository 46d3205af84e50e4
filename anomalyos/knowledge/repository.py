"""The knowledge graph's rows: versioned writes, each with its revision and audit event, and reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.knowledge.tables import CauseEvidence, KnowledgeEdge, KnowledgeNode, KnowledgeRevision

Row = KnowledgeNode | KnowledgeEdge
SEED = "seed"
PERSON = "person"
CONTENT = {
    KnowledgeNode: ("name", "text", "attributes", "origin"),
    KnowledgeEdge: ("weight", "origin"),
}
"""What a revision holds of a row, beside whether it is removed."""


class Generation(NamedTuple):
    """Changes with every edit, confirmation and withdrawal any process commits.

    The counts stand beside the newest id because ids may be committed out of order.
    """

    newest_revision: int
    revisions: int
    evidence: int
    withdrawn: int


def generation(session: Session) -> Generation:
    revisions = session.exec(select(func.max(KnowledgeRevision.id), func.count(col(KnowledgeRevision.id))))
    newest, count = revisions.one()
    evidence = session.exec(
        select(func.count(col(CauseEvidence.id)), func.count(col(CauseEvidence.withdrawn_at)))
    )
    return Generation(newest or 0, count, *evidence.one())


def node_subject(key: str) -> str:
    return f"node:{key}"


def edge_subject(source: str, relation: str, target: str) -> str:
    return f"edge:{source}|{relation}|{target}"


def subject_of(row: Row) -> str:
    if isinstance(row, KnowledgeNode):
        return node_subject(row.key)
    return edge_subject(row.source, row.relation, row.target)


def find(session: Session, subject: str) -> Row | None:
    """The row of a revision's subject, removed ones included.

    Raises:
        AnomalyOSError: for a text that cannot be a subject.
    """
    kind, _, rest = subject.partition(":")
    parts = rest.split("|")
    if kind == "node" and len(parts) == 1:
        return session.exec(select(KnowledgeNode).where(KnowledgeNode.key == rest)).one_or_none()
    if kind == "edge" and len(parts) == 3:
        query = select(KnowledgeEdge).where(
            KnowledgeEdge.source == parts[0],
            KnowledgeEdge.relation == parts[1],
            KnowledgeEdge.target == parts[2],
        )
        return session.exec(query).one_or_none()
    raise AnomalyOSError(
        f"{subject!r} is neither a node nor an edge.", "Write node:KEY or edge:SOURCE|RELATION|TARGET."
    )


def get(session: Session, subject: str) -> Row:
    """Like ``find``; raises NotFound when there is no such row."""
    row = find(session, subject)
    if row is None:
        raise NotFound(
            f"The knowledge graph has no {subject.replace(':', ' ', 1)}.",
            "Search for it with 'anomalyos knowledge show'.",
        )
    return row


def get_node(session: Session, key: str) -> KnowledgeNode:
    """A node by key, removed or not; raises NotFound."""
    row = get(session, node_subject(key))
    assert isinstance(row, KnowledgeNode)
    return row


def all_nodes(session: Session) -> Sequence[KnowledgeNode]:
    """Every node by key, removed ones included."""
    return session.exec(select(KnowledgeNode).order_by(KnowledgeNode.key)).all()


def all_edges(session: Session) -> Sequence[KnowledgeEdge]:
    """Every edge by source, relation and target, removed ones included."""
    order = (KnowledgeEdge.source, KnowledgeEdge.relation, KnowledgeEdge.target)
    return session.exec(select(KnowledgeEdge).order_by(*order)).all()


def history(session: Session, subject: str) -> Sequence[KnowledgeRevision]:
    """Every revision of a node or an edge, oldest first; empty when there never was one."""
    query = select(KnowledgeRevision).where(KnowledgeRevision.subject == subject)
    return session.exec(query.order_by(col(KnowledgeRevision.version))).all()


def content(row: Row) -> dict[str, Any]:
    """What a revision keeps of a row."""
    kept = {name: getattr(row, name) for name in CONTENT[type(row)]}
    return {**kept, "removed": row.removed_at is not None}


def insert(session: Session, row: Row, *, actor: str, reason: str) -> Row:
    """Add a row that never existed, as version 1.

    Raises:
        Conflict: somebody added it in the meantime.
    """
    from sqlalchemy.exc import IntegrityError

    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"{subject_of(row)} exists already.", "Look at it, then edit it.") from error
    _record(session, row, None, actor, reason, "knowledge.add")
    return row


def change(
    session: Session,
    row: Row,
    values: dict[str, Any],
    *,
    expected_version: int,
    actor: str,
    reason: str,
    action: str = "knowledge.edit",
) -> Row:
    """Write the next version of a row.

    Args:
        values: some of ``CONTENT`` and ``removed``.
        expected_version: the version the change was made from.

    Raises:
        Conflict: somebody changed it in the meantime.
    """
    before = content(row)
    values = dict(values)
    removed = values.pop("removed", None)
    if removed is not None:
        values["removed_at"] = datetime.now(UTC) if removed else None
    model = type(row)
    written = session.connection().execute(
        update(model)
        .where(col(model.id) == row.id, col(model.version) == expected_version)
        .values(**values, version=expected_version + 1, updated_at=datetime.now(UTC))
    )
    session.refresh(row)
    if written.rowcount != 1:
        raise Conflict(
            f"{subject_of(row)} was changed in the meantime: it is at version {row.version} now.",
            "Look at it again before you change it.",
        )
    _record(session, row, before, actor, reason, action)
    return row


def _record(
    session: Session, row: Row, before: dict[str, Any] | None, actor: str, reason: str, action: str
) -> None:
    subject = subject_of(row)
    session.add(
        KnowledgeRevision(
            subject=subject,
            version=row.version,
            before=before,
            after=content(row),
            actor=actor,
            reason=reason,
        )
    )
    session.flush()
    audit.write(
        session,
        actor=actor,
        action=action,
        subject=subject,
        detail={"version": row.version, "reason": reason},
    )
