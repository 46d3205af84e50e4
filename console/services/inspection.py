"""What the console asks of the platform: one object with plain blocking methods, safe to call from threads.

Pages, REST and media routes share it, so the same action behaves the same through every door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotAllowed, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence
from anomalyos.explain.explainer import get_explainer
from anomalyos.images.decoding import decode_image
from anomalyos.inspection import batches, inspections, reviews
from anomalyos.inspection.batches import BatchSummary
from anomalyos.inspection.inspector import live_batch
from anomalyos.inspection.tables import BatchKind, Image, Inspection, Review
from anomalyos.ops.airflow import AirflowApi
from anomalyos.products.dataset import load_category
from console.services import queue_reads, reads, views
from console.services.queue import EVERY_NIGHT, QueueService

Progress = Callable[[str, float], None]


class InspectorLike(Protocol):
    """The part of ``anomalyos.inspection.inspector.Inspector`` the console uses."""

    def inspect(
        self,
        data: bytes,
        *,
        source: str,
        batch_key: str,
        category: str | None = None,
        progress: Progress | None = None,
    ) -> Inspection: ...

    def warm_up(self, category: str | None = None) -> None: ...

    def categories(self) -> list[str]: ...


class ExplainerLike(Protocol):
    """The part of ``anomalyos.explain.explainer.Explainer`` the console uses."""

    settings: Settings
    store: Store

    def explain(
        self, inspection_id: int, wanted: Iterable[str] = ..., progress: Progress | None = None
    ) -> Evidence: ...


class Actor(Protocol):
    """Who acts: a signed-in person or the owner of a token."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


ROLE_ORDER = tuple(Role)


def require(actor: Actor, role: Role) -> None:
    """Refuse ``actor`` unless its role is at least ``role``.

    Raises:
        NotAllowed: naming the role it takes.
    """
    if ROLE_ORDER.index(Role(actor.role)) < ROLE_ORDER.index(role):
        raise NotAllowed(
            f"This needs the role {role.value}; you are signed in as {Role(actor.role).value}.",
            "Ask an administrator for the role, or sign in with another account.",
        )


class InspectionService:
    """Reads and actions of the console over one store and one inspector."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        inspector: Callable[[], InspectorLike],
        heatmap: Callable[[Store, Inspection], bytes],
        reviewed: Callable[[int, str], None],
        explainer: Callable[[], ExplainerLike] | None = None,
        airflow: Callable[[], AirflowApi] | None = None,
    ) -> None:
        """``reviewed`` is told of every decision and undo, with the inspection's id and who it was."""
        self.settings = settings
        self.store = store
        self.queue = QueueService(store)
        self._inspector = inspector
        self._heatmap = heatmap
        self._reviewed = reviewed
        self._explainer = explainer or real_explainer
        self.airflow = airflow
        """What reaches Airflow where it is not the real one."""

    @property
    def inspector(self) -> InspectorLike:
        """The process's inspector; the first access loads what it needs, so never from the event loop."""
        return self._inspector()

    @property
    def explainer(self) -> ExplainerLike:
        """What explains inspections; as with ``inspector``, never from the event loop."""
        return self._explainer()

    # reading ---------------------------------------------------------------------------------

    def nights(
        self, *, kind: str | None = BatchKind.NIGHTLY, limit: int = 60, offset: int = 0
    ) -> list[reads.NightRow]:
        with self.store.session(read_only=True) as session:
            return reads.nights(session, kind=kind, limit=limit, offset=offset)

    def night_count(self) -> int:
        with self.store.session(read_only=True) as session:
            return reads.night_count(session)

    def open_items(self) -> int:
        with self.store.session(read_only=True) as session:
            return reads.open_items(session)

    def summary(self, batch_key: str) -> tuple[reads.NightRow, BatchSummary]:
        """A batch and its totals.

        Raises:
            NotFound: there is no such batch.
        """
        with self.store.session(read_only=True) as session:
            batch = batches.by_key(session, batch_key)
            assert batch.id is not None
            totals = batches.summary(session, batch.id)
            row = reads.NightRow(
                key=batch.key,
                kind=batch.kind,
                day=batch.day,
                created_at=batch.created_at,
                finished_at=batch.finished_at,
                expected=batch.expected,
                total=totals.total,
                flagged=totals.anomalous + totals.unknown_category,
                rejected=totals.rejected,
                undecided=totals.undecided,
            )
            return row, totals

    def detail(self, inspection_id: int) -> views.Detail:
        with self.store.session(read_only=True) as session:
            return views.detail(session, inspection_id)

    def defect_types(self, category: str) -> list[str]:
        """Names worth suggesting for a defect: test folders of the category, its cases, its knowledge."""

        if not category:
            return []
        with self.store.session(read_only=True) as session:
            names = queue_reads.known_defects(session, category)
        # where its images are not kept, or a folder has an odd name, cases and knowledge still have names
        with suppress(AnomalyOSError):
            names |= {sample.defect for sample in load_category(self.settings, category).test}
        return sorted(names - {"good"})

    def every_night(self) -> reads.NightRow | None:
        """All nights as if they were one; None when there has been none."""
        with self.store.session(read_only=True) as session:
            return queue_reads.every_night(session, EVERY_NIGHT)

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
        progress: Progress | None = None,
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

    def photo(self, inspection_id: int) -> Any:
        """The stored image, decoded through the one safe decoder.

        Raises:
            NotFound: the inspection has no image (it was rejected) or does not exist.
        """
        return self.decoded(self.photo_path(inspection_id))

    def photo_path(self, inspection_id: int) -> str:
        """Where the object store has an inspection's image; the same for the same content.

        Raises:
            NotFound: as ``photo``.
        """
        return self._image(inspection_id).object_path

    def decoded(self, object_path: str) -> Any:
        return decode_image(self.store.objects.read(object_path), self.settings)

    def heatmap_png(self, inspection_id: int) -> bytes:
        """RGBA PNG of the anomaly map, the size of the oriented photo."""
        with self.store.session(read_only=True) as session:
            row = inspections.get(session, inspection_id)
        if not row.map_path:
            raise NotFound(f"Inspection {inspection_id} has no heat map.")
        return self._heatmap(self.store, row)

    def _image(self, inspection_id: int) -> Image:
        with self.store.session(read_only=True) as session:
            row = inspections.get(session, inspection_id)
            image = session.get(Image, row.image_id) if row.image_id is not None else None
        if image is None:
            raise NotFound(f"Inspection {inspection_id} has no image that can be shown.")
        return image


def real_explainer() -> ExplainerLike:
    return get_explainer()


def clean_name(name: str) -> str:
    """The last part of an uploaded file's name without control characters, at most 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[:120] or "unnamed"
