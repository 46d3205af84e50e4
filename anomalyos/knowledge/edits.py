"""What people change in the knowledge graph: every edit names the version it was made from and is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.rows import plain_text
from anomalyos.knowledge import cause_evidence, grammar
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.tables import CauseEvidence, KnowledgeEdge, KnowledgeNode, Relation

if TYPE_CHECKING:
    from sqlmodel import Session

SMALL_PRIOR = 0.5
"""Pseudo-count of a cause that a person adds: half a case, so the first confirmation outweighs it."""


def add_node(
    session: Session,
    key: str,
    *,
    name: str,
    actor: str,
    text: str = "",
    attributes: dict[str, Any] | None = None,
    reason: str = "",
) -> KnowledgeNode:
    """A new node.

    Raises:
        AnomalyOSError: a malformed key, a missing name, a text too long, a defect without severity.
        Conflict: there is such a node, or there was one and it is removed.
    """
    kind = grammar.check_key(key)
    attributes = grammar.check_attributes(kind, attributes or {})
    _refuse_known(session, knowledge_repository.node_subject(key))
    row = KnowledgeNode(
        key=key,
        kind=kind,
        name=plain_text(name, "name", 200, required=True),
        text=plain_text(text, "text", 2000),
        attributes=attributes,
        origin=knowledge_repository.PERSON,
    )
    knowledge_repository.insert(session, row, actor=actor, reason=_reason(reason))
    return row


def edit_node(
    session: Session,
    key: str,
    *,
    expected_version: int,
    actor: str,
    name: str | None = None,
    text: str | None = None,
    attributes: dict[str, Any] | None = None,
    reason: str = "",
) -> KnowledgeNode:
    """Change what is given and leave the rest; from now on the node is a person's and seeds leave it alone.

    Raises:
        NotFound: no such node.
        Conflict: it is removed, or somebody changed it since ``expected_version``.
        AnomalyOSError: as for ``add_node``.
    """
    row = _live(session, knowledge_repository.node_subject(key))
    values: dict[str, Any] = {"origin": knowledge_repository.PERSON}
    if name is not None:
        values["name"] = plain_text(name, "name", 200, required=True)
    if text is not None:
        values["text"] = plain_text(text, "text", 2000)
    if attributes is not None:
        values["attributes"] = grammar.check_attributes(grammar.kind_of(key), attributes)
    knowledge_repository.change(
        session, row, values, expected_version=expected_version, actor=actor, reason=_reason(reason)
    )
    assert isinstance(row, KnowledgeNode)
    return row


def add_edge(
    session: Session,
    source: str,
    relation: str,
    target: str,
    *,
    actor: str,
    weight: float = 1.0,
    reason: str = "",
) -> KnowledgeEdge:
    """Join two live nodes; ``weight`` is a cause's prior pseudo-count.

    Raises:
        NotFound: one of the nodes does not exist.
        Conflict: a node is removed; there is such an edge, or there was one and it is removed.
        AnomalyOSError: the relation cannot join them, or the weight is not positive.
    """
    grammar.check_edge(source, relation, target)
    for key in (source, target):
        _live(session, knowledge_repository.node_subject(key))
    _refuse_known(session, knowledge_repository.edge_subject(source, relation, target))
    row = KnowledgeEdge(
        source=source,
        relation=str(relation),
        target=target,
        weight=grammar.check_weight(weight),
        origin=knowledge_repository.PERSON,
    )
    knowledge_repository.insert(session, row, actor=actor, reason=_reason(reason))
    return row


def weigh_edge(
    session: Session,
    source: str,
    relation: str,
    target: str,
    weight: float,
    *,
    expected_version: int,
    actor: str,
    reason: str = "",
) -> KnowledgeEdge:
    """Give an edge another weight. Raises like ``edit_node``."""
    row = _live(session, knowledge_repository.edge_subject(source, relation, target))
    values = {"weight": grammar.check_weight(weight), "origin": knowledge_repository.PERSON}
    knowledge_repository.change(
        session, row, values, expected_version=expected_version, actor=actor, reason=_reason(reason)
    )
    assert isinstance(row, KnowledgeEdge)
    return row


def remove(
    session: Session, subject: str, *, expected_version: int, actor: str, reason: str = ""
) -> KnowledgeNode | KnowledgeEdge:
    """Take a node or an edge out of the graph; seeds will not bring it back, ``revert`` does.

    Edges of a removed node stay on record and count again when the node comes back.

    Raises:
        NotFound: no such node or edge.
        Conflict: it is removed already, or somebody changed it since ``expected_version``.
    """
    row = _live(session, subject)
    return knowledge_repository.change(
        session,
        row,
        {"removed": True, "origin": knowledge_repository.PERSON},
        expected_version=expected_version,
        actor=actor,
        reason=_reason(reason),
        action="knowledge.remove",
    )


def revert(
    session: Session, subject: str, to_version: int, *, expected_version: int, actor: str, reason: str = ""
) -> KnowledgeNode | KnowledgeEdge:
    """Make a node or an edge what it was at an earlier version; that is a new version in turn.

    Raises:
        NotFound: no such node or edge, or it never had that version.
        Conflict: somebody changed it since ``expected_version``.
    """
    row = knowledge_repository.get(session, subject)
    versions = {revision.version: revision for revision in knowledge_repository.history(session, subject)}
    if to_version not in versions or versions[to_version].after is None:
        raise NotFound(f"{subject} has no version {to_version}.", f"It has 1 to {row.version}.")
    content = dict(versions[to_version].after or {})
    return knowledge_repository.change(
        session,
        row,
        {**content, "origin": knowledge_repository.PERSON},
        expected_version=expected_version,
        actor=actor,
        reason=_reason(reason) or f"as in version {to_version}",
        action="knowledge.revert",
    )


def confirm_cause(
    session: Session, case_id: int, cause: str, actor: str, note: str = "", *, add_missing: bool = False
) -> CauseEvidence:
    """Record that ``cause`` is what caused a case; its defect type's likelihoods follow.

    Args:
        add_missing: when the graph does not list the cause under the defect type, add it there with a small
            prior (an edit of its own, which withdrawing the evidence does not undo) instead of refusing.

    Raises:
        NotFound: no such case, cause or defect type.
        Conflict: the case is removed or has a cause already; the graph does not list the cause under the
            defect type, or somebody removed it from there.
    """
    case = case_repository.get(session, case_id)
    defect = grammar.defect_key(case.category, case.defect_type)
    row = knowledge_repository.find(session, knowledge_repository.node_subject(defect))
    if row is None or row.removed_at is not None:
        raise NotFound(
            f"The knowledge graph has no defect type {case.defect_type!r} of {case.category}.",
            "Name the defect type in the review, or add it to the graph first.",
        )
    _live(session, knowledge_repository.node_subject(cause))
    grammar.check_edge(defect, Relation.CAUSED_BY, cause)
    edge_subject = knowledge_repository.edge_subject(defect, Relation.CAUSED_BY, cause)
    edge = knowledge_repository.find(session, edge_subject)
    if edge is None and add_missing:
        reason = f"established for case {case_id}"
        add_edge(session, defect, Relation.CAUSED_BY, cause, actor=actor, weight=SMALL_PRIOR, reason=reason)
    elif edge is None:
        raise Conflict(
            f"{cause} is not listed as a cause of {defect}.",
            f"Add it there first; a weight of {SMALL_PRIOR:g} is a good start.",
        )
    elif edge.removed_at is not None:
        raise Conflict(
            f"{cause} was taken off the causes of {defect}.", "Bring it back first by reverting that edit."
        )
    return cause_evidence.confirm(
        session, case_id=case_id, defect=defect, cause=cause, actor=actor, note=note
    )


def _live(session: Session, subject: str) -> KnowledgeNode | KnowledgeEdge:
    row = knowledge_repository.get(session, subject)
    if row.removed_at is not None:
        raise Conflict(f"{subject} is removed.", "Bring it back first by reverting that edit.")
    return row


def _refuse_known(session: Session, subject: str) -> None:
    row = knowledge_repository.find(session, subject)
    if row is None:
        return
    if row.removed_at is not None:
        raise Conflict(f"{subject} existed and is removed.", "Revert it to an earlier version instead.")
    raise Conflict(f"{subject} exists already.", "Edit it instead.")


def _reason(reason: str) -> str:
    return plain_text(reason, "reason", 2000)
