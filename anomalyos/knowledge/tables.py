"""Tables of the knowledge graph: nodes, edges, evidence, and every edit."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from anomalyos.db.columns import UtcDateTime, now_column


class NodeKind(StrEnum):
    CATEGORY = "category"
    DEFECT = "defect"
    SIGN = "sign"
    CAUSE = "cause"
    STEP = "step"
    REMEDY = "remedy"
    CHECK = "check"


class Relation(StrEnum):
    """What an edge says, read from its source to its target."""

    HAS_DEFECT = "has_defect"
    """category -> defect"""
    SHOWS = "shows"
    """defect -> sign"""
    CAUSED_BY = "caused_by"
    """defect -> cause, with the prior"""
    ARISES_IN = "arises_in"
    """cause -> step"""
    REMEDIED_BY = "remedied_by"
    """cause -> remedy"""
    VERIFIED_BY = "verified_by"
    """cause -> check"""


class KnowledgeNode(SQLModel, table=True):
    __tablename__ = "knowledge_node"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, index=True, max_length=160)
    """``defect:hazelnut/crack``, ``cause:shell-drying-too-fast``: kind, colon, slug."""
    kind: str = Field(index=True, max_length=16)
    name: str
    text: str = ""
    """What a reviewer reads: one to three sentences."""
    attributes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Severity of a defect, how often a check is due, and the like."""
    origin: str
    """``seed`` or ``person``."""
    version: int = 1
    """Rises with every edit: an edit names the version it was made from."""
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = now_column()


class KnowledgeEdge(SQLModel, table=True):
    __tablename__ = "knowledge_edge"
    __table_args__ = (UniqueConstraint("source", "relation", "target"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(foreign_key="knowledge_node.key", index=True, max_length=160)
    relation: str = Field(max_length=16)
    target: str = Field(foreign_key="knowledge_node.key", index=True, max_length=160)
    weight: float = 1.0
    """For ``caused_by`` the prior's pseudo-count (> 0); 1 elsewhere."""
    origin: str
    version: int = 1
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = now_column()


class KnowledgeRevision(SQLModel, table=True):
    """One edit of a node or an edge, whole before and whole after; append-only."""

    __tablename__ = "knowledge_revision"
    __table_args__ = (UniqueConstraint("subject", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True, max_length=360)
    """``node:KEY``, or ``edge:SOURCE|RELATION|TARGET``."""
    version: int
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    after: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    actor: str
    reason: str = ""
    created_at: datetime = now_column()


class CauseEvidence(SQLModel, table=True):
    """Somebody established what caused one case. Withdrawn evidence counts no longer and stays on record."""

    __tablename__ = "cause_evidence"

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="defect_case.id", index=True)
    defect: str = Field(foreign_key="knowledge_node.key", index=True, max_length=160)
    cause: str = Field(foreign_key="knowledge_node.key", index=True, max_length=160)
    actor: str
    note: str = ""
    created_at: datetime = now_column()
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TextVector(SQLModel, table=True):
    """Sentence embedding of one text, kept by its content: editing one document embeds one text."""

    __tablename__ = "text_vector"
    __table_args__ = (UniqueConstraint("text_sha256", "embedder"),)

    id: int | None = Field(default=None, primary_key=True)
    text_sha256: str = Field(max_length=64, index=True)
    embedder: str = Field(max_length=64)
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """(D,) float32 little endian, unit length."""
