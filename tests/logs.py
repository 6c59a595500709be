"""Logs for tests: real keys of days, and entries read back open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from kanta_gateway.audit import report
from kanta_gateway.audit.log import AuditEvent, Log
from kanta_gateway.gateway import Gateway
from kanta_gateway.keystore import KeyStore, new_id
from kanta_gateway.model import Caller, Event
from kanta_gateway.privacy.daykeys import DayKeys
from kanta_gateway.privacy.envelope import Vault
from kanta_gateway.privacy.master import FileMasterKey
from kanta_gateway.tables import audit_name

KEY = b"k" * 32


class MemoryKeys:
    """A store of wrapped keys without a file, for whatever thread asks."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}

    def add(self, wrapped: Iterable[bytes], by: str) -> list[int]:
        """Keep wrapped keys of the one master key that there is."""
        assert by
        new = {new_id(): one for one in wrapped}
        self.kept |= new
        return list(new)

    def wrapped(self, id_: int) -> bytes:
        """A wrapped key; empty when there is none."""
        return self.kept.get(id_, b"")

    def discard(self, ids: Sequence[int]) -> None:
        """Destroy keys."""
        for id_ in ids:
            self.kept.pop(id_, None)

    def wrapped_many(self, ids: Collection[int]) -> dict[int, bytes]:
        """Those that there are."""
        return {id_: self.kept[id_] for id_ in ids if id_ in self.kept}


def day_keys(url: str = "sqlite://") -> DayKeys:
    """Keys of days in a store in memory, or in a file that several processes share."""
    return DayKeys(Vault(FileMasterKey(b"m" * 32)), KeyStore(url))


def make_log(seals: DayKeys | None = None) -> Log:
    """A log as a new process has it; names are sealed by turning them round."""
    return Log(
        KEY, seal=lambda name: name[::-1], open_=lambda sealed: sealed[::-1],
        seals=day_keys() if seals is None else seals,
    )  # fmt: skip


def erase(tx: Connection, log: Log, ref: str, caller: Caller, at: datetime) -> tuple[str, ...]:
    """Take the names of a person away and tell it, as is done again in a restored database; their commitments."""
    log.lock(tx)
    known = tx.execute(select(audit_name.c.commitment).where(audit_name.c.ref == ref)).scalars().all()
    if gone := log.names.delete(tx, known):
        log.append(tx, [AuditEvent(
            event=Event.AUDIT_ERASE, caller=caller, at=at, client_ref=None, subject="audit_name", provider="",
            controller="", purpose="retention", basis="703/2023 annex", details={"names": list(gone)},
        )])  # fmt: skip
    return gone


def opened(gateway: Gateway, *events: Event) -> list[dict[str, Any]]:
    """Every entry of an installation's log, or those of some events."""
    wanted = report.Filter(events=frozenset(events), limit=100_000)
    with gateway.parts.database.reading() as tx:
        return report.entries(tx, gateway.parts.log.seals, wanted)


def told(gateway: Gateway, *events: Event) -> Sequence[str]:
    """Names of events, in order."""
    return [one["event"] for one in opened(gateway, *events)]
