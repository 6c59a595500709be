"""Everything that is known about one client, as it lies in the store at one moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import parties, register
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.contracts.case import Entry
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.notices.store import disclosed
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.wording import canonical, stored_finding
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.privacy.minimise import sift
from kanta_gateway.spool import records
from kanta_gateway.spool.records import Stamp, StoredRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.contracts.situation import Situation
    from kanta_gateway.model import Organisation
    from kanta_gateway.privacy.minimise import Read


NOTHING = Stamp(0, 0, 0, 0)
ToldDays = Mapping[tuple[str, str], Mapping[str, str]]
"""Record type and id -> field that tells when it was told -> day on which a notice of ours told it."""
REMEMBERED = 64
"""Clients whose files one process keeps at hand; a file is about half a megabyte after a year."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is registered about a provider: its contracts, and whose units there are."""

    version: int = -1
    agreements: Sequence[Agreement] = ()
    owners: Mapping[str, Organisation] = field(default_factory=dict)
    """OID of a unit -> the organisation that it belongs to."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """What the provider's clients have in common: staff, the provider and its units."""

    rows: tuple[StoredRecord, ...]
    entries: tuple[Entry, ...]
    contents: Mapping[int, Mapping[str, Any]]

    def newest(self, record_type: str) -> dict[str, tuple[int, Mapping[str, Any]]]:
        """Id -> (row, content) of the newest record of one type."""
        return {one.id: (one.row, self.contents[one.row]) for one in self.rows if one.type == record_type}


@dataclass(slots=True)
class CaseFile:
    """One client's records, as they were when the newest of them came.

    What judging changes about a record (state, outcome, findings) may be older than the file's `stamp`.
    """

    provider: str
    client_ref: str
    rows: Sequence[StoredRecord]
    entries: Sequence[Entry]
    """The same records as rules see them."""
    prints: set[tuple[str, str]]
    """Fingerprints of contact data; read only where a client record has ever said turvakielto."""
    protected: frozenset[tuple[str, str]]
    """Fingerprints of contact data of the provider's other clients who are under turvakielto."""
    allowed: Mapping[int, tuple[tuple[str, str], ...]]
    """Row -> (field, class) that its author has allowed; read anew each time."""
    stamp: Stamp
    shared: SharedFile
    _parts: Parts
    told: ToldDays = field(default_factory=dict)
    """What notices have told of the client's records."""
    situation: Situation | None = None
    """Of the file's last judgement."""
    terms: Terms = Terms()
    _contents: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def content(self, one: StoredRecord) -> Mapping[str, Any]:
        """The canonical content of one record, opened once.

        Raises:
            KeyUnavailableError: its key has been destroyed.
        """
        if one.row not in self._contents:
            self._contents[one.row] = opened(self._parts, one)
        return self._contents[one.row]

    def as_of(self, own: int, shared: int) -> CaseFile:
        """The file as it was when these were its newest rows."""
        before = SharedFile(
            tuple(one for one in self.shared.rows if one.row <= shared),
            tuple(one for one in self.shared.entries if one.row <= shared),
            self.shared.contents,
        )
        return replace(
            self,
            situation=None,
            rows=[one for one in self.rows if one.row <= own],
            entries=[one for one in self.entries if one.row <= own],
            shared=before,
        )

    @property
    def is_of_client(self) -> bool:
        """Whether the file is about a client, and not about a review of an organisation."""
        return any(self._parts.types[one.type].about == "client" for one in self.rows)

    @property
    def subjects(self) -> list[StoredRecord]:
        """The newest records that tell of the file's subjects: the client, or each review."""
        newest: dict[tuple[str, str], StoredRecord] = {}
        for one in sorted(self.rows, key=lambda one: (one.version, one.row)):
            if self._parts.types[one.type].is_subject and not one.is_cancelled:
                newest[one.key] = one
        return list(newest.values())

    def newest(self, record_type: str) -> StoredRecord | None:
        """The newest record of one type, if there is any."""
        return max(
            (one for one in self.rows if one.type == record_type and not one.is_cancelled),
            key=lambda one: (one.version, one.row),
            default=None,
        )


class Memory:
    """What one process keeps at hand between two records; every use is checked against the store's stamp."""

    def __init__(self) -> None:
        self.shared: dict[str, SharedFile] = {}
        self.agreements: dict[tuple[str, str], Agreement] = {}
        self._files: OrderedDict[str, CaseFile] = OrderedDict()
        self._lock = threading.Lock()

    def file(self, client_ref: str) -> CaseFile | None:
        """The client's file as it was seen last."""
        return self._files.get(client_ref)

    def keep(self, case: CaseFile) -> None:
        """Keep a client's file; the one that was kept longest ago goes."""
        with self._lock:
            self._files[case.client_ref] = case
            self._files.move_to_end(case.client_ref)
            if len(self._files) > REMEMBERED:
                self._files.popitem(last=False)


def load(
    parts: Parts, tx: Connection, provider: str, client_ref: str, shared: SharedFile | None,
    known: CaseFile | None = None,
) -> CaseFile:  # fmt: skip
    """Read one client's file.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        client_ref: keyed reference of the client.
        shared: the provider's shared file if it is at hand; read again when it is not the newest.
        known: the client's file if it is at hand; only what came after it is read.
    """
    stamp, told = records.stamp(tx, provider, client_ref), told_days(parts, tx, provider, client_ref)
    if shared is None or max((one.row for one in shared.rows), default=0) != stamp.shared:
        shared = load_shared(parts, tx, provider)
    if known is None or known.told != told:
        known = CaseFile(provider, client_ref, (), (), set(), frozenset(), {}, NOTHING, shared, parts, told)
    rows = records.of_client(tx, provider, client_ref, after=known.stamp.own) if stamp.own > known.stamp.own else []
    if len(known.rows) + len(rows) != stamp.rows:  # one with an earlier number was committed after the known ones
        known, rows = replace(known, rows=(), entries=()), records.of_client(tx, provider, client_ref)
    entries = [*known.entries, *(entry(parts, one, told.get(one.key)) for one in rows)]
    is_secret = any(one.type == "client" and one.facts.get("non_disclosure") for one in entries)
    prints = records.fingerprints(tx, client_ref) if is_secret else set()
    protected = frozenset(records.fingerprints(tx, parts.keyring.protected(provider)) - prints)
    return replace(
        known, rows=[*known.rows, *rows], entries=entries, prints=prints, protected=protected,
        allowed=records.allowed(tx, client_ref), stamp=stamp, shared=shared,
        terms=load_terms(tx, provider, known.terms),
    )  # fmt: skip


def load_terms(tx: Connection, provider: str, known: Terms) -> Terms:
    """What is registered about a provider, unless what is at hand is still so."""
    version = register.version(tx)
    if version == known.version:
        return known
    return Terms(version, tuple(parties.agreements(tx, provider)), parties.unit_owners(tx))


def load_shared(parts: Parts, tx: Connection, provider: str) -> SharedFile:
    """Read what the provider's clients have in common."""
    rows = records.shared(tx, provider)
    return SharedFile(
        rows=tuple(rows),
        entries=tuple(entry(parts, one) for one in rows),
        contents={one.row: opened(parts, one) for one in rows},
    )


def told_days(parts: Parts, tx: Connection, provider: str, client_ref: str) -> ToldDays:
    """When notices told of a client's records: the first time counts.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        client_ref: keyed reference of the client.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name, items, at in disclosed(tx, provider, client_ref):
        known = parts.notices.types.get(name)
        fields = {group.name: group.told_in for group in known.groups} if known is not None else {}
        day = datetime.fromisoformat(at).astimezone(HELSINKI).date().isoformat()
        for item in items:
            if told_in := fields.get(item["group"]):
                found.setdefault((item["type"], item["id"]), {}).setdefault(told_in, day)
    return found


def entry(parts: Parts, one: StoredRecord, told: Mapping[str, str] | None = None) -> Entry:
    """A stored record as rules see it; what a notice has told of it counts as told, where it says nothing itself."""
    sealed = parts.keyring.open_facts(one.facts)
    return Entry(
        kind=parts.types[one.type], id=one.id, version=one.version, is_cancelled=one.is_cancelled,
        facts={**told, **sealed["facts"]} if told else sealed["facts"],
        row=one.row, received=one.row, reading=tuple(map(stored_finding, sealed["reading"])),
        received_on=date.fromisoformat(one.received_at[:10]),
    )  # fmt: skip


def opened(parts: Parts, one: StoredRecord) -> Mapping[str, Any]:
    """The canonical content of one stored record.

    Raises:
        KeyUnavailableError: its key has been destroyed.
    """
    if one.payload is None or one.wrapped_key is None:
        raise KeyUnavailableError(f"the content of record {one.ticket} has been destroyed; its evidence stays")
    value: Mapping[str, Any] = orjson.loads(open_sealed(parts.vault.unwrap(one.wrapped_key), one.payload, b"record"))
    return value


def hidden(parts: Parts, case: CaseFile, one: StoredRecord, read: Read) -> bytes | None:
    """The payload of a record masked again, now that more is known; None if it is already.

    Args:
        parts: the built gateway.
        case: the client's file.
        one: the record.
        read: how its fields are read.
    """
    if one.payload is None or one.wrapped_key is None:
        return None
    sifted = sift(parts.scanner, case.content(one), read)
    if not sifted.masked:
        return None
    return seal(parts.vault.unwrap(one.wrapped_key), canonical(sifted.content), b"record")
