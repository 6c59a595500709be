"""Proofs from the stored tree: for a caller who wants to check one entry or two checkpoints alone.

* A proof that does not fit is worthless to who gets it, so nothing is checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from kanta_gateway.audit import merkle
from kanta_gateway.database import audit_entry, audit_node
from kanta_gateway.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NODE = select(audit_node.c.hash).where(audit_node.c.level == bindparam("level"), audit_node.c.idx == bindparam("idx"))
_LEAF = select(audit_entry.c.leaf_hash).where(audit_entry.c.idx == bindparam("idx"))


def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """Proof that the entry is in the tree of this size.

    Raises:
        NotFoundError: there is no such entry or size.
    """
    try:
        return merkle.inclusion_proof(index, size, _reader(connection))
    except ValueError as error:
        raise NotFoundError("the log has no such entry at this size; ask for the last checkpoint first.") from error


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """Proof that the tree of the old size is the beginning of that of the new.

    Raises:
        NotFoundError: there are no such sizes.
    """
    try:
        return merkle.consistency_proof(old, new, _reader(connection))
    except ValueError as error:
        raise NotFoundError("the log never had these sizes; ask for the last checkpoint first.") from error


def _reader(connection: Connection) -> merkle.Node:
    def node(level: int, idx: int) -> bytes:
        query, place = (_NODE, {"level": level, "idx": idx}) if level else (_LEAF, {"idx": idx})
        found = connection.execute(query, place).scalar()
        if found is None:
            raise NotFoundError("the log has not grown to this size; ask for the last checkpoint first.")
        return bytes(found)

    return node
