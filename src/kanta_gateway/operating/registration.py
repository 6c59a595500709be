"""Who may deliver and call: contracts, calling systems, and what a file states of parties, each written down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kanta_gateway import forgotten, keyfiles
from kanta_gateway.access import parties, statements
from kanta_gateway.access.terms import ALWAYS, Span
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Oid, Organisation, instant
from kanta_gateway.pipeline.controllers import of_party
from kanta_gateway.pipeline.oblivion import Oblivion
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import PartyBook
from kanta_gateway.pipeline.reconciling import REGISTERED, REVOKED

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Registration:
    """The register of one installation, as its operator changes it."""

    def __init__(
        self, parts: Parts, office: Office, book: PartyBook, oblivion: Oblivion, operator: Callable[[], Caller]
    ) -> None:
        self._parts = parts
        self._office = office
        self._book = book
        self._oblivion = oblivion
        self._operator = operator
        """Who acts where nobody was named."""

    def register_system(
        self, certificate: str, organisation: str, name: str, caller: Caller | None = None
    ) -> dict[str, Any]:
        """Let a calling system use the API."""
        actor = caller or self._operator()
        one = parties.CallingSystem(keyfiles.thumbprint_of(certificate), certificate, Oid(organisation), name, False)  # noqa: FBT003
        with self._parts.database.alone() as tx:
            if parties.register_system(tx, one, self._parts.now()):
                self._note(tx, actor, one.thumbprint, {"act": "register-system", "organisation": organisation})
        return {"thumbprint": one.thumbprint}

    def revoke_system(self, thumbprint: str, caller: Caller | None = None) -> dict[str, Any]:
        """Refuse a calling system from now on."""
        actor = caller or self._operator()
        with self._parts.database.alone() as tx:
            revoked = parties.revoke_system(tx, thumbprint, self._parts.now())
            if revoked:
                self._note(tx, actor, thumbprint, {"act": REVOKED})
                forgotten.note(tx, [Forgotten(forgotten.SYSTEM, thumbprint, instant(self._parts.now()))])
        self._oblivion.carry()
        return {"revoked": revoked}

    def register_party(
        self, provider: str, provider_name: str, organiser: str, organiser_name: str, contract: str, purchaser: str,
        caller: Caller | None = None, span: Span = ALWAYS,
    ) -> dict[str, Any]:  # fmt: skip
        """Register a contract, and the right to use the organiser's register as long as it holds."""
        actor = caller or self._operator()
        one = parties.Agreement(
            Organisation(Oid(provider), provider_name), Organisation(Oid(organiser), organiser_name), contract,
            purchaser, span, register_use=(span,),
        )  # fmt: skip
        last = span.last.isoformat() if span.last else ""
        days = {} if span == ALWAYS else {"from": span.first.isoformat(), "to": last}
        with self._parts.database.alone() as tx:
            if parties.register(tx, one, self._parts.now()):
                self._note(tx, actor, contract, {
                    "act": REGISTERED, "provider": provider, "organiser": organiser, "purchaser": purchaser,
                    **days,
                })  # fmt: skip
        return {"registered": contract}

    def load_parties(self, file: Path, caller: Caller) -> dict[str, Any]:
        """State what a file tells about parties (YAML or JSON).

        Raises:
            MisconfiguredError: it is no YAML.
        """
        try:
            stated = yaml.safe_load(file.read_text("utf-8"))
        except yaml.YAMLError as error:
            raise MisconfiguredError("parties: the file is no YAML") from error
        told = self._book.state(statements.read(stated), caller)
        self._oblivion.carry()
        return told

    def _note(self, tx: Connection, caller: Caller, subject: str, details: dict[str, Any]) -> None:
        """The entry about a change of who may deliver, in the transaction of the change."""
        known = parties.system(tx, subject)
        about = {
            "controller": details.get("organiser"), "organisation": known.organisation if known is not None else "",
            **details,
        }  # fmt: skip
        self._office.note(tx, [
            AuditEvent(
                event=Event.PARTY_REGISTER, caller=caller, at=self._parts.now(), client_ref=None, subject=subject,
                provider="", controller=controller, purpose=caller.purpose, basis="703/2023 §9.3; GDPR 28(3)",
                details=details,
            )
            for controller in of_party(parties.agreements(tx), about)
        ])  # fmt: skip
