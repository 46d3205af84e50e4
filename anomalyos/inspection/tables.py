"""Images, inspections and what people decided about them. Reviews are append-only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


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


class BatchKind(StrEnum):
    NIGHTLY = "nightly"
    LIVE = "live"


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
