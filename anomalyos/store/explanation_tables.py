"""Tables of what was said about an inspection afterwards: explanations and reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.store.tables import now_column


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


class Report(SQLModel, table=True):
    """One report as it was written, with everything it was written from."""

    __tablename__ = "report"

    id: int | None = Field(default=None, primary_key=True)
    inspection_id: int = Field(foreign_key="inspection.id", index=True)
    writer: str
    """``groq`` or ``template``."""
    fallback_reason: str = ""
    """Why the template wrote it although a model was wanted."""
    model: str = ""
    prompt_sha256: str = Field(default="", max_length=64)
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """The facts, each with the id statements cite."""
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    unsupported: int = 0
    """Statements that cite nothing, or something that was not retrieved."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """None when the model's price is not configured."""
    duration_ms: float
    actor: str
    created_at: datetime = now_column()
