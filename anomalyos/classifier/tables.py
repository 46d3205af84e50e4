"""Versions of each category's defect classifier, and which of them gives names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import now_column


class ClassifierVersion(SQLModel, table=True):
    """One trained classifier. Rows never change, but for what the gate says of them, once, and for the hash
    of files that were damaged and have been made again."""

    __tablename__ = "classifier_version"
    __table_args__ = (UniqueConstraint("category", "version"), UniqueConstraint("category", "content_key"))

    id: int | None = Field(default=None, primary_key=True)
    category: str = Field(index=True, max_length=64)
    version: int
    content_key: str = Field(max_length=64)
    """SHA-256 over everything it is made from: training again finds this row."""
    bundle_path: str
    """Relative to ``home/classifiers``."""
    bundle_sha256: str = Field(max_length=64)
    metrics: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    gate_passed: bool | None = None
    """None until it is judged."""
    gate_reason: str = ""
    run_id: str = ""
    created_at: datetime = now_column()


class ClassifierPointer(SQLModel, table=True):
    """The version of a category that gives names."""

    __tablename__ = "classifier_pointer"

    category: str = Field(primary_key=True, max_length=64)
    version_id: int = Field(foreign_key="classifier_version.id")
    pointer_version: int = 1
    """Rises with every move, so that of two people who move it at once one is told."""
