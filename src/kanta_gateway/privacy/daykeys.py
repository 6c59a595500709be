"""Rows of the log at rest: sealed under the key of their register and day, never under a document's.

* Destroying a document's key therefore leaves its log readable, and destroying a day's key no document.
* The place of a row is bound: a sealed row that is put in another place does not open.
"""

from __future__ import annotations

from typing import Protocol

from kanta_gateway.privacy.envelope import Vault, open_sealed, seal


class Store(Protocol):
    """Where wrapped keys lie."""

    def day_key(self, register: str, day: str, fresh: bytes, by: str) -> tuple[int, bytes]:
        """Id and wrapped key of one register and day; `fresh` becomes the key where there is none yet.

        No key is taken that another master key than the one in use has wrapped: then the answer is empty.
        """

    def wrapped_day_key(self, id_: int) -> bytes:
        """The wrapped key; empty once it is destroyed."""


class DayKeys:
    """Seals and opens rows of the log.

    Args:
        vault: wraps keys.
        store: where they lie.
    """

    def __init__(self, vault: Vault, store: Store) -> None:
        self._vault = vault
        self._store = store
        self._days: dict[tuple[str, str], int] = {}
        self._keys: dict[int, bytes] = {}

    def seal(self, register: str, day: str, idx: int, data: bytes) -> tuple[int, bytes]:
        """Id of the key, and the sealed row.

        Args:
            register: whose log.
            day: of the event, `2026-03-02`.
            idx: the row's place.
            data: the row.
        """
        id_ = self._days.get((register, day))
        if id_ is None:
            id_, wrapped = self._store.day_key(register, day, *self._vault.fresh())
            if not wrapped:
                self._vault.renew()
                id_, wrapped = self._store.day_key(register, day, *self._vault.fresh())
            self._keys[id_] = self._vault.unwrap(wrapped)
            self._days[register, day] = id_
        return id_, seal(self._keys[id_], data, _context(idx))

    def open(self, key_id: int, idx: int, sealed: bytes) -> bytes:
        """The row again.

        Raises:
            KeyUnavailableError: its key is destroyed, or not in this key store.
            UntrustedError: it is not what was sealed at this place.
        """
        key = self._keys.get(key_id)
        if key is None:
            key = self._keys[key_id] = self._vault.unwrap(self._store.wrapped_day_key(key_id))
        return open_sealed(key, sealed, _context(idx))

    def forget(self) -> None:
        """Remember no key: some may have been destroyed."""
        self._days.clear()
        self._keys.clear()


def _context(idx: int) -> bytes:
    return b"log-row/%d" % idx
