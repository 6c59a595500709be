"""One event of the gateway and the entry that tells about it.

* Use log: what data, whose register, the user's name and identifier, purpose, time (703/2023 §10.2).
* Disclosure log: what, whose, discloser, recipient, time, purpose and statutory basis (703/2023 §10.3).
* An event that lacks one of these, or has nothing but spaces there, is refused: what cannot be told is not done.
* A disclosure rests on a provision, a permit (luovutuslupa) or a consent: one of them at least.
* Each provider controls its own log, a log of disclosures together with who keeps the national one (703/2023 §70.3).
* The user's name and identifier stand as a salted commitment; the name itself is in an erasable row.
* Details hold counts, ids and names of rules; never a value of a record.
* A random salt makes the leaf a commitment: it tells nothing about an entry to whoever does not have it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import RefusedError
from kanta_gateway.model import Caller, Event, instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FORMAT = 3
"""Version of the entry's shape; stands in every entry."""

SALT_BYTES = 16
"""As much as a guess at an entry can be kept from: 128 bits."""

DISCLOSURES = frozenset({Event.DOCUMENT_DISCLOSE, Event.DOCUMENT_SEND, Event.NOTICE_DISCLOSE})
"""Events by which client data goes to somebody else (703/2023 §10.3)."""

HOUSEKEEPING = frozenset({
    Event.ACCESS_END, Event.ACCESS_READ, Event.ACCESS_REVIEW, Event.AUDIT_CHECKPOINT, Event.AUDIT_COSIGN,
    Event.AUDIT_ERASE, Event.AUDIT_PURGE, Event.AUDIT_REVIEW, Event.AUDIT_ROTATE, Event.BACKUP_VERIFY,
    Event.CASE_CLOSE, Event.CASE_DESTROY, Event.CASE_OPEN, Event.CASE_READ, Event.CASE_WORK,
    Event.CHANGE_APPROVE, Event.CHANGE_NARROW,
    Event.CHANGE_PROPOSE, Event.CHANGE_READ, Event.CHANGE_REJECT, Event.CHANGE_USE, Event.DISCLOSURE_READ,
    Event.DISCLOSURE_RETRY, Event.KEY_MAKE, Event.KNOWLEDGE_IMPORT, Event.NOTICE_ANNOUNCE, Event.PAPER_MAKE,
    Event.PAPER_READ, Event.PARTY_READ,
    Event.PARTY_REGISTER, Event.REQUEST_DENY,
})  # fmt: skip
"""Events that use no client data; what a denied request lacks may be why it was denied."""

OWN = frozenset({Event.AUDIT_CHECKPOINT, Event.AUDIT_PURGE})
"""Events of the log about itself, without any client or person: later proofs need them, so they stay."""

_USE = ("controller", "purpose", "subject")
_DISCLOSURE = (*_USE, "provider", "recipient")
_GROUNDS = ("basis", "permit", "consent")


@dataclass(frozen=True, slots=True)
class Registers:
    """Whose entries are kept in which register, where the law says so."""

    client: str = ""
    """The register that use and disclosure entries are about, as the national code list has it."""
    joint_controller: str = ""
    """Controls disclosure logs together with each provider."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that happened, as the stage that did it tells it.

    Raises:
        RefusedError: a use or disclosure lacks what 703/2023 §10 requires of its entry.
    """

    event: Event
    caller: Caller
    at: datetime
    client_ref: str | None
    subject: str
    """Ticket or document OID: which client data."""
    provider: str
    """OID of the provider that gave the data; the discloser when it is sent."""
    controller: str
    """OID of the organisation whose register it is."""
    purpose: str
    basis: str
    """Statutory provision, such as `703/2023 §14`."""
    details: Mapping[str, Any]
    recipient: str = ""
    """To whom the data was disclosed: an OID or a name of an organisation."""
    permit: str = ""
    """Reference of the luovutuslupa on which it was disclosed."""
    consent: str = ""
    """Reference of the consent on which it was disclosed."""

    def __post_init__(self) -> None:
        """Refuse an event whose entry would not say what the law requires."""
        if self.event in HOUSEKEEPING:
            return
        lacking = [name for name in _required(self.event) if not getattr(self, name).strip()]
        if self.event in DISCLOSURES and not any(getattr(self, name).strip() for name in _GROUNDS):
            lacking.append(" or ".join(_GROUNDS))
        lacking += [name for name in ("person_id", "person_name") if not getattr(self.caller, name).strip()]
        if lacking:
            raise RefusedError(
                f"audit entry for {self.event.value}: {', '.join(lacking)} must be known before client data "
                "is used (703/2023 §10), found none. State it in the assertion or the command and try again."
            )

    @property
    def register(self) -> str:
        """Which log the entry belongs to: `use`, `disclosure` or `system`."""
        if self.event in DISCLOSURES:
            return "disclosure"
        return "system" if self.event in HOUSEKEEPING else "use"


def keyed_by(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Register and day whose key seals an entry.

    What stays has a register of its own: its key must not keep readable what goes.
    So have denials, whose entries name a controller only where there was something to deny: the work with keys must not
    tell which it was.
    """
    if entry["event"] == Event.REQUEST_DENY:
        return "denied", entry["at"][:10]
    register = "log" if entry["event"] in OWN else entry["controller"] or "system"
    return register, entry["at"][:10]


def body(
    event: AuditEvent, actor: Mapping[str, str], place: int, commit: tuple[int, int], registers: Registers | None = None
) -> dict[str, Any]:
    """The entry, before it becomes canonical bytes; each call draws a new salt.

    Args:
        event: what happened.
        actor: keyed reference and name commitment of the acting person, keyed reference of the client relationship
            that the person's assertion names.
        place: index of the entry in the log; bound by the hash, so that moving a row is seen.
        commit: first index and new tree size of the append, so that a removed tail or tree head is seen.
        registers: whose entries are kept in which register.
    """
    caller = event.caller
    entry: dict[str, Any] = {
        "v": FORMAT,
        "salt": secrets.token_hex(SALT_BYTES),
        "idx": place,
        "commit": commit,
        "log": event.register,
        "event": event.event.value,
        "at": instant(event.at),
        "actor": {
            "relation": "", **actor,
            "system": caller.system, "organisation": caller.organisation, "role": caller.role,
            "contract": caller.contract, "development": caller.is_development,
        },
        "subject": event.subject,
        "provider": event.provider,
        "controller": event.controller,
        "purpose": event.purpose,
        "basis": event.basis,
        "details": dict(event.details),
    }  # fmt: skip
    if event.client_ref is not None:
        entry["client"] = event.client_ref
    for name in ("recipient", "permit", "consent"):
        if told := getattr(event, name):
            entry[name] = told
    return entry | _log_of(event, registers or Registers())


def _log_of(event: AuditEvent, registers: Registers) -> dict[str, Any]:
    """Whose log the entry stands in, and about which register: nothing for events that use no client data."""
    if event.register == "system":
        return {}
    joint = registers.joint_controller if event.register == "disclosure" else ""
    return {"register": registers.client, "log_controllers": [one for one in (event.controller, joint) if one]}


def _required(event: Event) -> tuple[str, ...]:
    return _DISCLOSURE if event in DISCLOSURES else _USE
