"""XML signatures of profile `kanta`: two references, exclusive canonical form, system signature.

Signing, by template (every part is written in its canonical form, nothing is parsed):
* (1) write the timestamp element in canonical form, (2) digest it and the body,
* (3) write SignedInfo with both references, (4) sign its canonical form, (5) write the signature collection.

Verifying, by python-xmlsec, which shares no code with the signer:
* (1) find the one signature, the one body and the one timestamp at their places, (2) refuse a repeated ID,
* (3) refuse any other reference, transform or algorithm, (4) take the key from the one certificate,
* (5) let xmlsec verify, (6) give back the very elements that were verified, so that nobody reads others.

Source: XML Signature 1.1 §3, Exclusive XML Canonicalization 1.0, facts of the archive's electronic signature.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import xmlsec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from kanta_gateway.model import Finding, aware
from kanta_gateway.signing.cda import FINLAND, V3, body_id
from kanta_gateway.signing.markup import attribute
from kanta_gateway.signing.trust import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from kanta_gateway.model import Coding
    from kanta_gateway.signing.keys import Signer

DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DSIG}enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
METHODS = {
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "ecdsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
}

_DS, _FI, _V3 = f"{{{DSIG}}}", f"{{{FINLAND}}}", f"{{{V3}}}"
_HOLDER = f"{_FI}localSocialHeader/{_FI}signatureCollection/{_FI}signature"


@dataclass(frozen=True, slots=True)
class Description:
    """Kind of signature, as its element tells it."""

    coding: Coding
    system_name: str


def sign(oid: str, body: bytes, moment: datetime, signer: Signer, kind: Description) -> bytes:
    """The signature collection of a document.

    Args:
        oid: the document's identifier.
        body: the body in canonical form.
        moment: of signing.
        signer: the key.
        kind: of signature.
    """
    # (1) timestamp in canonical form
    time = aware(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    timestamp = f'<signatureTimestamp xmlns="{FINLAND}" ID="TS{oid}">{time}</signatureTimestamp>'
    # (2) (3) digests, SignedInfo
    signed_info = (
        f'<CanonicalizationMethod Algorithm="{EXCLUSIVE}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{METHODS[signer.algorithm]}"></SignatureMethod>'
        f"{_reference(f'TS{oid}', timestamp.encode())}{_reference(body_id(oid), body)}</SignedInfo>"
    )
    # (4) signature value
    value = signer.sign(f'<SignedInfo xmlns="{DSIG}">{signed_info}'.encode())
    # (5) collection
    return (
        f'<signatureCollection xmlns="{FINLAND}"><signature ID="SIG{oid}">'
        f'<signatureDescription code="{attribute(kind.coding.code)}" codeSystem='
        f'"{attribute(kind.coding.system)}"'
        f' codeSystemName="{attribute(kind.system_name)}" displayName="{attribute(kind.coding.display)}"/>'
        f'<signatureTimestamp ID="TS{oid}">{time}</signatureTimestamp>'
        f'<Signature xmlns="{DSIG}"><SignedInfo>{signed_info}'
        f"<SignatureValue>{b64encode(value).decode()}</SignatureValue><KeyInfo><X509Data>"
        f"<X509Certificate>{b64encode(signer.certificate_der).decode()}</X509Certificate></X509Data></KeyInfo>"
        "</Signature></signature></signatureCollection>"
    ).encode()


def _reference(target: str, canonical: bytes) -> str:
    digest = b64encode(hashlib.sha256(canonical).digest()).decode()
    return (
        f'<Reference URI="#{target}"><Transforms><Transform Algorithm="{ENVELOPED}"></Transform>'
        f'<Transform Algorithm="{EXCLUSIVE}"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{SHA256}"></DigestMethod><DigestValue>{digest}</DigestValue></Reference>'
    )


@dataclass(frozen=True)
class Verified:
    """What a verified signature vouches for; None and findings when it does not hold."""

    findings: tuple[Finding, ...]
    body: etree._Element | None = None
    moment: datetime | None = None
    certificate_der: bytes = b""


def verify(root: etree._Element) -> Verified:
    """Verify the signature of a document with python-xmlsec.

    Args:
        root: of the document, parsed safely.
    """
    found = [*_places(root), *_repeated_ids(root)]  # (1) (2)
    if found:
        return Verified(tuple(found))
    body, timestamp, signature = _elements(root)
    found = list(_shape(signature, body, timestamp, root))  # (3)
    certificate = _certificate(signature)  # (4)
    moment = _moment(timestamp)
    if certificate is None:
        found.append(finding("SIG-CERT-FORM", "signature-certificate-unreadable"))
    if moment is None:
        found.append(finding("SIG-TIME", "signature-timestamp-unreadable"))
    if found or certificate is None or moment is None:
        return Verified(tuple(found))
    if not _holds(signature, body, timestamp, certificate):  # (5)
        return Verified((finding("SIG-VALUE", "signature-broken"),))
    return Verified((), body, moment, certificate)  # (6)


def _places(root: etree._Element) -> Iterator[Finding]:
    """One of each, and at its own place: a moved or added element is how signatures are wrapped."""
    for name, place in (
        (f"{_V3}nonXMLBody", f"{_V3}component/{_V3}nonXMLBody"),
        (f"{_FI}signatureTimestamp", f"{_HOLDER}/{_FI}signatureTimestamp"),
        (f"{_DS}Signature", f"{_HOLDER}/{_DS}Signature"),
        (f"{_DS}SignedInfo", f"{_HOLDER}/{_DS}Signature/{_DS}SignedInfo"),
        (f"{_FI}json", f"{_V3}component/{_V3}nonXMLBody/{_FI}json"),
        (f"{_FI}signatureCollection", f"{_FI}localSocialHeader/{_FI}signatureCollection"),
    ):
        everywhere, there = list(root.iter(name)), root.findall(place)
        if len(everywhere) != 1 or len(there) != 1:
            yield finding(
                "SIG-PLACE",
                "signature-element-place",
                element=name.rpartition("}")[2],
                count=str(len(everywhere)),
            )


def _repeated_ids(root: etree._Element) -> Iterator[Finding]:
    found = Counter(
        value
        for one in root.iter()
        for name, value in one.attrib.items()
        if name in {"ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"}
    )
    if any(count > 1 for count in found.values()):
        yield finding("SIG-ID", "signature-id-repeated")


def _elements(root: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Body, timestamp and signature; `_places` has found each of them once."""
    (body,) = root.iter(f"{_V3}nonXMLBody")
    (timestamp,) = root.iter(f"{_FI}signatureTimestamp")
    (signature,) = root.iter(f"{_DS}Signature")
    return body, timestamp, signature


def _shape(
    signature: etree._Element, body: etree._Element, timestamp: etree._Element, root: etree._Element
) -> Iterator[Finding]:
    """Exactly the two references, each with the two transforms, and only algorithms of the profile."""
    identifier = root.find(f"{_V3}id")
    own = body_id(identifier.get("root", "")) if identifier is not None else ""
    if body.get("ID") != own:
        yield finding("SIG-ID", "signature-body-id")
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    targets = sorted(one.get("URI", "") for one in references)
    if targets != sorted((f"#{timestamp.get('ID')}", f"#{own}")) or len(list(signature.iter(f"{_DS}Reference"))) != 2:
        yield finding("SIG-REF", "signature-references")
    for path, allowed in (
        ("CanonicalizationMethod", (EXCLUSIVE,)),
        ("SignatureMethod", tuple(METHODS.values())),
        ("DigestMethod", (SHA256,)),
    ):
        if any(one.get("Algorithm") not in allowed for one in signature.iter(_DS + path)):
            yield finding("SIG-ALG", "signature-algorithm", element=path)
    for one in references:
        if [step.get("Algorithm") for step in one.iter(f"{_DS}Transform")] != [ENVELOPED, EXCLUSIVE]:
            yield finding("SIG-ALG", "signature-algorithm", element="Transform")
    if signature.find(f"{_DS}Object") is not None:
        yield finding("SIG-REF", "signature-references")


def _certificate(signature: etree._Element) -> bytes | None:
    parts = [
        one.tag for one in signature.findall(f"{_DS}KeyInfo/*") + signature.findall(f"{_DS}KeyInfo/{_DS}X509Data/*")
    ]
    if parts != [f"{_DS}X509Data", f"{_DS}X509Certificate"]:
        return None
    try:
        return b64decode("".join((next(signature.iter(f"{_DS}X509Certificate")).text or "").split()), validate=True)
    except (Base64Error, ValueError):
        return None


def _moment(timestamp: etree._Element) -> datetime | None:
    try:
        moment = datetime.fromisoformat(timestamp.text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


@lru_cache(maxsize=64)
def _public_key(certificate_der: bytes) -> xmlsec.Key:
    """The bare key: with its certificate, xmlsec would copy and parse that again for every document."""
    key = load_der_x509_certificate(certificate_der).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem, None)


def _holds(signature: etree._Element, body: etree._Element, timestamp: etree._Element, certificate_der: bytes) -> bool:
    context = xmlsec.SignatureContext()  # one per call: a context is not shared between threads
    try:
        context.key = _public_key(certificate_der)
        context.register_id(body, "ID")
        context.register_id(timestamp, "ID")
        context.verify(signature)
    except (xmlsec.Error, ValueError, UnsupportedAlgorithm):
        return False
    return True
