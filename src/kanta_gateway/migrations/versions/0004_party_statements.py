"""Parties as dated statements; contracts that were registered before are stated without a last day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EVER = "0001-01-01"


def upgrade() -> None:
    """Bring the tables one step forward."""
    table = op.create_table(
        "party_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("thing", sa.String(length=24), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_to", sa.String(length=10), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("party_statement_kind", "party_statement", ["kind", "owner"], unique=False)
    rows = list(op.get_bind().execute(sa.text("SELECT * FROM party ORDER BY id")).mappings())
    organisers = {(one["contract"], one["purchaser"]): one for one in rows if one["role"] == "organiser"}
    for one in rows:
        organiser = organisers.get((one["contract"], one["purchaser"]))
        if one["role"] == "provider" and organiser is not None:
            for kind, names, owner, body in _statements(one, organiser):
                thing = hashlib.sha256("\0".join((kind, *names, _EVER)).encode()).hexdigest()[:24]
                op.execute(table.insert().values(
                    kind=kind, thing=thing, owner=owner, valid_from=_EVER, valid_to=None, body=json.dumps(body),
                    sealed=None, recorded_at=one["registered_at"],
                ))  # fmt: skip
    op.drop_index("party_unique", table_name="party")
    op.drop_table("party")


def _statements(
    provider: Mapping[Any, Any], organiser: Mapping[Any, Any]
) -> Iterator[tuple[str, tuple[str, ...], str, dict[str, str]]]:
    number, purchaser = provider["contract"], provider["purchaser"]
    for row, role in ((provider, "processor"), (organiser, "controller")):
        yield "organisation", (row["oid"],), "", {"oid": row["oid"], "name": row["name"], "role": role}
    parties = {"processor": provider["oid"], "controller": organiser["oid"]}
    contract = {**parties, "number": number, "purchaser": purchaser}
    yield "contract", tuple(contract.values()), provider["oid"], contract
    use = {**parties, "contract": number}
    yield "register-use", tuple(use.values()), provider["oid"], use
