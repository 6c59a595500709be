"""A small signed document of our own for tests of transfer: made with python-xmlsec and a throw-away key."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import orjson
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

STRUCTURE = "1.2.246.537.6.1506.19007.2022.1.10"
SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["merkinta"], "additionalProperties": False,
    "properties": {"merkinta": {"type": "string", "minLength": 1}},
}  # fmt: skip
TEST_PERSON = "010190-900P"

_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SIGNATURE = f"""<Signature xmlns="{_DS}"><SignedInfo><CanonicalizationMethod Algorithm="{_EXC}"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
{{references}}</SignedInfo><SignatureValue/>
<KeyInfo><X509Data><X509Certificate>{{certificate}}</X509Certificate></X509Data></KeyInfo></Signature>"""
_REFERENCE = f"""<Reference URI="#{{id}}"><Transforms><Transform Algorithm="{_DS}enveloped-signature"/>
<Transform Algorithm="{_EXC}"/></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<DigestValue/></Reference>"""
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="FI"/>
<typeId extension="POCD_HD000040" root="2.16.840.1.113883.1.3"/><id root="{oid}"/><code code="19"/>
<effectiveTime value="20260319133330+0200"/><confidentialityCode code="6" codeSystem="1.2.246.777.5.99902.2006"/>
<languageCode code="fi"/><setId root="{set_oid}"/><versionNumber value="{version}"/>
<recordTarget><patientRole><id root="1.2.246.21" extension="{identity}"/><patient>
<name><given>Testi</given><given qualifier="CL">Testi</given><family>A&amp;B &quot;Kuvitteellinen&quot;</family></name>
<administrativeGenderCode code="2" codeSystem="1.2.246.537.5.1.1997"/><birthTime value="19900101"/>
</patient></patientRole></recordTarget>
<author><time nullFlavor="NA"/><assignedAuthor><id nullFlavor="NA"/></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.246.10.99999999.10.0"/>
</representedCustodianOrganization></assignedCustodian></custodian>{related}
<componentOf><encompassingEncounter><id nullFlavor="NA"/><responsibleParty><assignedEntity><representedOrganization>
<id root="1.2.246.10.99999999.10.0"/><name>Testialue</name></representedOrganization></assignedEntity>
</responsibleParty><encounterParticipant typeCode="ADM"><assignedEntity><representedOrganization>
<id root="1.2.246.10.88888888.10.1"/></representedOrganization></assignedEntity></encounterParticipant>
</encompassingEncounter></componentOf>
<localSocialHeader xmlns="urn:hl7finland"><contentSpecificationId>{structure}</contentSpecificationId>
<signatureCollection><signature ID="S1"><signatureTimestamp ID="T1">2026-03-19T11:33:30Z</signatureTimestamp>
{signature}</signature></signatureCollection></localSocialHeader>
<component><nonXMLBody ID="OID{oid}"><text mediaType="application/xhtml+xml" representation="B64">{xhtml}</text>
<json xmlns="urn:hl7finland">{json}</json></nonXMLBody></component></ClinicalDocument>
"""


@cache
def _key() -> tuple[bytes, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    )  # fmt: skip
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def signed(
    oid: str = "1.2.246.10.88888888.95.2026.1.1", *, set_oid: str | None = None, version: int = 1,
    replaces: str | None = None, identity: str = TEST_PERSON, text: str = "Keksitty teksti.",
    value: Any = None,
) -> bytes:  # fmt: skip
    """One signed document."""
    related = (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{replaces}"/></parentDocument></relatedDocument>'
    )
    xhtml = f'<div xmlns="http://www.w3.org/1999/xhtml" class="soc-document"><p>{text}</p></div>'
    references = "".join(_REFERENCE.format(id=one) for one in ("T1", f"OID{oid}"))
    pem, certificate = _key()
    filled = _DOCUMENT.format(
        oid=oid, set_oid=set_oid or oid, version=version, identity=identity, structure=STRUCTURE,
        related=related if replaces else "", xhtml=base64.b64encode(xhtml.encode()).decode(),
        json=base64.b64encode(orjson.dumps({"merkinta": text} if value is None else value)).decode(),
        signature=_SIGNATURE.format(references=references, certificate=certificate),
    )  # fmt: skip
    root = etree.fromstring(filled.encode())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem, None)
    for one in root.iter("{urn:hl7-org:v3}nonXMLBody", "{urn:hl7finland}signatureTimestamp"):
        context.register_id(one, "ID")
    context.sign(next(root.iter(f"{{{_DS}}}Signature")))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def digest(document: bytes) -> str:
    """SHA-256 of the bytes."""
    return sha256(document).hexdigest()
