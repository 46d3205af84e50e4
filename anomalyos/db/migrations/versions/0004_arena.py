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
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("model_version_id", sa.Integer(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_version.id"], name="fk_arena_material_model_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_arena_material"),
        sa.UniqueConstraint(
            "content_sha256", "model_version_id", name="uq_arena_material_content_sha256_model_version_id"
        ),
    )
    op.create_index("ix_arena_material_model_version_id", "arena_material", ["model_version_id"])


def _create_rounds() -> None:
    op.create_table(
        "arena_challenge",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("material_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_arena_challenge"),
    )
    op.create_table(
        "arena_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(10)),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("seed", sa.String(80), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("ai_right", sa.Integer(), nullable=False),
        sa.Column("best_streak", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_arena_round_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_arena_round"),
        sa.UniqueConstraint("user_id", "day", name="uq_arena_round_user_id_day"),
    )
    op.create_index("ix_arena_round_token", "arena_round", ["token"], unique=True)
    op.create_index("ix_arena_round_user_id", "arena_round", ["user_id"])
    op.create_index("ix_arena_round_day", "arena_round", ["day"])
    op.create_index("ix_arena_round_finished_at", "arena_round", ["finished_at"])


def _create_calls() -> None:
    op.create_table(
        "arena_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("material_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
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
        sa.ForeignKeyConstraint(["material_id"], ["arena_material.id"], name="fk_arena_call_material_id"),
        sa.ForeignKeyConstraint(["round_id"], ["arena_round.id"], name="fk_arena_call_round_id"),
        sa.PrimaryKeyConstraint("id", name="pk_arena_call"),
        sa.UniqueConstraint("round_id", "place", name="uq_arena_call_round_id_place"),
    )
    op.create_index("ix_arena_call_category", "arena_call", ["category"])
    op.create_index("ix_arena_call_round_id", "arena_call", ["round_id"])
    op.create_index("ix_arena_call_token", "arena_call", ["token"], unique=True)
