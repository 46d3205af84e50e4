"""What people change in the knowledge base. Every method checks the role, and says how to take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from anomalyos.accounts.tables import Role
from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import cause_evidence, edits, exchange, likelihood, revision_lists
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.bulk import Content
from anomalyos.knowledge.seeds import ensure_seeded
from anomalyos.knowledge.tables import KnowledgeRevision
from console.security.person import Actor, require

Undo = Callable[["Actor"], None]


@dataclass(frozen=True)
class Saved:
    """One change that was written: what it was, and how to take it back."""

    said: str
    undo: Undo


@dataclass(frozen=True)
class Weight:
    """A cause's prior as it is to be, made from ``version``."""

    cause: str
    weight: float
    version: int


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do: counts of nodes and edges, and its first changes."""

    counts: dict[str, dict[str, int]]
    first: list[KnowledgeRevision]


class KnowledgeEditor:
    """Writes to the knowledge base over one store.

    Everything raises NotAllowed for a role that does not suffice, Conflict when somebody was quicker, and
    AnomalyOSError for what the graph's rules forbid; then nothing is written.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def edit_node(
        self,
        actor: Actor,
        key: str,
        *,
        expected_version: int,
        name: str,
        text: str,
        attributes: dict[str, Any],
        reason: str = "",
    ) -> Saved:
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            edits.edit_node(
                session,
                key,
                expected_version=expected_version,
                actor=actor.name,
                name=name,
                text=text,
                attributes=attributes,
                reason=reason,
            )
        return self._reverting("Saved.", knowledge_repository.node_subject(key), expected_version)

    def add_node(
        self,
        actor: Actor,
        key: str,
        *,
        name: str,
        text: str,
        attributes: dict[str, Any],
        joined: tuple[str, str, str] | None = None,
        weight: float = 1.0,
        reason: str = "",
    ) -> Saved:
        """A new node, with the edge (source, relation, target) that joins it to another when given."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            edits.add_node(
                session, key, name=name, actor=actor.name, text=text, attributes=attributes, reason=reason
            )
            if joined is not None:
                edits.add_edge(session, *joined, actor=actor.name, weight=weight, reason=reason)
        return Saved(
            f"Added {name}.", lambda who: self._take_out(who, knowledge_repository.node_subject(key), 1)
        )

    def add_edge(
        self, actor: Actor, source: str, relation: str, target: str, *, weight: float, reason: str = ""
    ) -> Saved:
        """Join two nodes; an edge that was removed before comes back with the new weight."""
        require(actor, Role.ENGINEER)
        subject = knowledge_repository.edge_subject(source, relation, target)
        with self.store.session() as session:
            row = knowledge_repository.find(session, subject)
            if row is None or row.removed_at is None:
                edits.add_edge(
                    session, source, relation, target, actor=actor.name, weight=weight, reason=reason
                )
                version = 1
            else:
                last = max(r.version for r in knowledge_repository.history(session, subject) if _stood(r))
                edits.revert(
                    session, subject, last, expected_version=row.version, actor=actor.name, reason=reason
                )
                edits.weigh_edge(
                    session,
                    source,
                    relation,
                    target,
                    weight,
                    expected_version=row.version,
                    actor=actor.name,
                    reason=reason,
                )
                version = row.version
        return Saved("Connected.", lambda who: self._take_out(who, subject, version))

    def weigh(self, actor: Actor, defect: str, weights: list[Weight], *, reason: str = "") -> Saved:
        """New priors for some causes of a defect type, all of them or none."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            for one in weights:
                edits.weigh_edge(
                    session,
                    defect,
                    "caused_by",
                    one.cause,
                    one.weight,
                    expected_version=one.version,
                    actor=actor.name,
                    reason=reason,
                )
        subjects = {
            knowledge_repository.edge_subject(defect, "caused_by", one.cause): one.version for one in weights
        }
        return Saved("Weights saved.", lambda who: self._revert_all(who, subjects))

    def remove(self, actor: Actor, subject: str, *, expected_version: int, reason: str = "") -> Saved:
        self._take_out(actor, subject, expected_version, reason)
        return self._reverting("Removed.", subject, expected_version)

    def revert(
        self, actor: Actor, subject: str, to_version: int, *, expected_version: int, reason: str = ""
    ) -> Saved:
        self._revert_all(actor, {subject: to_version}, {subject: expected_version}, reason)
        return self._reverting(f"Back at version {to_version}.", subject, expected_version)

    def confirm_cause(self, actor: Actor, case_id: int, cause: str, *, note: str = "") -> Saved:
        """Reviewers establish what caused a case."""
        require(actor, Role.REVIEWER)
        with self.store.session() as session:
            row = edits.confirm_cause(session, case_id, cause, actor.name, note)
            number = stored_id(row.id)
        return Saved("Cause confirmed.", lambda who: self._withdraw(who, number))

    def withdraw_cause(self, actor: Actor, case_id: int) -> Saved:
        """Take back the cause that stands for a case; undoing that establishes it anew."""
        require(actor, Role.REVIEWER)
        with self.store.session() as session:
            standing = cause_evidence.standing(session, case_id)
            if standing is None:
                raise NotFound(f"No cause of case {case_id} is on record.", "Look at it again.")
            cause, note = standing.cause, standing.note
            cause_evidence.withdraw(session, stored_id(standing.id), actor.name)

        def again(who: Actor) -> None:
            self.confirm_cause(who, case_id, cause, note=note)

        return Saved("Cause withdrawn.", again)

    def remove_case(self, actor: Actor, case_id: int, reason: str) -> Saved:
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            case_repository.remove(session, case_id, actor.name, reason)

        def again(who: Actor) -> None:
            self.restore_case(who, case_id, "undone")

        return Saved(f"Case {case_id} removed.", again)

    def restore_case(self, actor: Actor, case_id: int, reason: str = "") -> Saved:
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            case_repository.restore(session, case_id, actor.name, reason)

        def again(who: Actor) -> None:
            self.remove_case(who, case_id, "undone")

        return Saved(f"Case {case_id} is back.", again)

    def preview_import(self, actor: Actor, content: Content) -> ImportPreview:
        """What ``import_content`` would write; it is written, counted and rolled back."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            newest = knowledge_repository.generation(session).newest_revision
            counts = exchange.import_content(session, content, actor=actor.name)
            first = list(revision_lists.since(session, newest))
            session.expunge_all()
            session.rollback()
        return ImportPreview(counts, first)

    def import_content(self, actor: Actor, content: Content) -> dict[str, dict[str, int]]:
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            return exchange.import_content(session, content, actor=actor.name)

    def seed(self, actor: Actor, settings: Settings) -> dict[str, dict[str, int]]:
        """Fill the graph with what the project ships."""
        require(actor, Role.ENGINEER)
        return ensure_seeded(self.store, settings)

    def _reverting(self, said: str, subject: str, to_version: int) -> Saved:
        return Saved(said, lambda who: self._revert_all(who, {subject: to_version}))

    def _revert_all(
        self,
        actor: Actor,
        versions: Mapping[str, int],
        expected: Mapping[str, int] | None = None,
        reason: str = "",
    ) -> None:
        """Each subject as it was at a version; without ``expected``, from the very next one."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            for subject, version in versions.items():
                edits.revert(
                    session,
                    subject,
                    version,
                    expected_version=version + 1 if expected is None else expected[subject],
                    actor=actor.name,
                    reason=reason,
                )

    def _take_out(self, actor: Actor, subject: str, version: int, reason: str = "") -> None:
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            edits.remove(session, subject, expected_version=version, actor=actor.name, reason=reason)

    def _withdraw(self, actor: Actor, evidence_id: int) -> None:
        require(actor, Role.REVIEWER)
        with self.store.session() as session:
            cause_evidence.withdraw(session, evidence_id, actor.name)


def shares(priors: Mapping[str, float], confirmed: Mapping[str, int]) -> dict[str, float]:
    """Cause to its probability in [0, 1], for priors that are not saved yet."""
    return {cause: one.mean for cause, one in likelihood.marginals(priors, confirmed).items()}


def _stood(revision: KnowledgeRevision) -> bool:
    """Whether this version was in the graph."""
    return revision.after is not None and not revision.after.get("removed")
