"""Drift: embeddings of photographs, injected records, comparisons, and what they started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "image_embedding",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("recipe", sa.String(64), primary_key=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
    )
    _create_injected()
    _create_checks()
    _create_alarms()


def downgrade() -> None:
    for table in ("drift_alarm", "drift_check", "injected_record", "image_embedding"):
        op.drop_table(table)


def _create_injected() -> None:
    op.create_table(
        "injected_record",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category", sa.String(64), nullable=False, index=True),
        sa.Column("model_version_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("routed_category", sa.String()),
        sa.Column("brightness", sa.Float(), nullable=False),
        sa.Column("sharpness", sa.Float(), nullable=False),
        sa.Column("recipe", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("injected_by", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_injected_record_version", "injected_record", ["model_version_id", "id"])


def _create_checks() -> None:
    op.create_table(
        "drift_check",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("content_key", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False, index=True),
        sa.Column("model_version_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reference_count", sa.Integer(), nullable=False),
        sa.Column("current_count", sa.Integer(), nullable=False),
        sa.Column("injected_count", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("page_path", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_drift_check_subject", "drift_check", ["category", "day"])


def _create_alarms() -> None:
    op.create_table(
        "drift_alarm",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("check_id", sa.Integer(), sa.ForeignKey("drift_check.id"), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("metric", sa.String(32), nullable=False),
        sa.Column("size", sa.Float(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
    )
    for name in ("category", "run_id", "raised_at"):
        op.create_index(f"ix_drift_alarm_{name}", "drift_alarm", [name])
