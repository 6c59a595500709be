"""Assertions that were used, so that none is used again; how much each caller reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    op.create_table(
        "assertion_used",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("is_told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index("assertion_used_expires", "assertion_used", ["expires_at"], unique=False)
    op.create_table(
        "reading",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.String(length=16), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("who", "minute"),
    )
    op.create_index("reading_minute", "reading", ["minute"], unique=False)
