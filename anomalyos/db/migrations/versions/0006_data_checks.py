"""Data checks: figures of pictures by content, checks and what they found, training images set aside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _create_figures()
    _create_checks()
    _create_quarantine()


def downgrade() -> None:
    for table in ("quarantined_image", "data_check", "image_figures"):
        op.drop_table(table)


def _create_figures() -> None:
    op.create_table(
        "image_figures",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sharpness", sa.Float()),
        sa.Column("brightness", sa.Float()),
        sa.Column("contrast", sa.Float()),
        sa.Column("perceptual_hash", sa.String(), nullable=False),
        sa.Column("reject_code", sa.String(), nullable=False),
        sa.Column("reject_reason", sa.String(), nullable=False),
    )


def _create_checks() -> None:
    op.create_table(
        "data_check",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("content_key", sa.String(64), nullable=False, index=True, unique=True),
        sa.Column("category", sa.String(64), nullable=False, index=True),
        sa.Column("batch_key", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("reference", sa.JSON(), nullable=False),
        sa.Column("page_path", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(64), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_data_check_subject", "data_check", ["batch_key", "category", "checked_at"])


def _create_quarantine() -> None:
    op.create_table(
        "quarantined_image",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("category", "file", "sha256"),
    )
    op.create_index("ix_quarantined_image_state", "quarantined_image", ["category", "state"])
