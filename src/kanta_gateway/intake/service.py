"""The use cases behind the HTTP routes: identify, permit, act, tell."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import parties
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.errors import (
    GatewayError,
    NotAuthenticatedError,
    NotPermittedError,
    QueueFullError,
    RecordInvalidError,
    UnreadableError,
)
from kanta_gateway.intake.bodies import allowance
from kanta_gateway.intake.desk import Desk, Permit
from kanta_gateway.intake.front import File
from kanta_gateway.intake.result import Pieces, Result
from kanta_gateway.intake.willdesk import WillDesk
from kanta_gateway.model import Caller, Event, Outcome, Record
from kanta_gateway.pipeline import reach, repeats
from kanta_gateway.pipeline.accesses import Accesses
from kanta_gateway.pipeline.changes import Changes
from kanta_gateway.pipeline.closing import Resolver
from kanta_gateway.pipeline.entrance import Entrance
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.keeping import Keeping
from kanta_gateway.pipeline.noticeboard import Board
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.ownview import OwnView
from kanta_gateway.pipeline.papers import Papers
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import PartyBook
from kanta_gateway.pipeline.people import People
from kanta_gateway.pipeline.receive import Delivery
from kanta_gateway.pipeline.rights import Rights
from kanta_gateway.spool import deliveries, store

if TYPE_CHECKING:
    from kanta_gateway.intake.records import RecordSchemas

WAITS = 202
"""Stored, but something holds it: the findings say what."""
MADE = 201
REPEATED = 200
NOT_JSON = frozenset({"SRC-JSON", "SRC-UTF8"})
"""Rules of bodies that are no JSON text at all; whatever can be read but does not fit is invalid instead."""
WHOLE_FILES = ("/v1/records:batch", "/v1/imports", "/v1/papers/checks")
"""Routes that take whole files; any other body is one record's at most."""
API = "api"
"""Name of the source under which canonical records arrive."""


class Service:
    """What the API can do."""

    def __init__(
        self, parts: Parts, desk: Desk, office: Office, people: People, papers: Papers, schemas: RecordSchemas, *,
        entrance: Entrance, max_queue_depth: int, max_record_bytes: int, max_delivery_bytes: int, version: str,
    ) -> None:  # fmt: skip
        self._parts = parts
        self.desk = desk
        self.office = office
        self.people = people
        self.papers = papers
        self.notice_board = Board(parts, office)
        self.rights = Rights(parts, office)
        self.own_view = OwnView(parts, office)
        self.party_book = PartyBook(parts, office)
        self.resolver = Resolver(parts, office)
        self.keeping = Keeping(parts, office)
        self.accesses = Accesses(parts, office)
        self.will_desk = WillDesk(parts, office, schemas)
        self.changes = Changes(parts, office)
        self._schemas = schemas
        self._entrance = entrance
        self._max_queue_depth = max_queue_depth
        self._max_record_bytes = max_record_bytes
        self._max_delivery_bytes = max_delivery_bytes
        self.version = version
        self.language = parts.language
        self.messages = parts.messages
        self.views = parts.views

    def max_body_bytes(self, path: str) -> int:
        """How large a body may be."""
        return self._max_delivery_bytes if path.startswith(WHOLE_FILES) else self._max_record_bytes

    def identify(self, token: str) -> Caller:
        """Who calls.

        Raises:
            NotAuthenticatedError: the assertion does not hold.
        """
        return self._entrance.identify(token)

    def nobody(self) -> NotAuthenticatedError:
        """The refusal of a call without an assertion, which is written down."""
        return self._entrance.nobody()

    def submit(
        self, body: bytes, caller: Caller, language: str, *, is_dry: bool, idempotency_key: str | None = None
    ) -> tuple[dict[str, Any], int]:
        """Take one canonical record; its row and the HTTP status.

        Raises:
            UnreadableError: the body is no JSON text in UTF-8; nothing was stored.
            RecordInvalidError: it does not fit its schema; nothing was stored.
            ConflictError: the key was used with another content before.
        """
        delivery = self._delivery(caller)
        record = self._read(body)
        if idempotency_key is None or is_dry:
            return self._take(record, delivery, caller, language, is_dry=is_dry)
        content = sha256(body).digest()
        known = repeats.remember(self._parts, caller, idempotency_key, content)
        if known:
            seen = self.desk.ticket(known, language, is_duplicate=True)
            repeats.note(self._parts, self.office, caller, known, seen.client_ref, delivery)
            return seen.told, REPEATED
        told, status = self._take(record, delivery, caller, language, is_dry=False)
        repeats.bind(self._parts, caller, idempotency_key, told["ticket"], content)
        return told, status

    def submit_batch(self, body: bytes, caller: Caller, language: str, *, is_dry: bool) -> Iterator[Mapping[str, Any]]:
        """Take canonical records line by line; one result a line, bad lines among them.

        Raises:
            NotPermittedError: the caller may not deliver; nothing was taken.
            QueueFullError: too many documents wait already; nothing was taken.
        """
        delivery = self._delivery(caller)
        return self._each(body.split(b"\n"), delivery, caller, language, is_dry=is_dry)

    def _each(
        self, lines: Iterable[bytes], delivery: Delivery, caller: Caller, language: str, *, is_dry: bool
    ) -> Iterator[Mapping[str, Any]]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row, status = self._take(self._read(line), delivery, caller, language, is_dry=is_dry)
            except GatewayError as error:
                found = [self.messages.finding(one, language) for one in error.findings]
                yield {"line": number, "status": error.status, "code": error.code, "findings": found}
            else:
                yield {"line": number, "status": status, **row}

    def _read(self, body: bytes) -> Record:
        record, findings = self._schemas.read(body)
        if record is not None:
            return record
        unread = any(one.rule in NOT_JSON for one in findings)
        raise (
            UnreadableError("the body is no JSON text in UTF-8; nothing of it was stored", findings=findings)
            if unread
            else RecordInvalidError(findings=findings)
        )

    def _take(
        self, record: Record, delivery: Delivery, caller: Caller, language: str, *, is_dry: bool
    ) -> tuple[dict[str, Any], int]:
        submitted = self.desk.submit(record, delivery, caller, language, is_dry=is_dry)
        return submitted.told, _status(submitted.outcome)

    def take_file(
        self, body: bytes, source: str, purchaser: str, caller: Caller, language: str, *, is_dry: bool
    ) -> Pieces:
        """Take a provider's file; the whole result as JSON, piece by piece.

        Raises:
            NotPermittedError: the caller may not deliver, or not for the provider that the file names.
            UnreadableError: the file is not what its source says; nothing of it was stored.
        """
        self._delivery_allowed(caller)
        file = File("body", lambda: io.BytesIO(body))
        if is_dry:
            with self.desk.dry_import(
                [file], source, purchaser, caller, language, permit=self._for_provider(caller)
            ) as result:
                self._close(result, caller)
                sight = self.views.sight("import", caller.role, caller.purpose)
                told = [] if sight is None else list(result.json(sight))  # while what was judged is still there
                return lambda _: iter(told)
        taken = self.desk.import_files([file], source, purchaser, caller, language, permit=self._for_provider(caller))
        self._close(taken, caller)
        return taken.json

    def _close(self, result: Result, caller: Caller) -> None:
        """Tell no figures of another purchaser's register with whom the caller has no contract in force."""
        result.closed = self.office.guard.closed(caller, by_contract_file=True) - {result.purchaser}

    def _for_provider(self, caller: Caller) -> Permit:
        return lambda provider: self.office.permit(caller, Event.RECORD_SUBMIT, provider=provider)

    def ticket(self, ticket: str, caller: Caller, language: str) -> dict[str, Any]:
        """What became of one record.

        Raises:
            NotFoundError: there is none that the caller may see.
        """
        whose = self.office.reach.seek(caller, Event.RECORD_READ, reach.ticket(ticket))
        with self._seeing(caller, ticket, whose, [whose.client_ref]):
            return self.desk.ticket(ticket, language).told

    def allow(self, ticket: str, body: bytes, caller: Caller, language: str) -> tuple[dict[str, Any], int]:
        """Take the author's answer about one record that waits; its row and the HTTP status.

        Raises:
            ParameterError: the body is no answer, or its reason is none.
            NotFoundError: there is no such record that the caller may see.
            ConflictError: the record does not wait for such an answer.
        """
        answers, reason = allowance(body)
        done = self.desk.allow(self.office, ticket, answers, reason, caller, language)
        return done.told, _status(done.outcome)

    def delivery(self, delivery_id: str, caller: Caller, language: str) -> Pieces:
        """The result of a delivery as it stands now, piece by piece.

        Raises:
            NotFoundError: there is none that the caller may see.
        """
        return self._result(delivery_id, caller, language).json

    def _result(self, delivery_id: str, caller: Caller, language: str) -> Result:
        """The result of a delivery, once it is known that the caller may see it."""
        whose = self.office.reach.seek(caller, Event.RECORD_READ, reach.delivery(delivery_id))
        with self._parts.database.reading() as tx:
            clients = deliveries.clients_of_delivery(tx, delivery_id)
        with self._seeing(caller, delivery_id, whose, clients or [None]):
            result = self.desk.delivery(delivery_id, language)
        self._close(result, caller)
        return result

    def returned(self, body: bytes, delivery_id: str, caller: Caller, language: str) -> Iterator[bytes]:
        """A delivered file with a column of what was found on its rows; nothing of it is kept.

        Args:
            body: the file, as it was delivered.
            delivery_id: its delivery, which held no other file.
            caller: who asks.
            language: of the texts.

        Raises:
            NotFoundError: there is no such delivery that the caller may see.
            ParameterError: its format knows no such files.
            ConflictError: it is not the file that was delivered.
        """
        result = self._result(delivery_id, caller, language)
        file = File("body", lambda: io.BytesIO(body))
        ((_, pieces),) = self.desk.returned([file], result.source, result, language)
        return iter([b"".join(pieces)])

    @contextmanager
    def _seeing(self, caller: Caller, subject: str, whose: Thing, clients: Sequence[str | None]) -> Iterator[None]:
        """Permit a read and write it down, one entry for each client whose data is seen."""
        thing = replace(whose, client_ref=clients[0] if len(clients) == 1 else None)
        with self.office.acting(caller, Event.RECORD_READ, thing) as (tx, decision):
            self.office.note(tx, [
                self.office.event(
                    caller, Event.RECORD_READ, subject=subject, provider=whose.provider or "", client_ref=client,
                    decision=decision,
                )
                for client in clients
            ])  # fmt: skip
            yield

    def _delivery_allowed(self, caller: Caller) -> None:
        """Whether the caller may deliver at all, now.

        Raises:
            NotPermittedError: the policy says no.
            QueueFullError: too many documents wait already.
        """
        self.office.permit(caller, Event.RECORD_SUBMIT, provider=caller.organisation)
        with self._parts.database.reading() as tx:
            if store.depth(tx) >= self._max_queue_depth:
                raise QueueFullError

    def _delivery(self, caller: Caller) -> Delivery:
        """Whose record it is: the caller's own organisation, under the contract that it names.

        Raises:
            NotPermittedError: the caller may not deliver, or its organisation has no contract.
            QueueFullError: too many documents wait already.
        """
        self._delivery_allowed(caller)
        with self._parts.database.reading() as tx:
            have = parties.agreements(tx, caller.organisation)
        if not have:
            raise NotPermittedError("the caller's organisation has no registered contract; register it first")
        same = next((one for one in have if one.number == caller.contract), None)
        chosen = same or have[0]
        today = self._parts.now().astimezone(HELSINKI).date()
        return Delivery(
            id="", provider=chosen.provider.oid, controller=chosen.organiser.oid, purchaser=chosen.purchaser,
            source=API, as_of=today, is_contract_known=same is not None or not caller.contract,
        )  # fmt: skip


def _status(outcome: Outcome | None) -> int:
    if outcome is Outcome.DUPLICATE:
        return REPEATED
    return WAITS if outcome in {None, Outcome.HELD, Outcome.REFUSED} else MADE
