"""Reads files of persons from the store: whose records they hold, and what changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from kanta_gateway.access import parties, register
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.notices.store import disclosed
from kanta_gateway.pipeline.casefile import NOTHING, CaseFile, SharedFile, Terms, ToldDays, entry, opened
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool import moves, persons, records
from kanta_gateway.spool.records import Stamp, StoredRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection


def stamp_of(
    tx: Connection, provider: str, purchaser: str, client_ref: str, clients: Sequence[str] | None = None
) -> Stamp:
    """What is there of a person now.

    Args:
        tx: a reading transaction.
        provider: OID of the provider.
        purchaser: name of the contract: whose register.
        client_ref: keyed reference of any of the person's clients.
        clients: every reference of the person; those that are linked now where it is left out.
    """
    refs = tuple(clients) if clients else persons.group(tx, provider, purchaser, client_ref)
    own, rows, shared, document = records.counted(tx, provider, purchaser, refs)
    return Stamp(refs, own, rows, shared, document, moves.newest(tx, provider, purchaser, refs))


def load(
    parts: Parts, tx: Connection, provider: str, purchaser: str, client_ref: str, shared: SharedFile | None, *,
    known: CaseFile | None = None, clients: Sequence[str] | None = None,
) -> CaseFile:  # fmt: skip
    """Read one person's file.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        purchaser: name of the contract: whose register.
        client_ref: keyed reference of any of the person's clients.
        shared: the provider's shared file if it is at hand; read again when it is not the newest.
        known: the file if it is at hand; only what came after it is read.
        clients: every reference of the person; those that are linked now where it is left out.
    """
    stamp = stamp_of(tx, provider, purchaser, client_ref, clients)
    if shared is None or max((one.row for one in shared.rows), default=0) != stamp.shared:
        shared = load_shared(parts, tx, provider)
    told = told_days(parts, tx, provider, stamp.clients)
    if known is None or known.stamp.clients != stamp.clients or known.told != told:
        known = CaseFile(provider, purchaser, stamp.clients[0], (), (), set(), frozenset(), {}, NOTHING,
                         shared, parts, told=told)  # fmt: skip
    is_newer = stamp.own > known.stamp.own
    rows = records.of_file(tx, provider, purchaser, stamp.clients, known.stamp.own) if is_newer else []
    if len(known.rows) + len(rows) != stamp.rows:  # one with an earlier number was committed after the known ones
        known, rows = (
            replace(known, rows=(), entries=()), records.of_file(tx, provider, purchaser, stamp.clients)
        )  # fmt: skip
    entries = [*known.entries, *(entry(parts, one, told.get(one.key)) for one in rows if one.facts is not None)]
    is_secret = any(one.type == "client" and one.facts.get("non_disclosure") for one in entries)
    prints = set().union(*(records.fingerprints(tx, ref) for ref in stamp.clients)) if is_secret else set()
    protected = frozenset(records.fingerprints(tx, parts.keyring.protected(provider)) - prints)
    allowed = {row: told_ for ref in stamp.clients for row, told_ in records.allowed(tx, ref).items()}
    case = replace(
        known, rows=[*known.rows, *rows], entries=entries, prints=prints, protected=protected, allowed=allowed,
        stamp=stamp, shared=shared, terms=load_terms(tx, provider, stamp.clients, known.terms),
    )  # fmt: skip
    if stamp.elsewhere:
        found = moves.elsewhere(tx, provider, purchaser, stamp.clients)
        case.elsewhere = [replace(entry(parts, one), is_elsewhere=True) for one in found]
        case.others = _others(parts, tx, provider, purchaser, found)
    return case


def load_terms(tx: Connection, provider: str, clients: Collection[str], known: Terms) -> Terms:
    """What is registered about a provider and some clients of its, unless what is at hand is still so."""
    version = register.version(tx)
    if version == known.version:
        return known
    return Terms(version, tuple(parties.agreements(tx, provider, clients)), parties.unit_owners(tx))


def told_days(parts: Parts, tx: Connection, provider: str, clients: Iterable[str]) -> ToldDays:
    """When notices told of some clients' records: the first time counts.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    every = (one for ref in clients for one in disclosed(tx, provider, ref))
    for name, items, at in sorted(every, key=lambda one: one[2]):
        known = parts.notices.types.get(name)
        fields = {group.name: group.told_in for group in known.groups} if known is not None else {}
        day = datetime.fromisoformat(at).astimezone(HELSINKI).date().isoformat()
        for item in items:
            if told_in := fields.get(item["group"]):
                found.setdefault((item["type"], item["id"]), {}).setdefault(told_in, day)
    return found


def files(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str] = ()
) -> Iterator[CaseFile]:
    """The files of clients, each person's once for every purchaser in whose register they stand.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone, since no contract with them is in force.
    """
    shared: SharedFile | None = None
    seen: set[tuple[str, str]] = set()
    for client_ref in clients:
        for purchaser in records.purchasers(tx, provider, client_ref):
            filed_as = persons.group(tx, provider, purchaser, client_ref)[0]
            if purchaser not in closed and (purchaser, filed_as) not in seen:
                seen.add((purchaser, filed_as))
                case = load(parts, tx, provider, purchaser, filed_as, shared)
                shared = case.shared
                yield case


def _others(
    parts: Parts, tx: Connection, provider: str, purchaser: str, found: Sequence[StoredRecord]
) -> Mapping[tuple[str, str], frozenset[tuple[str, str]]]:
    """Record -> fingerprints of the clients under turvakielto for whom it was delivered too."""
    secret: dict[str, frozenset[tuple[str, str]]] = {}
    for ref in {str(one.client_ref) for one in found}:
        told = (one for one in records.of_file(tx, provider, purchaser, [ref]) if one.type == "client")
        if any(entry(parts, one).facts.get("non_disclosure") for one in told):
            secret[ref] = frozenset(records.fingerprints(tx, ref))
    by_record: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
    for one in found:
        if one.client_ref in secret:
            by_record[one.key] = by_record.get(one.key, frozenset()) | secret[str(one.client_ref)]
    return by_record


def load_shared(parts: Parts, tx: Connection, provider: str) -> SharedFile:
    """Read what the provider's clients have in common."""
    rows = records.shared(tx, provider)
    return SharedFile(
        rows=tuple(rows),
        entries=tuple(entry(parts, one) for one in rows),
        contents={one.row: opened(parts, one) for one in rows},
    )
