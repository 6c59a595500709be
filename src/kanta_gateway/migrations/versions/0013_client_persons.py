"""Which client numbers have one identity code, by a keyed mark; client relationships are found by their client."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one step forward."""
    op.create_table(
        "client_person",
        sa.Column("provider", sa.String(length=128), nullable=False),
        sa.Column("purchaser", sa.String(length=64), nullable=False),
        sa.Column("client_ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_ref", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("provider", "purchaser", "client_ref"),
    )
    op.create_index("client_person_person", "client_person", ["person_ref"], unique=False)
    op.add_column("party_statement", sa.Column("client_ref", sa.String(length=64), nullable=True))
    op.create_index("party_statement_client", "party_statement", ["client_ref"], unique=False)
    told = "body::json->>'client'" if op.get_bind().dialect.name == "postgresql" else "json_extract(body, '$.client')"
    op.execute(f"UPDATE party_statement SET client_ref = {told} WHERE kind = 'relationship'")  # noqa: S608 — our own text
