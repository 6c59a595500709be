"""Counts what each person reads through each system, so that nobody collects a register in one sitting.

* Counted are clients whose data was told, by the entries that tell of it, in the same transaction.
* The count lies in the database: all processes of the API see it, and it survives them.
* Who has reached the limit is refused until enough time has gone by; each attempt is an entry.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.model import Caller, Event, instant
from kanta_gateway.pipeline.guard import LOCAL
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.tables import reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MINUTE = len("2026-11-27T10:00")
_ADD = text(
    "INSERT INTO reading (who, minute, clients) VALUES (:who, :minute, :clients) "
    "ON CONFLICT (who, minute) DO UPDATE SET clients = reading.clients + excluded.clients"
)


class Measure:
    """Counts reads, and knows who has made too many."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, tx: Connection, told: Collection[AuditEvent]) -> None:
        """Count what entries tell to have been read."""
        read = [one for one in told if is_measured(one.event) and one.caller.system != LOCAL]
        if not read:
            return
        tx.execute(delete(reading).where(reading.c.minute <= self._first()))
        minute = instant(self._parts.now())[:_MINUTE]
        tx.execute(_ADD, {"who": self._who(read[0].caller), "minute": minute, "clients": len(read)})

    def is_full(self, caller: Caller) -> bool:
        """Whether a caller has read as much as its role may in the time."""
        if caller.system == LOCAL:
            return False
        mine = (reading.c.who == self._who(caller), reading.c.minute > self._first())
        query = select(func.coalesce(func.sum(reading.c.clients), 0)).where(*mine)
        with self._parts.database.reading() as tx:
            return int(tx.execute(query).scalar_one()) >= self._parts.limits.of(caller.role)

    def _first(self) -> str:
        return instant(self._parts.now() - self._parts.limits.window)[:_MINUTE]

    def _who(self, caller: Caller) -> str:
        """A keyed mark of the person at the system: the table tells nobody's name."""
        return self._parts.keyring.digest(f"{caller.organisation}\0{caller.system}\0{caller.person_id}".encode())


def is_measured(event: Event) -> bool:
    """Whether an act counts as a read: what is stored is given to somebody, of the same register or of another."""
    return event.is_reading or event is Event.DOCUMENT_DISCLOSE
