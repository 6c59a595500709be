"""Encryption at rest: a key per record or document, in a key store apart from the database, wrapped by the master key.

* Sealed bytes are `version (1) | nonce (12) | ciphertext and tag`; the version byte is authenticated too.
* The context (what the bytes are) is bound as associated data: sealed bytes put in another place do not open.
* Destroying the wrapped key destroys the content, in every backup as well.
* A key that is gone is `KeyUnavailableError`; bytes that were changed are `UntrustedError`.

AES-256-GCM: NIST SP 800-38D with random 96-bit nonces (§8.2.2); derived keys: HKDF-SHA-256, RFC 5869.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

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

_MOST_AT_ONCE = 256
"""Keys that are made together at most: one commit of the key store serves them all."""


class MasterKey(Protocol):
    """Wraps keys, wherever it is itself."""

    name: str
    """Tells nothing about it."""

    def wrap(self, key: bytes) -> bytes:
        """The key as it may be stored."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again.

        Raises:
            KeyUnavailableError: the master key cannot be used now.
            UntrustedError: the key was changed, or wrapped by another master key.
        """


class Store(Protocol):
    """Where wrapped keys of content lie."""

    def add(self, wrapped: Iterable[bytes], by: str) -> list[int]:
        """Keep wrapped keys; their ids, in order, or none when another master key is in use than the one named."""

    def wrapped(self, id_: int) -> bytes:
        """A wrapped key; empty once it is destroyed."""

    def wrapped_many(self, ids: Collection[int]) -> dict[int, bytes]:
        """Those of the wrapped keys that there are."""

    def discard(self, ids: Sequence[int]) -> None:
        """Destroy keys that sealed nothing."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key: `key` seals the content and is forgotten, `id` says where its wrapped form lies."""

    key: bytes = field(repr=False)
    id: int


class Vault:
    """Makes data keys and gives them back; they are wrapped with the master key that lies outside the key store.

    Args:
        master: the master key.
        store: where the wrapped keys lie; a vault without one only wraps.
        again: finds the master key once more, since it may have been replaced while this process ran.
    """

    def __init__(
        self, master: MasterKey, store: Store | None = None, again: Callable[[], MasterKey] | None = None
    ) -> None:
        self._master = master
        self._store = store
        self._again = again
        self._lock = threading.Lock()
        self._ready: list[DataKey] = []
        self._count = 1

    def new_key(self) -> DataKey:
        """A fresh data key, whose wrapped form is already stored.

        The more are asked for, the more are made together.
        """
        with self._lock:
            if not self._ready:
                keys = [secrets.token_bytes(KEY_BYTES) for _ in range(self._count)]
                ids = self._keys.add(*self._wrapped(keys))
                if not ids:
                    self.renew()
                    ids = self._keys.add(*self._wrapped(keys))
                self._ready = [DataKey(key, id_) for key, id_ in zip(keys, ids, strict=True)]
                self._count = min(2 * self._count, _MOST_AT_ONCE)
            return self._ready.pop()

    def give_back(self, keys: Iterable[DataKey]) -> None:
        """Keys whose content was not kept; the next content takes them."""
        with self._lock:
            self._ready.extend(keys)

    def close(self) -> None:
        """Destroy the keys that were made and not used."""
        with self._lock:
            left, self._ready = [one.id for one in self._ready], []
        if left:
            self._keys.discard(left)

    def key(self, id_: int | None) -> bytes:
        """The data key with this id.

        Raises:
            KeyUnavailableError: it is destroyed.
            UntrustedError: it was changed, or wrapped by another master key.
        """
        return self.unwrap(b"" if id_ is None else self._keys.wrapped(id_))

    def keys(self, ids: Collection[int]) -> dict[int, bytes]:
        """Those of the data keys that there are."""
        return {id_: self.unwrap(wrapped) for id_, wrapped in self._keys.wrapped_many(ids).items()}

    def fresh(self) -> tuple[bytes, str]:
        """A fresh key that lies elsewhere, wrapped, and the name of the master key that did it."""
        return self.wrapped(secrets.token_bytes(KEY_BYTES))

    @property
    def name(self) -> str:
        """Of the master key; tells nothing about it."""
        return self._master.name

    def wrapped(self, key: bytes) -> tuple[bytes, str]:
        """A key as it may be stored, and the name of the master key that wraps it."""
        (wrapped,), by = self._wrapped([key])
        return wrapped, by

    def _wrapped(self, keys: Sequence[bytes]) -> tuple[list[bytes], str]:
        """Keys wrapped by one and the same master key, and its name."""
        master = self._master
        try:
            return [master.wrap(key) for key in keys], master.name
        except KeyUnavailableError:
            if (other := self.renew()).name == master.name:
                raise
            return [other.wrap(key) for key in keys], other.name

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again.

        Raises:
            KeyUnavailableError: the stored key is empty or destroyed, or the master key cannot be used now.
            UntrustedError: it was changed, or wrapped by another master key.
        """
        if not wrapped:
            raise KeyUnavailableError("the data key has been destroyed; its content cannot be read any more")
        master = self._master
        try:
            return master.unwrap(wrapped)
        except (KeyUnavailableError, UntrustedError):
            if (other := self.renew()).name == master.name:
                raise
            return other.unwrap(wrapped)

    def renew(self) -> MasterKey:
        """Find the master key again; it may be another one now."""
        if self._again is not None:
            self._master = self._again()
        return self._master

    @property
    def _keys(self) -> Store:
        if self._store is None:
            raise KeyUnavailableError("there is no key store; check KANTA_KEY_STORE_URL and the key folder")
        return self._store


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """The plaintext encrypted and authenticated together with its context."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + _cipher(key).encrypt(nonce, plaintext, VERSION + context)


def sealed_hash(sealed: bytes | None) -> str:
    """What the log names content by: the hash of its sealed bytes, which tells nothing about it; empty: it is gone."""
    return sha256(sealed).hexdigest() if sealed is not None else ""


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The plaintext that was sealed with this key for this context.

    Raises:
        KeyUnavailableError: there is no usable key.
        UntrustedError: the bytes are not what was sealed: changed, cut, another key or another context.
    """
    cipher = _cipher(key)
    nonce, content = parted(sealed)
    try:
        return cipher.decrypt(nonce, content, VERSION + context)
    except InvalidTag as error:
        raise UntrustedError(
            "sealed content does not open: changed, moved, or sealed with another key. "
            "Check that the key files belong to this database, then find out who changed the row"
        ) from error


def parted(sealed: bytes) -> tuple[bytes, bytes]:
    """Nonce, and ciphertext with its tag.

    Raises:
        UntrustedError: the bytes do not have the form of what is sealed.
    """
    if len(sealed) < len(VERSION) + NONCE_BYTES + TAG_BYTES or sealed[:1] != VERSION:
        raise UntrustedError(
            "sealed content has an unknown form; expected version 1. "
            "Restore the row from a backup, or find out who changed it"
        )
    return sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]


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
