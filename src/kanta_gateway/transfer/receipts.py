"""Reads the archive's answer: a receipt, a reason to wait, or a final no.

* A receipt names the message, the document and its digest. One that names another is no receipt (a lying or
  confused archive): the archive is asked again, never believed.
* AE waits, AR is final; both need a readable answer that belongs to what was sent.
* Whatever cannot be read leaves the outcome unknown.

Source: HL7 V3 MCCI_IN000002UV01; what is assumed stands in docs/archive-protocol.md, "Answers".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.model import Oid, Sha256Hex

HL7 = "{urn:hl7-org:v3}"
ROOT = f"{HL7}MCCI_IN000002UV01"
MAX_ANSWER_BYTES = 256 * 1024
"""An answer is about 1 KiB; what is much longer is not one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What an answer must belong to."""

    oid: Oid
    digest: Sha256Hex


@dataclass(frozen=True, slots=True)
class Receipt:
    """The archive has these bytes."""

    oid: Oid
    digest: Sha256Hex
    message_id: str
    """The archive's own number of its answer."""
    was_there: bool
    """It had them before: an earlier answer was lost."""

    def evidence(self) -> dict[str, object]:
        """As kept beside the document."""
        return {"oid": self.oid, "sha256": self.digest, "message": self.message_id, "repeat": self.was_there}


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Nothing final yet."""

    kind: str
    """Key of a text in the message catalogue."""
    must_ask: bool
    """The archive may have it: ask before sending again."""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FinalNo:
    """The archive will not take it."""

    kind: str
    codes: tuple[str, ...]
    """The archive's error codes; its free texts are not kept."""


Answer = Receipt | RetryLater | FinalNo


def read(answer: bytes, sent: Sent) -> Answer:
    """What an acknowledgement says about what was sent.

    Args:
        answer: the bytes that came back.
        sent: the document that they must belong to.
    """
    root = _parsed(answer)
    if root is None:
        return RetryLater("archive-answer-unreadable", must_ask=True)
    told = {one.findtext(f"{HL7}keyWordText", ""): one.find(f"{HL7}value") for one in root.iter(f"{HL7}attentionLine")}
    oid, digest = _told(told.get("documentId"), "root"), _told(told.get("sha256"), "value")
    if oid != sent.oid:
        return RetryLater("archive-answer-of-another", must_ask=True)
    type_code = _attribute(root, f"{HL7}acknowledgement/{HL7}typeCode", "code")
    codes = tuple(
        one.get("code", "") for one in root.iterfind(f"{HL7}acknowledgement/{HL7}acknowledgementDetail/{HL7}code")
    )
    if type_code == "AA" and digest == sent.digest:
        number = _attribute(root, f"{HL7}id", "extension")
        return Receipt(sent.oid, sent.digest, number, was_there="ALREADY" in codes)
    if type_code == "AE":
        return RetryLater("archive-busy", must_ask=False, params={"codes": _joined(codes)})
    if type_code == "AR":
        return FinalNo("archive-refused", _short(codes))
    return RetryLater("archive-answer-of-another", must_ask=True)


def _parsed(answer: bytes) -> etree._Element | None:
    if len(answer) > MAX_ANSWER_BYTES:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(answer, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    has_type = bool(getattr(root.getroottree().docinfo, "doctype", ""))
    return root if root.tag == ROOT and not has_type else None


def _attribute(root: etree._Element, path: str, name: str) -> str:
    return _told(root.find(path), name)


def _told(element: etree._Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")


def _short(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Codes only: what is long or oddly spelt could be text about a person."""
    return tuple(code for code in codes if code.isascii() and len(code) <= 64 and " " not in code)


def _joined(codes: tuple[str, ...]) -> str:
    return ", ".join(_short(codes)) or "-"
