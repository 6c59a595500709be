"""Records that were delivered for more than one client, and client numbers that are one person's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KNOWN = """
INSERT INTO moved (provider, type, record_id, client_ref)
SELECT DISTINCT one.provider, one.type, one.record_id, one.client_ref
FROM record one
JOIN record other ON other.provider = one.provider AND other.type = one.type AND other.record_id = one.record_id
WHERE one.client_ref IS NOT NULL AND other.client_ref IS NOT NULL AND one.client_ref <> other.client_ref
"""


def upgrade() -> None:
    """Bring the tables one step forward; what moved before is found and judged again."""
    op.create_table(
        "moved",
        sa.Column("provider", sa.String(length=128), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=256), nullable=False),
        sa.Column("client_ref", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("provider", "type", "record_id", "client_ref"),
    )
    op.create_index("moved_client", "moved", ["client_ref"], unique=False)
    op.create_table(
        "person_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=128), nullable=False),
        sa.Column("purchaser", sa.String(length=64), nullable=False),
        sa.Column("client_ref", sa.String(length=64), nullable=False),
        sa.Column("primary_ref", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("merged_at", sa.String(length=32), nullable=False),
        sa.Column("undone_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_link_client", "person_link", ["client_ref"], unique=False)
    op.create_index("person_link_primary", "person_link", ["primary_ref"], unique=False)
    op.execute(_KNOWN)
    op.execute("UPDATE record SET state = 'received' WHERE client_ref IN (SELECT client_ref FROM moved)")
