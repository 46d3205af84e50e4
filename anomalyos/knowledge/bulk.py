"""Many nodes and edges at once, for seeds and imports: only what differs is written, each with a revision."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from anomalyos.accounts import audit
from anomalyos.core.errors import Conflict
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.grammar import kind_of
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, KnowledgeRevision

EdgeKey = tuple[str, str, str]
Row = TypeVar("Row", KnowledgeNode, KnowledgeEdge)
_LOCK = 0x616E6F6D6B6E6F77
"""PostgreSQL advisory lock: seeds and imports take turns."""


@dataclass
class Content:
    """Nodes (name, text, attributes by key) and edges (weight by source, relation, target)."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[EdgeKey, float] = field(default_factory=dict)


@dataclass
class Counts:
    """What was written. ``kept`` are rows that people own and the seed says otherwise about."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    kept: int = 0
    unchanged: int = 0

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))


@dataclass
class Change:
    """One row to write: None as ``before`` means that it is new."""

    row: dict[str, Any]
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any]


def apply(
    session: Session,
    wanted: Content,
    *,
    origin: str,
    actor: str,
    reason: str,
    keep: Callable[[], Collection[str]] | None = None,
) -> dict[str, dict[str, int]]:
    """Make the graph hold ``wanted``, in the caller's transaction.

    Args:
        origin: ``seed`` leaves everything alone that a person edited or removed; ``person`` overrides.
        keep: when given, rows of this origin that are not wanted are removed, except the subjects it names.

    Returns:
        ``nodes`` and ``edges``, each with its counts.

    Raises:
        Conflict: somebody edited the same row at the same moment.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    spared = None if keep is None else set(keep())
    nodes = {row.key: row for row in knowledge_repository.all_nodes(session)}
    edges = {(row.source, row.relation, row.target): row for row in knowledge_repository.all_edges(session)}
    node_values = {key: {**facts, "origin": origin, "removed": False} for key, facts in wanted.nodes.items()}
    edge_values = {
        key: {"weight": weight, "origin": origin, "removed": False} for key, weight in wanted.edges.items()
    }
    node_counts, edge_counts = Counts(), Counts()
    node_changes = _compare(nodes, node_values, _node_identity, origin, spared, node_counts)
    edge_changes = _compare(edges, edge_values, _edge_identity, origin, spared, edge_counts)
    result = {"nodes": node_counts.as_dict(), "edges": edge_counts.as_dict()}
    write_all(session, node_changes, edge_changes, actor, reason)
    if node_changes or edge_changes:
        detail = {**result, "reason": reason}
        audit.write(session, actor=actor, action=f"knowledge.{reason}", subject="knowledge", detail=detail)
    # rows were written beside the identity map: whoever looks next must not see the old ones
    session.expire_all()
    return result


def write_all(session: Session, nodes: list[Change], edges: list[Change], actor: str, reason: str) -> None:
    """Write changes with their revisions.

    Raises:
        Conflict: a row has a newer version than the one a change was made from; the caller's transaction
            cannot go on.
    """
    try:
        _write(session, KnowledgeNode, nodes, actor, reason)
        _write(session, KnowledgeEdge, edges, actor, reason)
    except IntegrityError as error:
        raise Conflict("Somebody edited the knowledge graph at the same moment.", "Try it again.") from error


def _node_identity(key: str) -> tuple[str, dict[str, Any]]:
    return knowledge_repository.node_subject(key), {"key": key, "kind": kind_of(key)}


def _edge_identity(key: EdgeKey) -> tuple[str, dict[str, Any]]:
    return knowledge_repository.edge_subject(*key), {"source": key[0], "relation": key[1], "target": key[2]}


def _compare(
    present: dict[Any, Row],
    wanted: dict[Any, dict[str, Any]],
    identity: Callable[[Any], tuple[str, dict[str, Any]]],
    origin: str,
    spared: set[str] | None,
    counts: Counts,
) -> list[Change]:
    changes: list[Change] = []
    for key, after in wanted.items():
        subject, names = identity(key)
        row = present.get(key)
        if row is None:
            counts.added += 1
            changes.append(Change({**names, **_columns(after), "version": 1}, subject, None, after))
            continue
        before = knowledge_repository.content(row)
        if {**before, "origin": ""} == {**after, "origin": ""}:
            counts.unchanged += 1
        elif origin == knowledge_repository.SEED and row.origin == knowledge_repository.PERSON:
            counts.kept += 1
        else:
            counts.updated += 1
            changes.append(_next(row, subject, before, after))
    if spared is not None:
        for key, row in present.items():
            subject, _ = identity(key)
            if key in wanted or row.origin != origin or row.removed_at is not None:
                continue
            if subject in spared:
                counts.kept += 1
                continue
            counts.removed += 1
            before = knowledge_repository.content(row)
            changes.append(_next(row, subject, before, {**before, "removed": True}))
    return changes


def _next(row: Row, subject: str, before: dict[str, Any], after: dict[str, Any]) -> Change:
    return Change({"row_id": row.id, **_columns(after), "version": row.version + 1}, subject, before, after)


def _columns(after: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    values = {name: value for name, value in after.items() if name != "removed"}
    return {**values, "removed_at": now if after["removed"] else None, "updated_at": now}


def _write(
    session: Session,
    model: type[KnowledgeNode] | type[KnowledgeEdge],
    changes: list[Change],
    actor: str,
    reason: str,
) -> None:
    new = [change.row for change in changes if change.before is None]
    edited = [change.row for change in changes if change.before is not None]
    connection = session.connection()
    if new:
        connection.execute(insert(model), new)
    if edited:
        connection.execute(update(model).where(col(model.id) == bindparam("row_id")), edited)
    if changes:
        now = datetime.now(UTC)
        revisions = [
            {
                "subject": change.subject,
                "version": change.row["version"],
                "before": change.before,
                "after": change.after,
                "actor": actor,
                "reason": reason,
                "created_at": now,
            }
            for change in changes
        ]
        connection.execute(insert(KnowledgeRevision), revisions)
