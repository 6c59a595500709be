"""Envelope, signature and trust of whole documents."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from tests import signed

from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.messages import Messages
from kanta_gateway.model import Oid
from kanta_gateway.signing import cda
from kanta_gateway.signing.inspect import inspect
from kanta_gateway.signing.keys import FileSigner, UnsafeDevSigner, make_development_keys
from kanta_gateway.signing.seal import Sealer
from kanta_gateway.signing.trust import Verdict

ALGORITHMS = ("p-256", "rsa-3072")
V3, FI = "{urn:hl7-org:v3}", "{urn:hl7finland}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_sealed_document_passes_with_its_anchor(algorithm: str) -> None:
    """Both kinds of key make documents in which nothing is wrong."""
    seen = signed.look(signed.document(algorithm), signed.anchors(algorithm))

    assert signed.rules(seen) == set()
    assert seen.verdict is Verdict.PASSED
    assert (seen.oid, seen.structure) == (signed.OID, "1.2.3")


def test_without_an_anchor_the_verdict_stays_open() -> None:
    """A good signature of an unknown signer is INDETERMINATE, never PASSED."""
    assert signed.look(signed.document(), []).verdict is Verdict.INDETERMINATE


def test_a_strange_anchor_fails() -> None:
    """A certificate of another issuer is not trusted."""
    seen = signed.look(signed.document(), signed.anchors("rsa-3072"))

    assert seen.verdict is Verdict.FAILED
    assert "SIG-CERT-CHAIN" in signed.rules(seen)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_xmlsec1_command_accepts_the_signature(algorithm: str, tmp_path: Path) -> None:
    """Debian's xmlsec1 verifies what was signed."""
    if shutil.which("xmlsec1") is None:
        pytest.skip("did not run: the command xmlsec1 is not installed")
    path = tmp_path / "document.xml"
    path.write_bytes(signed.document(algorithm))
    command = ["xmlsec1", "--verify", "--insecure", "--id-attr:ID", "urn:hl7-org:v3:nonXMLBody",
               "--id-attr:ID", "urn:hl7finland:signatureTimestamp", str(path)]  # fmt: skip

    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_the_body_stands_in_canonical_form() -> None:
    """Exclusive canonicalisation of the parsed body gives the very bytes of the file."""
    xml = signed.document()
    body = etree.fromstring(xml).find(f".//{V3}nonXMLBody")

    assert body is not None
    assert etree.tostring(body, method="c14n", exclusive=True, with_tail=False) in xml


def test_what_the_gateway_does_not_have_is_marked_so() -> None:
    """An author without a registration number, the asia and the service task have nullFlavor NA."""
    tree, _ = signed.diary()
    sealed = signed.sealer().seal(tree, signed.header(product={}), b"{}", signed.NOW)
    root = etree.fromstring(sealed.xml)

    for path in (f"{V3}author/{V3}assignedAuthor/{V3}id", f".//{V3}encompassingEncounter/{V3}id",
                 f".//{FI}functionCode"):  # fmt: skip
        one = root.find(path)
        assert one is not None
        assert one.get("nullFlavor") == "NA"


def test_a_registered_author_stands_with_the_number() -> None:
    """The registration number is an identifier of its own register."""
    header = signed.header(author={"surname": "O", "given_names": "P", "registration_number": "123"})
    text = cda.build(header, signed.PROFILE, b"<b/>", b"<s/>").decode()

    assert f'<id extension="123" root="{signed.PROFILE.identifiers["registration_number"]}"/>' in text


def test_a_replacement_names_what_it_replaces_and_why() -> None:
    """Only a replacement has relatedDocument and reasonOfCorrection."""
    header = signed.header(replaces=Oid("1.2.7"), version_number=2, set_oid=Oid("1.2.7"))
    text = cda.build(header, signed.PROFILE, b"<b/>", b"<s/>").decode()
    first = cda.build(signed.header(), signed.PROFILE, b"<b/>", b"<s/>").decode()

    assert '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.7"/>' in text
    assert "<hl7fi:reasonOfCorrection " in text
    assert "relatedDocument" not in first
    assert "reasonOfCorrection" not in first


def test_the_chain_goes_from_the_unit_to_the_organiser() -> None:
    """Unit, its provider and the organiser are nested in each other. [CTL-10]"""
    root = etree.fromstring(signed.document())
    participant = root.find(f".//{V3}encounterParticipant")

    assert participant is not None
    assert [one.text for one in participant.iter(f"{V3}name")] == ["Paja & Co", "Tuottaja Oy", "Hyvinvointialue"]


def test_a_signature_that_the_verifier_refuses_never_leaves() -> None:
    """If key and signature do not fit, sealing fails and gives nothing."""
    pair = signed.keys("p-256")

    class Broken(UnsafeDevSigner):
        def sign(self, data: bytes) -> bytes:
            return super().sign(data + b"x")

    tree, _ = signed.diary()
    with pytest.raises(UntrustedError):
        Sealer(signed.PROFILE, signed.DISPLAY, Broken(pair.key, pair.certificate)).seal(
            tree, signed.header(), b"{}", signed.NOW
        )


def test_key_and_certificate_must_fit() -> None:
    """A certificate of another key is refused at start."""
    with pytest.raises(MisconfiguredError, match="belong together"):
        FileSigner(signed.keys("p-256").key, signed.keys("rsa-3072").certificate)


def test_development_certificates_say_so_and_end_in_two_years() -> None:
    """The throw-away PKI has the profile's names, usages and a short life."""
    certificate = UnsafeDevSigner(signed.keys("p-256").key, signed.keys("p-256").certificate).certificate

    assert "DEVELOPMENT" in certificate.subject.rfc4514_string()
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=731)


def test_a_signature_after_the_certificate_ended_fails() -> None:
    """What counts is whether the certificate was valid when the signature was made."""
    old = make_development_keys("T", "1.2", "old", signed.NOW - timedelta(days=90), lifetime=timedelta(days=30),
                                algorithm="p-256")  # fmt: skip
    seen = signed.look(signed.document(pair=old), [])

    assert signed.rules(seen) == {"SIG-CERT-VALIDITY"}
    assert seen.verdict is Verdict.FAILED


def test_a_document_of_an_unknown_structure_fails_with_a_finding() -> None:
    """A structure that is not loaded is told, not raised."""

    def unknown(*_: object) -> tuple[()]:
        raise LookupError

    seen = inspect(signed.document(), check_structure=unknown, labels_of=lambda _: (), display=signed.DISPLAY,
                   profile=signed.PROFILE, anchors=signed.anchors(), now=signed.NOW)  # fmt: skip

    assert signed.rules(seen) == {"DOC-STRUCTURE"}


@pytest.mark.parametrize(("before", "after", "rule"), [
    (b'<?xml version="1.0" encoding="UTF-8"?>', b"", "DOC-DECLARATION"),
    (b"\n<realmCode", b"\r\n<realmCode", "DOC-LINES"),
    (b'<versionNumber value="1"/>', b"", "DOC-ELEMENT"),
    (b"<realmCode", b"<extra/><realmCode", "DOC-ELEMENT"),
    (b'<versionNumber value="1"/>', b'<versionNumber value="2"/>', "DOC-FRAME"),
])  # fmt: skip
def test_mistakes_of_the_envelope_are_named(before: bytes, after: bytes, rule: str) -> None:
    """What is outside of the signature is looked at too."""
    xml = signed.document()

    assert before in xml
    assert rule in signed.rules(signed.look(xml.replace(before, after, 1)))


@pytest.mark.parametrize("xml", [b"", b"<a/>", b"<ClinicalDocument", b"\xff\xfe", b"<a>" * 10_000])
def test_what_is_no_document_is_told_so(xml: bytes) -> None:
    """Bytes that are no document make one finding and no exception."""
    seen = signed.look(xml)

    assert seen.verdict is Verdict.FAILED
    assert "DOC-XML" in signed.rules(seen)


def test_every_finding_of_the_stage_has_its_text() -> None:
    """Each kind that the stage names stands in the catalogue, in three languages."""
    texts = (signed.ROOT / "mappings/messages/signing.yaml").read_text("utf-8")
    catalogue = Messages.load({"signing": texts})
    sources = (signed.ROOT / "src/kanta_gateway/signing").glob("*.py")
    code = " ".join(one.read_text("utf-8") for one in sources)
    named = set(re.findall(r'"((?:document|display|signature|header)-[a-z-]+)"', code))

    assert named == set(catalogue.kinds())
