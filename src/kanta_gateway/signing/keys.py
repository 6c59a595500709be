"""Keys that sign documents: the Signer protocol, a key file, a key in a PKCS#11 token, and a development key.

* A signature value is in XMLDSig form: PKCS #1 v1.5 for RSA, r and s side by side for P-256.
* Keys and certificates come as bytes; reading and writing files is the composition root's work.
* Development certificates say so in their names and last two years at most.

Source: RFC 6931 §2.3.2 (rsa-sha256), §2.3.6 (ecdsa-sha256); certificates shaped as the national service
certificates of social and health care.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kanta_gateway.errors import KeyUnavailableError, MisconfiguredError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
RSA_SHA256, ECDSA_SHA256 = "rsa-sha256", "ecdsa-sha256"
LEAST_RSA_BITS = 3072
LIFETIME = timedelta(days=730)
"""Longest life of a system signature certificate of the issuer."""
_COORDINATE_BYTES = 32
_PROBE = b"kanta-gateway: do key and certificate belong together?"
DEVELOPMENT_MARK = "DEVELOPMENT"


class Signer(Protocol):
    """Signs bytes; file, token or service behind it."""

    @property
    def algorithm(self) -> str:
        """`rsa-sha256` or `ecdsa-sha256`."""

    @property
    def certificate_der(self) -> bytes:
        """The certificate of the key."""

    def sign(self, data: bytes) -> bytes:
        """The signature value over the data.

        Raises:
            KeyUnavailableError: the key cannot be used now.
        """


class FileSigner:
    """Signs with a key that was read from a file.

    Args:
        key_pem: private key, PKCS #8.
        certificate_pem: its certificate.
        password: of an encrypted key.

    Raises:
        MisconfiguredError: key and certificate do not fit, or the key is of a kind that is not allowed.
    """

    def __init__(self, key_pem: bytes, certificate_pem: bytes, password: bytes | None = None) -> None:
        try:
            key = load_pem_private_key(key_pem, password)
            certificate = x509.load_pem_x509_certificate(certificate_pem)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MisconfiguredError(
                f"signing key or certificate cannot be read ({type(error).__name__}); "
                "expected PEM, and the password of an encrypted key"
            ) from error
        if key.public_key() != certificate.public_key():
            raise MisconfiguredError("signing key and certificate do not belong together; install the pair")
        self.algorithm = _algorithm(certificate.public_key())
        self._key = cast("PrivateKey", key)
        self.certificate = certificate
        self.certificate_der = certificate.public_bytes(Encoding.DER)

    def sign(self, data: bytes) -> bytes:
        """The signature value over the data.

        Raises:
            KeyUnavailableError: the library refused the key.
        """
        try:
            if isinstance(self._key, rsa.RSAPrivateKey):
                return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
            r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyUnavailableError(f"the signing key cannot be used ({type(error).__name__})") from error
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")


class Token(Protocol):
    """Signs with a private key that it keeps."""

    def sign(self, label: str, data: bytes, *, is_rsa: bool) -> bytes:
        """The signature: PKCS #1 v1.5 with SHA-256, or r and s side by side."""


class Pkcs11Signer:
    """Signs with a key in a token; it is asked once for a signature that its certificate verifies.

    Args:
        token: holds the key.
        label: of the key.
        certificate_pem: its certificate.

    Raises:
        KeyUnavailableError: token or key are not there.
        MisconfiguredError: key and certificate do not fit, or the key is of a kind that is not allowed.
    """

    def __init__(self, token: Token, label: str, certificate_pem: bytes) -> None:
        try:
            self.certificate = x509.load_pem_x509_certificate(certificate_pem)
            public = self.certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise MisconfiguredError(
                f"signing certificate cannot be read ({type(error).__name__}); expected PEM"
            ) from error
        self.certificate_der = self.certificate.public_bytes(Encoding.DER)
        self.algorithm = _algorithm(public)
        self._token = token
        self._label = label
        if not _is_by(public, self.sign(_PROBE), _PROBE):
            raise MisconfiguredError(
                f"the token's key labelled {label} and the certificate do not belong together; install the pair"
            )

    def sign(self, data: bytes) -> bytes:
        """The signature value over the data.

        Raises:
            KeyUnavailableError: the token is not there, or does not sign.
        """
        return self._token.sign(self._label, data, is_rsa=self.algorithm == RSA_SHA256)


class UnsafeDevSigner(FileSigner):
    """Signs with a development key; refuses any other, so that it cannot stand in for a real one.

    Raises:
        MisconfiguredError: the certificate is not marked as a development certificate.
    """

    def __init__(self, key_pem: bytes, certificate_pem: bytes, password: bytes | None = None) -> None:
        super().__init__(key_pem, certificate_pem, password)
        if not is_development(self.certificate):
            raise MisconfiguredError("UnsafeDevSigner takes development certificates only; use the file signer")


class AwaitedSigner:
    """Stands where a certificate is still awaited: whoever wants a signature is told so.

    Args:
        why: what is missing and how to get it.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    @property
    def algorithm(self) -> str:
        """None yet.

        Raises:
            MisconfiguredError: always.
        """
        raise MisconfiguredError(self._why)

    @property
    def certificate_der(self) -> bytes:
        """None yet.

        Raises:
            MisconfiguredError: always.
        """
        raise MisconfiguredError(self._why)

    def sign(self, data: bytes) -> bytes:  # noqa: ARG002 — one shape
        """None yet.

        Raises:
            MisconfiguredError: always.
        """
        raise MisconfiguredError(self._why)


def _algorithm(key: object) -> str:
    """How a key of this kind signs.

    Raises:
        MisconfiguredError: it is of a kind that is not allowed.
    """
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
        return RSA_SHA256
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_SHA256
    raise MisconfiguredError("signing key is of a kind that is not allowed; expected RSA-3072 or more, or P-256")


def _is_by(key: object, signature: bytes, data: bytes) -> bool:
    """Whether a signature value over the data is by this key."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and len(signature) == 2 * _COORDINATE_BYTES:
            r, s = (
                int.from_bytes(half, "big") for half in (signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:])
            )
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_development(certificate: x509.Certificate) -> bool:
    """Whether the certificate says that it is for development."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(DEVELOPMENT_MARK in str(one.value) for one in names)


@dataclass(frozen=True, slots=True)
class DevelopmentKeys:
    """A throw-away root and one service certificate beneath it, all PEM; the root's key is not kept."""

    root_certificate: bytes
    certificate: bytes
    key: bytes


def make_development_keys(
    organisation: str,
    oid: str,
    system: str,
    now: datetime,
    *,
    algorithm: str = "rsa-3072",
    lifetime: timedelta = LIFETIME,
) -> DevelopmentKeys:
    """Make a throw-away root and a service certificate.

    Args:
        organisation: name (O).
        oid: the organisation's OID (serialNumber).
        system: name of the system (CN).
        now: both certificates are valid from a minute before.
        algorithm: `rsa-3072` or `p-256`.
        lifetime: of both certificates.

    Raises:
        MisconfiguredError: no such algorithm.
    """
    root_key, key = new_key(algorithm), new_key(algorithm)
    root_name = subject_name(organisation, None, f"{DEVELOPMENT_MARK} Service Root")
    subject = subject_name(organisation, oid, f"{DEVELOPMENT_MARK} {system}")
    validity = (now - timedelta(minutes=1), now - timedelta(minutes=1) + lifetime)
    root = _certificate(root_name, root_name, root_key, root_key, validity, is_root=True)
    leaf = _certificate(subject, root_name, key, root_key, validity, is_root=False)
    return DevelopmentKeys(
        root.public_bytes(Encoding.PEM),
        leaf.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def new_key(algorithm: str) -> PrivateKey:
    """A new private key.

    Args:
        algorithm: `rsa-3072` or `p-256`.

    Raises:
        MisconfiguredError: no such algorithm.
    """
    if algorithm == "rsa-3072":
        return rsa.generate_private_key(public_exponent=65537, key_size=LEAST_RSA_BITS)
    if algorithm == "p-256":
        return ec.generate_private_key(ec.SECP256R1())
    raise MisconfiguredError("signing algorithm should be rsa-3072 or p-256")


def subject_name(organisation: str, oid: str | None, common: str) -> x509.Name:
    """The name of a system's certificate, as the national service certificates have it: C, O, serialNumber, CN."""
    parts = [(NameOID.COUNTRY_NAME, "FI"), (NameOID.ORGANIZATION_NAME, organisation[:64])]
    parts += [(NameOID.SERIAL_NUMBER, oid)] if oid else []
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in (*parts, (NameOID.COMMON_NAME, common[:64]))])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey,
    issuer_key: PrivateKey,
    validity: tuple[datetime, datetime],
    *,
    is_root: bool,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
