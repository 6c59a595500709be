"""Handing one notice over: to whom, on which provision, on whose behalf, and whether it may be done now.

* The provider tells an outsider only on behalf of the organiser, on the request that the contract names.
* What is not ready, was withdrawn, or has a recipient that nobody has named goes to nobody.
* The entry of a disclosure holds what 703/2023 §10.3 asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import Agreement, agreements
from kanta_gateway.access.table import Facts
from kanta_gateway.access.terms import Standing, standing
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.contracts.terms import FOR_ORGANISER, ORGANISER, NoticeTerms
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotPermittedError
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.notices import store
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import sealed_hash
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.views import Views
    from kanta_gateway.notices.store import StoredNotice
    from kanta_gateway.notices.typereader import NoticeType


@dataclass(frozen=True, slots=True)
class Handing:
    """One handing over: what goes to whom, and on what it rests."""

    notice: StoredNotice
    kind: NoticeType
    terms: NoticeTerms
    recipient: str
    """Kind of the recipient."""
    agreement: Agreement
    row: str = ""
    """Row of the decision table by which the payer of a benefit gets it; empty for others."""

    @property
    def basis(self) -> str:
        """The provision on which the recipient gets it."""
        return self.kind.basis(self.recipient, self.terms.organiser)

    @property
    def is_by_organiser(self) -> bool:
        """Whether the organiser itself hands it over."""
        return self.terms.given_by == ORGANISER

    @property
    def on_behalf_of(self) -> str:
        """OID of the organiser for which the provider hands it over; empty where it does so for itself."""
        return self.agreement.organiser.oid if self.terms.given_by == FOR_ORGANISER else ""

    def told(self, views: Views, content: Mapping[str, Any], signer: str, day: str) -> dict[str, Any]:
        """The notice as its recipient gets it: by the list of the recipient's kind."""
        request = self.terms.standing_request
        giver = self.agreement.organiser if self.is_by_organiser else self.agreement.provider
        told: dict[str, Any] = {
            "id": self.notice.id, "type": self.kind.name, "form": self.kind.form, "corrects": self.notice.corrects,
            "recipient": self.recipient, "basis": self.basis,
            # an outsider is told by the organiser: the provider's name could tell where a client goes
            "given_by": "" if self.on_behalf_of else giver.name,
            "on_behalf_of": self.agreement.organiser.name if self.on_behalf_of else "",
            "standing_request": request.reference if request is not None else "",
            "contact": self.terms.contact, "signer": signer, "signed_on": day,
        }  # fmt: skip
        whole = {name: value for name, value in told.items() if value} | {
            "head": content["head"],
            "groups": content["groups"],
        }
        shown: dict[str, Any] = views.for_recipient(self.recipient, self.kind.purpose, "notice", whole)
        return shown

    def event(self, caller: Caller, at: Any, way: str, **more: Any) -> AuditEvent:
        """The entry of the disclosure."""
        request = self.terms.standing_request
        details: dict[str, Any] = {
            "type": self.kind.name, "way": way, "facts": len(self.notice.items),
            "sha256": sealed_hash(self.notice.payload), **more,
        }  # fmt: skip
        if self.row:
            details["row"] = self.row
        if self.on_behalf_of:
            details["on_behalf_of"] = self.on_behalf_of
        if request is not None:
            details["standing_request"] = request.reference
        return AuditEvent(
            event=Event.NOTICE_DISCLOSE, caller=caller, at=at, client_ref=self.notice.told_client,
            subject=self.notice.id, provider=Oid(self.notice.provider), controller=self.notice.organiser,
            purpose=self.kind.purpose, basis=self.basis, details=details, recipient=self.recipient_name,
        )  # fmt: skip

    @property
    def recipient_name(self) -> str:
        """Recipient for the log: the kind, and the organiser where it is its own."""
        return self.recipient if self.kind.is_outside else f"{self.recipient} {self.agreement.organiser.oid}"


def mark_told(parts: Parts, tx: Connection, handing: Handing) -> None:
    """Write down that a notice was handed over, and have what it told of judged again."""
    store.deliver(tx, handing.notice, handing.recipient, parts.now())
    told_in = {group.name for group in handing.kind.groups if group.told_in}
    keys = [(item["type"], item["id"]) for item in handing.notice.items if item["group"] in told_in]
    records.reopen_these(tx, handing.notice.provider, keys)


def handing(parts: Parts, tx: Connection, one: StoredNotice, recipient: str) -> Handing:
    """A handing over that may be done now.

    Args:
        parts: the built gateway.
        tx: the transaction in which it is done.
        one: the notice.
        recipient: kind of the recipient; empty for the only one that it may be.

    Raises:
        ConflictError: it was withdrawn, is not ready, or its recipient or the request behind it is not known.
        KeyUnavailableError: its content has been destroyed.
        NotPermittedError: the payer of a benefit does not get it by row D15.
    """
    hand = prepared(parts, tx, one, recipient)
    if hand.recipient in parts.disclosures.payers:
        hand = replace(hand, row=_row_of_payer(parts, hand))
    if one.ready_on > parts.now().astimezone(HELSINKI).date().isoformat():
        raise ConflictError(f"the notice still collects; it is ready on {one.ready_on}")
    request = hand.terms.standing_request
    if parts.is_production and request is not None and not request.is_verified:
        raise ConflictError(
            "the standing request behind the notice is not verified, so production hands nothing over; "
            "write its reference into the contract file and set `verified: true`"
        )
    return hand


def prepared(parts: Parts, tx: Connection, one: StoredNotice, recipient: str) -> Handing:
    """A notice as it would be handed over, whether that may be done now or not.

    Args:
        parts: the built gateway.
        tx: the transaction in which it is done.
        one: the notice.
        recipient: kind of the recipient; empty for the only one that it may be.

    Raises:
        ConflictError: it was withdrawn, or its recipient is not known.
        KeyUnavailableError: its content has been destroyed.
    """
    kind = parts.notices.types.get(one.type)
    contract = parts.contracts.get(one.purchaser)
    terms = next((own for own in contract.notices if own.notice == one.type), None) if contract is not None else None
    agreement = next((own for own in agreements(tx, one.provider) if own.purchaser == one.purchaser), None)
    if kind is None or terms is None or agreement is None or not terms.is_made:
        raise ConflictError("the contract does not ask for this notice any more; nothing was handed over")
    if one.state is NoticeState.WITHDRAWN:
        raise ConflictError("the notice was withdrawn, since what it told is no longer so; nothing was handed over")
    possible = (one.recipient,) if one.recipient else one.recipients
    chosen = recipient or (possible[0] if len(possible) == 1 else "")
    if chosen not in possible:
        raise ConflictError(f"name the recipient, one of {', '.join(possible)}; nothing was handed over")
    if one.payload is None:
        raise KeyUnavailableError("the content of the notice has been destroyed; its evidence stays")
    return Handing(one, kind, terms, chosen, agreement)


def _row_of_payer(parts: Parts, hand: Handing) -> str:
    """The row by which the payer of a benefit gets a notice: only what the list names, under a contract that holds.

    Raises:
        NotPermittedError: none does; the findings tell which condition failed.
    """
    today = parts.now().astimezone(HELSINKI).date()
    is_listed = hand.kind.name in parts.disclosures.payers[hand.recipient]
    months = parts.contracts[hand.notice.purchaser].delivery_months
    facts = Facts(
        "payer", necessity="indispensable" if is_listed else "none",
        mandate="ended" if standing([hand.agreement], today, months) is Standing.NONE else "valid",
    )  # fmt: skip
    row = parts.decider.table.find(facts)
    if row.grade == "deny":
        raise NotPermittedError(
            f"notice:disclose to {hand.recipient} is not allowed; nothing was handed over",
            findings=parts.decider.failed(facts),
        )
    return row.id
