"""Inspection of a finished document: every mistake at once, and whether it can be trusted.

* Bytes: XML declaration, UTF-8, LF line ends, no document type, well-formed.
* Envelope: elements known, in order, none missing; body identifier fits the document's.
* Content: JSON against its structure, display form against JSON; read from the elements that were verified.
* Signature by python-xmlsec, certificate against the given anchors at the moment of signing.

Source: facts of the document format, sections 1.1, 1.2, 2 and 6.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import GatewayError
from kanta_gateway.model import Finding, Oid, Severity
from kanta_gateway.signing import agree, xmldsig
from kanta_gateway.signing.cda import FINLAND, V3
from kanta_gateway.signing.markup import parse
from kanta_gateway.signing.trust import Verdict, trust

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from lxml import etree

    from kanta_gateway.signing.display import Display
    from kanta_gateway.signing.profile import Profile

HEADER = (
    "realmCode",
    "typeId",
    "id",
    "code",
    "title",
    "effectiveTime",
    "confidentialityCode",
    "languageCode",
    "setId",
    "versionNumber",
    "recordTarget",
    "author",
    "custodian",
    "relatedDocument",
    "authorization",
    "componentOf",
    "localSocialHeader",
    "component",
)
LOCAL = (
    "specificDocumentType",
    "creationTime",
    "documentGroup",
    "fileFormat",
    "structuredFileFormat",
    "softwareSupport",
    "functionCode",
    "recordStatus",
    "registryType",
    "outsourcingServiceCustomer",
    "outsourcingServiceCustomerName",
    "totalRetentionPeriodClass",
    "specialContent",
    "contentSpecificationId",
    "encompassingClientRelationship",
    "serviceProcess",
    "authorizationRestrictionArgument",
    "inaccessibleArgument",
    "reasonOfCorrection",
    "signature",
    "signatureCollection",
)
OPTIONAL = frozenset({"title", "relatedDocument", "authorization"})
OPTIONAL_LOCAL = frozenset(LOCAL[14:20]) | {"specialContent"}
_V3, _FI = f"{{{V3}}}", f"{{{FINLAND}}}"

CheckStructure = Callable[[Oid, dict[str, Any]], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found about one document."""

    oid: str
    """Empty when the document does not tell."""
    structure: str
    verdict: Verdict
    findings: tuple[Finding, ...]


def inspect(
    xml: bytes,
    *,
    check_structure: CheckStructure,
    labels_of: Callable[[Oid], Collection[str]],
    display: Display,
    profile: Profile,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> Inspection:
    """Look at one document.

    Args:
        xml: its bytes.
        check_structure: JSON against its THL structure; raises for one that is not known.
        labels_of: labels and titles of a structure.
        display: words of the display form.
        profile: fixed values of the envelope.
        anchors: trusted certificates; without any the verdict is at best INDETERMINATE.
        now: a signature from the future does not hold.
    """
    found = list(_bytes(xml))
    root = parse(xml)
    if root is None or root.tag != f"{_V3}ClinicalDocument":
        return Inspection("", "", Verdict.FAILED, (*found, _finding("DOC-XML", "document-unreadable")))
    found += _envelope(root)
    oid, structure = (
        _root(root, "id"),
        root.findtext(f"{_FI}localSocialHeader/{_FI}contentSpecificationId", ""),
    )
    verified = xmldsig.verify(root)
    found += verified.findings
    body = verified.body if verified.body is not None else root.find(f"{_V3}component/{_V3}nonXMLBody")
    if body is not None:
        found += _content(root, body, Oid(structure), check_structure, labels_of, display)
    verdict = Verdict.FAILED
    if verified.moment is not None:
        verdict, told = trust(verified.certificate_der, anchors, verified.moment)
        found += told
        if verified.moment > now:
            found.append(_finding("SIG-TIME", "signature-from-the-future"))
    is_failed = any(one.severity >= Severity.REFUSE for one in found)
    return Inspection(oid, structure, Verdict.FAILED if is_failed else verdict, (*found, *_unverified(root, profile)))


def _finding(rule: str, kind: str, severity: Severity = Severity.REFUSE, pointer: str = "", **params: str) -> Finding:
    return Finding(rule, severity, kind, pointer, params, "document format")


def _bytes(xml: bytes) -> Iterator[Finding]:
    if not xml.startswith(b"<?xml"):
        yield _finding("DOC-DECLARATION", "document-declaration")
    if b"\r" in xml:
        yield _finding("DOC-LINES", "document-line-ends")
    try:
        xml.decode("utf-8")
    except UnicodeDecodeError:
        yield _finding("DOC-ENCODING", "document-encoding")


def _envelope(root: etree._Element) -> Iterator[Finding]:
    yield from _order(root, _V3, HEADER, OPTIONAL, exceptions={f"{_FI}localSocialHeader"})
    local = root.find(f"{_FI}localSocialHeader")
    if local is not None:
        # A document of the first stage has no type: neither a general nor a specific one.
        untyped = set() if _code(root.find(f"{_V3}code")) else {"specificDocumentType"}
        yield from _order(local, _FI, LOCAL, OPTIONAL_LOCAL | untyped)
    body = root.find(f"{_V3}component/{_V3}nonXMLBody")
    if body is not None and [one.tag for one in body] != [f"{_V3}text", f"{_FI}json"]:
        yield _finding("DOC-BODY", "document-body")


def _order(
    parent: etree._Element,
    namespace: str,
    order: Sequence[str],
    optional: Collection[str],
    exceptions: Collection[str] = (),
) -> Iterator[Finding]:
    tags = [str(one.tag) for one in parent.iterchildren("*")]
    names = [tag.rpartition("}")[2] for tag in tags]
    strange = [
        n
        for tag, n in zip(tags, names, strict=True)
        if n not in order or not (tag.startswith(namespace) or tag in exceptions)
    ]
    for name in dict.fromkeys(strange):
        yield _finding("DOC-ELEMENT", "document-element-unknown", element=name if name in order else "?")
    known = [order.index(name) for name in names if name in order]
    if known != sorted(known):
        yield _finding("DOC-ORDER", "document-element-order", element=str(parent.tag).rpartition("}")[2])
    for name in order:
        if name not in names and name not in optional:
            yield _finding("DOC-ELEMENT", "document-element-missing", element=name)


def _content(
    root: etree._Element,
    body: etree._Element,
    structure: Oid,
    check_structure: CheckStructure,
    labels_of: Callable[[Oid], Collection[str]],
    display: Display,
) -> Iterator[Finding]:
    try:
        value = json.loads(_decoded(body, f"{_FI}json"), parse_float=Decimal)
        xhtml = _decoded(body, f"{_V3}text")
    except (Base64Error, ValueError, RecursionError):
        yield _finding("DOC-CONTENT", "document-content-unreadable")
        return
    if not isinstance(value, dict):
        yield _finding("DOC-CONTENT", "document-content-unreadable")
        return
    try:
        found = check_structure(structure, json.loads(_decoded(body, f"{_FI}json")))
        labels = labels_of(structure)
    except (LookupError, GatewayError):
        yield _finding("DOC-STRUCTURE", "document-structure-unknown")
        return
    yield from found
    language = _code(root.find(f"{_V3}languageCode"))
    words = display.words(language)
    yield from agree.disagreements(value, xhtml, labels, words, _frame(root, words))


def _decoded(body: etree._Element, name: str) -> bytes:
    return b64decode("".join(body.findtext(name, "").split()), validate=True)


def _frame(root: etree._Element, words: Any) -> agree.Frame:
    """Header and footer lines as the envelope makes them."""
    made = root.find(f"{_V3}effectiveTime")
    stamp = made.get("value", "") if made is not None else ""
    general = root.find(f"{_V3}code")
    unit = root.find(
        f"{_V3}componentOf/{_V3}encompassingEncounter/{_V3}encounterParticipant"
        f"/{_V3}assignedEntity/{_V3}representedOrganization"
    )
    names = [one.text or "" for one in unit.iter(f"{_V3}name")] if unit is not None else []
    version = root.find(f"{_V3}versionNumber")
    number = version.get("value", "") if version is not None else ""
    oid = _root(root, "id")
    custodian = root.find(f"{_V3}custodian")
    return agree.Frame(
        oid,
        {
            "soc-hdr1": next((one.text or "" for one in custodian.iter(f"{_V3}name")), "")
            if custodian is not None
            else "",
            "soc-hdr2": general.get("displayName", "") if general is not None else "",
            "soc-hdr3": f"{stamp[6:8].lstrip('0')}.{stamp[4:6].lstrip('0')}.{stamp[:4]}",
            "soc-ftr1": f"{words['unit']}: {names[0]}" if names else "",
            "soc-ftr2": f"{words['producer']}: {names[1]}" if len(names) > 2 else "",
            "soc-ftr3": f"{words['document']}: {oid}, {words['version']} {number}",
        },
    )


def _root(root: etree._Element, name: str) -> str:
    one = root.find(_V3 + name)
    return one.get("root", "") if one is not None else ""


def _code(one: etree._Element | None) -> str:
    return one.get("code", "").lower() if one is not None else ""


def _unverified(root: etree._Element, profile: Profile) -> Iterator[Finding]:
    """Fixed codes of the envelope that no source confirms."""
    unverified = {
        (one.system, one.code)
        for one in (*profile.codes.values(), *profile.general_types.values(), *profile.groups.values())
        if not one.verified
    }
    for one in root.iter():
        coded = (one.get("codeSystem", ""), one.get("code", ""))
        if coded in unverified:
            name = str(one.tag).rpartition("}")[2]
            yield _finding("CODE-HEADER", "header-code-unverified", Severity.INFO, element=name, code=coded[1])
