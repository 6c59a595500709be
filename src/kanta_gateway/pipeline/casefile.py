"""Everything that is known about one person in one purchaser's register, at one moment (`filing` reads it)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.contracts.case import Entry
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.wording import canonical, stored_finding
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.privacy.minimise import sift
from kanta_gateway.spool.records import Stamp, StoredRecord

if TYPE_CHECKING:
    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.contracts.situation import Situation
    from kanta_gateway.model import Organisation
    from kanta_gateway.privacy.minimise import Read


NOTHING = Stamp((), 0, 0, 0, 0, 0)
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
    """One person's records in one purchaser's register, as they were when the newest of them came.

    Nearly always that is one client; several where an official has said that they are one person (`spool.persons`).
    What judging changes about a record (state, outcome, findings) may be older than the file's `stamp`.
    """

    provider: str
    purchaser: str
    client_ref: str
    """The client that the person is judged and filed as."""
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
    elsewhere: Sequence[Entry] = ()
    """What was delivered of the same records for other clients."""
    others: Mapping[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Record -> fingerprints of the clients under turvakielto for whom it was delivered before."""
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
            elsewhere=[one for one in self.elsewhere if one.row <= own],
            shared=before,
        )

    @property
    def is_of_client(self) -> bool:
        """Whether the file is about a client, and not about a review of an organisation."""
        return any(self._parts.types[one.type].about == "client" for one in self.rows)

    @property
    def client_id(self) -> str:
        """The provider's number of the client that the person is filed as; empty where it is the only one."""
        known = (one.id for one in self.rows if one.type == "client" and one.client_ref == self.client_ref)
        return next(known, "") if len(self.stamp.clients) > 1 else ""

    @property
    def client(self) -> StoredRecord | None:
        """The newest record of the client that the person is filed as."""
        return self.newest("client", self.client_id)

    @property
    def is_secret(self) -> bool:
        """Whether the newest record of any of the person's clients says turvakielto."""
        found = (self.newest("client", name) for name in {one.id for one in self.rows if one.type == "client"})
        return any(self.content(one).get("non_disclosure") for one in found if one is not None)

    def masking(self, key: tuple[str, str]) -> tuple[bool, set[tuple[str, str]]]:
        """Whether contact data is masked in the documents of a record, and which: that of others it was told of too."""
        others = self.others.get(key)
        if others is None:
            return self.is_secret, self.prints
        return True, {*self.prints, *others}

    @property
    def subjects(self) -> list[StoredRecord]:
        """The newest records that tell of the file's subjects: the client that it is filed as, or each review."""
        newest: dict[tuple[str, str], StoredRecord] = {}
        for one in sorted(self.rows, key=lambda one: (one.version, one.row)):
            if self._parts.types[one.type].is_subject and not one.is_cancelled and one.client_ref == self.client_ref:
                newest[one.key] = one
        return list(newest.values())

    def newest(self, record_type: str, name: str = "") -> StoredRecord | None:
        """The newest record of one type (and of one id, where it is told), if there is any."""
        return max(
            (one for one in self.rows if one.type == record_type and not one.is_cancelled and name in {"", one.id}),
            key=lambda one: (one.version, one.row),
            default=None,
        )


class Memory:
    """What one process keeps at hand between two records; every use is checked against the store's stamp."""

    def __init__(self) -> None:
        self.shared: dict[str, SharedFile] = {}
        self.agreements: dict[tuple[str, str], Agreement] = {}
        self._files: OrderedDict[tuple[str, str], CaseFile] = OrderedDict()
        self._lock = threading.Lock()

    def file(self, purchaser: str, client_ref: str) -> CaseFile | None:
        """The client's file as it was seen last."""
        return self._files.get((purchaser, client_ref))

    def keep(self, case: CaseFile) -> None:
        """Keep a client's file; the one that was kept longest ago goes."""
        with self._lock:
            place = (case.purchaser, case.client_ref)
            self._files[place] = case
            self._files.move_to_end(place)
            if len(self._files) > REMEMBERED:
                self._files.popitem(last=False)


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
    if one.payload is None or one.key_id is None:
        raise KeyUnavailableError(f"the content of record {one.ticket} has been destroyed; its evidence stays")
    value: Mapping[str, Any] = orjson.loads(open_sealed(parts.vault.key(one.key_id), one.payload, b"record"))
    return value


def hidden(parts: Parts, case: CaseFile, one: StoredRecord, read: Read) -> bytes | None:
    """The payload of a record masked again, now that more is known; None if it is already.

    Args:
        parts: the built gateway.
        case: the client's file.
        one: the record.
        read: how its fields are read.
    """
    if one.payload is None or one.key_id is None:
        return None
    sifted = sift(parts.scanner, case.content(one), read)
    if not sifted.masked:
        return None
    return seal(parts.vault.key(one.key_id), canonical(sifted.content), b"record")
