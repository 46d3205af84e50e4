"""What the console asks about inspections and does with them.

Plain blocking methods, safe to call from threads.
Pages and REST share it, so the same action behaves the same through every door.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from sqlmodel import Session, col, select

from anomalyos.accounts.tables import Role
from anomalyos.cases.tables import DefectCase
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import reviews
from anomalyos.inspection.inspector import live_batch
from anomalyos.inspection.tables import BatchKind, Inspection, Review
from anomalyos.knowledge.tables import KnowledgeEdge, Relation
from anomalyos.products.dataset import load_category
from console.security.person import Actor, require
from console.services import nights, views
from console.services.nights import NightRow


class InspectorLike(Protocol):
    """The part of ``anomalyos.inspection.inspector.Inspector`` the console uses."""

    def inspect(
        self,
        data: bytes,
        *,
        source: str,
        batch_key: str,
        category: str | None = None,
        progress: StageProgress | None = None,
    ) -> Inspection: ...

    def warm_up(self, category: str | None = None) -> None: ...

    def categories(self) -> list[str]: ...


class InspectionService:
    """Reads and actions of the console over one store and one inspector."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        inspector: Callable[[], InspectorLike],
        reviewed: Callable[[int, str], None],
    ) -> None:
        """``reviewed`` is told of every decision and undo, with the inspection's id and who it was."""
        self.settings = settings
        self.store = store
        self._inspector = inspector
        self._reviewed = reviewed

    @property
    def inspector(self) -> InspectorLike:
        """The process's inspector; the first access loads what it needs, so never from the event loop."""
        return self._inspector()

    # reading ---------------------------------------------------------------------------------

    def nights(
        self, *, kind: str | None = BatchKind.NIGHTLY, limit: int = 60, offset: int = 0
    ) -> list[NightRow]:
        with self.store.session(read_only=True) as session:
            return nights.nights(session, kind=kind, limit=limit, offset=offset)

    def night_count(self) -> int:
        with self.store.session(read_only=True) as session:
            return nights.night_count(session)

    def open_items(self) -> int:
        with self.store.session(read_only=True) as session:
            return nights.open_items(session)

    def night(self, batch_key: str) -> NightRow | None:
        """The batch with this key, or all nights as one, or without a key the newest night.

        None when there is nothing like it.
        """
        if not batch_key:
            return next(iter(self.nights(limit=1)), None)
        with self.store.session(read_only=True) as session:
            return nights.night(session, batch_key)

    def detail(self, inspection_id: int) -> views.Detail:
        with self.store.session(read_only=True) as session:
            return views.detail(session, inspection_id)

    def defect_types(self, category: str) -> list[str]:
        """Names worth suggesting for a defect: test folders of the category, its cases, its knowledge."""
        if not category:
            return []
        with self.store.session(read_only=True) as session:
            names = _known_defects(session, category)
        # where its images are not kept, or a folder has an odd name, cases and knowledge still have names
        with suppress(AnomalyOSError):
            names |= {sample.defect for sample in load_category(self.settings, category).test}
        return sorted(names - {"good"})

    # deciding --------------------------------------------------------------------------------

    def decide(
        self,
        actor: Actor,
        inspection_id: int,
        decision: str,
        *,
        expected_version: int,
        defect_type: str = "",
        note: str = "",
    ) -> Review:
        """Keep a reviewer's decision.

        Raises:
            NotAllowed: the actor is only a viewer.
            Conflict: somebody decided in between.
            NotFound: there is no such inspection.
        """
        require(actor, Role.REVIEWER)
        with self.store.session() as session:
            review = reviews.decide(
                session,
                inspection_id=inspection_id,
                decision=decision,
                actor=actor.name,
                expected_version=expected_version,
                defect_type=defect_type,
                note=note,
            )
        self._reviewed(inspection_id, actor.name)
        return review

    def undo(self, actor: Actor, inspection_id: int, *, expected_version: int) -> Review:
        """Take the newest decision back; raises as ``decide`` does."""
        require(actor, Role.REVIEWER)
        with self.store.session() as session:
            review = reviews.undo(
                session, inspection_id=inspection_id, actor=actor.name, expected_version=expected_version
            )
        self._reviewed(inspection_id, actor.name)
        return review

    # looking and inspecting ------------------------------------------------------------------

    def categories(self) -> list[str]:
        """Categories that can be inspected now: those with a champion."""
        return self.inspector.categories()

    def inspect(
        self,
        actor: Actor,
        data: bytes,
        *,
        name: str,
        category: str | None = None,
        progress: StageProgress | None = None,
    ) -> Inspection:
        """Inspect one uploaded image in today's live batch; a rejected image comes back as a row too."""
        require(actor, Role.REVIEWER)
        return self.inspector.inspect(
            data,
            source=f"upload:{clean_name(name)}",
            batch_key=live_batch(self.store),
            category=category or None,
            progress=progress,
        )


def clean_name(name: str) -> str:
    """The last part of an uploaded file's name without control characters, at most 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[:120] or "unnamed"


def _known_defects(session: Session, category: str) -> set[str]:
    """Names of defects that cases of a category carry or that its knowledge describes."""
    cases = session.exec(
        select(DefectCase.defect_type)
        .where(DefectCase.category == category, col(DefectCase.removed_at).is_(None))
        .distinct()
    ).all()
    described = session.exec(
        select(KnowledgeEdge.target).where(
            KnowledgeEdge.source == f"category:{category}",
            KnowledgeEdge.relation == Relation.HAS_DEFECT,
            col(KnowledgeEdge.removed_at).is_(None),
        )
    ).all()
    return {name for name in cases if name} | {key.rpartition("/")[2] for key in described}
