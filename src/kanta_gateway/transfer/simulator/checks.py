"""What the simulated archive checks of one message before it keeps anything.

* Frame and document agree. * The header has its elements in order. * The display form is a `div` fragment.
* The structured form fits the schema of its structure. * The signature holds. * The client is a test person.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson
from lxml import etree

from kanta_gateway.errors import UntrustedError
from kanta_gateway.transfer import frame as frames
from kanta_gateway.transfer.simulator import signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.transfer.frame import FrameProfile

HL7 = "{urn:hl7-org:v3}"
FI = "{urn:hl7finland}"
ROOT = f"{HL7}ClinicalDocument"
DISPLAY_ROOT = "{http://www.w3.org/1999/xhtml}div"
ORDER = (
    "realmCode", "typeId", "id", "code", "effectiveTime", "confidentialityCode", "languageCode", "setId",
    "versionNumber", "recordTarget", "author", "custodian", "relatedDocument", "authorization", "componentOf",
    "localSocialHeader", "component",
)  # fmt: skip
OPTIONAL = frozenset({"relatedDocument", "authorization"})


@dataclass(frozen=True, slots=True)
class Checked:
    """One message as the archive understood it."""

    oid: str
    set_oid: str
    version: int
    replaces: str | None
    structure: str
    digest: str
    problems: tuple[str, ...]
    """Error codes; empty when it may be kept."""


class Checker:
    """Checks messages.

    Args:
        profile: the form of frames.
        schemas: JSON Schema by structure OID; a structure without one is refused.
    """

    def __init__(self, profile: FrameProfile, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._profile = profile
        self._validators = {
            oid: jsonschema_rs.validator_for(dict(schema)) for oid, schema in schemas.items()
        }  # fmt: skip

    def check(self, frame: bytes, document: bytes) -> Checked:
        """Everything that is wrong with one message."""
        digest = sha256(document).hexdigest()
        try:
            said = frames.read(frame, self._profile)
            root = frames.parse(document)
        except UntrustedError:
            return Checked("", "", 0, None, "", digest, ("XML",))
        structure = root.findtext(f"{FI}localSocialHeader/{FI}contentSpecificationId", "").strip()
        related = root.find(f"{HL7}relatedDocument/{HL7}parentDocument/{HL7}id")
        problems = [f"FRAME-{name}" for name in frames.disagreements(said, root)]
        problems += self._of_document(root, structure)
        return Checked(
            oid=said.oid, set_oid=said.set_oid,
            version=int(said.version_number) if said.version_number.isdecimal() else 0,
            replaces=None if related is None else related.get("root"), structure=structure, digest=digest,
            problems=tuple(problems),
        )  # fmt: skip

    def is_about(self, frame: bytes, oid: str) -> bool:
        """Whether a frame without a document is about this one."""
        try:
            return frames.read(frame, self._profile).oid == oid
        except UntrustedError:
            return False

    def _of_document(self, root: etree._Element, structure: str) -> list[str]:
        problems = [] if _is_ordered(root) else ["HEADER"]
        if not self._is_test_person(root):
            problems.append("NOT-A-TEST-PERSON")
        if not self._fits(root, structure):
            problems.append("STRUCTURE")
        if not _is_shown(root):
            problems.append("DISPLAY")
        if not signature.holds(root):
            problems.append("SIGNATURE")
        return problems

    def _is_test_person(self, root: etree._Element) -> bool:
        """Only individual numbers 900 to 999 are given to test persons; no other is stored."""
        one = root.find(f"{HL7}recordTarget/{HL7}patientRole/{HL7}id")
        if one is None:
            return False
        if one.get("root") != self._profile.identity_root:
            return True
        code = one.get("extension", "")
        return len(code) == 11 and code[7:10].isdecimal() and int(code[7:10]) >= 900

    def _fits(self, root: etree._Element, structure: str) -> bool:
        validator = self._validators.get(structure)
        if validator is None:
            return False
        try:
            value = orjson.loads(_decoded(root.findtext(f"{HL7}component/{HL7}nonXMLBody/{FI}json", "")))
        except (orjson.JSONDecodeError, binascii.Error):
            return False
        return bool(validator.is_valid(value))


def _is_ordered(root: etree._Element) -> bool:
    if root.tag != ROOT:
        return False
    names = [etree.QName(one).localname for one in root.iterchildren("*")]
    places = [ORDER.index(name) if name in ORDER else -1 for name in names]
    return -1 not in places and places == sorted(places) and set(ORDER) - OPTIONAL <= set(names)


def _is_shown(root: etree._Element) -> bool:
    try:
        display = frames.parse(_decoded(root.findtext(f"{HL7}component/{HL7}nonXMLBody/{HL7}text", "")))
    except (binascii.Error, UntrustedError):
        return False
    return bool(display.tag == DISPLAY_ROOT)


def _decoded(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)
