"""A whole installation inside the test's process, whose every durable effect can be the last one before a crash.

* A durable effect is a committed transaction, or a document that the archive has kept.
* After a crash nothing more happens: every further effect of the dead installation is refused.
* The archive is the simulator's own checker and shelf, without the HTTP between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from tests.small_export import write

from kanta_gateway import knowledge
from kanta_gateway.app import build
from kanta_gateway.database import Database
from kanta_gateway.gateway import Gateway
from kanta_gateway.mapping.structures import Structures, json_schema
from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.settings import Settings
from kanta_gateway.spool.states import DELIVERED, OPEN, State
from kanta_gateway.tables import document, record
from kanta_gateway.transfer.frame import load_profile
from kanta_gateway.transfer.receipts import Answer, FinalNo, Receipt, RetryLater
from kanta_gateway.transfer.simulator.checks import Checker
from kanta_gateway.transfer.simulator.shelf import Shelf

LEASE_SECONDS = 60.0
AFTER_A_CRASH = timedelta(minutes=5)
"""Longer than a lease: the next process finds the dead one's work free."""


class KilledError(BaseException):
    """The process ends here; nothing catches it."""


class Fate:
    """Counts durable effects and ends the installation after a given one.

    Args:
        last: number of the effect after which the installation dies; None: it lives.
    """

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.effects = 0
        self.is_dead = False

    def alive(self) -> None:
        """Refuse to act after death."""
        if self.is_dead:
            raise KilledError

    def happened(self) -> None:
        """One effect is durable; perhaps the last one."""
        self.alive()
        self.effects += 1
        if self.effects == self.last:
            self.is_dead = True
            raise KilledError


@cache
def checker() -> Checker:
    """The simulated archive's checks, compiled once."""
    structures = Structures.load(knowledge.texts("schemas/structures"))
    profile = load_profile(knowledge.text("schemas/frame.yaml"))
    return Checker(profile, {one.oid: json_schema(one) for one in structures.all()})


class MemoryArchive:
    """An archive without a network: the simulator's checks and shelf.

    It outlives the installations that talk to it; `meddle` is asked before and after each submission.
    """

    def __init__(self) -> None:
        self.shelf = Shelf(None)
        self.fate = Fate()
        self.before: Callable[[Oid], Answer | None] = lambda _oid: None
        self.after: Callable[[Oid], Answer | None] = lambda _oid: None
        self.asked: Callable[[Oid], Answer | None] = lambda _oid: None
        self.invalidated: list[Oid] = []
        self.keeps_reports = True
        self.reports: dict[Oid, Sha256Hex] = {}

    def report(self, _content: bytes, notice_id: Oid, digest: Sha256Hex) -> Answer:
        """Keep one disclosure notice, as the national log register does; other bytes under its id are refused."""
        if not self.keeps_reports:
            return RetryLater("archive-unreachable", must_ask=False)
        was_there = notice_id in self.reports
        if self.reports.setdefault(notice_id, digest) != digest:
            return FinalNo("archive-refused", ("DIFFERS",))
        return Receipt(notice_id, digest, "1", was_there=was_there)

    def submit(self, document: bytes, frame: bytes, oid: Oid) -> Answer:
        """Check and keep one document."""
        self.fate.alive()
        if (answer := self.before(oid)) is not None:
            return answer
        checked = checker().check(frame, document)
        if checked.problems:
            return FinalNo("archive-refused", checked.problems)
        code, details = self.shelf.keep(checked, frame, document)
        self.fate.happened()
        if code != "AA":
            return FinalNo("archive-refused", details)
        return self.after(oid) or Receipt(oid, Sha256Hex(checked.digest), "1", was_there="ALREADY" in details)

    def ask(self, oid: Oid, digest: Sha256Hex) -> Answer | None:
        """Whether these bytes are kept."""
        self.fate.alive()
        if (answer := self.asked(oid)) is not None:
            return answer
        known = self.shelf.find(oid)
        return Receipt(oid, digest, "1", was_there=True) if known and known["digest"] == digest else None

    def invalidate(self, frame: bytes, oid: Oid, digest: Sha256Hex) -> Answer:
        """Mark one document invalid."""
        self.fate.alive()
        if not (checker().is_about(frame, oid) and self.shelf.invalidate(oid)):
            return FinalNo("archive-refused", ("ABSENT",))
        self.invalidated.append(oid)
        self.fate.happened()
        return Receipt(oid, digest, "1", was_there=False)

    def close(self) -> None:
        """Nothing to give back: what is kept outlives the installation."""


class World:
    """A data folder, an archive, and one installation after the other on them."""

    def __init__(self, folder: Path, *, last_effect: int | None = None) -> None:
        self.folder = folder
        self.archive = MemoryArchive()
        self.started_at = datetime.now(UTC)
        self.gateway = self._build(last_effect)
        self.caller = self.gateway.actor(None, None, None)

    def _build(self, last_effect: int | None) -> Gateway:
        settings = Settings(
            data=self.folder / "data", signing_algorithm="p-256", archive_url="http://127.0.0.1:9",
            lease_seconds=LEASE_SECONDS,
        )  # fmt: skip
        gateway = build(settings)
        gateway.dispatch.__dict__["_archive"] = self.archive
        self.archive.fate = Fate(last_effect)
        _mortal(gateway.parts.database, self.archive.fate)
        object.__setattr__(gateway.parts, "clock", lambda: datetime.now(UTC) + self.ahead)
        return gateway

    ahead = timedelta(0)

    @property
    def effects(self) -> int:
        """Durable effects of the present installation so far."""
        return self.archive.fate.effects

    def restart(self, last_effect: int | None = None) -> None:
        """Leave the present installation and build the next one, later, on the same folder."""
        with suppress(KilledError):
            self.gateway.close()
        self.ahead += AFTER_A_CRASH
        self.gateway = self._build(last_effect)

    def import_(self, told: dict[str, Any]) -> None:
        """Take an export in."""
        path = write(self.folder / "export.json", told)
        self.gateway.deliveries.import_files([path], "lapha-json", "lapha", self.caller)

    def deliver(self) -> int:
        """Send what waits; how much is left."""
        left: int = self.gateway.dispatch.deliver(self.caller, until_empty=True)["left"]
        return left

    def documents(self) -> list[tuple[str, int, str, int, str]]:
        """(record, its version, structure, version in the set, state) of every document that was not withdrawn."""
        return documents(self.gateway.parts.database)

    def outcomes(self) -> list[tuple[str, str, int, str, str]]:
        """(type, id, version, outcome, state) of every record."""
        query = select(record.c.type, record.c.record_id, record.c.version, record.c.outcome, record.c.state).order_by(
            record.c.type, record.c.record_id, record.c.version
        )
        with self.gateway.parts.database.reading() as tx:
            return [tuple(row) for row in tx.execute(query)]

    def faults(self) -> list[str]:
        """Everything that an end state must not have."""
        return faults(self.gateway, self.archive.shelf.contents())


def documents(database: Database) -> list[tuple[str, int, str, int, str]]:
    """(record, its version, structure, version in the set, state) of every document that was not withdrawn."""
    query = (
        select(record.c.record_id, record.c.version, document.c.structure, document.c.version_number, document.c.state)
        .join(record, record.c.id == document.c.record_row)
        .where(document.c.state != State.WITHDRAWN.value)
    )
    with database.reading() as tx:
        return sorted(tuple(row) for row in tx.execute(query))


def faults(gateway: Gateway, kept: list[dict[str, Any]]) -> list[str]:
    """Everything that an end state must not have.

    Args:
        gateway: the installation.
        kept: what the archive says it keeps.
    """
    with gateway.parts.database.reading() as tx:
        rows = tx.execute(select(document.c.oid, document.c.state, document.c.digest, document.c.receipt)).all()
        waiting = tx.execute(select(record.c.id).where(record.c.state != "settled")).all()
    delivered = {row.oid: row for row in rows if State(row.state) in DELIVERED}
    told = [f"{row.oid} is {row.state}" for row in rows if State(row.state) in OPEN | {State.REJECTED}]
    told += [f"record {row.id} waits for judging" for row in waiting]
    told += [f"{one['oid']} is kept, and the gateway does not know" for one in kept if one["oid"] not in delivered]
    told += [f"{oid} is not kept" for oid in delivered.keys() - {one["oid"] for one in kept}]
    told += [f"{oid} has no receipt" for oid, row in delivered.items() if not row.receipt]
    told += [
        f"{one['oid']} differs" for one in kept
        if (row := delivered.get(one["oid"])) and (row.digest, row.state) != (one["digest"], one["state"])
    ]  # fmt: skip
    log = gateway.trail.verify(reconcile=True)
    return told + [f"log: {problem}" for problem in (*log["problems"], *log["unmatched"])]


def _mortal(database: Database, fate: Fate) -> None:
    """Count every commit of one database, and let the counted one be the last."""
    original = database.transaction

    @contextmanager
    def transaction() -> Iterator[Connection]:
        fate.alive()
        with original() as tx:
            yield tx
        fate.happened()

    object.__setattr__(database, "transaction", transaction)
