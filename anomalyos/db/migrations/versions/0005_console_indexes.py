"""Indexes that hold all a count over many nights asks for."""

from __future__ import annotations

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

INDEXES = {
    "ix_inspection_states": ["verdict", "decision", "batch_id"],
    "ix_inspection_counts": ["batch_id", "category_id", "model_version_id", "verdict", "decision"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "inspection", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="inspection")
