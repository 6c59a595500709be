"""Sealing: what was sealed opens, and nothing else does."""

from __future__ import annotations

import pytest

from kanta_gateway.errors import KeyUnavailableError, UntrustedError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.keystore import KeyStore
from kanta_gateway.privacy.envelope import Vault, derive, open_sealed, seal
from kanta_gateway.privacy.master import FileMasterKey

KEY = derive(b"m" * 32, "test")


def test_opens_again_and_never_looks_the_same() -> None:
    """Two sealings of one text differ, and both open."""
    first, second = seal(KEY, b"text", b"record"), seal(KEY, b"text", b"record")
    assert first != second
    assert open_sealed(KEY, first, b"record") == open_sealed(KEY, second, b"record") == b"text"


def test_any_changed_byte_is_untrusted() -> None:
    """One changed byte anywhere, the version byte too, makes the sealed bytes untrusted."""
    sealed = seal(KEY, b"text", b"record")
    for at in range(len(sealed)):
        with pytest.raises(UntrustedError):
            open_sealed(KEY, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], b"record")


@pytest.mark.parametrize("cut", [0, 1, 12, 28])
def test_cut_bytes_are_untrusted(cut: int) -> None:
    """Sealed bytes that are too short are untrusted."""
    with pytest.raises(UntrustedError):
        open_sealed(KEY, seal(KEY, b"text", b"record")[:cut], b"record")


def test_context_and_key_are_bound() -> None:
    """Another context or another key does not open."""
    sealed = seal(KEY, b"text", b"record")
    with pytest.raises(UntrustedError):
        open_sealed(KEY, sealed, b"document")
    with pytest.raises(UntrustedError):
        open_sealed(derive(b"m" * 32, "other"), sealed, b"record")


def test_vault_wraps_and_unwraps() -> None:
    """A data key comes back out of the key store, with its own master key only; a destroyed one is unavailable."""
    store = KeyStore("sqlite://")
    vault = Vault(FileMasterKey(b"m" * 32), store)
    key, others = vault.new_key(), [vault.new_key() for _ in range(9)]
    assert key.key.hex() not in repr(key)
    assert vault.key(key.id) == key.key
    assert vault.keys([one.id for one in others]) == {one.id: one.key for one in others}
    with pytest.raises(UntrustedError):
        Vault(FileMasterKey(b"n" * 32), store).key(key.id)
    store.forget([Forgotten("content", "1.2.3", "2026-03-01", key.id)])
    with pytest.raises(KeyUnavailableError):
        vault.key(key.id)
    with pytest.raises(KeyUnavailableError):
        vault.key(None)
    with pytest.raises(KeyUnavailableError, match="key store"):
        Vault(FileMasterKey(b"m" * 32)).new_key()


def test_short_keys_are_unavailable() -> None:
    """A key of a wrong length is a missing key, not a crash."""
    with pytest.raises(KeyUnavailableError):
        derive(b"short", "x")
    with pytest.raises(KeyUnavailableError):
        seal(b"short", b"", b"")
