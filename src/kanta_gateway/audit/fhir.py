"""Entries of the log as FHIR R4 AuditEvent resources.

* The resource repeats the entry; the proof stays with the log, whose index is the resource's id.
* Persons stand as keyed references; a name is shown only when it is given.

Source: HL7 FHIR R4 AuditEvent; codes of DICOM PS3.16 (DCM) as its value sets name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_EVENTS = "urn:kanta-gateway:event"
_REFERENCES = "urn:kanta-gateway:reference"
_IMPORT = ("110107", "Import")
_EXPORT = ("110106", "Export")
_QUERY = ("110112", "Query")
_ACTIVITY = ("110100", "Application Activity")
_RECORD = ("110110", "Patient Record")
_SECURITY = ("110113", "Security Alert")

_TYPES: Mapping[Event, tuple[tuple[str, str], str]] = {
    Event.AUDIT_CHECKPOINT: (_ACTIVITY, "E"),
    Event.AUDIT_COSIGN: (_ACTIVITY, "E"),
    Event.AUDIT_ERASE: (_ACTIVITY, "D"),
    Event.AUDIT_PURGE: (_ACTIVITY, "D"),
    Event.AUDIT_READ: (_QUERY, "R"),
    Event.AUDIT_ROTATE: (_ACTIVITY, "U"),
    Event.CHANGE_APPROVE: (_ACTIVITY, "U"),
    Event.CHANGE_NARROW: (_ACTIVITY, "U"),
    Event.CHANGE_PROPOSE: (_ACTIVITY, "C"),
    Event.CHANGE_READ: (_QUERY, "R"),
    Event.CHANGE_REJECT: (_ACTIVITY, "U"),
    Event.CHANGE_USE: (_ACTIVITY, "U"),
    Event.DISCLOSURE_ARCHIVE: (_EXPORT, "R"),
    Event.DISCLOSURE_READ: (_QUERY, "R"),
    Event.DISCLOSURE_REJECT: (_EXPORT, "R"),
    Event.DISCLOSURE_RETRY: (_ACTIVITY, "U"),
    Event.DISCLOSURE_SEND: (_EXPORT, "R"),
    Event.DOCUMENT_ARCHIVE: (_EXPORT, "R"),
    Event.DOCUMENT_DESTROY_KEY: (_RECORD, "D"),
    Event.DOCUMENT_DROP: (_RECORD, "D"),
    Event.DOCUMENT_EXPORT: (_EXPORT, "R"),
    Event.DOCUMENT_INVALIDATE: (_RECORD, "D"),
    Event.DOCUMENT_MAP: (_RECORD, "C"),
    Event.DOCUMENT_READ: (_RECORD, "R"),
    Event.DOCUMENT_REJECT: (_EXPORT, "R"),
    Event.DOCUMENT_SEND: (_EXPORT, "R"),
    Event.DOCUMENT_SIGN: (_RECORD, "C"),
    Event.DOCUMENT_SPOOL: (_RECORD, "C"),
    Event.DOCUMENT_WITHDRAW: (_RECORD, "D"),
    Event.FIGURES_READ: (_QUERY, "R"),
    Event.KEY_MAKE: (_ACTIVITY, "C"),
    Event.KNOWLEDGE_IMPORT: (_ACTIVITY, "U"),
    Event.NOTICE_ACKNOWLEDGE: (_EXPORT, "R"),
    Event.NOTICE_ANNOUNCE: (_ACTIVITY, "E"),
    Event.NOTICE_DISCLOSE: (_EXPORT, "R"),
    Event.NOTICE_MAKE: (_RECORD, "C"),
    Event.NOTICE_READ: (_RECORD, "R"),
    Event.NOTICE_WITHDRAW: (_RECORD, "D"),
    Event.PARTY_READ: (_QUERY, "R"),
    Event.PARTY_REGISTER: (_ACTIVITY, "C"),
    Event.RECORD_ALLOW: (_RECORD, "U"),
    Event.RECORD_HOLD: (_RECORD, "U"),
    Event.PERSON_MERGE: (_RECORD, "U"),
    Event.PERSON_READ: (_QUERY, "R"),
    Event.PERSON_UNMERGE: (_RECORD, "U"),
    Event.RECORD_MOVE: (_RECORD, "U"),
    Event.RECORD_REMIND: (_RECORD, "U"),
    Event.RECORD_READ: (_RECORD, "R"),
    Event.RECORD_REFUSE: (_RECORD, "U"),
    Event.RECORD_SUBMIT: (_IMPORT, "C"),
    Event.REQUEST_DENY: (_SECURITY, "E"),
}
"""Kind of event and what was done to the data: create, read, update, delete, execute."""

_FAILED = frozenset({Event.DISCLOSURE_REJECT, Event.DOCUMENT_REJECT, Event.RECORD_REFUSE, Event.REQUEST_DENY})


def audit_event(entry: Mapping[str, Any], *, person_name: str = "", observer: str) -> dict[str, Any]:
    """One entry as a resource.

    Args:
        entry: the body of an entry.
        person_name: name of the acting person, where the reader may see it.
        observer: name of this installation.
    """
    event = Event(entry["event"])
    (code, display), action = _TYPES[event]
    resource: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(entry["idx"]),
        "type": {"system": _DCM, "code": code, "display": display},
        "subtype": [{"system": _EVENTS, "code": event.value}],
        "action": action,
        "recorded": entry["at"],
        "outcome": "4" if event in _FAILED else "0",
        "agent": _agents(entry, person_name),
        "source": {"observer": {"display": observer}},
        "entity": _entities(entry),
    }
    if entry["purpose"]:
        resource["purposeOfEvent"] = [{"text": entry["purpose"]}]
    return resource


def _agents(entry: Mapping[str, Any], person_name: str) -> list[dict[str, Any]]:
    actor = entry["actor"]
    agents: list[dict[str, Any]] = []
    if actor.get("ref"):
        who: dict[str, Any] = {"identifier": {"system": _REFERENCES, "value": actor["ref"]}}
        if person_name:
            who["display"] = person_name
        person: dict[str, Any] = {"who": who, "requestor": True}
        if actor["role"]:
            person["role"] = [{"text": actor["role"]}]
        agents.append(person)
    agents.append({"who": _organisation(actor["organisation"], actor["system"]), "requestor": not agents})
    if entry.get("recipient"):
        agents.append({"who": {"display": entry["recipient"]}, "requestor": False})
    return agents


def _organisation(oid: str, system: str) -> dict[str, Any]:
    who: dict[str, Any] = {"display": system}
    if oid:
        who["identifier"] = {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{oid}"}
    return who


def _entities(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = [
        {"type": name, "valueString": entry[name]} for name in ("provider", "controller", "basis") if entry[name]
    ]
    entities: list[dict[str, Any]] = [
        {"what": {"identifier": {"value": entry["subject"]}}} | ({"detail": details} if details else {})
    ]
    if entry.get("client"):
        entities.append({"what": {"identifier": {"system": _REFERENCES, "value": entry["client"]}}})
    return entities
