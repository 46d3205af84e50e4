"""What data checks measured, found and set aside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


class CheckOutcome(StrEnum):
    """What became of the batch, from best to worst."""

    PASSED = "passed"
    WARNED = "warned"
    SET_ASIDE = "set_aside"
    STOPPED = "stopped"
    FAILED = "failed"
    """The check itself could not be made; ``reason`` says why."""


class QuarantineState(StrEnum):
    HELD = "held"
    """Out until somebody decides, or until a check finds nothing wrong any more."""
    RELEASED = "released"
    KEPT_OUT = "kept_out"
    """Out for good, whatever later checks say."""
    CLEARED = "cleared"
    """No longer found by the newest check: the file was replaced or removed, or the suite was changed."""


class ImageFigures(SQLModel, table=True):
    """Figures of one content, so that the same picture is decoded for checks only once."""

    __tablename__ = "image_figures"

    sha256: str = Field(primary_key=True, max_length=64)
    version: int
    """``picture_figures.VERSION`` they were measured with."""
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    sharpness: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    perceptual_hash: str = ""
    reject_code: str = ""
    """Empty when the image can be decoded."""
    reject_reason: str = ""


class DataCheck(SQLModel, table=True):
    """One suite over a category's images (``batch_key`` empty), or over one night's images of it."""

    __tablename__ = "data_check"
    __table_args__ = (Index("ix_data_check_subject", "batch_key", "category", "checked_at"),)

    id: int | None = Field(default=None, primary_key=True)
    content_key: str = Field(unique=True, index=True, max_length=64)
    """SHA-256 over files, suite and releases: the same question is answered once."""
    category: str = Field(index=True, max_length=64)
    """Empty for files of a night that wait for the router."""
    batch_key: str = Field(max_length=64)
    outcome: str = Field(max_length=16)
    reason: str = ""
    """Why it stopped, or could not be made."""
    images: int = 0
    results: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """One per section and rule: section, rule, severity, passed, checked, unexpected, stops."""
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """One per file something was found at: file, sha256, split, severity, rules, reason."""
    reference: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What is usual among the training images."""
    page_path: str = ""
    """Object path of the page to open offline."""
    checked_at: datetime = now_column()
    """When the question was asked last."""
    released_by: str = Field(default="", max_length=64)
    """Who let a stopped batch go on; empty when nobody did."""
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class QuarantinedImage(SQLModel, table=True):
    """A training image that is not learned from, and what an engineer said of it."""

    __tablename__ = "quarantined_image"
    __table_args__ = (
        UniqueConstraint("category", "file", "sha256"),
        Index("ix_quarantined_image_state", "category", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    category: str = Field(max_length=64)
    file: str
    """Relative to the category's folder."""
    sha256: str = Field(max_length=64)
    """Of the content that was found bad: a file that is replaced is judged anew."""
    rules: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    reason: str
    state: str = Field(default=QuarantineState.HELD.value, max_length=16)
    decided_by: str = Field(default="", max_length=64)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = ""
    created_at: datetime = now_column()
