"""The tables. Rows are append-only where history matters (reviews, promotions, audit events)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKey, Index, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlmodel import Field, SQLModel

# Every constraint has a name, on every database alike, so that a migration can drop it again.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on every database: SQLite drops the zone, so it is put back on read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Verdict(StrEnum):
    """What the model says of one image."""

    NORMAL = "normal"
    ANOMALOUS = "anomalous"
    UNKNOWN_CATEGORY = "unknown_category"
    REJECTED = "rejected"


class Decision(StrEnum):
    """What a reviewer says of one inspection; WITHDRAWN is an undo back to undecided."""

    DEFECT = "defect"
    FALSE_ALARM = "false_alarm"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """Ascending rights: each role may do what the ones before it may."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ENGINEER = "engineer"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API token may be used for."""

    INSPECT = "inspect"
    READ = "read"
    RETRAIN = "retrain"


class BatchKind(StrEnum):
    NIGHTLY = "nightly"
    LIVE = "live"


def now_column() -> Any:
    """A column holding when its row was made, in UTC."""
    return Field(default_factory=utc_now, sa_type=UtcDateTime)


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


class Batch(SQLModel, table=True):
    """A night, or the rolling batch of a day's live inspections. ``key`` is what links name."""

    __tablename__ = "batch"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, index=True, max_length=64)
    """``night-2026-11-24`` or ``live-2026-11-24``."""
    kind: str
    day: str = Field(index=True, max_length=10)
    run_id: str = ""
    expected: int = 0
    """Files discovered; the batch is complete when as many inspections exist."""
    created_at: datetime = now_column()
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Image(SQLModel, table=True):
    """One decodable image, once per content."""

    __tablename__ = "image"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True, index=True, max_length=64)
    object_path: str
    """Relative to ``Settings.objects_dir``: the bytes as they came."""
    format: str
    width: int
    height: int
    size_bytes: int
    created_at: datetime = now_column()


class Inspection(SQLModel, table=True):
    """One image looked at once in one batch, or refused with the reason.

    The score is kept with everything that turned it into a verdict, so the threshold can be
    moved later without running the model again.
    """

    __tablename__ = "inspection"
    __table_args__ = (
        Index("ix_inspection_queue", "verdict", "decision", "p_value"),
        Index("ix_inspection_batch", "batch_id", "verdict", "decision", "p_value"),
        Index("ix_inspection_category", "category_id", "verdict", "decision", "p_value"),
        # these two hold everything that counts over many nights ask for, so no row is read for them
        Index("ix_inspection_states", "verdict", "decision", "batch_id"),
        Index("ix_inspection_counts", "batch_id", "category_id", "model_version_id", "verdict", "decision"),
    )

    id: int | None = Field(default=None, primary_key=True)
    work_key: str = Field(unique=True, max_length=64)
    """SHA-256 of batch, source and content: running the same work again finds this row."""
    batch_id: int = Field(foreign_key="batch.id")
    image_id: int | None = Field(default=None, foreign_key="image.id", index=True)
    source: str
    """Where it came from: the path inside the inbox, or ``upload:NAME``."""
    content_sha256: str = Field(index=True, max_length=64)
    verdict: str
    reject_code: str = ""
    reject_reason: str = ""
    given_category: str | None = None
    routed_category: str | None = None
    routed_similarity: float | None = None
    route_mismatch: bool = False
    category_id: int | None = Field(default=None, foreign_key="category.id")
    model_version_id: int | None = Field(default=None, foreign_key="model_version.id", index=True)
    bundle_sha256: str = ""
    score: float | None = None
    threshold: float | None = None
    alpha: float | None = None
    p_value: float | None = None
    calibration_groups: int | None = None
    """Normal parts the p-value was held against: it can be no smaller than 1 / (this + 1)."""
    regions: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    map_path: str = ""
    """Relative to ``Settings.objects_dir``: patch scores (rows, cols), float32 .npy."""
    map_facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """How to draw the map: input_size, border, sigma, median, threshold, and the image's width, height."""
    timings_ms: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    review_version: int = 0
    """Version of the newest review, 0 when there is none: what a reviewer's decision is checked against."""
    decision: str | None = Field(default=None, index=True)
    """The newest decision, None while undecided; reviews hold the history."""
    created_at: datetime = now_column()


class Review(SQLModel, table=True):
    """One version of what people decided about an inspection."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("inspection_id", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    inspection_id: int = Field(foreign_key="inspection.id", index=True)
    version: int
    kind: str = "decide"
    """``decide`` or ``undo``: without it an undo could not be told from deciding the same again."""
    decision: str
    defect_type: str = ""
    note: str = ""
    reviewer: str
    created_at: datetime = now_column()


class AuditEvent(SQLModel, table=True):
    """Who did what to what; written in the transaction of the change itself."""

    __tablename__ = "audit_event"

    id: int | None = Field(default=None, primary_key=True)
    actor: str = Field(index=True)
    action: str = Field(index=True)
    subject: str = Field(index=True)
    """``inspection:17``, ``category:hazelnut``, ``user:mia``."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = now_column()


class User(SQLModel, table=True):
    __tablename__ = "app_user"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=64)
    password_hash: str
    role: str
    active: bool = True
    session_epoch: int = 0
    """Raised when the password, the role or ``active`` changes: older sessions end."""
    created_at: datetime = now_column()


class ApiToken(SQLModel, table=True):
    """A bearer token, known here only by its SHA-256."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    name: str
    token_sha256: str = Field(unique=True, index=True, max_length=64)
    scopes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """``inspect`` and ``read``."""
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = now_column()
