"""First half of the way: delivered records are masked, sealed and stored with their audit entries.

* Sameness is of the canonical record: RFC 8785 bytes of the mapped fields, a keyed digest of the rest (GEN-01).
* Contact data of a client is turned into keyed fingerprints and never stored.
* A commit stores a batch with its entries or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from kanta_gateway import forgotten
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts.facts import facts
from kanta_gateway.model import Caller, Event, Oid, Outcome, Record, instant
from kanta_gateway.pipeline import willbook
from kanta_gateway.pipeline.chains import Forms, rooted
from kanta_gateway.pipeline.minimising import Instruction, masked_findings
from kanta_gateway.pipeline.parts import Parts, Scope, ticket
from kanta_gateway.pipeline.sameness import CONTEXT, ELSEWHERE, Key, Place, Sorter, mark
from kanta_gateway.pipeline.samepeople import mark as mark_of
from kanta_gateway.pipeline.wording import canonical, told_findings, told_removed
from kanta_gateway.privacy.envelope import DataKey, seal, sealed_hash
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.privacy.minimise import sift
from kanta_gateway.spool import deliveries, identities, moves, records
from kanta_gateway.spool.deliveries import Pointer
from kanta_gateway.spool.identities import Told
from kanta_gateway.spool.records import NewRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.spool.records import StoredRecord

_OF_THE_WORDING = ("empty", "filled", "words")
"""Facts that only tell whether there is a text, and which of the contract's words it holds."""
BATCH = 400
"""Records in one commit: group commit without a long write lock."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known about one delivery as a whole."""

    id: str
    provider: Oid
    controller: Oid
    purchaser: str
    source: str
    as_of: date
    is_contract_known: bool = True


@dataclass(slots=True)
class Taken:
    """What became of the delivered records so far."""

    first: tuple[int, bool] | None = None
    """Row of the first delivered record, and whether it is a duplicate; nothing is kept of each of the others."""
    count: int = 0
    """How many records were delivered."""
    clients: set[str] = field(default_factory=set)
    has_shared_news: bool = False
    """Staff, units or the provider changed: held records may stand now."""
    part: int = 0
    """Which record of its delivered row the last one was."""

    def take(self, row: int, *, is_again: bool, is_part: bool) -> None:
        """Count one record; one that stands in the row of the record before it opens no row of its own."""
        if is_part and self.count:
            self.part += 1
            return
        self.part = 0
        self.count += 1
        self.first = self.first or (row, is_again)


@dataclass(frozen=True, slots=True)
class _Prepared:
    record: Record
    new: NewRecord
    key: DataKey
    prints: frozenset[tuple[str, str]]
    person: str
    """Who the client is, where the record tells (`samepeople`)."""


class Receiver:
    """Takes canonical records into the store."""

    def __init__(self, parts: Parts, scope: Scope) -> None:
        self._parts = parts
        self._scope = scope

    def take(self, delivered: Iterable[Record], delivery: Delivery, caller: Caller) -> Taken:
        """Store delivered records with their entries, batch by batch.

        Args:
            delivered: the records, in any order; ones that count as no row (`is_row`) are stored too.
            delivery: what is known about the delivery.
            caller: who delivers.
        """
        taken = Taken()
        for given in _batches(delivered, BATCH):
            with self._scope.read() as tx:
                batch = rooted(given, partial(deliveries.chains, tx, delivery.provider))
                forms = Forms(batch, partial(records.states, tx, delivery.provider, delivery.purchaser))
            prepared = [self._prepare(forms.known(one), delivery) for one in batch]
            with self._scope.write() as tx:
                self._store(tx, prepared, delivery, caller, taken, forms)
        return taken

    def _prepare(self, record: Record, delivery: Delivery) -> _Prepared:
        """Everything that needs no database: digest, fingerprints, masking, facts, sealing."""
        parts, policy = self._parts, self._parts.types[record.type]
        content, extra = self._content(record), dict[str, Any]()
        prints: frozenset[tuple[str, str]] = frozenset()
        if "contact" in record.content:
            prints = frozenset(parts.fingerprints.of_contact(record.content["contact"]))
            record = replace(record, content=_without(record.content, "contact"))
        if (code := identity_code(str(record.content.get("identity_code", "")))) is not None:
            extra["birth_date"] = code.birth_date.isoformat()
        if categories := parts.notices.lists.categories(record.type, record.content):
            extra["categories"] = categories
        extra["contract_known"] = delivery.is_contract_known
        contract = parts.contracts[delivery.purchaser]
        sifted = sift(parts.scanner, record.content, Instruction(parts.scanner, contract).at_receiving(policy))
        written, record = record, replace(record, content=sifted.content)
        told = (*record.findings, *masked_findings(sifted.masked, contract.minimisation.clause))
        kept = facts(contract, record, extra)
        if sifted.masked:  # rules look at what was written, not at the marks in its place
            kept |= {name: value for name, value in facts(contract, written, extra).items() if name in _OF_THE_WORDING}
        removed = told_removed({**record.dropped, **sifted.dropped}, sifted.masked)
        data_key = parts.vault.new_key()
        reference = parts.keyring.subject(policy, record, delivery.provider)
        plain = canonical({**record.content, "_client": record.client})
        new = NewRecord(
            type=record.type, id=record.id, version=record.version, is_keyed=record.is_keyed,
            client_ref=reference, ticket=ticket(), digest=mark(data_key.key, content), is_cancelled=record.is_cancelled,
            findings=told_findings(told),
            removed=removed,
            facts=parts.keyring.seal_facts({"facts": kept, "reading": told_findings(told)}),
            payload=seal(data_key.key, plain, CONTEXT), key_id=data_key.id, content=content, plain=plain,
            state=records.RECEIVED if reference is not None else records.SETTLED,
            outcome=None if reference is not None else Outcome.REFERENCE,
        )  # fmt: skip
        person = mark_of(parts, delivery.controller, record.content) if not record.is_cancelled else ""
        return _Prepared(record, new, data_key, prints, person)

    def _content(self, record: Record) -> bytes:
        """Plain digest of everything that makes a record this one (GEN-01)."""
        keyring = self._parts.keyring
        whole = {
            "type": record.type,
            "id": record.id,
            "version": record.version,
            "cancelled": record.is_cancelled,
            "client": record.client,
            "content": {name: value for name, value in record.content.items() if name not in record.beside},
            "rest": keyring.digest(record.rest),
        }
        return sha256(canonical(whole)).digest()

    def _sorted(
        self, tx: Connection, batch: Sequence[_Prepared], delivery: Delivery, forms: Forms
    ) -> tuple[list[tuple[_Prepared, Place]], list[NewRecord], Mapping[Key, Sequence[StoredRecord]]]:
        """Where each record belongs, with what it takes the place of; the new ones among them; what there was."""
        keys = ((kind, one.new.id) for one in batch for kind in (one.new.type, *one.record.siblings))
        stored = records.states(tx, delivery.provider, delivery.purchaser, keys)
        sorter = Sorter(self._parts.types, stored, self._parts.vault.keys)
        places: list[tuple[_Prepared, Place]] = []
        for one in batch:
            places.append((one, place := sorter.place(one.new)))
            if place.is_again:
                continue
            for gone in forms.displaced(one.record, sorter.fresh[place.fresh].version):
                other = self._prepare(gone, delivery)
                places.append((other, sorter.place(other.new)))
        records.keep_digests(tx, sorter.recognised)
        return places, sorter.fresh, stored

    def _store(
        self, tx: Connection, batch: Sequence[_Prepared], delivery: Delivery, caller: Caller, taken: Taken,
        forms: Forms,
    ) -> None:  # fmt: skip
        now = self._parts.now()
        places, fresh, stored = self._sorted(tx, batch, delivery, forms)
        common = {
            "provider": delivery.provider, "purchaser": delivery.purchaser,
            "source": delivery.source, "as_of": delivery.as_of.isoformat(),
        }  # fmt: skip
        rows = records.add(tx, common, fresh, now)
        used = {one.key_id for one in fresh}
        self._parts.vault.give_back(one.key for one, _ in places if one.key.id not in used)
        if self._scope.is_dry:
            self._scope.keys += [one.key for one, _ in places if one.key.id in used]
        if any(one.client_ref is None for one in fresh):  # in this transaction: a crash before judging forgets nothing
            records.reopen(tx, delivery.provider)
        identities.note(tx, delivery.provider, delivery.purchaser, [
            Told(new.client_ref, new.version, one.person)
            for one, place in places if place.stored is None
            for new in (fresh[place.fresh],)
            if new.client_ref is not None and self._parts.types[new.type].is_subject
        ])  # fmt: skip
        forgotten.note(tx, willbook.noted(self._parts, fresh, delivery.provider, delivery.purchaser, instant(now)))
        events = self._moves(tx, fresh, stored, delivery, caller, taken)
        again = {place.stored.row for _, place in places if place.stored is not None}
        taken.clients.update(records.seen_again(tx, again, delivery.as_of.isoformat()))
        pointers: list[Pointer] = []
        before = {key: {old.version: sealed_hash(old.payload) for old in known} for key, known in stored.items()}
        for one, place in places:
            if place.stored is None:
                row, ticket_ = rows[place.fresh], fresh[place.fresh].ticket
            else:
                row, ticket_ = place.stored.row, place.stored.ticket
            if one.record.is_row or one.record.is_part:
                taken.take(row, is_again=place.is_again, is_part=one.record.is_part)
                pointers.append(Pointer(
                    taken.count - 1, taken.part, row, one.record.label, place.is_again, place.is_older
                ))  # fmt: skip
            if not place.is_again:
                self._note(tx, one, taken, delivery.provider)
            elif place.stored is not None and place.stored.digest == ELSEWHERE:
                self._learn(tx, one, delivery.provider)
            events.extend(self._events(one, delivery, caller, ticket_, is_duplicate=place.is_again, before=before))
            before.setdefault(one.new.key, {})[one.new.version] = sealed_hash(one.new.payload)
        if delivery.id:  # a single record is no delivery with a result of its own: its ticket tells
            deliveries.point(tx, delivery.id, pointers)
        self._parts.log.append(tx, events)

    def _protect(self, tx: Connection, client_ref: str, provider: str) -> None:
        """Keep a client under turvakielto out of the texts of all others, those that wait to be sent too."""
        together = self._parts.keyring.protected(provider)
        known = records.fingerprints(tx, together)
        news = records.fingerprints(tx, client_ref) - known
        if news:
            records.add_fingerprints(tx, together, news)
            records.reopen_all(tx, provider)

    def _moves(
        self, tx: Connection, fresh: Sequence[NewRecord], stored: Mapping[Key, Sequence[StoredRecord]],
        delivery: Delivery, caller: Caller, taken: Taken,
    ) -> list[AuditEvent]:  # fmt: skip
        """Note records that came for another client before; the files of all their clients are judged again."""
        clients: dict[Key, dict[str, str]] = {}
        for new in fresh:
            known = [(one.client_ref, one.ticket) for one in stored.get(new.key, ())]
            clients.setdefault(new.key, {}).update(
                (ref, ticket_) for ref, ticket_ in (*known, (new.client_ref, new.ticket)) if ref is not None
            )
        found = {key: refs for key, refs in clients.items() if len(refs) > 1}
        moves.note(tx, delivery.provider, delivery.purchaser, found)
        taken.clients.update(ref for refs in found.values() for ref in refs)
        return [
            AuditEvent(
                event=Event.RECORD_MOVE, caller=caller, at=self._parts.now(), client_ref=ref, subject=ticket_,
                provider=delivery.provider, controller=delivery.controller, purpose=caller.purpose,
                basis="703/2023 §14", details={"type": key[0], "delivery": delivery.id},
            )
            for key, refs in sorted(found.items())
            for ref, ticket_ in sorted(refs.items())
        ]  # fmt: skip

    def _note(self, tx: Connection, one: _Prepared, taken: Taken, provider: str) -> None:
        """Remember whom a new record concerns, and keep the fingerprints it brought."""
        if one.new.client_ref is None:
            taken.has_shared_news = True
            return
        taken.clients.add(one.new.client_ref)
        self._learn(tx, one, provider)

    def _learn(self, tx: Connection, one: _Prepared, provider: str) -> None:
        """Keep the fingerprints of contact data; a package brings none, so its clients' are learnt when they come."""
        if one.new.client_ref is not None and one.prints:
            records.add_fingerprints(tx, one.new.client_ref, one.prints)
        if one.new.client_ref is not None and one.record.content.get("non_disclosure") is True:
            self._protect(tx, one.new.client_ref, provider)

    def _client(self, new: NewRecord) -> str | None:
        """The client of a record for the log; None for what is about no client."""
        return new.client_ref if self._parts.types[new.type].about == "client" else None

    def _events(
        self, one: _Prepared, delivery: Delivery, caller: Caller, subject: str, *, is_duplicate: bool,
        before: Mapping[Key, Mapping[int, str]],
    ) -> Iterator[AuditEvent]:  # fmt: skip
        earlier = {version: told for version, told in before.get(one.new.key, {}).items() if version < one.new.version}
        hashes = {"after": sealed_hash(one.new.payload), **({"before": earlier[max(earlier)]} if earlier else {})}
        common: dict[str, Any] = {
            "caller": caller, "at": self._parts.now(), "client_ref": self._client(one.new),
            "subject": subject, "provider": delivery.provider, "controller": delivery.controller,
            "purpose": caller.purpose, "basis": "703/2023 §14",
        }  # fmt: skip
        yield AuditEvent(
            event=Event.RECORD_SUBMIT,
            details={"type": one.new.type, "version": one.new.version, "duplicate": is_duplicate,
                     "delivery": delivery.id, "source": delivery.source, **({} if is_duplicate else hashes)},
            **common,
        )  # fmt: skip
        if not is_duplicate and (one.new.removed["dropped"] or one.new.removed["masked"]):
            yield AuditEvent(event=Event.DOCUMENT_DROP, details=dict(one.new.removed), **common)


def _batches(items: Iterable[Record], size: int) -> Iterator[list[Record]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _without(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}
