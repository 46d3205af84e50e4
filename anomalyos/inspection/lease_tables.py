"""Who is looking at which open item, so that two reviewers never decide the same one at once."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime


class QueueLease(SQLModel, table=True):
    """One item held by one person until ``expires_at``; an expired lease is as good as none."""

    __tablename__ = "queue_lease"

    inspection_id: int = Field(foreign_key="inspection.id", primary_key=True)
    holder: str = Field(max_length=64, index=True)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
