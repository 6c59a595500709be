"""Logs for tests: real keys of days, and entries read back open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from kanta_gateway.audit import report
from kanta_gateway.audit.log import Log
from kanta_gateway.gateway import Gateway
from kanta_gateway.keystore import KeyStore, new_id
from kanta_gateway.model import Event
from kanta_gateway.privacy.daykeys import DayKeys
from kanta_gateway.privacy.envelope import Vault
from kanta_gateway.privacy.master import FileMasterKey

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


def opened(gateway: Gateway, *events: Event) -> list[dict[str, Any]]:
    """Every entry of an installation's log, or those of some events."""
    wanted = report.Filter(events=frozenset(events), limit=100_000)
    with gateway.parts.database.reading() as tx:
        return report.entries(tx, gateway.parts.log.seals, wanted)


def told(gateway: Gateway, *events: Event) -> Sequence[str]:
    """Names of events, in order."""
    return [one["event"] for one in opened(gateway, *events)]
