"""The signing certificate: asked for, issued by somebody else, put in place; in files and in a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID
from tests.installations import installation, key_folder
from tests.processes import InProcess
from tests.tokens import Token

from kanta_gateway.certifying import Subject, install, request
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.keyfiles import signer
from kanta_gateway.safe import NEXT_SIGNING_KEY, KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.signing.keys import make_development_keys

NOW = datetime.now(UTC)
OID = "1.2.246.10.94009001.10.0"
ASKED = ("keys", "request", "--organisation", OID, "--organisation-name", "Esimerkkipaja ry")
WHO = ("--as", "4711", "--name", "Erkki Esimerkki", "--purpose", "register-maintenance")


@dataclass(frozen=True)
class Issuer:
    """An issuer of certificates, as the operator meets it: a request goes there, a certificate comes back."""

    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate

    @classmethod
    def new(cls) -> Issuer:
        """One with a root of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Esimerkkimyöntäjä")])
        return cls(key, _signed(key, name, name, key.public_key(), NOW + timedelta(days=900), is_root=True))

    @property
    def pem(self) -> bytes:
        """Its root."""
        return self.root.public_bytes(Encoding.PEM)

    def issue(self, asked: str | bytes, until: timedelta = timedelta(days=700)) -> bytes:
        """The certificate for a request whose signature holds."""
        read = x509.load_pem_x509_csr(asked.encode() if isinstance(asked, str) else asked)
        assert read.is_signature_valid
        made = _signed(self.key, read.subject, self.root.subject, read.public_key(), NOW + until, is_root=False)
        return made.public_bytes(Encoding.PEM)


def _signed(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, public: Any, until: datetime,
    *, is_root: bool,
) -> x509.Certificate:  # fmt: skip
    usage = x509.KeyUsage(not is_root, not is_root, False, False, False, is_root, is_root, False, False)  # noqa: FBT003
    return (
        x509.CertificateBuilder(
            issuer, subject, public, x509.random_serial_number(), until - timedelta(days=800), until
        )
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def content(folder: Path) -> Mapping[str, bytes]:
    """Every key file but the key store's, which each start may write."""
    return {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if not one.name.startswith("keys.db")}


def saved(path: Path, data: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(data)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """Key files of an installation with a signing key of an issuer of before."""
    made = make_development_keys("Esimerkkipaja ry", OID, "kanta-gateway", NOW, algorithm="p-256")
    folder = KeyFolder(tmp_path / "keys", may_make=True)
    for name, data in (
        ("root.cert.pem", made.root_certificate), ("signing.cert.pem", made.certificate), ("signing.key.pem", made.key),
    ):  # fmt: skip
        folder.write(name, data)
    return folder


def test_a_production_installation_gets_its_certificate(tmp_path: Path) -> None:
    """An empty one asks for its certificate, is given it, and signs; the request told the organisation's name."""
    cli = InProcess(tmp_path / "data", KANTA_ENVIRONMENT="production", KANTA_SIGNING_ALGORITHM="p-256")
    issuer = Issuer.new()

    asked = cli(*ASKED, *WHO)
    issued = saved(tmp_path / "issued.pem", issuer.issue(asked.stdout))
    placed = cli("keys", "install", issued, "--issuer", saved(tmp_path / "root.pem", issuer.pem), *WHO)

    keys = KeyFolder(tmp_path / "data/keys", may_make=False)
    signs = signer(keys, Settings.from_environment({"KANTA_ENVIRONMENT": "production"}, data=tmp_path / "data"))
    names = x509.load_pem_x509_csr(asked.stdout.encode()).subject.rfc4514_string()
    assert (asked.returncode, placed.returncode) == (0, 0), asked.stderr + placed.stderr
    assert (False, True) == (keys.has(NEXT_SIGNING_KEY), "Esimerkkipaja ry" in names and OID in names)
    assert x509.load_pem_x509_certificate(issued.read_bytes()).public_bytes(Encoding.DER) == signs.certificate_der


def test_asking_changes_nothing_until_the_certificate_comes(folder: KeyFolder) -> None:
    """The old pair signs on; a second request is of the same new key; the old key is gone once it was replaced."""
    settings = Settings(data=folder.place.parent, signing_algorithm="p-256")
    subject, issuer, before = Subject("Esimerkkipaja ry", OID, "kanta-gateway"), Issuer.new(), content(folder.place)

    first, second = request(folder, settings, subject), request(folder, settings, subject)
    waiting = content(folder.place)
    install(folder, settings, issuer.issue(second), issuer.pem, NOW)

    of_first, of_second = (x509.load_pem_x509_csr(one).public_key() for one in (first, second))
    after = content(folder.place)
    assert of_first == of_second
    assert before == {name: data for name, data in waiting.items() if name != NEXT_SIGNING_KEY}
    assert waiting[NEXT_SIGNING_KEY] == after["signing.key.pem"]
    assert sorted(before) == sorted(after)


def test_a_replacement_that_was_interrupted_is_finished(folder: KeyFolder) -> None:
    """Between certificate and key the process ended: the next start signs with the new pair."""
    settings = Settings(data=folder.place.parent, signing_algorithm="p-256")
    issuer = Issuer.new()
    issued = issuer.issue(request(folder, settings, Subject("Esimerkkipaja ry", OID, "kanta-gateway")))
    folder.replace("signing.cert.pem", issued)

    signs = signer(folder, settings)

    assert x509.load_pem_x509_certificate(issued).public_bytes(Encoding.DER) == signs.certificate_der
    assert not folder.has(NEXT_SIGNING_KEY)


@pytest.mark.parametrize(("days", "is_told"), [(61, False), (59, True)])
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, days: int, is_told: bool) -> None:  # noqa: FBT001
    """`check` names it while there is time to ask for another one, and it is no mistake yet."""
    gateway = installation(tmp_path / "data")
    folder, issuer = key_folder(gateway), Issuer.new()
    asked = request(folder, gateway.settings, Subject("Esimerkkipaja ry", OID, "kanta-gateway"))
    install(folder, gateway.settings, issuer.issue(asked, timedelta(days=days, hours=1)), issuer.pem, NOW)

    told = gateway.checkup.lacking()
    gateway.close()

    assert ([{"file": "signing.cert.pem", "days_left": days}] if is_told else []) == told["certificates_ending"]
    assert [one for one in told["mistakes"] if "cert" in one] == []


def test_what_does_not_fit_is_not_put_in_place(folder: KeyFolder) -> None:
    """Another's certificate, one that has ended, and one of an unknown issuer: all is told, and nothing changes."""
    settings = Settings(data=folder.place.parent, signing_algorithm="p-256")
    subject, issuer, stranger = Subject("Esimerkkipaja ry", OID, "kanta-gateway"), Issuer.new(), Issuer.new()
    mine = request(folder, settings, subject)
    (folder.place.parent / "other").mkdir()
    others = request(KeyFolder(folder.place.parent / "other", may_make=True), settings, subject)
    before = content(folder.place)

    told = []
    for certificate, anchors in (
        (issuer.issue(others), issuer.pem), (issuer.issue(mine, timedelta(days=-1)), issuer.pem),
        (stranger.issue(mine), issuer.pem), (stranger.issue(others, timedelta(days=-1)), issuer.pem), (b"-", None),
    ):  # fmt: skip
        with pytest.raises(MisconfiguredError) as caught:
            install(folder, settings, certificate, anchors, NOW)
        told.append(str(caught.value))

    marks = ("of no key", "SIG-CERT-VALIDITY", "SIG-CERT-CHAIN", "cannot be read")
    assert [{0}, {1}, {2}, {0, 1, 2}, {3}] == [
        {place for place, mark in enumerate(marks) if mark in one} for one in told
    ]
    assert before == content(folder.place)


@pytest.mark.parametrize("algorithm", ["p-256", "rsa-3072"])
def test_a_pair_in_a_token_gets_its_certificate(tmp_path: Path, token: Token, algorithm: str) -> None:
    """The request is signed in the token by the pair that is there, and its certificate alone is put in place."""
    label, place = f"ask-{algorithm}", tmp_path / "keys"
    folder = KeyFolder(place, may_make=True)
    key = load_pem_private_key(make_development_keys("-", "", "-", NOW, algorithm=algorithm).key, None)
    token.put_pair(label, key)
    settings = Settings(data=tmp_path, **token.settings(signing_key_label=label))  # type: ignore[arg-type]
    issuer = Issuer.new()

    asked = request(folder, settings, Subject("Esimerkkipaja ry", OID, "kanta-gateway"))
    install(folder, settings, issuer.issue(asked), issuer.pem, NOW)

    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    told = x509.load_pem_x509_csr(asked).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert wanted == told
    assert sorted(content(place)) == ["root.cert.pem", "signing.cert.pem"]
    assert signer(folder, settings).certificate_der
