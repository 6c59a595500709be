"""Records that belong to others: links of a chain of replacements, and the same thing delivered as another type.

* What replaces a record of another id belongs to the chain in which that one is kept, also in a later delivery
  (GEN-03).
* One thing is one record, whatever type it is read as: a meeting that turns out to have been cancelled is no meeting
  any more. The newer state stands, and what it was before is cancelled with it (GEN-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kanta_gateway.model import MAX_VERSION, Record

if TYPE_CHECKING:
    from kanta_gateway.spool.records import StoredRecord

Key = tuple[str, str]
"""Type and id."""


def rooted(batch: Sequence[Record], find: Callable[[set[str]], dict[Key, tuple[str, int]]]) -> list[Record]:
    """The records, each link of a chain under the id of the chain.

    Args:
        batch: delivered records.
        find: by the names of records, where those are kept that replaced one of another id.
    """
    wanted = {one.id for one in batch if one.version > MAX_VERSION}
    known = find(wanted) if wanted else {}
    made: list[Record] = []
    for one in batch:
        if one.version <= MAX_VERSION:
            made.append(one)
            continue
        root, before = known.get((one.type, one.id), (one.id, 0))
        made.append(replace(one, id=root, version=one.version + before * MAX_VERSION))
        known[(one.type, one.label)] = (root, (made[-1].version - 1) // MAX_VERSION)
    return made


@dataclass(frozen=True, slots=True)
class _State:
    version: int
    is_cancelled: bool


class Forms:
    """What is known of things that can be delivered as several types, while a batch is taken in.

    Args:
        batch: delivered records.
        find: every stored state by type and id, lowest version first.
    """

    def __init__(
        self, batch: Iterable[Record], find: Callable[[Iterable[Key]], Mapping[Key, Sequence[StoredRecord]]]
    ) -> None:
        wanted = {(kind, one.id) for one in batch if one.siblings for kind in (one.type, *one.siblings)}
        stored = find(wanted) if wanted else {}
        self._newest = {key: _State(known[-1].version, known[-1].is_cancelled) for key, known in stored.items()}

    def known(self, record: Record) -> Record:
        """The record; one that was entered in error as the type that it was known as."""
        if not record.is_cancelled or record.key in self._newest:
            return record
        others = [
            (self._newest[kind, record.id], kind) for kind in record.siblings if (kind, record.id) in self._newest
        ]
        others.sort(key=lambda one: (one[0].is_cancelled, -one[0].version))
        return replace(record, type=others[0][1]) if others else record

    def displaced(self, record: Record, version: int) -> Iterator[Record]:
        """What of other types a new record takes the place of, or itself where another type is newer, as cancelled.

        Args:
            record: one that was not there before.
            version: the one that it was stored as.
        """
        if not record.siblings:
            return
        own = self._newest.get(record.key)
        if own is None or own.version < version:
            own = self._newest[record.key] = _State(version, record.is_cancelled)
        for kind in record.siblings:
            state = self._newest.get((kind, record.id))
            if state is None:
                continue
            if record.is_keyed or version > state.version:
                if not state.is_cancelled:
                    yield self._gone(record, kind, version, state)
            elif own.version < state.version:
                yield self._gone(record, record.type, state.version, own)

    def _gone(self, record: Record, kind: str, version: int, before: _State) -> Record:
        """The thing as it is no longer: no more than its day, told in the row of the record.

        It is another one each time (`rest`): what comes back can go again.
        """
        self._newest[kind, record.id] = _State(version, is_cancelled=True)
        day = {name: record.content[name] for name in ("date",) if name in record.content}
        return replace(
            record, type=kind, version=1 if record.is_keyed else version, content=day, is_cancelled=True, is_part=True,
            dropped={}, findings=(), rest=str(before.version).encode(),
        )  # fmt: skip
