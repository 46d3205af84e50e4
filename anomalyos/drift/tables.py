"""What drift reports measured, what they started, and records injected to try the whole chain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


class DriftOutcome(StrEnum):
    """What one comparison came to."""

    STABLE = "stable"
    DRIFTED = "drifted"
    TOO_FEW = "too_few"
    """One of the windows holds too few records for the methods; nothing was compared."""


class InjectedKind(StrEnum):
    """What an injected record stands for."""

    CLEAN = "clean"
    """The product's own held-out normal images again: they fill the reference of a young champion."""
    DRIFT = "drift"
    """The same images under another lamp and out of focus."""


class ImageEmbedding(SQLModel, table=True):
    """Whole-image embedding of one content, so that no photograph is run through the network twice."""

    __tablename__ = "image_embedding"

    sha256: str = Field(primary_key=True, max_length=64)
    recipe: str = Field(primary_key=True, max_length=64)
    """Hash of the features it was made of."""
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """(C,) float32 little endian, unit length."""


class InjectedRecord(SQLModel, table=True):
    """One made-up record of ``anomalyos simulate``.

    It is no inspection: statistics, queues, the game and the case base never see it. Only drift windows read
    this table, and whatever shows them says how many of their records are injected.
    """

    __tablename__ = "injected_record"
    __table_args__ = (Index("ix_injected_record_version", "model_version_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    category: str = Field(index=True, max_length=64)
    model_version_id: int = Field(foreign_key="model_version.id")
    """The champion that gave the score."""
    kind: str = Field(max_length=16)
    source: str
    """The image it was made of, and how."""
    score: float
    routed_category: str | None = None
    brightness: float
    sharpness: float
    recipe: str = Field(max_length=64)
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """As ``ImageEmbedding.vector``."""
    injected_by: str = Field(max_length=64)
    created_at: datetime = now_column()


class DriftCheck(SQLModel, table=True):
    """One comparison of a champion's first records with its latest."""

    __tablename__ = "drift_check"
    __table_args__ = (Index("ix_drift_check_subject", "category", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    content_key: str = Field(unique=True, index=True, max_length=64)
    """SHA-256 over champion, windows, methods and day: running a report again finds this row."""
    category: str = Field(max_length=64)
    day: str = Field(index=True, max_length=10)
    model_version_id: int = Field(foreign_key="model_version.id")
    outcome: str = Field(max_length=16)
    reference_count: int = 0
    current_count: int = 0
    injected_count: int = 0
    """Of both windows together."""
    figures: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """One per metric: metric, method, value, threshold, drifted."""
    page_path: str = ""
    """Relative to ``Settings.drift_dir``; empty when nothing was compared."""
    run_id: str = ""
    created_at: datetime = now_column()


class DriftAlarm(SQLModel, table=True):
    """Drift that was let through to retraining: what cool-down and daily cap are counted from."""

    __tablename__ = "drift_alarm"

    id: int | None = Field(default=None, primary_key=True)
    category: str = Field(index=True, max_length=64)
    check_id: int = Field(foreign_key="drift_check.id")
    run_id: str = Field(index=True)
    """The run that reports it. Tried again, the same run may report the same."""
    metric: str = Field(max_length=32)
    size: float
    raised_at: datetime = Field(sa_type=UtcDateTime, index=True)
