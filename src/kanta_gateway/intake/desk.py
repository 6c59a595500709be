"""Where deliveries are handed in: a provider's files, one canonical record, or a batch of them.

* A file is read twice: first for its header (who delivers, for whom, as of when), then record by record,
  so that the order of its parts does not matter and memory stays flat.
* A record that cannot be read at all is a finding; what can be read of the rest is taken.
* Whatever was stored but not judged when a process died is judged by the next one (`finish`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import NotFoundError, ParameterError, UnreadableError
from kanta_gateway.intake.front import File, Front, front_of, items, party
from kanta_gateway.intake.kinds import Problem, Problems
from kanta_gateway.intake.result import Result, row
from kanta_gateway.intake.returned import Rows, Words, returned_lines
from kanta_gateway.intake.returnedbook import returned_book
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.sources import Source
from kanta_gateway.intake.sourceshape import TAKES
from kanta_gateway.model import Caller, Event, Finding, Outcome, Record, Severity, instant
from kanta_gateway.pipeline.answers import Answer, allow
from kanta_gateway.pipeline.casefile import Memory
from kanta_gateway.pipeline.looking import looked
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts, Scope, dry_run
from kanta_gateway.pipeline.receive import Delivery, Receiver, Taken
from kanta_gateway.pipeline.settle import Settler
from kanta_gateway.pipeline.wording import canonical, stored_finding, told_findings
from kanta_gateway.spool import deliveries, records, store
from kanta_gateway.spool.deliveries import Pointer

RETURNED = {"csv": returned_lines, "xlsx": returned_book}
"""Format -> how a file of it is given back with findings."""
Permit = Callable[[str], object]
"""Asked with the OID of a provider; raises if the caller may not deliver for it."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one record."""

    told: dict[str, Any]
    outcome: Outcome | None
    provider: str
    client_ref: str | None
    purchaser: str = ""


class Desk:
    """Takes deliveries in, and tells what became of them."""

    def __init__(self, parts: Parts, sources: Mapping[str, Source]) -> None:
        self._parts = parts
        self._sources = sources
        self._memory = Memory()

    def import_files(
        self, files: Sequence[File], source: str, purchaser: str, caller: Caller, language: str, *,
        as_of: date | None = None, permit: Permit | None = None,
    ) -> Result:  # fmt: skip
        """Take a provider's files in and judge everything that they concern.

        Args:
            files: the files of one delivery.
            source: name of a file in `mappings/sources`.
            purchaser: name of a file in `mappings/contracts`; empty for the one that the source names itself.
            caller: who delivers.
            language: of the texts that are told.
            as_of: the day as of which deadlines are judged; the export's own day by default.
            permit: asked, before anything is stored, with the provider whose delivery it is; without it the
                delivery may be any provider's (local commands).

        Raises:
            UnreadableError: a file is not what the source describes; nothing of it was stored.
            NotFoundError: there is no such source or contract.
        """
        purchaser = self._known(source, purchaser)
        front = self._permitted_front(files, source, purchaser, caller, permit)
        return self._import(Scope(self._parts.database), front, files, source, purchaser, caller, language, as_of)

    @contextmanager
    def dry_import(
        self, files: Sequence[File], source: str, purchaser: str, caller: Caller, language: str, *,
        as_of: date | None = None, permit: Permit | None = None,
    ) -> Iterator[Result]:  # fmt: skip
        """Judge everything as `import_files` would, and store nothing; the result lives as long as the context."""
        purchaser = self._known(source, purchaser)
        front = self._permitted_front(files, source, purchaser, caller, permit)
        provider = str(front.provider.content["oid"]) if front.provider else ""
        looked(self._parts, caller, provider, purchaser, (None,))
        clients: set[str] = set()
        try:
            with dry_run(self._parts.database, self._parts.vault) as scope:
                yield self._import(scope, front, files, source, purchaser, caller, language, as_of, clients)
        finally:  # which clients' records were looked at is known only now
            looked(self._parts, caller, provider, purchaser, sorted(clients))

    def _known(self, source: str, purchaser: str) -> str:
        """Name of the contract: the one asked for, else the source's own.

        Raises:
            NotFoundError: there is no such source or contract.
            UnreadableError: the format is that of another purchaser.
        """
        if not purchaser and source in self._sources:
            purchaser = self._sources[source].contract
        for what, name, known in (
            ("source", source, self._sources), ("contract", purchaser, self._parts.contracts)
        ):  # fmt: skip
            if name not in known:
                raise NotFoundError(f"there is no {what} of this name; known: {', '.join(sorted(known))}")
        own = self._sources[source].purchasers
        if own and purchaser not in own:
            finding = unreadable("SRC-PURCHASER", "", {"expected": ", ".join(sorted(own))})
            raise UnreadableError("the source is the format of another purchaser", findings=(finding,))
        return purchaser

    def _import(
        self, scope: Scope, front: Front, files: Sequence[File], source: str, purchaser: str, caller: Caller,
        language: str, as_of: date | None, clients: set[str] | None = None,
    ) -> Result:  # fmt: skip
        problems = Problems()
        delivery, told = self._open(scope, front, source, purchaser, caller, as_of)
        receiver = Receiver(self._parts, scope)
        taken = receiver.take(self._records(files, self._sources[source], delivery, problems), delivery, caller)
        self._judge(scope, delivery, caller, taken)
        if clients is not None:
            clients |= taken.clients
        with scope.write() as tx:
            found = (*told, *problems.findings())
            deliveries.close_delivery(tx, delivery.id, told_findings(found), self._parts.now())
        return Result(self._parts, scope, delivery.id, delivery.provider, source, found, language, purchaser)

    def _records(
        self, files: Sequence[File], source: Source, delivery: Delivery, problems: Problems
    ) -> Iterator[Record]:
        parties = self._parts.contracts[delivery.purchaser].development_parties
        if parties is not None and delivery.provider == parties.provider["oid"]:
            yield Record("provider", delivery.provider, 1, None, dict(parties.provider), is_row=False)
        for item in items(files, source):
            if isinstance(item, Record):
                yield item
            elif isinstance(item, Problem):
                problems.add(item.finding)

    def _permitted_front(
        self, files: Sequence[File], source: str, purchaser: str, caller: Caller, permit: Permit | None
    ) -> Front:
        """The header parts, once it is known that the caller may deliver for the provider that they name.

        Raises:
            UnreadableError: it is all or nothing, and a row cannot be read.
        """
        known = self._sources[source]
        is_whole = self._parts.contracts[purchaser].take.get(source, known.take) == TAKES[1]
        front = front_of(files, known, is_whole=is_whole)
        if permit is not None:
            permit(str(front.provider.content["oid"]) if front.provider else caller.organisation)
        if is_whole and front.unread.count:
            told = Finding("SRC-WHOLE", Severity.REFUSE, "delivery-not-whole", "", {"count": str(front.unread.count)})
            findings = (told, *front.unread.findings)
            raise UnreadableError("the delivery is taken as a whole or not at all", findings=findings)
        return front

    def _open(
        self, scope: Scope, front: Front, source: str, purchaser: str, caller: Caller, as_of: date | None
    ) -> tuple[Delivery, tuple[Finding, ...]]:
        """Open the delivery; outside production a first delivery registers its own parties."""
        now = self._parts.now()
        with scope.write() as tx:
            agreement, is_known, told = party(self._parts, tx, front, purchaser, caller)
            day = as_of or (front.header.as_of if front.header else None) or front.newest or now.date()
            delivery = Delivery(
                id=str(uuid.uuid4()), provider=agreement.provider.oid, controller=agreement.organiser.oid,
                purchaser=purchaser, source=source, as_of=day, is_contract_known=is_known,
            )  # fmt: skip
            deliveries.open_delivery(tx, {
                "id": delivery.id, "provider": delivery.provider, "source": source, "purchaser": purchaser,
                "as_of": day.isoformat(), "received_at": instant(now),
                "header": canonical({"system": front.header.system if front.header else ""}).decode(), "findings": "[]",
            })  # fmt: skip
            if told:
                self._parts.log.append(tx, [AuditEvent(
                    event=Event.PARTY_REGISTER, caller=caller, at=now, client_ref=None, subject=delivery.id,
                    provider=delivery.provider, controller=delivery.controller, purpose=caller.purpose,
                    basis="GDPR 28(3)", details={"contract": agreement.number, "purchaser": purchaser},
                )])  # fmt: skip
        return delivery, told

    def _judge(self, scope: Scope, delivery: Delivery, caller: Caller, taken: Taken) -> None:
        """Judge every client that the delivery concerns; new staff or units may free held records."""
        with scope.read() as tx:
            own = {(delivery.purchaser, ref) for ref in taken.clients}
            waiting = {(purchaser, ref) for _, purchaser, ref in records.waiting(tx, delivery.provider)}
        settler = Settler(self._parts, scope, caller)
        for purchaser, client_ref in sorted(own | waiting):
            settler.settle(delivery.provider, purchaser, client_ref)

    def submit(
        self, record: Record, delivery: Delivery, caller: Caller, language: str, *, is_dry: bool = False
    ) -> Submitted:
        """Take one canonical record in and judge it at once.

        Args:
            record: the record, as read from the wire.
            delivery: whose it is.
            caller: who delivers.
            language: of the texts that are told.
            is_dry: judge and store nothing.
        """
        if is_dry:
            with dry_run(self._parts.database, self._parts.vault) as scope:
                done = self._submit(scope, record, delivery, caller, language)
            looked(self._parts, caller, delivery.provider, delivery.purchaser, (done.client_ref,))
            return done
        return self._submit(Scope(self._parts.database), record, delivery, caller, language)

    def _submit(self, scope: Scope, record: Record, delivery: Delivery, caller: Caller, language: str) -> Submitted:
        taken = Receiver(self._parts, scope).take([record], delivery, caller)
        assert taken.first is not None  # noqa: S101 — one record was given
        number, is_duplicate = taken.first
        # a dry run must not remember rows that it takes back
        settler = Settler(self._parts, scope, caller, None if scope.is_dry else self._memory)
        if taken.has_shared_news:
            self._judge(scope, delivery, caller, taken)
        else:
            is_alone = len(taken.clients) == 1 and not is_duplicate and not self._parts.types[record.type].is_reference
            for client_ref in sorted(taken.clients):
                settler.settle(delivery.provider, delivery.purchaser, client_ref, {number} if is_alone else None)
        with scope.read() as tx:
            stored = records.by_rows(tx, [number])[0]
            documents = store.of_records(tx, [number]).get(number, ())
        told = row(self._parts, stored, documents, language, _alone(number, is_duplicate=is_duplicate))
        outcome = Outcome.DUPLICATE if is_duplicate else stored.outcome
        return Submitted(told, outcome, stored.provider, stored.client_ref)

    def allow(
        self, office: Office, ticket: str, answers: Collection[Answer], reason: str, caller: Caller, language: str
    ) -> Submitted:
        """Allow wordings of a record that waits for its author, and judge it again at once.

        Raises:
            NotFoundError: there is no such record that the caller may see.
            ConflictError: the record does not wait for such an answer.
            ParameterError: the reason is none.
        """
        found = allow(self._parts, office, ticket, answers, reason, caller)
        settler = Settler(self._parts, Scope(self._parts.database), caller)
        if found.client_ref is not None:
            settler.settle(found.provider, found.purchaser, found.client_ref)
        return self.ticket(ticket, language)

    def delivery(self, delivery_id: str, language: str) -> Result:
        """The result of a delivery as it stands now; who may see it is the caller's to decide.

        Raises:
            NotFoundError: there is none.
        """
        with self._parts.database.reading() as tx:
            found = deliveries.find_delivery(tx, delivery_id)
        if found is None:
            raise NotFoundError
        told = tuple(map(stored_finding, orjson.loads(found["findings"])))
        scope = Scope(self._parts.database)
        return Result(
            self._parts, scope, delivery_id, found["provider"], found["source"], told, language, found["purchaser"]
        )  # fmt: skip

    def returned(
        self, files: Sequence[File], source: str, result: Result | None, language: str
    ) -> Iterator[tuple[File, Iterator[bytes]]]:
        """The files of a delivery, each with a column of what was found on its rows; to be read one after another.

        Args:
            files: all files of the delivery, in its order.
            source: name of their format.
            result: what became of the delivery; None where nothing of it was taken.
            language: of the texts.

        Raises:
            ParameterError: the format knows no such files.
            ConflictError: while a file is read: it is not the one that was delivered.
        """
        known, messages = self._sources[source], self._parts.messages
        give = RETURNED.get(known.format)
        if give is None:
            raise ParameterError(f"findings go back into files of format {', '.join(RETURNED)} only")
        rows = Rows(None if result is None else result.standing())
        words = Words(messages.text("findings-column", language), lambda one: messages.finding(one, language))

        def pieces(file: File) -> Iterator[bytes]:
            with file.open() as stream:
                yield from give(known, stream, file.name, rows, words)

        return ((one, pieces(one)) for one in files)

    def ticket(self, ticket: str, language: str, *, is_duplicate: bool = False) -> Submitted:
        """What became of one record; who may see it is the caller's to decide.

        Raises:
            NotFoundError: there is none.
        """
        with self._parts.database.reading() as tx:
            found = records.by_ticket(tx, ticket)
            if found is None:
                raise NotFoundError
            documents = store.of_records(tx, [found.row]).get(found.row, ())
        told = row(self._parts, found, documents, language, _alone(found.row, is_duplicate=is_duplicate))
        return Submitted(told, found.outcome, found.provider, found.client_ref, found.purchaser)

    def finish(self, caller: Caller) -> int:
        """Judge whatever was stored but not judged when a process died; gives the number of clients."""
        scope = Scope(self._parts.database)
        with scope.read() as tx:
            clients = records.waiting(tx)
        settler = Settler(self._parts, scope, caller)
        for provider, purchaser, client_ref in clients:
            settler.settle(provider, purchaser, client_ref)
        return len(clients)


def _alone(number: int, *, is_duplicate: bool) -> Pointer:
    """A record that is told by itself, outside a delivery's result."""
    return Pointer(0, 0, number, "", is_duplicate, is_older=False)
