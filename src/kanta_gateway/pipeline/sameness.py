"""Which records of a delivered batch are there already, and which are news.

* Sameness is of the canonical record (GEN-01): the same type, id and version with the same keyed digest, within one
  provider's part of one purchaser's register.
* A reference that goes back to an earlier state is news; its newest state counts.
* A record whose id is a natural key has no version of its own: content that was never delivered is its next
  version, content that was is a duplicate, also of a state that has been replaced meanwhile (GEN-06).
* What replaces a record of another id counts its states from the next multiple of `MAX_VERSION`, so that it stands
  above them in whatever order they come.
* A stored digest is keyed by the record's own key, so nobody can try out guesses at the content once that is gone.
* Once a digest or its key has been destroyed, the same identity is a duplicate without comparison.
* A record that came in a package has no digest of this installation: it is compared by what is stored of it, and gets
  one when it is recognised. Where it differs a record with a version of its own is a duplicate without comparison.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING

from kanta_gateway.model import MAX_VERSION
from kanta_gateway.privacy.envelope import derive, open_sealed

if TYPE_CHECKING:
    from kanta_gateway.recordtypes import RecordTypes
    from kanta_gateway.spool.records import NewRecord, StoredRecord

ELSEWHERE = "elsewhere"
"""Stands for the digest of a record that came from another installation, until it is delivered here."""
Identity = tuple[str, str, int]
Key = tuple[str, str]
CONTEXT = b"record"
"""Of what is sealed of a record."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a delivered record belongs."""

    stored: StoredRecord | None
    """The row that is there already."""
    fresh: int
    """Place among the batch's new records, where nothing is stored yet."""
    is_again: bool
    is_older: bool = False
    """A duplicate of a state that has been replaced since."""


@dataclass(frozen=True, slots=True)
class _State:
    stored: StoredRecord | None
    content: bytes
    """Of one that is not stored yet."""
    version: int
    place: Place


def mark(key: bytes, content: bytes) -> str:
    """What is stored of a record's canonical bytes: their digest under the record's own key.

    Args:
        key: the record's data key.
        content: plain digest of the bytes, which is never stored.
    """
    return hmac.new(derive(key, "digest"), content, sha256).hexdigest()


class Sorter:
    """Sorts the records of one batch, in their order.

    Args:
        types: every record type.
        stored: stored states by (type, id), lowest version first, of one version oldest first.
        keys: gives the data keys that there are, by id.
    """

    def __init__(
        self, types: RecordTypes, stored: Mapping[Key, Sequence[StoredRecord]],
        keys: Callable[[Collection[int]], Mapping[int, bytes]],
    ) -> None:  # fmt: skip
        self._types = types
        self._keys = keys([
            one.key_id for one in chain.from_iterable(stored.values()) if one.digest and one.key_id is not None
        ])  # fmt: skip
        self._have: dict[Identity, list[StoredRecord]] = {}
        for one in chain.from_iterable(stored.values()):
            self._have.setdefault((one.type, one.id, one.version), []).append(one)
        self._states = {
            key: [_State(one, b"", one.version, Place(one, -1, is_again=True)) for one in known]
            for key, known in stored.items()
        }
        self._seen: dict[tuple[str, str, int, bytes], int] = {}
        self.fresh: list[NewRecord] = []
        self.recognised: dict[int, str] = {}
        """Rows that came from another installation and are delivered again -> the digest that they get."""

    def place(self, new: NewRecord) -> Place:
        """Where the next record belongs; if it is news it is added to `fresh`."""
        return self._keyed(new) if new.is_keyed else self._versioned(new)

    def _versioned(self, new: NewRecord) -> Place:
        identity = (new.type, new.id, new.version)
        known: Sequence[StoredRecord] = self._have.get(identity, ())
        same = next((old for old in known if self._is_same(old, new)), None)
        if same is not None and (not self._types[same.type].is_reference or same.row == known[-1].row):
            return Place(same, -1, is_again=True)
        twin = self._seen.get((*identity, new.content))
        if twin is not None:
            return Place(None, twin, is_again=True)
        self._seen[(*identity, new.content)] = len(self.fresh)
        return self._add(new)

    def _keyed(self, new: NewRecord) -> Place:
        every = self._states.setdefault((new.type, new.id), [])
        link = (new.version - 1) // MAX_VERSION
        states = [one for one in every if (one.version - 1) // MAX_VERSION == link]
        for state in reversed(states):
            if self._is_same(state.stored, new) if state.stored else state.content == new.content:
                return replace(state.place, is_again=True, is_older=state is not states[-1])
        version = states[-1].version + 1 if states else link * MAX_VERSION + 1
        place = self._add(replace(new, version=version))
        every.append(_State(None, new.content, version, place))
        return place

    def _is_same(self, old: StoredRecord, new: NewRecord) -> bool:
        key = self._keys.get(old.key_id) if old.digest and old.key_id is not None else None
        if key is None:
            return True
        if old.digest != ELSEWHERE:
            return hmac.compare_digest(mark(key, new.content), old.digest)
        known = (old.is_cancelled, old.payload and open_sealed(key, old.payload, CONTEXT))
        if known != (new.is_cancelled, new.plain):
            return not old.is_keyed
        self.recognised[old.row] = mark(key, new.content)
        return True

    def _add(self, new: NewRecord) -> Place:
        self.fresh.append(new)
        return Place(None, len(self.fresh) - 1, is_again=False)
