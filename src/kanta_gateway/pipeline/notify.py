"""Notices follow the judgement: what is due for a client waits, and what is no longer so is taken back or corrected.

* Made in the transaction that stores the judgement, so that a notice and what it tells of are never apart.
* Only what stands is told: nothing held or refused, nothing that a later version has replaced.
* The notice types and the contract decide what; this module only lays the client's file before them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts.calendar import later, workdays_later
from kanta_gateway.model import Caller, Event, Oid, Outcome
from kanta_gateway.notices import store
from kanta_gateway.notices.due import Draft, Fact, Subject, Teller, Told, fits
from kanta_gateway.notices.states import TOLD, NoticeState
from kanta_gateway.notices.store import NewNotice, StoredNotice
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.wording import canonical
from kanta_gateway.privacy.envelope import open_sealed, seal, sealed_hash
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.parties import Agreement
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.contracts.situation import Situation
    from kanta_gateway.contracts.terms import NoticeTerms
    from kanta_gateway.notices.typereader import NoticeType, Within
    from kanta_gateway.pipeline.casefile import CaseFile

STANDS = frozenset({Outcome.ACCEPTED, Outcome.FLAGGED, Outcome.REPLACEMENT, Outcome.REFERENCE})
BASIS = "703/2023 §14"
"""Making a notice is use of the organiser's data by its processor; handing it over has a basis of its own."""


class Notifier:
    """Brings the notices of one client up to date with its judgement."""

    def __init__(self, parts: Parts, caller: Caller) -> None:
        self._parts = parts
        self._caller = caller

    def update(
        self, tx: Connection, case: CaseFile, situation: Situation, contract: Contract, agreement: Agreement
    ) -> None:
        """Store, renew and take back what waits, with the entries about it.

        Args:
            tx: the transaction that has stored the judgement.
            case: the client's file.
            situation: what was judged.
            contract: the purchaser's contract.
            agreement: the parties.
        """
        wanted = [(one, self._parts.notices.types[one.notice]) for one in contract.notices if one.is_made]
        if not wanted:
            return
        every = store.of_subject(tx, case.provider, case.client_ref)
        known = [one for one in every if one.purchaser == case.purchaser]
        subject = _View(self._parts, tx, case, situation, agreement).subject([kind for _, kind in wanted])
        events: list[AuditEvent] = []
        for terms, kind in wanted:
            of_type = [one for one in known if one.type == kind.name]
            drafts = self._teller(terms, kind).due(_with_told(subject, of_type)) if subject is not None else []
            events += self._apply(tx, drafts, of_type, kind, case, agreement)
        self._parts.log.append(tx, events)

    def _teller(self, terms: NoticeTerms, kind: NoticeType) -> Teller:
        keyring = self._parts.keyring
        return Teller(
            kind, self._parts.notices.lists, lambda content: keyring.digest(canonical(content)), self._limit,
            terms.products,
        )  # fmt: skip

    def _limit(self, day: str, within: Within) -> str:
        """The last day in time."""
        if within.until:
            return f"{int(day[:4]) + 1}-{within.until}"
        if within.workdays:
            year = int(day[:4])
            return workdays_later(day, within.workdays, self._parts.holidays(year, year + 1))
        return later(day, within.days)

    def _apply(
        self, tx: Connection, drafts: Sequence[Draft], known: Sequence[StoredNotice], kind: NoticeType,
        case: CaseFile, agreement: Agreement,
    ) -> Iterator[AuditEvent]:  # fmt: skip
        """Bring what waits of one type to what the drafts say."""
        waiting = [one for one in known if one.state is NoticeState.WAITING]
        now = self._parts.now()
        for draft in drafts:
            old = _same(draft, waiting)
            if old is not None:
                waiting.remove(old)
            if old is not None and self._is_same(old, draft):
                continue
            new = self._new(old.id if old is not None else str(uuid.uuid4()), draft, kind, case, agreement)
            if old is None:
                store.add(tx, new, now)
            else:
                store.renew(tx, old, new, now)
            details = {"type": kind.name, "facts": len(draft.items), "corrects": draft.corrects,
                       "renewed": old is not None, "after": sealed_hash(new.payload),
                       **({"before": sealed_hash(old.payload)} if old is not None else {})}  # fmt: skip
            yield self._event(Event.NOTICE_MAKE, new.id, case, agreement, details)
        for old in waiting:
            store.withdraw(tx, old, now)
            yield self._event(Event.NOTICE_WITHDRAW, old.id, case, agreement, {"type": kind.name})

    def _is_same(self, old: StoredNotice, draft: Draft) -> bool:
        return (
            list(old.items) == _items(draft)
            and old.recipients == draft.recipients
            and (old.send_on, old.ready_on, old.due_on) == (draft.send_on, draft.ready_on, draft.due_on)
            and content_of(self._parts, old) == orjson.loads(canonical(draft.content))
        )

    def _new(self, id_: str, draft: Draft, kind: NoticeType, case: CaseFile, agreement: Agreement) -> NewNotice:
        key = self._parts.vault.new_key()
        return NewNotice(
            id=id_, provider=agreement.provider.oid, organiser=agreement.organiser.oid, purchaser=agreement.purchaser,
            client_ref=case.client_ref, is_client=case.is_of_client, type=kind.name,
            corrects=draft.corrects, recipients=draft.recipients, items=_items(draft),
            payload=seal(key.key, canonical(draft.content), b"notice"), key_id=key.id,
            send_on=draft.send_on, ready_on=draft.ready_on, due_on=draft.due_on,
        )  # fmt: skip

    def _event(
        self, event: Event, subject: str, case: CaseFile, agreement: Agreement, details: Mapping[str, Any]
    ) -> AuditEvent:
        return AuditEvent(
            event=event, caller=self._caller, at=self._parts.now(),
            client_ref=case.client_ref if case.is_of_client else None, subject=subject,
            provider=Oid(case.provider), controller=agreement.organiser.oid, purpose=self._caller.purpose,
            basis=BASIS, details=details,
        )  # fmt: skip


class _View:
    """One client's file as notices see it."""

    def __init__(
        self, parts: Parts, tx: Connection, case: CaseFile, situation: Situation, agreement: Agreement
    ) -> None:
        self._parts = parts
        self._tx = tx
        self._case = case
        self._situation = situation
        self._agreement = agreement

    def subject(self, kinds: Sequence[NoticeType]) -> Subject | None:
        """What notices of some types may tell of the client; None while the client is not known."""
        client = self._situation.client
        if client is None and self._case.is_of_client:
            return None
        groups = [group for kind in kinds for group in kind.groups]
        types = {record_type for group in groups for record_type in group.records}  # most records are of none
        live = [
            one
            for one in self._situation.resolution.live
            if one.type in types and any(fits(group, one.type, one.facts) for group in groups)
        ]
        verdicts = records.verdicts(self._tx, (one.row for one in live))
        facts = [
            self._fact(one, verdicts[one.row][1]) for one in live if verdicts.get(one.row, (None, ()))[0] in STANDS
        ]
        parties = {
            "organiser": {"oid": self._agreement.organiser.oid, "name": self._agreement.organiser.name},
            "provider": {"oid": self._agreement.provider.oid, "name": self._agreement.provider.name},
        }  # fmt: skip
        return Subject(
            facts, {**parties, "client": self._client()},
            is_secret=client is not None and client.facts.get("non_disclosure") is not False, past=self._past,
        )  # fmt: skip

    def _client(self) -> Mapping[str, Any]:
        newest = self._case.client
        if newest is None or self._situation.client is None:
            return {}
        content = self._case.content(newest)
        name = {part: content.get(part) for part in ("surname", "given_names")}
        return {**self._situation.client.facts, "name": name, "identity_code": content.get("identity_code")}

    def _fact(self, one: Entry, found: Sequence[Mapping[str, Any]]) -> Fact:
        period = self._situation.subject(one).period
        product = period.product if period is not None else None
        roots: dict[str, Mapping[str, Any]] = {}
        if period is not None:
            roots = {
                "decision": period.entry.facts,
                "product": {"name": product.name} if product is not None else {},
                "unit": self._situation.unit(period) or {},
            }
        findings = {str(told["rule"]): told.get("params", {}) for told in reversed(found)}
        return Fact(one.type, one.id, one.version, one.day, one.facts, findings, product.code if product else "", roots)

    def _past(self, record_type: str, record_id: str, version: int) -> Fact | None:
        """The state of a record that was told."""
        found = [
            one for one in self._case.entries if (one.type, one.id, one.version) == (record_type, record_id, version)
        ]
        return self._fact(found[-1], ()) if found else None


def content_of(parts: Parts, one: StoredNotice) -> dict[str, Any]:
    """What a notice tells.

    Raises:
        KeyUnavailableError: its key has been destroyed.
    """
    content: dict[str, Any] = orjson.loads(open_sealed(parts.vault.key(one.key_id), one.payload or b"", b"notice"))
    return content


def _with_told(subject: Subject, known: Sequence[StoredNotice]) -> Subject:
    told = [
        Told(one.id, one.corrects or one.id,
             {(item["group"], item["type"], item["id"]): (item["version"], item["mark"]) for item in one.items})
        for one in known if one.state in TOLD
    ]  # fmt: skip
    return Subject(subject.facts, subject.roots, is_secret=subject.is_secret, told=told, past=subject.past)


def _same(draft: Draft, waiting: Sequence[StoredNotice]) -> StoredNotice | None:
    """The waiting notice that tells most of what a draft tells: it keeps its id, which somebody may have been told."""
    keys = {one.key for one in draft.items}

    def shared(one: StoredNotice) -> int:
        return len(keys & {(item["group"], item["type"], item["id"]) for item in one.items})

    mine = [one for one in waiting if one.corrects == draft.corrects and shared(one)]
    return max(mine, key=lambda one: (shared(one), -one.sequence), default=None)


def _items(draft: Draft) -> list[dict[str, Any]]:
    return [
        {"group": one.key[0], "type": one.key[1], "id": one.key[2], "version": one.version, "mark": one.mark}
        for one in draft.items
    ]
