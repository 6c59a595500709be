"""Document OIDs under a provider's node: never given twice, and telling nothing about client or volume.

* Numbers are reserved in blocks, in a transaction that is committed before the first number is used;
  a process that dies loses the rest of its block, which leaves a gap and nothing else.
* A number is put through a keyed permutation of 48 bits (Feistel network, a bijection), so that its last arcs
  show no order. Two numbers never meet, because a permutation has no collisions.
* The pattern of the OID is given; the organisation's own numbering plan decides it (JHS 159).
"""

from __future__ import annotations

import threading
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kanta_gateway.model import Oid
from kanta_gateway.tables import oid_block

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.database import Database

BLOCK = 1000
"""Numbers reserved at once: one commit for a thousand documents, at most a thousand lost by a crash."""
HALF_BITS = 24
HALF = 1 << HALF_BITS
ROUNDS = 8
"""Four suffice for indistinguishability in theory (Luby and Rackoff); eight, because the halves are short."""
PATTERN = "{node}.95.{year}.{high}.{low}"

_FORWARD = (
    update(oid_block)
    .where(oid_block.c.node == bindparam("at"))
    .values(next_value=oid_block.c.next_value + bindparam("step"))
)
_START = {
    "sqlite": sqlite.insert(oid_block).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(oid_block).on_conflict_do_nothing(),
}
_VALUE = select(oid_block.c.next_value).where(oid_block.c.node == bindparam("at"))


class OidSource:
    """Gives document OIDs.

    Args:
        key: secret of the permutation.
        pattern: form of an OID, with `{node}`, `{year}`, `{high}` and `{low}`.
        block: how many numbers to reserve at once.
    """

    def __init__(self, key: bytes, pattern: str = PATTERN, block: int = BLOCK) -> None:
        self._key = blake2b(key, digest_size=32).digest()
        self._pattern = pattern
        self._block = block
        self._lock = threading.Lock()
        self._left: dict[str, deque[int]] = {}

    def take(self, database: Database, node: Oid, year: int, count: int) -> list[Oid]:
        """The next OIDs; opens a transaction of its own when the reserved block is used up.

        Args:
            database: where blocks are reserved; the caller must not be in a writing transaction.
            node: the organisation's root.
            year: the year arc.
            count: how many.
        """
        with self._lock:
            left = self._left.setdefault(node, deque())
            if len(left) < count:
                with database.transaction() as tx:
                    reserved = self.reserve(tx, node, max(self._block, count - len(left)))
                left.extend(reserved)
            numbers = [left.popleft() for _ in range(count)]
        return [self.oid(node, year, number) for number in numbers]

    def reserve(self, tx: Connection, node: Oid, count: int) -> range:
        """Reserve numbers; they may be used once the transaction is committed."""
        moved = {"at": node, "step": count}
        if tx.execute(_FORWARD, moved).rowcount == 0:
            tx.execute(_START[tx.dialect.name], {"node": node, "next_value": 0})
            tx.execute(_FORWARD, moved)
        end = int(tx.execute(_VALUE, {"at": node}).scalar_one())
        return range(end - count, end)

    def oid(self, node: Oid, year: int, number: int) -> Oid:
        """The OID of one reserved number."""
        high, low = divmod(self.permuted(node, number), HALF)
        return Oid(self._pattern.format(node=node, year=year, high=high, low=low))

    def permuted(self, node: str, number: int) -> int:
        """The number's place in the permutation of its node.

        Raises:
            ValueError: the number does not fit 48 bits.
        """
        if not 0 <= number < HALF * HALF:
            raise ValueError("a document number must fit 48 bits")
        high, low = divmod(number, HALF)
        for turn in range(ROUNDS):
            high, low = low, high ^ self._mixed(node, turn, low)
        return high * HALF + low

    def _mixed(self, node: str, turn: int, half: int) -> int:
        text = f"{turn}:{half}:{node}".encode()
        return int.from_bytes(blake2b(text, key=self._key, digest_size=HALF_BITS // 8).digest(), "big")
