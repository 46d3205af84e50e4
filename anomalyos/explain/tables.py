"""Tables of what was said about an inspection afterwards: explanations and reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import now_column


class Explanation(SQLModel, table=True):
    """One explanation of one inspection, computed when somebody asked and then kept."""

    __tablename__ = "explanation"
    __table_args__ = (UniqueConstraint("inspection_id", "method", "input_key"),)

    id: int | None = Field(default=None, primary_key=True)
    inspection_id: int = Field(foreign_key="inspection.id", index=True)
    method: str = Field(max_length=32)
    """``gradcam_pp``, ``hirescam``, ``shap``, ``trace``, ``depth``, ``similar_cases``."""
    input_key: str = Field(max_length=64)
    """SHA-256 of bundle, parameters and the method's own version: another input is another explanation."""
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    files: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Name to path relative to ``Settings.objects_dir``."""
    cost_ms: float
    created_at: datetime = now_column()
