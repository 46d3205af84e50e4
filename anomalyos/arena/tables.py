"""Tables of the Arena: labelled pictures with the AI's answer, rounds, calls, daily challenges."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


class RoundKind(StrEnum):
    FREE = "free"
    DAILY = "daily"


class ArenaMaterial(SQLModel, table=True):
    """One labelled picture as one model version sees it: whoever draws it again waits for nothing."""

    __tablename__ = "arena_material"
    __table_args__ = (UniqueConstraint("content_sha256", "model_version_id"),)

    id: int | None = Field(default=None, primary_key=True)
    content_sha256: str = Field(max_length=64)
    model_version_id: int = Field(foreign_key="model_version.id", index=True)
    category: str = Field(max_length=64)
    synthetic: bool = False
    source: str
    """Path inside the data set, or ``inspection:17``; never shown to a player."""
    stamp: str
    """Changes when the file, its mask or the decision behind it does: then the picture is read again."""
    object_path: str
    """Relative to ``Settings.objects_dir``: the photograph's bytes as they came."""
    width: int
    height: int
    defective: bool
    """The truth: its folder, or what the reviewer decided."""
    truth_path: str = ""
    """Relative to ``Settings.objects_dir``: the mask, PNG; empty when there is none."""
    truth_boxes: list[dict[str, float]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Where there is no mask: x, y, width, height in shares of the picture."""
    ai_defective: bool
    score: float
    threshold: float
    map_path: str
    """Relative to ``Settings.objects_dir``: patch scores (rows, cols), float32 .npy."""
    map_facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """As ``Inspection.map_facts``."""
    created_at: datetime = now_column()


class ArenaChallenge(SQLModel, table=True):
    """The ten pictures everybody gets on one day."""

    __tablename__ = "arena_challenge"

    day: str = Field(primary_key=True, max_length=10)
    seed: str = Field(max_length=80)
    """The day and a digest of the champions that were in charge."""
    level: float
    material_ids: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime = now_column()


class ArenaRound(SQLModel, table=True):
    """One person's ten calls. The totals are written when the last call is answered."""

    __tablename__ = "arena_round"
    # free rounds have no day, and NULL equals nothing: only challenges are once a day
    __table_args__ = (UniqueConstraint("user_id", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(unique=True, index=True, max_length=32)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    kind: str
    day: str | None = Field(default=None, index=True, max_length=10)
    category: str = Field(default="", max_length=64)
    """Empty: all of them."""
    level: float
    seed: str = Field(max_length=80)
    points: int = 0
    right: int = 0
    ai_right: int = 0
    """Of the calls that were shown."""
    best_streak: int = 0
    created_at: datetime = now_column()
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class ArenaCall(SQLModel, table=True):
    """One picture of a round, and what the person said of it."""

    __tablename__ = "arena_call"
    __table_args__ = (UniqueConstraint("round_id", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="arena_round.id", index=True)
    place: int
    material_id: int = Field(foreign_key="arena_material.id")
    token: str = Field(unique=True, index=True, max_length=32)
    """Random: what the addresses of its pictures name."""
    category: str = Field(index=True, max_length=64)
    defective: bool
    ai_defective: bool
    """Truth and the AI's answer as they stood when the round was drawn."""
    shown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    said: str = ""
    """``normal``, ``defect``, or empty for nothing in time."""
    mark_x: float | None = None
    mark_y: float | None = None
    """Where the person pointed, in shares of the picture."""
    distance: float | None = None
    """Of the mark from the defect as a share of the diagonal, 0 inside."""
    right: bool = False
    points: int = 0
    parts: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
