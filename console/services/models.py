"""What engineers ask and do about models: versions with their figures, promotion, rollback and undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from anomalyos.accounts.tables import Role
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import categories, pointer, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.promotions import Move
from anomalyos.models.tables import Category, ModelVersion, Promotion
from console.security.person import Actor, require
from console.services.recipe_choice import RecipeChoice, recipe_choice

PAGE = 8


@dataclass(frozen=True)
class ProductRow:
    """One product in the list."""

    name: str
    synthetic: bool
    champion: int | None
    """Number of the version in use."""
    newest: int | None
    newest_passed: bool | None
    """What the gate said of the newest version; None when it did not judge."""

    @property
    def waiting(self) -> bool:
        """Whether a version newer than the one in use exists."""
        return self.newest is not None and self.newest > (self.champion or 0)


@dataclass(frozen=True)
class FalseAlarms:
    """Normal test images that were flagged, against what was promised."""

    hits: int
    of: int
    promised: float


@dataclass(frozen=True)
class VersionView:
    """One version with the figures it is judged by; None is not measured."""

    id: int
    version: int
    recipe: str
    made: datetime
    in_use: bool
    alpha: float
    image_auroc: float | None
    aupro: float | None
    false_alarms: FalseAlarms | None
    bytes: int | None
    """Of its files; None when the manifest cannot be read."""
    gate_passed: bool | None
    gate_reason: str
    test_hash: str
    """Names the test images; figures compare only on the same ones."""
    choice: RecipeChoice


@dataclass(frozen=True)
class ProductView:
    name: str
    synthetic: bool
    pointer: int
    champion: VersionView | None
    earlier: VersionView | None
    """Where a rollback leads."""
    versions: list[VersionView]
    total: int
    offset: int
    moves: list[Move]


@dataclass(frozen=True)
class Moved:
    """A pointer that was moved, with what it takes to move it back."""

    product: str
    kind: str
    version: int
    previous: int | None
    """Number of the version that was in use before."""
    pointer: int
    """``Category.pointer_version`` afterwards."""


class ModelService:
    """Blocking, safe to call from threads; every call checks the actor's role."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store

    def products(self, actor: Actor) -> list[ProductRow]:
        """Every product by name."""
        require(actor, Role.ENGINEER)
        with self.store.session(read_only=True) as session:
            rows = categories.list_all(session)
            newest = model_versions.newest(session)
            inspecting = [row.champion_id for row in rows if row.champion_id is not None]
            found = session.exec(
                select(ModelVersion.id, ModelVersion.version).where(col(ModelVersion.id).in_(inspecting))
            )
            numbers = dict(found.all())
        result = []
        for row in rows:
            number, passed = newest.get(row.id or 0, (None, None))
            result.append(ProductRow(row.name, row.synthetic, numbers.get(row.champion_id), number, passed))
        return result

    def product(self, actor: Actor, name: str, offset: int = 0) -> ProductView:
        """One product with a page of its versions.

        Raises:
            NotFound: there is no such product.
        """
        require(actor, Role.ENGINEER)
        with self.store.session(read_only=True) as session:
            category = categories.by_name(session, name)
            total = model_versions.counts(session).get(category.id or 0, 0)
            offset = max(0, min(offset, (total - 1) // PAGE * PAGE)) if total else 0
            rows = model_versions.list_versions(session, name, limit=PAGE, offset=offset)
            champion = model_versions.champion(session, name)
            target = promotions.rollback_target(session, name)
            earlier = model_versions.get(session, target) if target is not None else None
            moves = promotions.recent_moves(session, name)
        return ProductView(
            name=name,
            synthetic=category.synthetic,
            pointer=category.pointer_version,
            champion=self._view(champion, category) if champion else None,
            earlier=self._view(earlier, category) if earlier else None,
            versions=[self._view(row, category) for row in rows],
            total=total,
            offset=offset,
            moves=moves,
        )

    def promote(self, actor: Actor, product: str, version: int, reason: str, seen_pointer: int) -> Moved:
        """Put a version in use; raises as ``pointer.promote_version`` does, and NotAllowed."""
        require(actor, Role.ENGINEER)
        move = pointer.promote_version(
            self.store,
            self.settings,
            category=product,
            version=version,
            actor=actor.name,
            reason=reason,
            expected_pointer=seen_pointer,
        )
        return self._moved(product, move, seen_pointer)

    def roll_back(self, actor: Actor, product: str, reason: str, seen_pointer: int) -> Moved:
        """Return to the version before; raises as ``pointer.roll_back`` does, and NotAllowed."""
        require(actor, Role.ENGINEER)
        move = pointer.roll_back(
            self.store,
            self.settings,
            category=product,
            actor=actor.name,
            reason=reason,
            expected_pointer=seen_pointer,
        )
        return self._moved(product, move, seen_pointer)

    def take_back(self, actor: Actor, moved: Moved) -> Moved:
        """Undo a move, unless somebody has moved the pointer since (Conflict)."""
        if moved.kind == promotions.PROMOTE:
            return self.roll_back(actor, moved.product, "The promotion was taken back.", moved.pointer)
        if moved.previous is None:
            raise ValueError("a rollback always leaves a version")
        reason = "The rollback was taken back."
        return self.promote(actor, moved.product, moved.previous, reason, moved.pointer)

    def _moved(self, product: str, move: Promotion, seen_pointer: int) -> Moved:
        with self.store.session(read_only=True) as session:
            previous = model_versions.get(session, move.from_id).version if move.from_id is not None else None
            version = model_versions.get(session, move.to_id).version
        return Moved(product, move.kind, version, previous, seen_pointer + 1)

    def _view(self, row: ModelVersion, category: Category) -> VersionView:
        assert row.id is not None
        return VersionView(
            id=row.id,
            version=row.version,
            recipe=row.recipe,
            made=row.created_at,
            in_use=row.id == category.champion_id,
            alpha=row.alpha,
            image_auroc=row.metrics.get("image_auroc"),
            aupro=row.metrics.get("aupro"),
            false_alarms=false_alarms(row),
            bytes=pointer.stored_bytes(self.settings, row),
            gate_passed=row.gate_passed,
            gate_reason=row.gate_reason,
            test_hash=str(row.metrics.get("test_hash", "")),
            choice=recipe_choice(row, category.name, self.settings),
        )


def false_alarms(version: ModelVersion) -> FalseAlarms | None:
    """What was measured at the reported alpha nearest to the version's own."""
    measured = version.metrics.get("false_alarms") or {}
    if not measured:
        return None
    nearest = min(measured, key=lambda alpha: abs(float(alpha) - version.alpha))
    entry = measured[nearest]
    if not entry.get("of"):
        return None
    return FalseAlarms(int(entry["hits"]), int(entry["of"]), float(entry["promised"]))
