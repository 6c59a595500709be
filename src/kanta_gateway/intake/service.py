"""The use cases behind the HTTP routes: identify, permit, act, tell."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import parties
from kanta_gateway.access.identity import Registration, verify
from kanta_gateway.errors import (
    GatewayError,
    NotPermittedError,
    QueueFullError,
    RecordInvalidError,
)
from kanta_gateway.intake.desk import Desk, File
from kanta_gateway.model import Caller, Event, Outcome
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.receive import Delivery
from kanta_gateway.spool import store

if TYPE_CHECKING:
    from kanta_gateway.intake.records import RecordSchemas

WAITS = 202
"""Stored, but something holds it: the findings say what."""
MADE = 201
REPEATED = 200
API = "api"
"""Name of the source under which canonical records arrive."""


class Service:
    """What the API can do."""

    def __init__(
        self, parts: Parts, desk: Desk, office: Office, schemas: RecordSchemas, *,
        audience: str, max_queue_depth: int, max_record_bytes: int, max_delivery_bytes: int, version: str,
    ) -> None:  # fmt: skip
        self._parts = parts
        self.desk = desk
        self.office = office
        self._schemas = schemas
        self._audience = audience
        self._max_queue_depth = max_queue_depth
        self._max_record_bytes = max_record_bytes
        self._max_delivery_bytes = max_delivery_bytes
        self.version = version
        self.language = parts.language
        self.messages = parts.messages

    def max_body_bytes(self, path: str) -> int:
        """How large a body may be."""
        return self._max_record_bytes if path == "/v1/records" else self._max_delivery_bytes

    def identify(self, token: str) -> Caller:
        """Who calls.

        Raises:
            NotAuthenticatedError: the assertion does not hold.
        """
        return verify(token, self._registration, self._parts.now(), self._audience)

    def _registration(self, thumbprint: str) -> Registration | None:
        with self._parts.database.reading() as tx:
            known = parties.system(tx, thumbprint)
        if known is None:
            return None
        return Registration(
            certificate_pem=known.certificate, organisation=known.organisation, name=known.name,
            is_revoked=known.is_revoked,
        )  # fmt: skip

    def submit(
        self, body: bytes, caller: Caller, language: str, *, is_dry: bool, idempotency_key: str | None = None
    ) -> tuple[dict[str, Any], int]:
        """Take one canonical record; its row and the HTTP status.

        Raises:
            RecordInvalidError: it does not fit its schema; nothing was stored.
        """
        delivery = self._delivery(caller)
        if idempotency_key is not None and not is_dry:
            self.office.remember(caller, idempotency_key, sha256(body).hexdigest())
        record, findings = self._schemas.read(body)
        if record is None:
            raise RecordInvalidError(findings=findings)
        submitted = self.desk.submit(record, delivery, caller, language, is_dry=is_dry)
        return submitted.told, _status(submitted.outcome)

    def submit_batch(
        self, body: bytes, caller: Caller, language: str, *, is_dry: bool
    ) -> Iterator[Mapping[str, Any]]:
        """Take canonical records line by line; one result a line, bad lines among them."""
        for number, line in enumerate(body.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                row, status = self.submit(line, caller, language, is_dry=is_dry)
            except GatewayError as error:
                found = [self.messages.finding(one, language) for one in error.findings]
                yield {"line": number, "status": error.status, "code": error.code, "findings": found}
            else:
                yield {"line": number, "status": status, **row}

    def take_file(
        self, body: bytes, source: str, purchaser: str, caller: Caller, language: str, *, is_dry: bool
    ) -> Iterator[bytes]:
        """Take a provider's file; the whole result as JSON, piece by piece."""
        self._delivery_allowed(caller)
        file = File("body", lambda: io.BytesIO(body))
        if is_dry:
            with self.desk.dry_import([file], source, purchaser, caller, language) as result:
                return iter([b"".join(result.json())])
        return self.desk.import_files([file], source, purchaser, caller, language).json()

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
        now = self._parts.now()
        return Delivery(
            id="", provider=chosen.provider.oid, controller=chosen.organiser.oid, purchaser=chosen.purchaser,
            source=API, as_of=now.date(), is_contract_known=same is not None or not caller.contract,
        )  # fmt: skip


def _status(outcome: Outcome | None) -> int:
    if outcome is Outcome.DUPLICATE:
        return REPEATED
    return WAITS if outcome in {None, Outcome.HELD, Outcome.REFUSED} else MADE
