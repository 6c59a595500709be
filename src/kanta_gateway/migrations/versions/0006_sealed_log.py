"""Rows of the log are sealed under keys of their register and day, which lie in the key store."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import context, op

from kanta_gateway.errors import MisconfiguredError

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PIECE = 1000


def upgrade() -> None:
    """Bring the tables one step forward."""
    with op.batch_alter_table("audit_entry") as table:
        table.add_column(sa.Column("name", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("key_id", _ID, nullable=True))
        table.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=True))
        table.alter_column("event", existing_type=sa.String(length=32), nullable=True)
        table.alter_column("at", existing_type=sa.String(length=32), nullable=True)
    _seal_rows()
    with op.batch_alter_table("audit_entry") as table:
        table.drop_column("body")
    op.create_index("audit_entry_name", "audit_entry", ["name"], unique=False)
    op.create_index("audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("audit_entry_key", "audit_entry", ["key_id"], unique=False)


def _seal_rows() -> None:
    """Seal what stands open, in pieces; the leaf hashes stay what they are."""
    bind, seal = op.get_bind(), context.config.attributes.get("seal")
    query = sa.text("SELECT idx, body FROM audit_entry WHERE idx > :after ORDER BY idx LIMIT :piece")
    change = sa.text("UPDATE audit_entry SET name = :name, key_id = :key, sealed = :sealed WHERE idx = :idx")
    after = -1
    while rows := bind.execute(query, {"after": after, "piece": _PIECE}).all():
        if seal is None:
            raise MisconfiguredError("the log stands open in the database; upgrade it with its key folder at hand")
        for idx, body in rows:
            entry = json.loads(body)
            is_own = entry["event"] == "audit:checkpoint"
            register = "log" if is_own else entry["controller"] or "system"
            key, sealed = seal(register, entry["at"][:10], idx, body.encode())
            bind.execute(change, {"name": entry["actor"].get("name"), "key": key, "sealed": sealed, "idx": idx})
        after = rows[-1][0]
