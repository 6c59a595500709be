"""Everything that is known about one client, as it lies in the store at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import records, store
from kanta_gateway.spool.records import StoredRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.spool.store import StoredDocument


@dataclass(frozen=True, slots=True)
class SharedFile:
    """What the provider's clients have in common: staff, the provider and its units."""

    rows: tuple[StoredRecord, ...]
    facts: Mapping[int, Mapping[str, Any]]
    contents: Mapping[int, Mapping[str, Any]]

    def newest(self, record_type: str) -> dict[str, tuple[int, Mapping[str, Any]]]:
        """Id -> (row, content) of the newest record of one type."""
        return {one.id: (one.row, self.contents[one.row]) for one in self.rows if one.type == record_type}


@dataclass(slots=True)
class CaseFile:
    """One client's records, documents and fingerprints."""

    provider: str
    client_ref: str
    rows: Sequence[StoredRecord]
    facts: Mapping[int, Mapping[str, Any]]
    reading: Mapping[int, Sequence[Mapping[str, Any]]]
    documents: Sequence[StoredDocument]
    prints: set[tuple[str, str]]
    stamp: tuple[int, int, int]
    shared: SharedFile
    _wrapped: Mapping[int, bytes]
    _parts: Parts
    _contents: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def content(self, one: StoredRecord) -> Mapping[str, Any]:
        """The canonical content of one record, opened once.

        Raises:
            KeyUnavailableError: its key has been destroyed.
        """
        if one.row not in self._contents:
            self._contents[one.row] = opened(self._parts, one, self._wrapped)
        return self._contents[one.row]

    def as_of(self, own: int, shared: int) -> CaseFile:
        """The file as it was when these were its newest rows."""
        before = SharedFile(
            tuple(one for one in self.shared.rows if one.row <= shared), self.shared.facts, self.shared.contents
        )
        return replace(self, rows=[one for one in self.rows if one.row <= own], shared=before)

    def newest(self, record_type: str) -> StoredRecord | None:
        """The newest record of one type, if there is any."""
        return max(
            (one for one in self.rows if one.type == record_type and not one.is_cancelled),
            key=lambda one: (one.version, one.row),
            default=None,
        )


def load(parts: Parts, tx: Connection, provider: str, client_ref: str, shared: SharedFile | None) -> CaseFile:
    """Read one client's file.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        client_ref: keyed reference of the client.
        shared: the provider's shared file if it is at hand and still the newest.
    """
    rows = records.of_client(tx, provider, client_ref)
    stamp = records.stamp(tx, provider, client_ref)
    if shared is None or max((one.row for one in shared.rows), default=0) != stamp[1]:
        shared = load_shared(parts, tx, provider)
    sealed = {one.row: parts.keyring.open_facts(one.facts) for one in rows}
    return CaseFile(
        provider=provider,
        client_ref=client_ref,
        rows=rows,
        facts={row: value["facts"] for row, value in sealed.items()},
        reading={row: value["reading"] for row, value in sealed.items()},
        documents=store.of_client(tx, client_ref),
        prints=records.fingerprints(tx, client_ref),
        stamp=stamp,
        shared=shared,
        _wrapped=records.wrapped_keys(tx, (one.key_id for one in rows if one.key_id is not None)),
        _parts=parts,
    )


def load_shared(parts: Parts, tx: Connection, provider: str) -> SharedFile:
    """Read what the provider's clients have in common."""
    rows = records.shared(tx, provider)
    wrapped = records.wrapped_keys(tx, (one.key_id for one in rows if one.key_id is not None))
    return SharedFile(
        rows=tuple(rows),
        facts={one.row: parts.keyring.open_facts(one.facts)["facts"] for one in rows},
        contents={one.row: opened(parts, one, wrapped) for one in rows},
    )


def opened(parts: Parts, one: StoredRecord, wrapped: Mapping[int, bytes]) -> Mapping[str, Any]:
    """The canonical content of one stored record.

    Raises:
        KeyUnavailableError: its key has been destroyed.
    """
    if one.payload is None or one.key_id is None or one.key_id not in wrapped:
        raise KeyUnavailableError(f"the content of record {one.ticket} has been destroyed; its evidence stays")
    value: Mapping[str, Any] = orjson.loads(
        open_sealed(parts.vault.unwrap(wrapped[one.key_id]), one.payload, b"record")
    )
    return value
