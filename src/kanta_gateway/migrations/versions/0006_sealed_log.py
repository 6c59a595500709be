"""Keys go to the key store, and rows of the log are sealed under keys of their register and day."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import context, op

from kanta_gateway.errors import MisconfiguredError

revision = "0006"
down_revision = "0005"
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
    _move_keys()
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("key_id", _ID, nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lost_will",
        sa.Column("ticket", sa.String(length=36), nullable=False),
        sa.Column("provider", sa.String(length=128), nullable=False),
        sa.Column("client_ref", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ticket"),
    )
    op.create_index("lost_will_client", "lost_will", ["client_ref", "provider"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("ticket", sa.String(length=36), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "days"),
    )
    op.create_table(
        "forgotten_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


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


def _move_keys() -> None:
    """The wrapped keys leave the database; what they are called stays."""
    bind, take_over = op.get_bind(), context.config.attributes.get("take_over")
    rows = bind.execute(sa.text("SELECT id, wrapped FROM data_key WHERE wrapped IS NOT NULL")).all()
    if rows and take_over is None:
        raise MisconfiguredError("wrapped keys lie in the database; upgrade it with its key folder at hand")
    if rows and take_over is not None:
        take_over([(int(id_), bytes(wrapped)) for id_, wrapped in rows])
        bind.execute(sa.text("UPDATE data_key SET wrapped = NULL"))
    op.drop_column("data_key", "wrapped")
    bind.execute(sa.text("UPDATE record SET digest = ''"))  # they were not keyed by what goes with the record
    bind.execute(sa.text("DELETE FROM idempotency"))  # neither were these
    if bind.dialect.name == "postgresql":  # SQLite's whole numbers have 64 bits anyway
        for table, column in (("data_key", "id"), ("record", "key_id"), ("document", "key_id"), ("notice", "key_id")):
            op.alter_column(table, column, type_=sa.BigInteger(), existing_type=sa.Integer())
        op.execute("ALTER TABLE data_key ALTER COLUMN id DROP DEFAULT")
