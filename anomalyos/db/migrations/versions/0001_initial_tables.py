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
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_user"),
    )
    op.create_index("ix_app_user_name", "app_user", ["name"], unique=True)
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_api_token_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
    )
    op.create_index("ix_api_token_token_sha256", "api_token", ["token_sha256"], unique=True)
    op.create_index("ix_api_token_user_id", "api_token", ["user_id"])
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_index("ix_audit_event_action", "audit_event", ["action"])
    op.create_index("ix_audit_event_actor", "audit_event", ["actor"])
    op.create_index("ix_audit_event_subject", "audit_event", ["subject"])


def _create_models() -> None:
    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("champion_id", sa.Integer()),
        sa.Column("pointer_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_category"),
    )
    op.create_index("ix_category_name", "category", ["name"], unique=True)
    op.create_table(
        "model_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
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
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_model_version_category_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_version"),
        sa.UniqueConstraint("category_id", "content_key", name="uq_model_version_category_id_content_key"),
        sa.UniqueConstraint("category_id", "version", name="uq_model_version_category_id_version"),
    )
    op.create_index("ix_model_version_category_id", "model_version", ["category_id"])
    # the two tables name each other: this half of the circle closes it
    with op.batch_alter_table("category") as category:
        category.create_foreign_key("fk_category_champion_id", "model_version", ["champion_id"], ["id"])
    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer()),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_promotion_category_id"),
        sa.ForeignKeyConstraint(["from_id"], ["model_version.id"], name="fk_promotion_from_id"),
        sa.ForeignKeyConstraint(["to_id"], ["model_version.id"], name="fk_promotion_to_id"),
        sa.PrimaryKeyConstraint("id", name="pk_promotion"),
    )
    op.create_index("ix_promotion_category_id", "promotion", ["category_id"])


def _create_batches() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
    )
    op.create_index("ix_batch_day", "batch", ["day"])
    op.create_index("ix_batch_key", "batch", ["key"], unique=True)
    op.create_table(
        "image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("object_path", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
    )
    op.create_index("ix_image_sha256", "image", ["sha256"], unique=True)


def _create_inspections() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_key", sa.String(64), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reject_code", sa.String(), nullable=False),
        sa.Column("reject_reason", sa.String(), nullable=False),
        sa.Column("given_category", sa.String()),
        sa.Column("routed_category", sa.String()),
        sa.Column("routed_similarity", sa.Float()),
        sa.Column("route_mismatch", sa.Boolean(), nullable=False),
        sa.Column("category_id", sa.Integer()),
        sa.Column("model_version_id", sa.Integer()),
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
        sa.Column("decision", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_inspection_batch_id"),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_inspection_category_id"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_inspection_image_id"),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_version.id"], name="fk_inspection_model_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inspection"),
        sa.UniqueConstraint("work_key", name="uq_inspection_work_key"),
    )
    op.create_index("ix_inspection_batch", "inspection", ["batch_id", "verdict", "decision", "p_value"])
    op.create_index("ix_inspection_category", "inspection", ["category_id", "verdict", "decision", "p_value"])
    op.create_index("ix_inspection_content_sha256", "inspection", ["content_sha256"])
    op.create_index("ix_inspection_decision", "inspection", ["decision"])
    op.create_index("ix_inspection_image_id", "inspection", ["image_id"])
    op.create_index("ix_inspection_model_version_id", "inspection", ["model_version_id"])
    op.create_index("ix_inspection_queue", "inspection", ["verdict", "decision", "p_value"])
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("defect_type", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_review_inspection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("inspection_id", "version", name="uq_review_inspection_id_version"),
    )
    op.create_index("ix_review_inspection_id", "review", ["inspection_id"])
