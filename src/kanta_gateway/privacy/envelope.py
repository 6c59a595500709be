"""Encryption at rest: a key per record or document, wrapped by a key that lies outside the database.

* Sealed bytes are `version (1) | nonce (12) | ciphertext and tag`; the version byte is authenticated too.
* The context (what the bytes are) is bound as associated data: sealed bytes put in another place do not open.
* Destroying the wrapped key destroys the content, in every backup as well.
* A key that is gone is `KeyUnavailableError`; bytes that were changed are `UntrustedError`.

AES-256-GCM: NIST SP 800-38D with random 96-bit nonces (§8.2.2); derived keys: HKDF-SHA-256, RFC 5869.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kanta_gateway.errors import KeyUnavailableError, UntrustedError

VERSION = b"\x01"
"""First byte of everything sealed: AES-256-GCM with a 12-byte nonce. Another algorithm gets another byte."""

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

_WRAP_CONTEXT = b"data-key"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key: `key` seals the content and is forgotten, `wrapped` is stored."""

    key: bytes = field(repr=False)
    wrapped: bytes
    id: int | None = None
    """Row of the stored key, once it has one."""


class Vault:
    """Wraps data keys with the file key that lies outside the database."""

    def __init__(self, master: bytes) -> None:
        self._wrapping = derive(master, "wrapping")

    def new_key(self) -> DataKey:
        """A fresh data key with its wrapped form."""
        key = secrets.token_bytes(KEY_BYTES)
        return DataKey(key, seal(self._wrapping, key, _WRAP_CONTEXT))

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            KeyUnavailableError: the stored key is empty or destroyed.
            UntrustedError: it was changed, or wrapped by another file key.
        """
        if not wrapped:
            raise KeyUnavailableError("the data key has been destroyed; its content cannot be read any more")
        return open_sealed(self._wrapping, wrapped, _WRAP_CONTEXT)


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """The plaintext encrypted and authenticated together with its context."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + _cipher(key).encrypt(nonce, plaintext, VERSION + context)


def mark(sealed: bytes | None) -> str:
    """What the log names content by: the hash of its sealed bytes, which tells nothing about it; empty: it is gone."""
    return sha256(sealed).hexdigest() if sealed is not None else ""


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The plaintext that was sealed with this key for this context.

    Raises:
        KeyUnavailableError: there is no usable key.
        UntrustedError: the bytes are not what was sealed: changed, cut, another key or another context.
    """
    cipher = _cipher(key)
    if len(sealed) < len(VERSION) + NONCE_BYTES + TAG_BYTES or sealed[:1] != VERSION:
        raise UntrustedError(
            "sealed content has an unknown form; expected version 1. "
            "Restore the row from a backup, or find out who changed it"
        )
    nonce, content = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, content, VERSION + context)
    except InvalidTag as error:
        raise UntrustedError(
            "sealed content does not open: changed, moved, or sealed with another key. "
            "Check that the key files belong to this database, then find out who changed the row"
        ) from error


def derive(master: bytes, name: str) -> bytes:
    """A key for one purpose, from the installation's master key.

    Raises:
        KeyUnavailableError: the master key is shorter than 32 bytes.
    """
    if len(master) < KEY_BYTES:
        raise KeyUnavailableError("the master key is shorter than 32 bytes; check the key file")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"kanta-gateway/1/{name}".encode()).derive(master)


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise KeyUnavailableError("the content key is missing or has a wrong length; check the key files")
    return AESGCM(key)
