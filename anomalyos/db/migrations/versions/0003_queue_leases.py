"""Leases of open items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "queue_lease",
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_queue_lease_inspection_id"),
        sa.PrimaryKeyConstraint("inspection_id", name="pk_queue_lease"),
    )
    op.create_index("ix_queue_lease_holder", "queue_lease", ["holder"])
    op.create_index("ix_queue_lease_expires_at", "queue_lease", ["expires_at"])


def downgrade() -> None:
    op.drop_table("queue_lease")
