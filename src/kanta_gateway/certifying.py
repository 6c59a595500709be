"""A certificate for the signing key: asked for by a request, and put in place once it is issued.

* A new key waits in a file beside the old one until its certificate comes; until then nothing changes.
* A pair in a token is made there by the token's own tool; the request is signed in the token.
* Certificate and key change places one after the other; a start between them finishes it.

Source: RFC 2986 (PKCS #10); RFC 5280 for what is put in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)

from kanta_gateway.errors import KeyUnavailableError, MisconfiguredError
from kanta_gateway.hsm import Hsm
from kanta_gateway.masterkeys import token
from kanta_gateway.safe import (
    NEXT_SIGNING_KEY,
    ROOT_CERTIFICATE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    SYSTEM_CERTIFICATE,
    KeyFolder,
)
from kanta_gateway.settings import Settings
from kanta_gateway.signing.keys import Pkcs11Signer, PrivateKey, is_development, new_key, subject_name
from kanta_gateway.signing.trust import trust

CERTIFICATES = (ROOT_CERTIFICATE, SIGNING_CERTIFICATE, SYSTEM_CERTIFICATE)
RENEWAL_DAYS = 60
"""Time for an issuer's own identification and delivery, and for a second try."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose certificate is asked for."""

    organisation: str
    """Name of the organisation (O)."""
    oid: str
    """Its OID (serialNumber)."""
    system: str
    """Name of the system that signs (CN)."""


def request(folder: KeyFolder, settings: Settings, subject: Subject) -> bytes:
    """A certificate request (PKCS #10, PEM); in files with a new key, which waits for its certificate.

    Raises:
        KeyUnavailableError: the key folder cannot be written, or the token or the pair in it is not there.
    """
    name = subject_name(subject.organisation, subject.oid, subject.system)
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_asking(folder, settings), hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


def _asking(folder: KeyFolder, settings: Settings) -> PrivateKey:
    """The key that the request is of: in the token, or the one that waits; made where none does."""
    if settings.signing_key_label and (hsm := token(settings)) is not None:
        return _kept(hsm, settings.signing_key_label)
    if not folder.has(NEXT_SIGNING_KEY):
        key = new_key(settings.signing_algorithm)
        folder.write(NEXT_SIGNING_KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    waiting = load_pem_private_key(folder.read(NEXT_SIGNING_KEY), None)
    if isinstance(waiting, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return waiting
    raise KeyUnavailableError(f"{NEXT_SIGNING_KEY} holds a key that does not sign; remove it and ask anew")


def install(
    folder: KeyFolder, settings: Settings, certificate: bytes, anchors: bytes | None, now: datetime
) -> dict[str, str]:
    """Put an issued certificate in place, with the key that waited for it; what is in place then.

    Args:
        folder: of the keys.
        settings: of the installation.
        certificate: the certificate that was issued, PEM.
        anchors: the issuer's certificates, PEM; None: those in place stay.
        now: when.

    Raises:
        MisconfiguredError: it is no certificate of ours, is not valid now, or nobody known issued it; all that is
            wrong is told, and nothing has changed.
    """
    try:
        ours = x509.load_pem_x509_certificate(certificate)
        issuers = x509.load_pem_x509_certificates(anchors if anchors is not None else _anchors(folder))
    except ValueError as error:
        raise MisconfiguredError("the certificate, or its issuer's, cannot be read; expected PEM") from error
    files = _files_of(folder, settings, ours)
    faults = [] if files is not None else ["it is of no key of this installation; ask for it with `keys request`"]
    if settings.is_production and is_development(ours):
        faults.append("it is a development certificate")
    if not issuers:
        faults.append(f"no issuer is known; give the issuer's certificates, which become {ROOT_CERTIFICATE}")
    _, found = trust(ours.public_bytes(Encoding.DER), issuers, now)
    faults += [f"{one.rule} ({one.kind})" for one in found if issuers]
    if faults:
        raise MisconfiguredError(f"the certificate is not put in place: {'; '.join(faults)}")
    if anchors is not None:
        folder.replace(ROOT_CERTIFICATE, anchors)
    folder.replace(SIGNING_CERTIFICATE, certificate)
    finish(folder)
    return {
        "subject": ours.subject.rfc4514_string(), "valid_until": ours.not_valid_after_utc.date().isoformat(),
        "key": files or "",
    }  # fmt: skip


def finish(folder: KeyFolder) -> None:
    """Let the key that waited follow its certificate, wherever the replacement was interrupted."""
    if not (folder.has(NEXT_SIGNING_KEY) and folder.has(SIGNING_CERTIFICATE)):
        return
    certificate = x509.load_pem_x509_certificate(folder.read(SIGNING_CERTIFICATE))
    if _is_of(folder, NEXT_SIGNING_KEY, certificate):
        folder.replace(SIGNING_KEY, folder.read(NEXT_SIGNING_KEY))
        folder.remove(NEXT_SIGNING_KEY)


def ending(folder: KeyFolder, now: datetime) -> list[dict[str, Any]]:
    """Certificates that end soon enough to ask for new ones: the file, and how many days are left."""
    found = ((name, x509.load_pem_x509_certificate(folder.read(name))) for name in CERTIFICATES if folder.has(name))
    left = ((name, (one.not_valid_after_utc - now).days) for name, one in found)
    return [{"file": name, "days_left": days} for name, days in left if 0 <= days <= RENEWAL_DAYS]


def _anchors(folder: KeyFolder) -> bytes:
    return folder.read(ROOT_CERTIFICATE) if folder.has(ROOT_CERTIFICATE) else b""


def _files_of(folder: KeyFolder, settings: Settings, certificate: x509.Certificate) -> str | None:
    """Which key of the installation a certificate is of; None: of none."""
    if settings.signing_key_label and (hsm := token(settings)) is not None:
        try:
            Pkcs11Signer(hsm, settings.signing_key_label, certificate.public_bytes(Encoding.PEM))
        except MisconfiguredError:
            return None
        return settings.signing_key_label
    names = (one for one in (NEXT_SIGNING_KEY, SIGNING_KEY) if folder.has(one))
    return SIGNING_KEY if any(_is_of(folder, one, certificate) for one in names) else None


def _is_of(folder: KeyFolder, name: str, certificate: x509.Certificate) -> bool:
    return load_pem_private_key(folder.read(name), None).public_key() == certificate.public_key()


# a key that stays in its token, as the library of certificates asks for it


def _kept(hsm: Hsm, label: str) -> PrivateKey:
    public = load_der_public_key(hsm.public(label))
    if isinstance(public, rsa.RSAPublicKey):
        return _KeptRsa(hsm, label, public)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _KeptEc(hsm, label, public)
    raise KeyUnavailableError(f"token {hsm.label}: the key labelled {label} does not sign; make a pair that does")


class _Kept:
    """What no key of a token gives."""

    def __init__(self, hsm: Hsm, label: str, public: Any) -> None:
        self._hsm = hsm
        self._label = label
        self._public = public

    @property
    def key_size(self) -> int:
        return int(self._public.key_size)

    def public_key(self) -> Any:
        return self._public

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError("the key stays in its token")

    private_numbers = private_bytes = decrypt = exchange = __copy__ = __deepcopy__ = _refuse


class _KeptRsa(_Kept, rsa.RSAPrivateKey):
    def sign(self, data: Any, *_: object) -> bytes:
        return self._hsm.sign(self._label, data, is_rsa=True)


class _KeptEc(_Kept, ec.EllipticCurvePrivateKey):
    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve  # type: ignore[no-any-return]  # it was asked what it is

    def sign(self, data: Any, signature_algorithm: object) -> bytes:  # noqa: ARG002 — P-256 goes with SHA-256
        value = self._hsm.sign(self._label, data, is_rsa=False)
        half = len(value) // 2
        return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
