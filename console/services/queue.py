"""What the queue asks of the platform: pages of items, what they can be narrowed by, and who looks at which.

Plain blocking methods, safe to call from threads, as those of the other services.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from anomalyos.db.engine import Store
from anomalyos.inspection import inspections, leases
from anomalyos.inspection.inspections import FLAGGED, QueueFilters
from anomalyos.inspection.tables import BatchKind, Inspection, Review
from anomalyos.models.tables import Category, ModelVersion
from console.services import views
from console.services.cache import TimedCache
from console.services.nights import EVERY_NIGHT, TO_DECIDE, in_batches

LEASE_SECONDS = 120.0


@dataclass(frozen=True)
class QueueFilter:
    """Which items a queue shows."""

    batch_key: str
    """A batch's key or ``EVERY_NIGHT``."""
    category: str | None = None
    decided: bool | None = False
    verdicts: tuple[str, ...] = FLAGGED
    model_version_id: int | None = None
    reviewer: str | None = None

    @property
    def every_night(self) -> bool:
        return self.batch_key == EVERY_NIGHT

    @property
    def narrowed(self) -> bool:
        """Whether anything but the night and the state of decision leaves items out."""
        chosen = (self.category, self.model_version_id, self.reviewer)
        return any(value is not None for value in chosen) or self.verdicts != FLAGGED

    def columns(self) -> QueueFilters:
        """The same for the repository."""
        return {
            "batch_key": None if self.every_night else self.batch_key,
            "batch_kind": BatchKind.NIGHTLY if self.every_night else None,
            "category": self.category,
            "decided": self.decided,
            "verdicts": self.verdicts,
            "model_version_id": self.model_version_id,
            "reviewer": self.reviewer,
        }


@dataclass(frozen=True)
class QueuePage:
    cards: list[views.Card]
    total: int
    offset: int
    ahead: list[views.Card] = field(default_factory=list)
    """The first items of the next page, to show what comes."""


@dataclass(frozen=True)
class Lease:
    """An item somebody holds; ``until`` tells one page's hold from another's."""

    inspection_id: int
    holder: str
    until: datetime


@dataclass(frozen=True)
class Facets:
    """Names in their order; each list holds only what occurs."""

    categories: list[str]
    models: list[tuple[int, str]]
    """Id and ``hazelnut v3``."""
    reviewers: list[str]


class QueueService:
    """Reads of the queue and the leases of its items."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._facets: TimedCache[str, Facets] = TimedCache(self._read_facets)

    def page(self, wanted: QueueFilter, *, offset: int = 0, limit: int = 24, ahead: int = 0) -> QueuePage:
        """One page of a queue, most suspicious first. An offset past the end shows the last page."""
        with self._store.session(read_only=True) as session:
            total = inspections.queue_count(session, **wanted.columns())
            offset = max(0, min(offset, (total - 1) // limit * limit)) if total else 0
            rows = inspections.queue(session, limit=limit + ahead, offset=offset, **wanted.columns())
            cards = views.cards(session, rows)
            return QueuePage(cards[:limit], total, offset, cards[limit:])

    def place(self, wanted: QueueFilter, inspection_id: int) -> int | None:
        """Offset of an item in the queue; None when the filter leaves it out."""
        with self._store.session(read_only=True) as session:
            return inspections.queue_place(session, inspection_id, **wanted.columns())

    def facets(self, batch_key: str) -> Facets:
        """What the queue of a batch, or of ``EVERY_NIGHT``, can be narrowed by; may be seconds old."""
        return self._facets.get(batch_key)

    def _read_facets(self, batch_key: str) -> Facets:
        with self._store.session(read_only=True) as session:
            return _facets(session, batch_key)

    # leases ----------------------------------------------------------------------------------

    def take(self, inspection_id: int, holder: str) -> Lease | None:
        """Hold an item for ``LEASE_SECONDS``, or longer; None when somebody else does."""
        with self._store.session() as session:
            until = leases.acquire(session, inspection_id, holder, LEASE_SECONDS)
        return None if until is None else Lease(inspection_id, holder, until)

    def take_first(self, inspection_ids: Sequence[int], holder: str) -> Lease | None:
        """Hold the first item nobody else holds; None when all are held."""
        with self._store.session() as session:
            found = leases.acquire_first(session, inspection_ids, holder, LEASE_SECONDS)
        return None if found is None else Lease(found[0], holder, found[1])

    def give_back(self, lease: Lease) -> None:
        """End a lease, unless the same person has taken the item again since."""
        with self._store.session() as session:
            leases.release(session, lease.inspection_id, lease.holder, lease.until)

    def held_by_others(self, inspection_ids: Iterable[int], holder: str) -> dict[int, str]:
        with self._store.session(read_only=True) as session:
            return leases.held_by_others(session, inspection_ids, holder)

    def tidy_leases(self) -> None:
        """Delete leases that have run out."""
        with self._store.session() as session:
            leases.forget_expired(session)


def _facets(session: Session, batch_key: str) -> Facets:
    pairs = session.exec(
        select(Inspection.category_id, Inspection.model_version_id)
        .where(in_batches(batch_key), col(Inspection.verdict).in_(TO_DECIDE))
        .distinct()
    ).all()
    category_ids = {category_id for category_id, _ in pairs}
    model_ids = {model_id for _, model_id in pairs}
    names = session.exec(
        select(Category.name).where(col(Category.id).in_(category_ids)).order_by(Category.name)
    ).all()
    models = session.exec(
        select(ModelVersion.id, Category.name, ModelVersion.version)
        .join(Category, col(Category.id) == col(ModelVersion.category_id))
        .where(col(ModelVersion.id).in_(model_ids))
        .order_by(Category.name, col(ModelVersion.version).desc())
    ).all()
    return Facets(
        list(names),
        [(model_id or 0, f"{name} v{version}") for model_id, name, version in models],
        _reviewers(session, batch_key),
    )


def _reviewers(session: Session, batch_key: str) -> list[str]:
    query = (
        select(Review.reviewer)
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .where(in_batches(batch_key))
        .distinct()
        .order_by(Review.reviewer)
    )
    return list(session.exec(query).all())
