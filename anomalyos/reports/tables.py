"""Reports as they were written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import now_column


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
