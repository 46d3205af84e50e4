"""Cases, the knowledge graph, explanations and reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _create_cases()
    _create_knowledge()
    _create_explanations()


def downgrade() -> None:
    for table in (
        "report",
        "explanation",
        "cause_evidence",
        "knowledge_revision",
        "knowledge_edge",
        "knowledge_node",
        "text_vector",
        "case_vector",
        "defect_case",
    ):
        op.drop_table(table)


def _create_cases() -> None:
    op.create_table(
        "defect_case",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("content_key", sa.String(64), nullable=False, unique=True),
        sa.Column("category", sa.String(64), nullable=False, index=True),
        sa.Column("defect_type", sa.String(64), nullable=False, index=True),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), sa.ForeignKey("inspection.id"), index=True),
        sa.Column("image_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("image_path", sa.String(), nullable=False),
        sa.Column("crop_path", sa.String(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("area_share", sa.Float(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), index=True),
        sa.Column("change", sa.Integer(), nullable=False, index=True),
    )
    op.create_table(
        "case_vector",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("case_id", sa.Integer(), sa.ForeignKey("defect_case.id"), nullable=False, index=True),
        sa.Column("embedder", sa.String(64), nullable=False, index=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("case_id", "embedder"),
    )
    op.create_table(
        "text_vector",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("text_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("text_sha256", "embedder"),
    )


def _create_knowledge() -> None:
    op.create_table(
        "knowledge_node",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(160), nullable=False, index=True, unique=True),
        sa.Column("kind", sa.String(16), nullable=False, index=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "knowledge_edge",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(160), sa.ForeignKey("knowledge_node.key"), nullable=False, index=True),
        sa.Column("relation", sa.String(16), nullable=False),
        sa.Column("target", sa.String(160), sa.ForeignKey("knowledge_node.key"), nullable=False, index=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("source", "relation", "target"),
    )
    op.create_table(
        "knowledge_revision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("subject", sa.String(360), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("subject", "version"),
    )
    op.create_table(
        "cause_evidence",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("case_id", sa.Integer(), sa.ForeignKey("defect_case.id"), nullable=False, index=True),
        sa.Column("defect", sa.String(160), sa.ForeignKey("knowledge_node.key"), nullable=False, index=True),
        sa.Column("cause", sa.String(160), sa.ForeignKey("knowledge_node.key"), nullable=False, index=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
    )


def _create_explanations() -> None:
    op.create_table(
        "explanation",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("inspection_id", sa.Integer(), sa.ForeignKey("inspection.id"), nullable=False, index=True),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("input_key", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("cost_ms", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("inspection_id", "method", "input_key"),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("inspection_id", sa.Integer(), sa.ForeignKey("inspection.id"), nullable=False, index=True),
        sa.Column("writer", sa.String(), nullable=False),
        sa.Column("fallback_reason", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_sha256", sa.String(64), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("unsupported", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Float()),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
