"""Reads the log's tables piece by piece, in the order of the tree.

* Each piece holds the rows that belong to some thousand entries, so the memory does not grow with the log.
* Rows that belong to no piece are found at the end.
* The reader needs one snapshot: `Database.reading()` gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, or_, select

from kanta_gateway.audit.purge import Purge, read
from kanta_gateway.errors import GatewayError
from kanta_gateway.model import Event
from kanta_gateway.tables import audit_checkpoint, audit_entry, audit_head, audit_name, audit_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from kanta_gateway.audit.seals import Seals

PIECE = 8192
"""Entries in one piece; a power of two keeps every lower node inside its piece."""

_FAR = 1_000_000
"""A head this much beyond the entries is taken for a changed head, not for missing entries."""

_E, _N, _H = audit_entry.c, audit_node.c, audit_head.c
_ENTRIES = (
    select(_E.idx, _E.leaf_hash, _E.event, _E.client_ref, _E.name, _E.at, _E.key_id, _E.sealed)
    .where(_E.idx >= bindparam("low"), _E.idx < bindparam("high"))
    .order_by(_E.idx)
)
_NODES = select(_N.idx, _N.hash).where(
    _N.level == bindparam("level"), _N.idx >= bindparam("low"), _N.idx < bindparam("high")
)
_HEADS = select(_H.size, _H.root, _H.at, _H.mac).where(_H.size > bindparam("low"), _H.size <= bindparam("high"))


@dataclass(frozen=True, slots=True)
class Piece:
    """The stored rows that belong to the entries from `low` to `high`."""

    low: int
    high: int
    entries: dict[int, Any]
    nodes: list[dict[int, bytes]]
    """By level, then by index; level 0 is empty."""
    heads: dict[int, tuple[bytes, str, bytes]]
    """Root, time and code by size."""


def extent(connection: Connection) -> int:
    """How many entries the log should have, by what most of its tables say."""
    count = connection.execute(select(func.count()).select_from(audit_entry)).scalar_one()
    last = connection.execute(select(func.max(_H.size))).scalar() or 0
    if last <= count or last - count > _FAR:
        return int(count)
    has_own_head = connection.execute(select(_H.root).where(_H.size == count)).first() is not None
    heads_beyond = connection.execute(select(func.count()).where(_H.size > count)).scalar_one()
    nodes_beyond = connection.execute(select(func.count()).where(_N.level == 1, _N.idx >= count // 2)).scalar_one()
    is_head_moved = not has_own_head and heads_beyond == 1 and nodes_beyond == 0 and last - count > 1
    return int(count if is_head_moved else last)


def pieces(connection: Connection, total: int) -> Iterator[Piece]:
    """Every piece of a log with this many entries."""
    for low in range(0, total, PIECE):
        high = min(low + PIECE, total)
        entries = connection.execute(_ENTRIES, {"low": low, "high": high})
        nodes: list[dict[int, bytes]] = [{}]
        for level in range(1, high.bit_length() + 1):
            rows = connection.execute(_NODES, {"level": level, "low": low >> level, "high": high >> level})
            nodes.append({idx: bytes(hash_) for idx, hash_ in rows})
        heads = connection.execute(_HEADS, {"low": low, "high": high})
        yield Piece(
            low, high, {row[0]: row for row in entries}, nodes,
            {size: (bytes(root), at, bytes(mac)) for size, root, at, mac in heads},
        )  # fmt: skip


def strays(connection: Connection, total: int) -> Iterator[tuple[str, str]]:
    """Table and place of rows that no log with this many entries has."""
    for (idx,) in connection.execute(select(_E.idx).where(or_(_E.idx < 0, _E.idx >= total))):
        yield "audit_entry", str(idx)
    for (size,) in connection.execute(select(_H.size).where(or_(_H.size < 1, _H.size > total))):
        yield "audit_head", str(size)
    levels = total.bit_length()
    outside = [or_(_N.level < 1, _N.level > levels)]
    outside += [(_N.level == level) & ((_N.idx < 0) | (_N.idx >= total >> level)) for level in range(1, levels + 1)]
    for where in outside:
        for level, idx in connection.execute(select(_N.level, _N.idx).where(where)):
            yield "audit_node", f"{level}/{idx}"


def purges(connection: Connection, seals: Seals) -> Iterator[Purge]:
    """Every purge that the log tells of; an entry that cannot be opened is found where it is verified."""
    rows = connection.execute(select(_E.idx, _E.key_id, _E.sealed).where(_E.event == Event.AUDIT_PURGE.value))
    for idx, key_id, sealed in rows:
        try:
            entry = orjson.loads(seals.open(key_id, idx, sealed))
            yield read(entry)
        except (GatewayError, ValueError, TypeError, LookupError, AttributeError):
            continue


def checkpoints(connection: Connection) -> Iterator[tuple[int, str, str]]:
    """Size, note and time of every checkpoint."""
    c = audit_checkpoint.c
    for row in connection.execute(select(c.size, c.note, c.at).order_by(c.size)):
        yield row[0], row[1], row[2]


def names(connection: Connection) -> Iterator[tuple[str, str, bytes, bytes]]:
    """Commitment, reference, salt and sealed name of every name row."""
    c = audit_name.c
    for row in connection.execute(select(c.commitment, c.ref, c.salt, c.sealed).order_by(c.commitment)):
        yield row[0], row[1], bytes(row[2]), bytes(row[3])
