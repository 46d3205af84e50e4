"""Products and the versions of their models. Promotions are append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import now_column


class Category(SQLModel, table=True):
    """One product. ``champion_id`` is THE pointer: moving it is what promotion means.

    ``pointer_version`` counts the moves, so two processes that promote at once cannot both win.
    """

    __tablename__ = "category"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=64)
    synthetic: bool = False
    # category and model_version name each other, so this one constraint is added after both exist
    champion_id: int | None = Field(
        default=None,
        sa_column=Column(ForeignKey("model_version.id", name="fk_category_champion_id", use_alter=True)),
    )
    pointer_version: int = 0
    created_at: datetime = now_column()


class ModelVersion(SQLModel, table=True):
    """One immutable bundle. The champion is told by ``Category.champion_id``, never by a flag here."""

    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("category_id", "version"),
        UniqueConstraint("category_id", "content_key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    category_id: int = Field(foreign_key="category.id", index=True)
    version: int
    content_key: str = Field(max_length=64)
    """SHA-256 over training data, recipe and settings: the same inputs never make a second version."""
    bundle_path: str
    """Relative to ``Settings.bundles_dir``."""
    bundle_sha256: str = Field(max_length=64)
    """SHA-256 of the bundle's manifest, which holds the SHA-256 of each of its files."""
    recipe: str
    recipe_hash: str = Field(max_length=64)
    alpha: float
    threshold: float
    metrics: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    gate_passed: bool | None = None
    gate_reason: str = ""
    run_id: str = ""
    created_at: datetime = now_column()


class Promotion(SQLModel, table=True):
    """One move of a category's champion pointer, forwards or back."""

    __tablename__ = "promotion"

    id: int | None = Field(default=None, primary_key=True)
    category_id: int = Field(foreign_key="category.id", index=True)
    from_id: int | None = Field(default=None, foreign_key="model_version.id")
    to_id: int = Field(foreign_key="model_version.id")
    kind: str
    """``promote`` or ``rollback``."""
    reason: str = ""
    actor: str
    created_at: datetime = now_column()
