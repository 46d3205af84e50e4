"""Versions of defect classifiers, and the pointer to the one in use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "classifier_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category", sa.String(64), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("bundle_path", sa.String(), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("gate_passed", sa.Boolean()),
        sa.Column("gate_reason", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("category", "version"),
        sa.UniqueConstraint("category", "content_key"),
    )
    op.create_table(
        "classifier_pointer",
        sa.Column("category", sa.String(64), primary_key=True),
        sa.Column("version_id", sa.Integer(), sa.ForeignKey("classifier_version.id"), nullable=False),
        sa.Column("pointer_version", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("classifier_pointer")
    op.drop_table("classifier_version")
