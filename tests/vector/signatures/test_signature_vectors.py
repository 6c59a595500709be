"""Named good and wrong signatures, made anew with throw-away keys at each run: no private key is stored."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier
from tests import signed

from kanta_gateway.signing.keys import UnsafeDevSigner, make_development_keys
from kanta_gateway.signing.trust import Verdict

BODY = re.compile(rb"<nonXMLBody.*</nonXMLBody>", re.DOTALL)


def wrong_digest(xml: bytes) -> bytes:
    """Another digest value, so that SignedInfo was not signed."""
    return re.sub(rb"<DigestValue>.{4}", b"<DigestValue>AAAA", xml, count=1)


def wrong_value(xml: bytes) -> bytes:
    """Another signature value."""
    return re.sub(rb"<SignatureValue>.{4}", b"<SignatureValue>AAAA", xml)


def changed_body(xml: bytes) -> bytes:
    """Another display form."""
    return re.sub(rb'representation="B64">.{4}', b'representation="B64">AAAA', xml)


def changed_timestamp(xml: bytes) -> bytes:
    """Another moment of signing."""
    return xml.replace(b">2026-11-24T12:00", b">2026-11-24T11:00")


def added_second_body(xml: bytes) -> bytes:
    """A second body with other content behind the signed one."""
    forged = BODY.search(xml)
    assert forged is not None
    other = forged[0].replace(b'ID="OID', b'ID="EVIL')
    return xml.replace(b"</component>", b"</component><component>" + other + b"</component>")


def moved_body(xml: bytes) -> bytes:
    """Signature wrapping: the signed body hides in the header, a forged one stands in its place."""
    body = BODY.search(xml)
    assert body is not None
    forged = body[0].replace(b'ID="OID', b'ID="EVIL')
    hidden = b"<hl7fi:signature>" + body[0] + b"</hl7fi:signature>"
    return xml.replace(body[0], forged).replace(b"<signatureCollection", hidden + b"<signatureCollection")


def repeated_id(xml: bytes) -> bytes:
    """The body's ID a second time, earlier in the document."""
    return xml.replace(b"<realmCode ", b'<realmCode ID="OID%s" ' % signed.OID.encode())


def moved_reference(xml: bytes) -> bytes:
    """A reference to the whole document instead of the body."""
    return xml.replace(b'URI="#OID%s"' % signed.OID.encode(), b'URI=""')


def dropped_reference(xml: bytes) -> bytes:
    """Only the timestamp is signed."""
    return re.sub(rb'<Reference URI="#OID.*?</Reference>', b"", xml)


def weak_digest(xml: bytes) -> bytes:
    """SHA-1 is not of the profile."""
    return xml.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1")


def xpath_transform(xml: bytes) -> bytes:
    """A transform that could leave content out of what is signed."""
    return xml.replace(b"xmldsig#enveloped-signature", b"xmldsig#base64", 1)


def key_value(xml: bytes) -> bytes:
    """A key beside the certificate."""
    return xml.replace(b"<X509Data>", b"<KeyName>k</KeyName><X509Data>")


def other_body_identifier(xml: bytes) -> bytes:
    """The envelope claims to be another document."""
    return xml.replace(b'<id root="%s"/>' % signed.OID.encode(), b'<id root="1.2.3.4"/>')


def with_doctype(xml: bytes) -> bytes:
    """An entity in a document type."""
    return xml.replace(b"?>\n", b'?>\n<!DOCTYPE ClinicalDocument [<!ENTITY a "b">]>\n', 1)


def strange_certificate(xml: bytes) -> bytes:
    """The certificate of another key."""
    other = make_development_keys("T", "1.2", "other", signed.NOW, algorithm="p-256")
    der = UnsafeDevSigner(other.key, other.certificate).certificate_der
    mine = UnsafeDevSigner(signed.keys("p-256").key, signed.keys("p-256").certificate).certificate_der
    return xml.replace(b64encode(mine), b64encode(der))


@pytest.mark.parametrize(("wrong", "rule"), [
    (wrong_digest, "SIG-VALUE"), (wrong_value, "SIG-VALUE"), (changed_body, "SIG-VALUE"),
    (changed_timestamp, "SIG-VALUE"), (added_second_body, "SIG-PLACE"), (moved_body, "SIG-PLACE"),
    (repeated_id, "SIG-ID"), (moved_reference, "SIG-REF"), (dropped_reference, "SIG-REF"),
    (weak_digest, "SIG-ALG"), (xpath_transform, "SIG-ALG"), (key_value, "SIG-CERT-FORM"),
    (other_body_identifier, "SIG-ID"), (with_doctype, "DOC-XML"), (strange_certificate, "SIG-VALUE"),
])  # fmt: skip
def test_each_wrong_signature_is_refused_by_its_rule(wrong: Callable[[bytes], bytes], rule: str) -> None:
    """A manipulated document is FAILED, and the finding names what is wrong. [REC-06]"""
    good = signed.document()
    bad = wrong(good)
    seen = signed.look(bad)

    assert bad != good
    assert seen.verdict is Verdict.FAILED
    assert rule in signed.rules(seen)


def test_an_expired_signer_is_refused() -> None:
    """A signature made after the certificate ended is FAILED."""
    old = make_development_keys("T", "1.2", "old", signed.NOW - timedelta(days=90), lifetime=timedelta(days=30),
                                algorithm="p-256")  # fmt: skip

    assert "SIG-CERT-VALIDITY" in signed.rules(signed.look(signed.document(pair=old), []))


@pytest.mark.parametrize(("algorithm", "method"), [
    ("rsa-3072", SignatureMethod.RSA_SHA256), ("p-256", SignatureMethod.ECDSA_SHA256),
])  # fmt: skip
def test_signxml_accepts_the_signature(algorithm: str, method: SignatureMethod) -> None:
    """A third implementation verifies both references."""
    pair = signed.keys(algorithm)
    expected = SignatureConfiguration(
        signature_methods=frozenset({method}), digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        expect_references=2, location=".//",
    )  # fmt: skip
    seen = XMLVerifier().verify(
        etree.fromstring(signed.document(algorithm)), x509_cert=pair.certificate.decode(), id_attribute="ID",
        expect_config=expected,
    )  # fmt: skip

    assert isinstance(seen, list)
    assert len(seen) == 2
