"""Initial tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _create_people()
    _create_models()
    _create_batches()
    _create_inspections()


def downgrade() -> None:
    with op.batch_alter_table("category") as category:
        category.drop_constraint("fk_category_champion_id", type_="foreignkey")
    for table in (
        "review",
        "inspection",
        "image",
        "batch",
        "promotion",
        "model_version",
        "category",
        "audit_event",
        "api_token",
        "app_user",
    ):
        op.drop_table(table)


def _create_people() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("app_user.id"), nullable=False, index=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("actor", sa.String(), nullable=False, index=True),
        sa.Column("action", sa.String(), nullable=False, index=True),
        sa.Column("subject", sa.String(), nullable=False, index=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _create_models() -> None:
    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("champion_id", sa.Integer()),
        sa.Column("pointer_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "model_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category_id", sa.Integer(), sa.ForeignKey("category.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("bundle_path", sa.String(), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("recipe", sa.String(), nullable=False),
        sa.Column("recipe_hash", sa.String(64), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("gate_passed", sa.Boolean()),
        sa.Column("gate_reason", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("category_id", "content_key"),
        sa.UniqueConstraint("category_id", "version"),
    )
    # the two tables name each other: this half of the circle closes it
    with op.batch_alter_table("category") as category:
        category.create_foreign_key("fk_category_champion_id", "model_version", ["champion_id"], ["id"])
    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category_id", sa.Integer(), sa.ForeignKey("category.id"), nullable=False, index=True),
        sa.Column("from_id", sa.Integer(), sa.ForeignKey("model_version.id")),
        sa.Column("to_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _create_batches() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False, index=True),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("object_path", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _create_inspections() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("work_key", sa.String(64), nullable=False, unique=True),
        sa.Column("batch_id", sa.Integer(), sa.ForeignKey("batch.id"), nullable=False),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("image.id"), index=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reject_code", sa.String(), nullable=False),
        sa.Column("reject_reason", sa.String(), nullable=False),
        sa.Column("given_category", sa.String()),
        sa.Column("routed_category", sa.String()),
        sa.Column("routed_similarity", sa.Float()),
        sa.Column("route_mismatch", sa.Boolean(), nullable=False),
        sa.Column("category_id", sa.Integer(), sa.ForeignKey("category.id")),
        sa.Column("model_version_id", sa.Integer(), sa.ForeignKey("model_version.id"), index=True),
        sa.Column("bundle_sha256", sa.String(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("threshold", sa.Float()),
        sa.Column("alpha", sa.Float()),
        sa.Column("p_value", sa.Float()),
        sa.Column("calibration_groups", sa.Integer()),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("map_path", sa.String(), nullable=False),
        sa.Column("map_facts", sa.JSON(), nullable=False),
        sa.Column("timings_ms", sa.JSON(), nullable=False),
        sa.Column("review_version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), index=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_inspection_batch", "inspection", ["batch_id", "verdict", "decision", "p_value"])
    op.create_index("ix_inspection_category", "inspection", ["category_id", "verdict", "decision", "p_value"])
    op.create_index("ix_inspection_queue", "inspection", ["verdict", "decision", "p_value"])
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("inspection_id", sa.Integer(), sa.ForeignKey("inspection.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("defect_type", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("inspection_id", "version"),
    )
