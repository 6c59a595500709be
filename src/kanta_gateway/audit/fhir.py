"""Entries of the log as FHIR R4 AuditEvent resources that follow IHE BALP.

* What somebody did with client data follows the BALP pattern Create, Read, Update or Delete, with patient where the
  entry names a client; a disclosure follows PrivacyDisclosure.Source; what is neither keeps its DICOM event type.
* A denial keeps the pattern of what was asked, with an outcome other than 0 and an OperationOutcome that says why;
  one that a permit or prohibition decided follows AuthZconsent. Only what succeeded claims a profile.
* The provision stands in `agent.policy` (`urn:fi:laki:703/2023#56.1.2`), since BALP has no place for it.
* The resource repeats the entry; the proof stays with the log, whose index is the resource's id.
* Persons and clients stand as keyed references; a name is shown only when it is given.
* Network names are those under which systems are registered: the log keeps no addresses.

Source: HL7 FHIR R4 AuditEvent; IHE ITI BALP (PatientCreate, -Read, -Update, -Delete, Disclose, AuthZ); DICOM PS3.16.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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

TYPES: Mapping[Event, tuple[tuple[str, str], str]] = {
    Event.ACCESS_BREAK: (_SECURITY, "E"),
    Event.ACCESS_END: (_SECURITY, "U"),
    Event.ACCESS_READ: (_ACTIVITY, "R"),
    Event.ACCESS_REVIEW: (_SECURITY, "U"),
    Event.AUDIT_CHECKPOINT: (_ACTIVITY, "E"),
    Event.AUDIT_COSIGN: (_ACTIVITY, "E"),
    Event.AUDIT_ERASE: (_ACTIVITY, "D"),
    Event.AUDIT_PURGE: (_ACTIVITY, "D"),
    Event.AUDIT_READ: (_QUERY, "R"),
    Event.AUDIT_RESOLVE: (_QUERY, "R"),
    Event.AUDIT_REVIEW: (_ACTIVITY, "E"),
    Event.AUDIT_ROTATE: (_ACTIVITY, "U"),
    Event.BACKUP_VERIFY: (_ACTIVITY, "E"),
    Event.CASE_CLOSE: (_ACTIVITY, "U"),
    Event.CASE_DESTROY: (_ACTIVITY, "D"),
    Event.CASE_OPEN: (_SECURITY, "C"),
    Event.CASE_READ: (_ACTIVITY, "R"),
    Event.CASE_WORK: (_ACTIVITY, "U"),
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
    Event.DOCUMENT_DISCLOSE: (_EXPORT, "R"),
    Event.DOCUMENT_DROP: (_RECORD, "D"),
    Event.DOCUMENT_EXPORT: (_EXPORT, "R"),
    Event.DOCUMENT_INVALIDATE: (_RECORD, "D"),
    Event.DOCUMENT_LIST: (_QUERY, "R"),
    Event.DOCUMENT_MAP: (_RECORD, "C"),
    Event.DOCUMENT_READ: (_RECORD, "R"),
    Event.DOCUMENT_REJECT: (_EXPORT, "R"),
    Event.DOCUMENT_SEND: (_EXPORT, "R"),
    Event.DOCUMENT_SIGN: (_RECORD, "C"),
    Event.DOCUMENT_SPOOL: (_RECORD, "C"),
    Event.DOCUMENT_WITHDRAW: (_RECORD, "D"),
    Event.FIGURES_READ: (_QUERY, "R"),
    Event.HANDOVER_CLOSE: (_EXPORT, "R"),
    Event.HANDOVER_CONFIRM: (_ACTIVITY, "U"),
    Event.HANDOVER_DESTROY: (_RECORD, "D"),
    Event.HANDOVER_EXPORT: (_EXPORT, "R"),
    Event.HANDOVER_IMPORT: (_IMPORT, "C"),
    Event.HANDOVER_READ: (_QUERY, "R"),
    Event.KEY_MAKE: (_ACTIVITY, "C"),
    Event.KNOWLEDGE_IMPORT: (_ACTIVITY, "U"),
    Event.NOTICE_ACKNOWLEDGE: (_EXPORT, "R"),
    Event.NOTICE_ANNOUNCE: (_ACTIVITY, "E"),
    Event.NOTICE_DISCLOSE: (_EXPORT, "R"),
    Event.NOTICE_MAKE: (_RECORD, "C"),
    Event.NOTICE_READ: (_RECORD, "R"),
    Event.NOTICE_WITHDRAW: (_RECORD, "D"),
    Event.PAPER_MAKE: (_EXPORT, "R"),
    Event.PAPER_READ: (_QUERY, "R"),
    Event.PARTY_READ: (_QUERY, "R"),
    Event.PARTY_REGISTER: (_ACTIVITY, "C"),
    Event.RECEIPT_READ: (_RECORD, "R"),
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
    Event.RIGHT_ANSWER: (_EXPORT, "R"),
    Event.RIGHT_DECIDE: (_ACTIVITY, "U"),
    Event.RIGHT_DESTROY: (_RECORD, "D"),
    Event.RIGHT_EXPLAIN: (_ACTIVITY, "U"),
    Event.RIGHT_EXTEND: (_ACTIVITY, "U"),
    Event.RIGHT_FORWARD: (_EXPORT, "R"),
    Event.RIGHT_PREPARE: (_RECORD, "R"),
    Event.RIGHT_READ: (_QUERY, "R"),
    Event.RIGHT_REGISTER: (_ACTIVITY, "C"),
    Event.RIGHT_VIEW: (_QUERY, "R"),
    Event.WILL_STATE: (_RECORD, "C"),
}
"""Kind of event and what was done to the data: create, read, update, delete, execute."""

_REST = frozenset({_IMPORT, _QUERY, _RECORD})
"""Types of events that act on stored things, as a RESTful operation would."""
_IHE = "https://profiles.ihe.net/ITI/BALP/"
_BALP = f"{_IHE}StructureDefinition/IHE.BasicAudit."
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_OPERATIONS = {"C": "create", "R": "read", "U": "update", "D": "delete"}
_FAILED = frozenset({Event.DISCLOSURE_REJECT, Event.DOCUMENT_REJECT, Event.RECORD_REFUSE})
_OF_PERMITS = frozenset({"permission", "prohibition", "consent"})
"""Facts of the decision table that a client's will decides: luovutuslupa, kielto, suostumus."""
_LAW = re.compile(r"(\d+/\d{4}) (?:ch\. )?§*\s*(.+)")
_GDPR = re.compile(r"GDPR (.+)")
_USERS = {"R": ("IRCP", "information recipient"), "D": ("CST", "Custodian")}
_AUTHOR = ("AUT", "Author")
SOURCE, DESTINATION, APPLICATION = (
    ("110153", "Source Role ID"), ("110152", "Destination Role ID"), ("110150", "Application"),
)  # fmt: skip


def audit_event(entry: Mapping[str, Any], *, person_name: str = "", observer: str) -> dict[str, Any]:
    """One entry as a resource.

    Args:
        entry: the body of an entry.
        person_name: name of the acting person, where the reader may see it.
        observer: name of this installation.
    """
    event, details = entry["event"], entry["details"]
    is_denied = event == Event.REQUEST_DENY
    kind, action = _kind(str(details.get("asked", event)) if is_denied else event)
    is_disclosure = entry["log"] == "disclosure"
    of_permit = is_denied and any(one.partition(":")[2] in _OF_PERMITS for one in details.get("failed", ()))
    resource: dict[str, Any] = {"resourceType": "AuditEvent", "id": str(entry["idx"]), "meta": {}}
    if of_permit:
        resource |= {"type": _dcm(_SECURITY), "subtype": [_coding(f"{_IHE}CodeSystem/AuthZsubType", "AuthZ-Consent")]}
        action = "E"
    elif is_disclosure:
        resource |= {"type": _dcm(_EXPORT), "subtype": [_coding(f"{_HL7}iso-21089-lifecycle", "disclose")]}
        action = "R"
    elif kind in _REST and action in _OPERATIONS:
        operation = _coding("http://hl7.org/fhir/restful-interaction", _OPERATIONS[action])
        resource |= {"type": _coding(f"{_HL7}audit-event-type", "rest"), "subtype": [operation]}
    else:
        resource |= {"type": _dcm(kind), "subtype": []}
    resource["subtype"].append({"system": _EVENTS, "code": event})
    resource |= {
        "action": action, "recorded": entry["at"], "outcome": "8" if is_denied else "4" if event in _FAILED else "0",
        "agent": _agents(entry, person_name, observer, action, is_disclosure=is_disclosure, of_permit=of_permit),
        "source": {"observer": _observer(entry, observer, is_disclosure=is_disclosure)},
        "entity": _entities(entry, of_permit=of_permit),
    }  # fmt: skip
    if entry["purpose"]:
        resource["purposeOfEvent"] = [{"text": entry["purpose"]}]
    if details.get("flag") == "BTG":  # break the glass
        resource.setdefault("purposeOfEvent", []).append(_concept(f"{_HL7}v3-ActReason", "BTG"))
    if resource["outcome"] != "0":
        _tell_failure(resource, details)
    _mark(resource, entry, is_disclosure=is_disclosure)
    return {name: one for name, one in resource.items() if one not in ({}, [])}


def policies(basis: str) -> list[str]:
    """The provisions of an entry as identifiers: `703/2023 §56.1(2)` is `urn:fi:laki:703/2023#56.1.2`."""
    found = []
    for part in filter(None, (one.strip() for one in basis.split(";"))):
        if told := _LAW.fullmatch(part):
            found.append(f"urn:fi:laki:{told[1]}#{_place(told[2])}")
        elif told := _GDPR.fullmatch(part):
            found.append(f"urn:eu:reg:2016/679#{_place(told[1])}")
        else:
            found.append(f"urn:kanta-gateway:basis:{quote(part)}")
    return found


def _place(text: str) -> str:
    return quote(re.sub(r"[()\s]+", ".", text).strip("."), safe=":.,")


def _kind(event: str) -> tuple[tuple[str, str], str]:
    """Type and action of an event; of one that this version no longer writes, by its last word."""
    if event in set(Event) and (known := TYPES.get(Event(event))):
        return known
    return (_RECORD, "R") if event.endswith(":read") else (_ACTIVITY, "E")


def _mark(resource: dict[str, Any], entry: Mapping[str, Any], *, is_disclosure: bool) -> None:
    """Which profile the resource follows, and whether it is of a test."""
    meta, is_of_client = resource["meta"], bool(entry.get("client"))
    if entry["actor"].get("development"):
        meta["security"] = [_coding(f"{_HL7}v3-ActReason", "HTEST")]
    if resource["outcome"] != "0":
        return
    if is_disclosure and is_of_client:
        meta["profile"] = [f"{_BALP}PrivacyDisclosure.Source"]
    elif resource["type"]["code"] == "rest":
        name = _OPERATIONS[resource["action"]].capitalize()
        meta["profile"] = [f"{_BALP}{'Patient' if is_of_client else ''}{name}"]


def _tell_failure(resource: dict[str, Any], details: Mapping[str, Any]) -> None:
    """Why it was not done, in the resource itself."""
    told = "; ".join(map(str, details.get("reasons", ()))) or "; ".join(map(str, details.get("failed", ())))
    issue: dict[str, Any] = {
        "severity": "error",
        "code": "forbidden" if resource["outcome"] == "8" else "business-rule",
    }
    if told:
        issue["diagnostics"] = resource["outcomeDesc"] = told
    resource["contained"] = [{"resourceType": "OperationOutcome", "id": "outcome", "issue": [issue]}]
    resource["entity"].append({
        "type": _coding("http://hl7.org/fhir/resource-types", "OperationOutcome"), "what": {"reference": "#outcome"},
    })  # fmt: skip


def _agents(
    entry: Mapping[str, Any], person_name: str, observer: str, action: str, *, is_disclosure: bool, of_permit: bool
) -> list[dict[str, Any]]:
    actor, basis = entry["actor"], policies(entry["basis"])
    agents: list[dict[str, Any]] = []
    if actor.get("ref"):
        agents.append(_user(entry, person_name, "R" if is_disclosure or of_permit else action))
    asker = _organisation(actor["organisation"], actor["system"])
    gateway = _observer(entry, observer, is_disclosure=is_disclosure)
    if is_disclosure:
        agents += [
            _machine(SOURCE, gateway, observer), _machine(DESTINATION, _named(entry["recipient"]), entry["recipient"]),
        ]  # fmt: skip
    elif of_permit:
        agents += [
            _machine(APPLICATION, asker, actor["system"]),
            {"type": _concept(f"{_HL7}v3-RoleClass", "PROV"), "who": asker, "requestor": False},
            {"type": _concept(f"{_HL7}extra-security-role-type", "authserver"), "who": gateway, "requestor": False},
        ]
    elif action == "D":
        custodian = _concept(f"{_HL7}provenance-participant-type", "custodian")
        agents += [
            _machine(APPLICATION, asker, actor["system"]), _machine(SOURCE, gateway, observer) | {"type": custodian},
        ]  # fmt: skip
    else:  # whoever reads is where the data goes to; whoever writes is where it comes from
        ends = (DESTINATION, SOURCE) if action in {"R", "E"} else (SOURCE, DESTINATION)
        agents += [_machine(ends[0], asker, actor["system"]), _machine(ends[1], gateway, observer)]
    if entry["controller"] and action != "D":
        keeper = _concept("http://snomed.info/sct", "159541003")
        agents.append({"type": keeper, "who": _named(entry["controller"]), "requestor": False})
    agents[0] |= {"requestor": True} | ({"policy": basis} if basis else {})
    return agents


def _user(entry: Mapping[str, Any], person_name: str, action: str) -> dict[str, Any]:
    actor = entry["actor"]
    code, display = _USERS.get(action, _AUTHOR)
    user: dict[str, Any] = {
        "type": _concept(f"{_HL7}v3-ParticipationType", code, display), "requestor": True,
        "who": {"identifier": {"system": _REFERENCES, "value": actor["ref"]}},
    }  # fmt: skip
    if person_name:
        user["name"] = user["who"]["display"] = person_name
    if actor["role"]:
        user["role"] = [{"text": actor["role"]}]
    if entry["purpose"]:
        user["purposeOfUse"] = [{"text": entry["purpose"]}]
    return user


def _machine(role: tuple[str, str], who: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "type": {"coding": [_dcm(role)]}, "who": who, "requestor": False, "network": {"address": name, "type": "1"},
    }  # fmt: skip


def _observer(entry: Mapping[str, Any], observer: str, *, is_disclosure: bool) -> dict[str, Any]:
    """This installation; of a disclosure it is the discloser too, as the profile demands."""
    return _organisation(entry["provider"] if is_disclosure else "", observer)


def _named(who: str) -> dict[str, Any]:
    """An organisation by its OID, or by its name where it has none here."""
    return _organisation(who, who) if re.fullmatch(r"[\d.]+", who) else {"display": who}


def _organisation(oid: str, system: str) -> dict[str, Any]:
    who: dict[str, Any] = {"display": system}
    if oid:
        who["identifier"] = {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{oid}"}
    return who


def _entities(entry: Mapping[str, Any], *, of_permit: bool) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if entry["subject"]:
        entities.append({
            "type": _coding(f"{_HL7}audit-entity-type", "2"), "role": _coding(f"{_HL7}object-role", "4"),
            "what": {"identifier": {"system": _EVENTS, "value": entry["subject"]}},
        })  # fmt: skip
    if entry.get("client"):
        entities.append({
            "type": _coding(f"{_HL7}audit-entity-type", "1"), "role": _coding(f"{_HL7}object-role", "1"),
            "what": {"type": "Patient", "identifier": {"system": _REFERENCES, "value": entry["client"]}},
        })  # fmt: skip
    if of_permit:
        consent = _coding("http://hl7.org/fhir/resource-types", "Consent")
        entities.append({"type": consent, "what": {"display": "; ".join(entry["details"]["failed"])}})
    return entities


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def _dcm(kind: tuple[str, str]) -> dict[str, str]:
    return {"system": _DCM, "code": kind[0], "display": kind[1]}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [_coding(system, code) | ({"display": display} if display else {})]}
