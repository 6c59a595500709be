"""Proofs from the stored tree: for a caller who wants to check one entry or two checkpoints alone.

* A proof that does not fit is worthless to who gets it, so nothing is checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from kanta_gateway.audit import merkle
from kanta_gateway.errors import NotFoundError
from kanta_gateway.tables import audit_entry, audit_head, audit_node

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NODE = select(audit_node.c.hash).where(audit_node.c.level == bindparam("level"), audit_node.c.idx == bindparam("idx"))
_SIZE = select(func.coalesce(func.max(audit_head.c.size), 0))
_LEAF = select(audit_entry.c.leaf_hash).where(audit_entry.c.idx == bindparam("idx"))


def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """Proof that the entry is in the tree of this size.

    Raises:
        NotFoundError: there is no such entry or size.
    """
    try:
        return merkle.inclusion_proof(index, _grown(connection, size), reader(connection))
    except ValueError as error:
        raise NotFoundError("the log has no such entry at this size; ask for the last checkpoint first.") from error


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """Proof that the tree of the old size is the beginning of that of the new.

    Raises:
        NotFoundError: there are no such sizes.
    """
    try:
        return merkle.consistency_proof(old, _grown(connection, new), reader(connection))
    except ValueError as error:
        raise NotFoundError("the log never had these sizes; ask for the last checkpoint first.") from error


def size(connection: Connection) -> int:
    """How many entries the log has."""
    return int(connection.execute(_SIZE).scalar_one())


def _grown(connection: Connection, asked: int) -> int:
    """A size that the log has reached: a proof may need no hash, so that nothing else would tell."""
    if asked > size(connection):
        raise NotFoundError("the log has not grown to this size; ask for the last checkpoint first.")
    return asked


def reader(connection: Connection) -> merkle.Node:
    """Reads nodes of the stored tree.

    Raises:
        NotFoundError: (when asked) there is no such node.
    """

    def node(level: int, idx: int) -> bytes:
        query, place = (_NODE, {"level": level, "idx": idx}) if level else (_LEAF, {"idx": idx})
        found = connection.execute(query, place).scalar()
        if found is None:
            raise NotFoundError("the log has not grown to this size; ask for the last checkpoint first.")
        return bytes(found)

    return node
