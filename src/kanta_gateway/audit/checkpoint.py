"""Checkpoints: signed statements of the log's size and root, in a form that other tools read.

* Body: origin, size in decimal, root in Base64, one line each (C2SP tlog-checkpoint).
* Envelope: the text, an empty line, signature lines `— name base64(key hash ‖ signature)` (C2SP signed-note).
* Key hash: the first four bytes of SHA-256 over name, newline, 0x01 and the Ed25519 key.
* A key that was replaced is given with `until=SIZE`: what it signs of a larger log is refused, stolen or not.
* The origin is the key's name, so a checkpoint of one log never passes for that of another.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kanta_gateway.errors import KeyUnavailableError, UntrustedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ED25519 = b"\x01"
"""Signature type of Ed25519 (C2SP signed-note, "Signature types")."""
COSIGNATURE = b"\x04"
"""Signature type of a witness: Ed25519 over a time and the text (C2SP tlog-cosignature)."""
_HASH_BYTES = 4
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint states."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who signs checkpoints: name and Ed25519 public key."""

    name: str
    public: bytes
    until: int | None = None
    """Size of the log when the key was replaced; None while it is in use."""
    kind: bytes = _ED25519
    """The log's own, or a witness's."""

    @property
    def hash(self) -> bytes:
        """The key hash that stands before every signature."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:_HASH_BYTES]

    def __str__(self) -> str:
        """The text form `name+hash+base64` (C2SP signed-note, "Verifier keys"), and until which size it holds."""
        until = "" if self.until is None else f" until={self.until}"
        return f"{self.name}+{self.hash.hex()}+{b64encode(self.kind + self.public).decode()}{until}"

    def accepts(self, signature: bytes, text: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class CheckpointSigner:
    """Signs checkpoints with one Ed25519 key.

    Args:
        name: origin of the log and name of the key, without spaces and plus signs.
        private: the key.
    """

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        if not _NAME.fullmatch(name):
            raise KeyUnavailableError("the name of a checkpoint key is one word without a plus sign; rename it.")
        self._private = private
        self.key = VerifierKey(name, private.public_key().public_bytes_raw())

    @classmethod
    def new(cls, name: str) -> CheckpointSigner:
        """A signer with a fresh key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, name: str, pem: bytes) -> CheckpointSigner:
        """A signer from a PKCS #8 file's bytes.

        Raises:
            KeyUnavailableError: the bytes hold no Ed25519 key.
        """
        return cls(name, private_key(pem))

    def pem(self) -> bytes:
        """The key as an unencrypted PKCS #8 file; its permissions are the caller's business."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, text: str) -> str:
        """The signed note over a text that ends in a newline."""
        signature = b64encode(self.key.hash + self._private.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.key.name} {signature}\n"


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """The key of a PKCS #8 file.

    Raises:
        KeyUnavailableError: the bytes hold no Ed25519 key.
    """
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise KeyUnavailableError("the checkpoint key file is no unencrypted PKCS #8 key; make a new one.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnavailableError("the checkpoint key file must hold an Ed25519 key; make a new one.")
    return private


def make(origin: str, size: int, root: bytes, signer: CheckpointSigner) -> str:
    """A signed checkpoint."""
    return signer.sign(f"{origin}\n{size}\n{b64encode(root).decode()}\n")


def read_keys(text: str) -> tuple[VerifierKey, ...]:
    """Verifier keys from text, one on a line: a log keeps the old ones when its key is changed.

    Raises:
        UntrustedError: a line is not a verifier key, or its hash does not fit it.
    """
    keys = tuple(_key(line.strip()) for line in text.splitlines() if line.strip())
    if not keys:
        raise UntrustedError("verifier key: expected name+hash+key, found nothing. Give the key file of the log.")
    return keys


def parse(text: str) -> Checkpoint:
    """What a checkpoint's text states, without looking at signatures.

    Raises:
        UntrustedError: the text is not a checkpoint.
    """
    lines = text.partition("\n\n")[0].split("\n")
    if len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise UntrustedError("checkpoint: expected origin, size and root on a line each. Get the file again.")
    return Checkpoint(lines[0], int(lines[1]), _decoded(lines[2], 32, "the root of a checkpoint"))


def verify(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """What a signed checkpoint states, once a known key is found to have signed it.

    Raises:
        UntrustedError: it is no checkpoint, of another log, or no known key signed it.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise UntrustedError("checkpoint: expected a text, an empty line and signatures. Get the file again.")
    checkpoint = parse(text + "\n")
    signed = (text + "\n").encode()
    for line in signatures[:-1].split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not encoded:
            raise UntrustedError("checkpoint: a signature line is not `— name signature`. Get the file again.")
        if checkpoint.origin == name and _is_signed(name, encoded, signed, _valid(keys, checkpoint.size)):
            return checkpoint
    raise UntrustedError(
        "checkpoint: no signature of this log by a known key. Check that the key file belongs to this log; "
        "if it does, the checkpoint is forged."
    )


def signed_text(note: str, keys: Sequence[VerifierKey]) -> str | None:
    """The text of a note that a log's present key signed; None if none did."""
    text, separator, signatures = note.rpartition("\n\n")
    in_use = [key for key in keys if key.kind == _ED25519 and key.until is None]
    for line in signatures.splitlines() if separator else ():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        if line.startswith(_DASH) and _is_signed(name, encoded, (text + "\n").encode(), in_use):
            return text + "\n"
    return None


def _valid(keys: Sequence[VerifierKey], size: int) -> list[VerifierKey]:
    """The keys that could sign a log of this size."""
    return [key for key in keys if key.kind == _ED25519 and (key.until is None or size <= key.until)]


def _is_signed(name: str, encoded: str, signed: bytes, keys: Sequence[VerifierKey]) -> bool:
    try:
        blob = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        return False
    mine = [key for key in keys if key.name == name and key.hash == blob[:_HASH_BYTES]]
    return any(key.accepts(blob[_HASH_BYTES:], signed) for key in mine)


def _key(text: str) -> VerifierKey:
    text, _, limit = text.partition(" until=")
    if limit and not _SIZE.fullmatch(limit):
        raise UntrustedError("verifier key: until= should give a size. Get the key file again.")
    name, _, rest = text.partition("+")
    hash_, _, encoded = rest.partition("+")
    blob = _decoded(encoded, 1 + 32, "a verifier key")
    key = VerifierKey(name, blob[1:], int(limit) if limit else None, blob[:1])
    if key.kind not in {_ED25519, COSIGNATURE} or hash_ != key.hash.hex():
        raise UntrustedError("verifier key: its hash does not fit its name and key. Get the key file again.")
    return key


def _decoded(encoded: str, length: int, what: str) -> bytes:
    try:
        blob = b64decode(encoded, validate=True)
    except (Base64Error, ValueError) as error:
        raise UntrustedError(f"{what} is not Base64. Get the file again.") from error
    if len(blob) != length or b64encode(blob).decode() != encoded:
        raise UntrustedError(f"{what}: expected {length} bytes, found {len(blob)}. Get the file again.")
    return blob
