"""Notices and the queue of their calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    _notices()
    _calls()


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("provider", sa.String(length=128), nullable=False),
        sa.Column("organiser", sa.String(length=128), nullable=False),
        sa.Column("purchaser", sa.String(length=64), nullable=False),
        sa.Column("client_ref", sa.String(length=64), nullable=False),
        sa.Column("is_client", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("corrects", sa.String(length=36), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("recipient", sa.String(length=32), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("send_on", sa.String(length=10), nullable=False),
        sa.Column("ready_on", sa.String(length=10), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.Column("disclosed_at", sa.String(length=32), nullable=True),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["data_key.id"]),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("notice_client", "notice", ["client_ref", "provider"], unique=False)
    op.create_index("notice_state", "notice", ["state", "sequence"], unique=False)


def _calls() -> None:
    op.create_table(
        "notice_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("body", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.String(length=32), nullable=False),
        sa.Column("lease_token", sa.String(length=36), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notice.sequence"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notice_call_due", "notice_call", ["state", "next_attempt_at"], unique=False)
    op.create_index("notice_call_once", "notice_call", ["notice", "way"], unique=True)
