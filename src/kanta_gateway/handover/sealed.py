"""A sealed stream for one recipient: chunks that cannot be changed, left out, put in another order or cut off.

* Each stream has a fresh AES-256 key, which the header carries wrapped for the recipient's certificate.
* A chunk is sealed under its number and whether it is the last one (the STREAM construction), and bound to the header.
* What was read has been authenticated: a changed chunk ends the reading before any of it is given.

STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015; RSA-OAEP with SHA-256: RFC 8017; EC: ephemeral ECDH, HKDF-SHA-256.
"""

from __future__ import annotations

import io
import json
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import IO, Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kanta_gateway.errors import MisconfiguredError, UntrustedError

MAGIC = b"kanta-gateway-sealed/1\n"
CHUNK = 64 * 1024
TAG = 16
KEY_BYTES = 32
_MOST_HEADER = 16 * 1024
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_SHORTEST_RSA = 2048
PRIVATE = "private"
"""Recipient of a stream that an installation seals for itself."""


def thumbprint(certificate: x509.Certificate) -> str:
    """`x5t#S256` of a certificate."""
    return urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()


def for_certificate(certificate: x509.Certificate) -> tuple[bytes, dict[str, Any]]:
    """A fresh key, and the header that gives it to the holder of a certificate.

    Raises:
        MisconfiguredError: nobody can be sealed to by such a key.
    """
    key, public = secrets.token_bytes(KEY_BYTES), certificate.public_key()
    header: dict[str, Any] = {"recipient": thumbprint(certificate), "chunk": CHUNK}
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= _SHORTEST_RSA:
        return key, header | {"alg": "RSA-OAEP-256", "key": _text(public.encrypt(key, _OAEP))}
    if isinstance(public, ec.EllipticCurvePublicKey):
        own = ec.generate_private_key(public.curve)
        point = own.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        wrapping = _agreed(own.exchange(ec.ECDH(), public), point, header["recipient"])
        wrapped = AESGCM(wrapping).encrypt(bytes(12), key, None)  # the wrapping key is used once
        return key, header | {"alg": "ECDH-ES", "epk": _text(point), "key": _text(wrapped)}
    raise MisconfiguredError("the recipient's certificate needs an RSA key of 2048 bits or more, or an EC key")


def for_itself(key: bytes) -> tuple[bytes, dict[str, Any]]:
    """A fresh key, and the header that gives it to whoever holds a key already."""
    fresh, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(12)
    wrapped = nonce + AESGCM(key).encrypt(nonce, fresh, None)
    return fresh, {"recipient": PRIVATE, "chunk": CHUNK, "alg": "A256GCM", "key": _text(wrapped)}


class Sealer(io.RawIOBase):
    """A file to write to; what is written goes sealed into another one.

    Args:
        target: where the sealed bytes go.
        key: of the stream.
        header: from `for_certificate` or `for_itself`.
    """

    def __init__(self, target: IO[bytes], key: bytes, header: Mapping[str, Any]) -> None:
        line = json.dumps(header, sort_keys=True).encode() + b"\n"
        target.write(MAGIC + line)
        self._target = target
        self._cipher = AESGCM(key)
        self._bound = sha256(MAGIC + line).digest()
        self._left = bytearray()
        self._count = 0
        self._is_ended = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; whole chunks are sealed at once."""
        self._left += data
        while len(self._left) > CHUNK:  # the last chunk is known as such when the stream ends
            self._put(bytes(self._left[:CHUNK]), is_last=False)
            del self._left[:CHUNK]
        return len(data)

    def end(self) -> None:
        """Seal the last chunk; without it the stream counts as cut off."""
        self._put(bytes(self._left), is_last=True)
        self._left.clear()
        self._is_ended = True

    def _put(self, data: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._count, is_last=is_last), data, self._bound))
        self._count += 1


class Opener(io.RawIOBase):
    """A file to read from: the sealed bytes of another one, opened chunk by chunk.

    Args:
        source: the sealed bytes.
        private: the recipient's private key (PEM), or the key of a stream that was sealed for itself.
        recipient: the certificate that the stream should be sealed to; None for one that was sealed for itself.

    Raises:
        UntrustedError: it is sealed for somebody else, or is no sealed stream.
    """

    def __init__(self, source: IO[bytes], private: bytes, recipient: x509.Certificate | None) -> None:
        self._source = source
        header, line = _header(source)
        wanted = PRIVATE if recipient is None else thumbprint(recipient)
        if header["recipient"] != wanted:
            raise UntrustedError(
                f"the package is for somebody else: it is sealed to the certificate {header['recipient']}, "
                f"this one is {wanted}. Nothing was taken; ask for a package that is sealed to your certificate."
            )
        self._cipher = AESGCM(_unwrapped(header, private))
        self._bound = sha256(MAGIC + line).digest()
        self._next = source.read(CHUNK + TAG)
        self._ready = memoryview(b"")
        self._count = 0
        self._is_ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give the next bytes; 0 at the end.

        Raises:
            UntrustedError: a chunk was changed, or the stream is cut off.
        """
        if not self._ready and not self._is_ended:
            self._ready = memoryview(self._open())
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _open(self) -> bytes:
        now, self._next = self._next, self._source.read(CHUNK + TAG)
        is_last = not self._next
        place = f"chunk {self._count} (bytes from {self._count * CHUNK})"
        try:
            opened = self._cipher.decrypt(_nonce(self._count, is_last=is_last), now, self._bound)
        except InvalidTag as error:
            raise UntrustedError(
                f"{self._fault(now, is_last=is_last)} {place}. Nothing was taken; get the package again."
            ) from error
        self._count += 1
        self._is_ended = is_last
        return opened

    def _fault(self, data: bytes, *, is_last: bool) -> str:
        """What is wrong with a chunk that does not open."""
        if not is_last:
            return "the package was changed, or another key made it, at"
        if len(data) < CHUNK + TAG:
            return "the package is incomplete or was changed: it does not end as it was made, at"
        try:
            self._cipher.decrypt(_nonce(self._count, is_last=False), data, self._bound)
        except InvalidTag:
            return "the package was changed, or another key made it, at"
        return "the package is incomplete: it ends after"


def _header(source: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    wrong = UntrustedError("the file is no sealed package of version 1; give the file as it was made")
    if source.read(len(MAGIC)) != MAGIC:
        raise wrong
    line = source.readline(_MOST_HEADER)
    try:
        header = json.loads(line)
        if not {"recipient", "alg", "key"} <= header.keys() or header["chunk"] != CHUNK:
            raise wrong
    except (ValueError, AttributeError, KeyError) as error:
        raise wrong from error
    return header, line


def _unwrapped(header: Mapping[str, Any], private: bytes) -> bytes:
    """The key of the stream.

    Raises:
        UntrustedError: the key does not open the header.
    """
    try:
        wrapped = b64decode(header["key"])
        if header["alg"] == "A256GCM":
            return AESGCM(private).decrypt(wrapped[:12], wrapped[12:], None)
        key = serialization.load_pem_private_key(private, None)
        if header["alg"] == "RSA-OAEP-256" and isinstance(key, rsa.RSAPrivateKey):
            return key.decrypt(wrapped, _OAEP)
        if header["alg"] == "ECDH-ES" and isinstance(key, ec.EllipticCurvePrivateKey):
            point = b64decode(header["epk"])
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
            wrapping = _agreed(key.exchange(ec.ECDH(), theirs), point, header["recipient"])
            return AESGCM(wrapping).decrypt(bytes(12), wrapped, None)
    except (ValueError, TypeError, KeyError, InvalidTag) as error:
        raise UntrustedError("the private key does not open the package: it is another one, or unreadable") from error
    raise UntrustedError("the private key is of another kind than the certificate that the package is sealed to")


def _agreed(secret: bytes, point: bytes, recipient: str) -> bytes:
    info = b"kanta-gateway/sealed/1\0" + recipient.encode() + point
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def _nonce(count: int, *, is_last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([is_last])


def _text(data: bytes) -> str:
    return b64encode(data).decode()
