"""People, their tokens, and who did what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


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
