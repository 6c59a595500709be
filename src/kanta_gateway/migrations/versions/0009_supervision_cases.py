"""Cases of supervision: what an alert or an incident opened, and every step of working on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    op.create_table(
        "supervision_case",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=64), nullable=True),
        sa.Column("person_ref", sa.String(length=64), nullable=False),
        sa.Column("known_at", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("closed_at", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("finding"),
    )
    op.create_index("supervision_case_open", "supervision_case", ["closed_at", "due_on"], unique=False)
    op.create_table(
        "supervision_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("clock", sa.String(length=32), nullable=False),
        sa.Column("told_at", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["supervision_case.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("supervision_step_case", "supervision_step", ["case_id"], unique=False)
