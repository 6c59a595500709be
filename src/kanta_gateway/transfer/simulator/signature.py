"""The archive's own verification of a document's signature, with python-xmlsec.

Steps: (1) one body and one timestamp, each with one id; (2) the algorithms of the profile only;
(3) the references name exactly these two; (4) digests and signature value hold under the certificate in the
document. Trust in the certificate itself is not the simulator's matter.

Source: docs/archive-protocol.md, "Signature".
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import xmlsec

if TYPE_CHECKING:
    from lxml import etree

HL7 = "{urn:hl7-org:v3}"
FI = "{urn:hl7finland}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
METHODS = frozenset({
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
})  # fmt: skip
REFERENCES = 2


def holds(root: etree._Element) -> bool:
    """Whether the document's signature holds."""
    # (1) one body, one timestamp, one signature, no id twice
    bodies = root.findall(f"{HL7}component/{HL7}nonXMLBody")
    stamps = list(root.iter(f"{FI}signatureTimestamp"))
    signatures = list(root.iter(f"{DS}Signature"))
    if not (len(bodies) == len(stamps) == len(signatures) == 1):
        return False
    body, stamp, signature = bodies[0], stamps[0], signatures[0]
    ids = [one.get("ID") for one in root.iter() if one.get("ID") is not None]
    if len(set(ids)) != len(ids):
        return False
    # (2) algorithms and (3) references, as the profile says
    if not _fits_profile(signature, {f"#{body.get('ID')}", f"#{stamp.get('ID')}"}):
        return False
    # (4) digests and signature value
    return _verified(signature, (body, stamp))


def _fits_profile(signature: etree._Element, wanted: set[str]) -> bool:
    info = signature.find(f"{DS}SignedInfo")
    if info is None:
        return False
    references = info.findall(f"{DS}Reference")
    transforms = [one.get("Algorithm") for one in info.iter(f"{DS}Transform")]
    return (
        [one.get("Algorithm") for one in info.findall(f"{DS}CanonicalizationMethod")] == [EXCLUSIVE]
        and all(one.get("Algorithm") in METHODS for one in info.findall(f"{DS}SignatureMethod"))
        and len(references) == REFERENCES
        and {one.get("URI") for one in references} == wanted
        and all(one.get("Algorithm") == SHA256 for one in info.iter(f"{DS}DigestMethod"))
        and set(transforms) <= {ENVELOPED, EXCLUSIVE}
        and transforms.count(EXCLUSIVE) == REFERENCES
    )


@lru_cache(maxsize=64)
def _key(certificate_der: bytes) -> xmlsec.Key:
    return xmlsec.Key.from_memory(certificate_der, xmlsec.constants.KeyDataFormatCertDer, None)


def _verified(signature: etree._Element, signed: tuple[etree._Element, etree._Element]) -> bool:
    certificate = signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate", "")
    context: Any = xmlsec.SignatureContext()
    try:
        der = base64.b64decode("".join(certificate.split()), validate=True)
        context.key = _key(der)
        for element in signed:
            context.register_id(element, "ID")
        context.verify(signature)
    except (binascii.Error, ValueError, xmlsec.Error):
        return False
    return True
