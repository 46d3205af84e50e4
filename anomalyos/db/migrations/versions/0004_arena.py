"""The Arena: pictures with the AI's answer, rounds, calls, daily challenges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _create_material()
    _create_rounds()
    _create_calls()


def downgrade() -> None:
    for table in ("arena_call", "arena_round", "arena_challenge", "arena_material"):
        op.drop_table(table)


def _create_material() -> None:
    op.create_table(
        "arena_material",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column(
            "model_version_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False, index=True
        ),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("object_path", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("defective", sa.Boolean(), nullable=False),
        sa.Column("truth_path", sa.String(), nullable=False),
        sa.Column("truth_boxes", sa.JSON(), nullable=False),
        sa.Column("ai_defective", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("map_path", sa.String(), nullable=False),
        sa.Column("map_facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("content_sha256", "model_version_id"),
    )


def _create_rounds() -> None:
    op.create_table(
        "arena_challenge",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("material_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "arena_round",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("token", sa.String(32), nullable=False, index=True, unique=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("app_user.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(10), index=True),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("ai_right", sa.Integer(), nullable=False),
        sa.Column("best_streak", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), index=True),
        sa.UniqueConstraint("user_id", "day"),
    )


def _create_calls() -> None:
    op.create_table(
        "arena_call",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("arena_round.id"), nullable=False, index=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("material_id", sa.Integer(), sa.ForeignKey("arena_material.id"), nullable=False),
        sa.Column("token", sa.String(32), nullable=False, index=True, unique=True),
        sa.Column("category", sa.String(64), nullable=False, index=True),
        sa.Column("defective", sa.Boolean(), nullable=False),
        sa.Column("ai_defective", sa.Boolean(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("mark_x", sa.Float()),
        sa.Column("mark_y", sa.Float()),
        sa.Column("distance", sa.Float()),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.UniqueConstraint("round_id", "place"),
    )
