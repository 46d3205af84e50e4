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
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("defect_type", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("inspection_id", sa.Integer()),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("image_path", sa.String(), nullable=False),
        sa.Column("crop_path", sa.String(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("area_share", sa.Float(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_defect_case_inspection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_defect_case"),
        sa.UniqueConstraint("content_key", name="uq_defect_case_content_key"),
    )
    op.create_index("ix_defect_case_category", "defect_case", ["category"])
    op.create_index("ix_defect_case_change", "defect_case", ["change"])
    op.create_index("ix_defect_case_defect_type", "defect_case", ["defect_type"])
    op.create_index("ix_defect_case_image_sha256", "defect_case", ["image_sha256"])
    op.create_index("ix_defect_case_inspection_id", "defect_case", ["inspection_id"])
    op.create_index("ix_defect_case_removed_at", "defect_case", ["removed_at"])
    op.create_table(
        "case_vector",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["defect_case.id"], name="fk_case_vector_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_vector"),
        sa.UniqueConstraint("case_id", "embedder", name="uq_case_vector_case_id_embedder"),
    )
    op.create_index("ix_case_vector_case_id", "case_vector", ["case_id"])
    op.create_index("ix_case_vector_embedder", "case_vector", ["embedder"])
    op.create_table(
        "text_vector",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_text_vector"),
        sa.UniqueConstraint("text_sha256", "embedder", name="uq_text_vector_text_sha256_embedder"),
    )
    op.create_index("ix_text_vector_text_sha256", "text_vector", ["text_sha256"])


def _create_knowledge() -> None:
    op.create_table(
        "knowledge_node",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_node"),
    )
    op.create_index("ix_knowledge_node_key", "knowledge_node", ["key"], unique=True)
    op.create_index("ix_knowledge_node_kind", "knowledge_node", ["kind"])
    op.create_table(
        "knowledge_edge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("relation", sa.String(16), nullable=False),
        sa.Column("target", sa.String(160), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["knowledge_node.key"], name="fk_knowledge_edge_source"),
        sa.ForeignKeyConstraint(["target"], ["knowledge_node.key"], name="fk_knowledge_edge_target"),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_edge"),
        sa.UniqueConstraint("source", "relation", "target", name="uq_knowledge_edge_source_relation_target"),
    )
    op.create_index("ix_knowledge_edge_source", "knowledge_edge", ["source"])
    op.create_index("ix_knowledge_edge_target", "knowledge_edge", ["target"])
    op.create_table(
        "knowledge_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(360), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_revision"),
        sa.UniqueConstraint("subject", "version", name="uq_knowledge_revision_subject_version"),
    )
    op.create_index("ix_knowledge_revision_subject", "knowledge_revision", ["subject"])
    op.create_table(
        "cause_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("defect", sa.String(160), nullable=False),
        sa.Column("cause", sa.String(160), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["case_id"], ["defect_case.id"], name="fk_cause_evidence_case_id"),
        sa.ForeignKeyConstraint(["cause"], ["knowledge_node.key"], name="fk_cause_evidence_cause"),
        sa.ForeignKeyConstraint(["defect"], ["knowledge_node.key"], name="fk_cause_evidence_defect"),
        sa.PrimaryKeyConstraint("id", name="pk_cause_evidence"),
    )
    op.create_index("ix_cause_evidence_case_id", "cause_evidence", ["case_id"])
    op.create_index("ix_cause_evidence_cause", "cause_evidence", ["cause"])
    op.create_index("ix_cause_evidence_defect", "cause_evidence", ["defect"])


def _create_explanations() -> None:
    op.create_table(
        "explanation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("input_key", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("cost_ms", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_explanation_inspection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_explanation"),
        sa.UniqueConstraint(
            "inspection_id", "method", "input_key", name="uq_explanation_inspection_id_method_input_key"
        ),
    )
    op.create_index("ix_explanation_inspection_id", "explanation", ["inspection_id"])
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
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
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_report_inspection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
    )
    op.create_index("ix_report_inspection_id", "report", ["inspection_id"])
