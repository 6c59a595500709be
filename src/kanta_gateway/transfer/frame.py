"""The message frame that goes with a document, built from the signed document's own header, and read back.

* Frame and document cannot disagree: every value of the frame is read from the bytes that were signed.
* Codes, identifiers and the form itself are data (`schemas/frame.yaml`); this module fills and reads.
* XML is parsed without entities, DTDs or network.

Source: docs/archive-protocol.md, "Frame".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import yaml
from lxml import etree

from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.model import aware
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

HL7 = "{urn:hl7-org:v3}"
QUOTES = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}

_ENCOUNTER = "componentOf/encompassingEncounter"
_ORGANISATION = "assignedEntity/representedOrganization"
_PATIENT = "recordTarget/patientRole"
_ORGANISER = f"{_ENCOUNTER}/responsibleParty/{_ORGANISATION}"
_CUSTODIAN = "custodian/assignedCustodian/representedCustodianOrganization"

FIELDS = {
    "oid": ("id", "root"),
    "set_oid": ("setId", "root"),
    "version_number": ("versionNumber", "value"),
    "effective_time": ("effectiveTime", "value"),
    "confidentiality": ("confidentialityCode", "code"),
    "confidentiality_system": ("confidentialityCode", "codeSystem"),
    "language": ("languageCode", "code"),
    "client_root": (f"{_PATIENT}/id", "root"),
    "client": (f"{_PATIENT}/id", "extension"),
    "sex": (f"{_PATIENT}/patient/administrativeGenderCode", "code"),
    "sex_system": (f"{_PATIENT}/patient/administrativeGenderCode", "codeSystem"),
    "birth_time": (f"{_PATIENT}/patient/birthTime", "value"),
    "custodian": (f"{_CUSTODIAN}/id", "root"),
    "organisation": (f"{_ORGANISER}/id", "root"),
    "unit": (f"{_ENCOUNTER}/encounterParticipant/{_ORGANISATION}/id", "root"),
}
"""What the frame repeats of the document's header: name in the template -> element and attribute."""

SERVICE = ("code", "system", "display")

_SUBJECT = "controlActProcess/subject/clinicalDocument"
READ = {
    "oid": (f"{_SUBJECT}/id", "root"),
    "set_oid": (f"{_SUBJECT}/setId", "root"),
    "version_number": (f"{_SUBJECT}/versionNumber", "value"),
    "client": (f"{_SUBJECT}/recordTarget/patient/id", "extension"),
    "custodian": (
        f"{_SUBJECT}/custodian/assignedCustodian/representedOrganization/id",
        "root",
    ),
    "message_id": ("id", "extension"),
    "sender": ("id", "root"),
    "processing_code": ("processingCode", "code"),
}
"""What the receiver compares with the document."""


def _path(path: str) -> str:
    return "/".join(HL7 + step for step in path.split("/"))


_FIELDS = {name: (_path(path), attribute) for name, (path, attribute) in FIELDS.items()}
_READ = {name: (_path(path), attribute) for name, (path, attribute) in READ.items()}
_NAME = _path(f"{_PATIENT}/patient/name")
_AUTHOR_ID = _path("author/assignedAuthor/id")
_ORGANISER_NAME = _path(f"{_ORGANISER}/name")
_GROUP = ("{urn:hl7finland}localSocialHeader/{urn:hl7finland}documentGroup", "code")
_REASON = _path("controlActProcess/reasonCode")


@dataclass(frozen=True, slots=True)
class FrameProfile:
    """The form of a frame and its fixed codes."""

    template: str
    fixed: Mapping[str, str]
    service_system: str
    invalidation: Mapping[str, str]
    """Takes the place of the service request; artificial, so production sends none."""
    identity_root: str
    by_group: Mapping[str, Mapping[str, str]]
    """Document group -> what takes the place of the service request."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a received frame says."""

    oid: str
    set_oid: str
    version_number: str
    client: str
    custodian: str
    message_id: str
    sender: str
    processing_code: str
    service: str
    """Code of the service request."""


def load_profile(text: str) -> FrameProfile:
    """Read the form of a frame.

    Args:
        text: content of `schemas/frame.yaml`.

    Raises:
        MisconfiguredError: it lacks something, or its template asks for something that nobody gives.
    """
    try:
        told = plain(text)
        service, usage = told["service_request"], told["usage"]
        fixed = {
            "processing_code": told["processing_code"],
            "processing_mode": told["processing_mode"],
            "receiver": told["receiver"],
            "service_code": service["code"],
            "service_system": service["system"],
            "service_display": service["display"],
            "usage_code": usage["code"],
            "usage_system": usage["system"],
            "usage_display": usage["display"],
        }
        profile = FrameProfile(
            template=told["template"].strip(),
            fixed={name: _safe(str(value)) for name, value in fixed.items()},
            service_system=service["system"],
            invalidation={f"service_{name}": _safe(str(told["invalidation"][name])) for name in SERVICE},
            identity_root=str(told["identity_root"]),
            by_group={
                str(group): {f"service_{name}": _safe(str(one[name])) for name in ("code", "display")}
                for group, one in told["service_requests"].items()
            },
        )
        names = (*FIELDS, *fixed, "message_id", "sender", "created_at")
        names = (*names, "client_name", "author_id", "organisation_name")
        profile.template.format_map(dict.fromkeys(names, ""))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise MisconfiguredError(f"schemas/frame.yaml does not describe a frame: {error!r}") from error
    return profile


def parse(xml: bytes) -> etree._Element:
    """The root of an XML document, parsed without entities, DTD or network.

    Raises:
        UntrustedError: it is not well-formed, or it holds a document type declaration.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=False
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UntrustedError("the document is not well-formed XML; it was not sent as it was signed") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise UntrustedError("the document has a document type declaration; none is allowed")
    return root


def build(
    xml: bytes, profile: FrameProfile, *, message_id: str, sender: str, created_at: datetime,
    is_invalidation: bool = False,
) -> bytes:  # fmt: skip
    """The frame of one signed document.

    Args:
        xml: the signed document.
        profile: the form.
        message_id: number of the message, unique for the sender.
        sender: OID of the sending system's operator.
        created_at: when the message is made.
        is_invalidation: ask to invalidate the document (an artificial code) instead of archiving it.

    Raises:
        UntrustedError: the document cannot be read, or its header lacks what a frame needs.
    """
    root = parse(xml)
    values = {name: _safe(_value(root, path, attribute)) for name, (path, attribute) in _FIELDS.items()}
    lacking = [name for name in ("oid", "set_oid", "version_number", "client", "custodian") if not values[name]]
    if lacking:
        raise UntrustedError(f"the document's header lacks {', '.join(lacking)}; a frame cannot be made")
    values["organisation"] = values["organisation"] or values["custodian"]
    moment = aware(created_at).strftime("%Y%m%d%H%M%S+0000")
    filled = profile.template.format_map(
        {
            **profile.fixed,
            **profile.by_group.get(_value(root, *_GROUP), {}),
            **(profile.invalidation if is_invalidation else {}),
            **values,
            "message_id": _safe(message_id),
            "sender": _safe(sender),
            "created_at": moment,
            "client_name": _name(root.find(_NAME)),
            "author_id": _identifier(root.find(_AUTHOR_ID)),
            "organisation_name": _safe(root.findtext(_ORGANISER_NAME, "")),
        }
    )
    return filled.encode()


def read(frame: bytes, profile: FrameProfile) -> Frame:
    """What a frame says.

    Raises:
        UntrustedError: it is not well-formed.
    """
    root = parse(frame)
    reasons = (one for one in root.iterfind(_REASON) if one.get("codeSystem") == profile.service_system)
    service = next((one.get("code", "") for one in reasons), "")
    values = {name: _value(root, path, attribute) for name, (path, attribute) in _READ.items()}
    return Frame(service=service, **values)


def disagreements(frame: Frame, document: etree._Element) -> tuple[str, ...]:
    """Names of what a frame says otherwise than its document."""
    names = ("oid", "set_oid", "version_number", "client", "custodian")
    return tuple(name for name in names if getattr(frame, name) != _value(document, *_FIELDS[name]))


def _value(root: etree._Element, path: str, attribute: str) -> str:
    found = root.find(path)
    return "" if found is None else found.get(attribute, "")


def _name(element: etree._Element | None) -> str:
    if element is None:
        return '<name nullFlavor="NA"/>'
    parts = (
        f"<{_local(one)}{_qualifier(one)}>{_safe(one.text or '')}</{_local(one)}>"
        for one in element.iterchildren(f"{HL7}given", f"{HL7}family")
    )
    return f"<name>{''.join(parts)}</name>"


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _qualifier(element: etree._Element) -> str:
    qualifier = element.get("qualifier")
    return f' qualifier="{_safe(qualifier)}"' if qualifier else ""


def _identifier(element: etree._Element | None) -> str:
    if element is None or not element.get("extension"):
        return '<id nullFlavor="NA"/>'
    return f'<id root="{_safe(element.get("root", ""))}" extension="{_safe(element.get("extension", ""))}"/>'


def _safe(text: str) -> str:
    return escape(text, QUOTES)
