"""Delivered records wait here until what they need is known, and stay as evidence of what was delivered.

* A record is stored sealed, masked, mapped fields only; what rules need of it is sealed apart (`facts`).
* A row is never overwritten with other content: a new version, a correction or a changed reference is a new row.
* One row per distinct record; a repeated delivery points at the row that is there (`deliveries.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import bindparam, func, select, tuple_, update

from kanta_gateway.model import MAX_VERSION, Outcome, instant
from kanta_gateway.tables import data_key, document, fingerprint, record

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

RECEIVED = "received"
"""Stored, not judged yet (or to be judged again)."""
SETTLED = "settled"
PARAMETERS = 500
"""Values in one `IN`: SQLite allows a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it lies in the database."""

    row: int
    provider: str
    purchaser: str
    source: str
    type: str
    id: str
    version: int
    is_keyed: bool
    """The version counts the states of a natural key; the record itself has none."""
    client_ref: str | None
    ticket: str
    digest: str
    is_cancelled: bool
    state: str
    outcome: Outcome | None
    findings_json: str
    removed_json: str
    facts: bytes | None
    """Sealed; None once nobody needs them any more."""
    payload: bytes | None
    """None once destroyed."""
    key_id: int | None
    as_of: str
    received_at: str

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        """What judging found, language-free; read when asked, since most rows are only counted."""
        found: list[Mapping[str, Any]] = orjson.loads(self.findings_json)
        return found

    @property
    def told_version(self) -> int:
        """The version that people are told: the provider's own, 1 where the record has none."""
        return 1 if self.is_keyed else (self.version - 1) % MAX_VERSION + 1

    @property
    def removed(self) -> Mapping[str, Any]:
        """What was left out, counted."""
        told: Mapping[str, Any] = orjson.loads(self.removed_json)
        return told

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the record over its versions."""
        return (self.type, self.id)


class Stamp(NamedTuple):
    """What is there of one client; two equal stamps mean that nothing was added between them."""

    clients: tuple[str, ...]
    """Every reference of the client, the one that the others are filed as first."""
    own: int
    """Newest row of the client."""
    rows: int
    """Number of the client's rows: a row that was numbered early may be committed late."""
    shared: int
    """Newest row of what the provider's clients share."""
    document: int
    """Newest document of the client."""
    elsewhere: int
    """Newest row of what was delivered of the client's records for others."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One record on its way into the database."""

    type: str
    id: str
    version: int
    is_keyed: bool
    client_ref: str | None
    ticket: str
    digest: str
    is_cancelled: bool
    findings: Sequence[Mapping[str, Any]]
    removed: Mapping[str, Any]
    facts: bytes
    payload: bytes
    key_id: int
    content: bytes
    """Plain digest of the canonical record, for comparing; never stored."""
    plain: bytes
    """What the payload seals, for comparing with records that came from another installation."""
    state: str = RECEIVED
    outcome: Outcome | None = None

    @property
    def identity(self) -> tuple[str, str, int]:
        """What makes it the same record in the same version."""
        return (self.type, self.id, self.version)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same record."""
        return (self.type, self.id)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What judging changed about one stored record."""

    row: int
    outcome: Outcome | None
    findings: Sequence[Mapping[str, Any]]
    removed: Mapping[str, Any]
    state: str = SETTLED


COLUMNS = (
    record.c.id, record.c.provider, record.c.purchaser, record.c.source, record.c.type, record.c.record_id,
    record.c.version, record.c.is_keyed, record.c.client_ref, record.c.ticket, record.c.digest,
    record.c.is_cancelled, record.c.state, record.c.outcome, record.c.findings, record.c.removed, record.c.facts,
    record.c.payload, record.c.key_id, record.c.as_of, record.c.received_at,
)  # fmt: skip
"""In the order of `StoredRecord`."""
_CANCELLED, _OUTCOME = ([one.name for one in COLUMNS].index(name) for name in ("is_cancelled", "outcome"))
_KEYED = [one.name for one in COLUMNS].index("is_keyed")
_STORED = select(*COLUMNS).order_by(record.c.id)
# Statements are put together once: putting one together costs more than SQLite takes to carry it out.
_STATES = _STORED.where(
    record.c.provider == bindparam("provider"),
    record.c.purchaser == bindparam("purchaser"),
    tuple_(record.c.type, record.c.record_id).in_(bindparam("keys", expanding=True)),
)
_OF_CLIENT = _STORED.where(
    record.c.client_ref == bindparam("client"), record.c.provider == bindparam("provider")
)  # fmt: skip
_SHARED = _STORED.where(record.c.client_ref.is_(None), record.c.provider == bindparam("provider"))
_BY_ROWS = _STORED.where(record.c.id.in_(bindparam("rows", expanding=True)))
_OWN = (
    record.c.client_ref.in_(bindparam("clients", expanding=True)), record.c.provider == bindparam("provider"),
    record.c.purchaser == bindparam("purchaser"),
)  # fmt: skip
_OF_FILE = _STORED.where(*_OWN, record.c.id > bindparam("after"))
_FACTS = select(record.c.facts).where(
    *_OWN, record.c.type.in_(bindparam("types", expanding=True)), record.c.is_cancelled == 0
)  # fmt: skip
_STAMP = select(
    select(func.coalesce(func.max(record.c.id), 0)).where(*_OWN).scalar_subquery(),
    select(func.count()).select_from(record).where(*_OWN).scalar_subquery(),
    select(func.coalesce(func.max(record.c.id), 0))
    .where(record.c.client_ref.is_(None), record.c.provider == bindparam("provider"))
    .scalar_subquery(),
    select(func.coalesce(func.max(document.c.sequence), 0))
    .where(document.c.client_ref.in_(bindparam("clients", expanding=True)))
    .scalar_subquery(),
)
_ADD_KEYS = data_key.insert()
_ADD_RECORDS = record.insert().returning(record.c.id, sort_by_parameter_order=True)
_SETTLE = (
    update(record)
    .where(record.c.id == bindparam("row"))
    .values(
        outcome=bindparam("new_outcome"),
        findings=bindparam("new_findings"),
        removed=bindparam("new_removed"),
        state=bindparam("new_state"),
        settled_at=bindparam("now"),
    )
)
_FINGERPRINTS = select(fingerprint.c.cls, fingerprint.c.value).where(fingerprint.c.client_ref == bindparam("client"))


def states(
    tx: Connection, provider: str, purchaser: str, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[StoredRecord]]:
    """Stored records with these (type, id) in one purchaser's register, lowest version first."""
    wanted, common = sorted(set(keys)), {"provider": provider, "purchaser": purchaser}
    found: dict[tuple[str, str], list[StoredRecord]] = {}
    for start in range(0, len(wanted), 300):
        for stored in _read(tx, _STATES, common | {"keys": wanted[start : start + 300]}):
            found.setdefault(stored.key, []).append(stored)
    return {key: sorted(known, key=lambda one: one.version) for key, known in found.items()}


def add(tx: Connection, common: Mapping[str, str], new: Sequence[NewRecord], now: datetime) -> list[int]:
    """Store new records with their data keys; gives the row of each, in order.

    Args:
        tx: the caller's transaction.
        common: provider, purchaser, source and as_of of the delivery.
        new: the records.
        now: when they were received.
    """
    if not new:
        return []
    moment = instant(now)
    tx.execute(_ADD_KEYS, [{"id": one.key_id, "made_at": moment} for one in new])
    rows = (
        tx.execute(
            _ADD_RECORDS,
            [
                {
                    **common,
                    "type": one.type,
                    "record_id": one.id,
                    "version": one.version,
                    "is_keyed": int(one.is_keyed),
                    "client_ref": one.client_ref,
                    "ticket": one.ticket,
                    "digest": one.digest,
                    "is_cancelled": int(one.is_cancelled),
                    "state": one.state,
                    "outcome": one.outcome,
                    "findings": json_text(one.findings),
                    "removed": json_text(one.removed),
                    "facts": one.facts,
                    "payload": one.payload,
                    "key_id": one.key_id,
                    "received_at": moment,
                }
                for one in new
            ],
        )
        .scalars()
        .all()
    )
    return list(rows)


def of_client(tx: Connection, provider: str, client_ref: str) -> list[StoredRecord]:
    """Every stored record of one client, whichever purchaser's, oldest first."""
    return _read(tx, _OF_CLIENT, {"provider": provider, "client": client_ref})


def of_file(
    tx: Connection, provider: str, purchaser: str, clients: Sequence[str], after: int = 0
) -> list[StoredRecord]:
    """Every record of some clients in one purchaser's register, behind a row, oldest first."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients), "after": after}
    return _read(tx, _OF_FILE, told)


def facts_of(
    tx: Connection, provider: str, purchaser: str, clients: Sequence[str], types: Collection[str]
) -> list[bytes]:
    """Sealed facts of some clients' records of some types that are not cancelled, and nothing else of them."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients), "types": list(types)}
    return list(tx.execute(_FACTS, told).scalars())


def shared(tx: Connection, provider: str) -> list[StoredRecord]:
    """Records of the provider that are about no client: staff, units, the provider itself."""
    return _read(tx, _SHARED, {"provider": provider})


def counted(tx: Connection, provider: str, purchaser: str, clients: Sequence[str]) -> tuple[int, int, int, int]:
    """Newest row and number of rows of some clients, newest shared row, newest document (`Stamp`)."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients)}
    own, rows, shared_, made = tx.execute(_STAMP, told).one()
    return int(own), int(rows), int(shared_), int(made)


def settle(tx: Connection, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Write down what judging said about stored records."""
    if not verdicts:
        return
    tx.execute(
        _SETTLE,
        [
            {
                "row": one.row,
                "new_outcome": one.outcome,
                "new_findings": json_text(one.findings),
                "new_removed": json_text(one.removed),
                "new_state": one.state,
                "now": instant(now),
            }
            for one in verdicts
        ],
    )


def differs(stored: StoredRecord, verdict: Verdict) -> bool:
    """Whether judging says something else about a record than what is stored."""
    return (stored.outcome, stored.findings_json, stored.removed_json, stored.state) != (
        verdict.outcome, json_text(verdict.findings), json_text(verdict.removed), verdict.state
    )  # fmt: skip


def replace_payload(tx: Connection, row: int, payload: bytes) -> None:
    """Store a payload that was masked more strictly."""
    tx.execute(update(record).where(record.c.id == row).values(payload=payload))


def answer(tx: Connection, row: int, removed: Mapping[str, Any]) -> None:
    """Keep what its author allowed about a record, and have it judged again."""
    tx.execute(update(record).where(record.c.id == row).values(removed=json_text(removed), state=RECEIVED))


def keep_digests(tx: Connection, digests: Mapping[int, str]) -> None:
    """Give rows that came from another installation a digest of this one."""
    for row, digest in digests.items():
        tx.execute(update(record).where(record.c.id == row).values(digest=digest))


def allowed(tx: Connection, client_ref: str) -> dict[int, tuple[tuple[str, str], ...]]:
    """Row -> (field, class) that its author has allowed, of the records of one client of which anything was."""
    query = select(record.c.id, record.c.removed).where(
        record.c.client_ref == client_ref, record.c.removed.contains('"allowed"')
    )
    return {
        int(row): tuple((str(one["field"]), str(one["class"])) for one in orjson.loads(removed)["allowed"])
        for row, removed in tx.execute(query)
    }


_JUDGEABLE = record.c.facts.is_not(None)
"""What rules need of the record is known still."""


def reopen(tx: Connection, provider: str, outcomes: Collection[Outcome] = (Outcome.HELD,)) -> None:
    """Have the provider's held records (or others) judged again: what they wait for may have come."""
    held = (
        record.c.provider == provider, record.c.outcome.in_(outcomes), record.c.client_ref.is_not(None),
        record.c.payload.is_not(None) | record.c.outcome.not_in((Outcome.HELD, Outcome.REFUSED)), _JUDGEABLE,
    )  # fmt: skip
    tx.execute(update(record).where(*held).values(state=RECEIVED))


def reopen_all(tx: Connection, provider: str) -> None:
    """Have every standing record of the provider's clients judged again: what their documents may tell has changed."""
    standing = (
        record.c.provider == provider, record.c.client_ref.is_not(None), _JUDGEABLE,
        record.c.outcome.in_([one for one in Outcome if one.makes_document]),
    )  # fmt: skip
    tx.execute(update(record).where(*standing).values(state=RECEIVED))


def judge_again(tx: Connection, provider: str, purchaser: str, clients: Collection[str]) -> None:
    """Have every record of some clients in one purchaser's register judged again."""
    own = (record.c.provider == provider, record.c.purchaser == purchaser, record.c.client_ref.in_(clients))
    tx.execute(update(record).where(*own, _JUDGEABLE).values(state=RECEIVED))


def reopen_these(tx: Connection, provider: str, keys: Collection[tuple[str, str]]) -> None:
    """Have single records of a provider, by type and id, judged again: something was told of them."""
    for record_type, record_id in sorted(set(keys)):
        one = (record.c.provider == provider, record.c.type == record_type, record.c.record_id == record_id)
        tx.execute(update(record).where(*one, record.c.client_ref.is_not(None), _JUDGEABLE).values(state=RECEIVED))


def verdicts(tx: Connection, rows: Iterable[int]) -> dict[int, tuple[Outcome | None, Sequence[Mapping[str, Any]]]]:
    """Outcome and findings of the records in these rows, and nothing else of them."""
    wanted = sorted(set(rows))
    found: dict[int, tuple[Outcome | None, Sequence[Mapping[str, Any]]]] = {}
    for start in range(0, len(wanted), PARAMETERS):
        query = select(record.c.id, record.c.outcome, record.c.findings).where(
            record.c.id.in_(wanted[start : start + PARAMETERS])
        )
        for row, outcome, findings in tx.execute(query):
            found[int(row)] = (Outcome(outcome) if outcome else None, orjson.loads(findings))
    return found


def waiting(tx: Connection, provider: str | None = None) -> list[tuple[str, str, str]]:
    """(provider, purchaser, client) of every client with records that wait for judging."""
    query = select(record.c.provider, record.c.purchaser, record.c.client_ref).where(
        record.c.state == RECEIVED, record.c.client_ref.is_not(None)
    )
    if provider is not None:
        query = query.where(record.c.provider == provider)
    return [(str(one[0]), str(one[1]), str(one[2])) for one in tx.execute(query.distinct())]


def purchasers(tx: Connection, provider: str, client_ref: str) -> list[str]:
    """The purchasers in whose registers a provider's client stands."""
    query = select(record.c.purchaser).where(record.c.provider == provider, record.c.client_ref == client_ref)
    return sorted(tx.execute(query.distinct()).scalars())


def registers(tx: Connection, client_ref: str) -> list[tuple[str, str]]:
    """Provider and purchaser of every register in which a client stands."""
    query = select(record.c.provider, record.c.purchaser).where(record.c.client_ref == client_ref).distinct()
    return sorted((str(one[0]), str(one[1])) for one in tx.execute(query))


def seen_again(tx: Connection, rows: Collection[int], as_of: str) -> list[str]:
    """Remember that records came again in a later delivery: deadlines are read as of its day.

    Args:
        tx: the caller's transaction.
        rows: the records that were delivered again.
        as_of: the day of the delivery.

    Returns:
        References of the clients that have to be judged again.
    """
    found: set[str] = set()
    wanted = sorted(rows)
    for start in range(0, len(wanted), PARAMETERS):
        older = (record.c.id.in_(wanted[start : start + PARAMETERS]), record.c.as_of < as_of)
        own = (*older, record.c.client_ref.is_not(None), _JUDGEABLE)
        found.update(tx.execute(select(record.c.client_ref).where(*own)).scalars())
        tx.execute(update(record).where(*own).values(as_of=as_of, state=RECEIVED))
    return sorted(found)


def subjects(tx: Connection, types: Collection[str]) -> list[tuple[str, str, str]]:
    """(provider, purchaser, reference) of everything that records are about.

    Args:
        tx: a reading transaction.
        types: record types that tell of a subject itself, such as client.
    """
    query = select(record.c.provider, record.c.purchaser, record.c.client_ref)
    query = query.where(record.c.type.in_(types), record.c.client_ref.is_not(None))
    return [(str(one[0]), str(one[1]), str(one[2])) for one in tx.execute(query.distinct())]


def by_ticket(tx: Connection, ticket: str) -> StoredRecord | None:
    """The record with this ticket."""
    return next(iter(_read(tx, _STORED.where(record.c.ticket == ticket), {})), None)


def owner(tx: Connection, ticket: str) -> Row[Any, Any, Any, Any] | None:
    """Whose a record is, and its type: provider, purchaser, client_ref, type; nothing of it is opened."""
    query = select(record.c.provider, record.c.purchaser, record.c.client_ref, record.c.type)
    return tx.execute(query.where(record.c.ticket == ticket)).first()


def by_rows(tx: Connection, rows: Iterable[int]) -> list[StoredRecord]:
    """The records in these rows."""
    wanted = sorted(rows)
    parts = (wanted[start : start + PARAMETERS] for start in range(0, len(wanted), PARAMETERS))
    return [one for part in parts for one in _read(tx, _BY_ROWS, {"rows": part})]


def add_fingerprints(tx: Connection, client_ref: str, prints: Iterable[tuple[str, str]]) -> None:
    """Keep keyed fingerprints of a client's contact data; known ones stay."""
    have = fingerprints(tx, client_ref)
    new = [{"client_ref": client_ref, "cls": cls, "value": value} for cls, value in sorted(set(prints) - have)]
    if new:
        tx.execute(fingerprint.insert(), new)


def fingerprints(tx: Connection, client_ref: str) -> set[tuple[str, str]]:
    """The keyed fingerprints of a client's contact data."""
    return {(str(one[0]), str(one[1])) for one in tx.execute(_FINGERPRINTS, {"client": client_ref})}


def counts(tx: Connection) -> dict[str, int]:
    """Number of records by outcome; `received` for those not judged yet."""
    query = select(func.coalesce(record.c.outcome, RECEIVED), func.count()).group_by(record.c.outcome)
    return {str(one[0]): int(one[1]) for one in tx.execute(query)}


def json_text(value: Any) -> str:
    """A value as the text columns hold it."""
    return orjson.dumps(value).decode()


def _read(tx: Connection, query: Select[Any], values: Mapping[str, Any]) -> list[StoredRecord]:
    return [from_row(row) for row in tx.execute(query, values)]


def from_row(row: Sequence[Any]) -> StoredRecord:
    """A row of `COLUMNS`; what stands behind them is left alone."""
    values = list(row[: len(COLUMNS)])
    values[_CANCELLED], values[_KEYED] = bool(values[_CANCELLED]), bool(values[_KEYED])
    values[_OUTCOME] = Outcome(values[_OUTCOME]) if values[_OUTCOME] else None
    return StoredRecord(*values)
