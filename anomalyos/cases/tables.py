"""Tables of index 2: known defects, and their embeddings under each embedder."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


class CaseOrigin(StrEnum):
    """How a case came to be known."""

    IMPORT = "import"
    """A labelled defect of an imported data set."""
    REVIEW = "review"
    """A defect a reviewer confirmed."""


class Severity(StrEnum):
    """How much a defect matters, ascending."""

    COSMETIC = "cosmetic"
    FUNCTIONAL = "functional"
    CRITICAL = "critical"


class DefectCase(SQLModel, table=True):
    """One known defect: what was cut out of which image, and what it was called.

    Rows are never deleted: ``removed_at`` takes a case out of every search and keeps its history.
    """

    __tablename__ = "defect_case"

    id: int | None = Field(default=None, primary_key=True)
    content_key: str = Field(unique=True, max_length=64)
    """SHA-256 of image, box, category, defect type and origin: importing twice adds nothing."""
    category: str = Field(index=True, max_length=64)
    defect_type: str = Field(index=True, max_length=64)
    severity: str = ""
    origin: str
    synthetic: bool = False
    source: str
    """Path inside the data set, or ``inspection:17``."""
    inspection_id: int | None = Field(default=None, foreign_key="inspection.id", index=True)
    image_sha256: str = Field(index=True, max_length=64)
    image_path: str
    """Relative to ``Settings.objects_dir``: the whole photograph."""
    crop_path: str
    """Relative to ``Settings.objects_dir``: the defect with its margin, PNG."""
    box: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """x, y, width, height of the crop in pixels of the photograph."""
    area_share: float = 0.0
    """Share of the photograph that the defect itself covers."""
    note: str = ""
    added_by: str
    added_at: datetime = now_column()
    removed_by: str = ""
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    change: int = Field(default=0, index=True)
    """Rises over the whole table with every addition, edit and removal: an index asks for what is newer."""


class CaseVector(SQLModel, table=True):
    """Embedding of one case's crop under one embedder."""

    __tablename__ = "case_vector"
    __table_args__ = (UniqueConstraint("case_id", "embedder"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="defect_case.id", index=True)
    embedder: str = Field(max_length=64, index=True)
    """Digest of the embedder's recipe."""
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """(D,) float32 little endian, unit length."""
