"""Second half of the way: one client's records are judged, composed, signed and spooled.

The result is a function of the set of records that are known, not of the order in which they came:

* Every record of the client is judged again whenever something about the client is new.
* A record that stands and has no document gets one; one that stands no longer loses its unsent document.
* Judging, composing and signing happen outside the write transaction; if something else changed
  the client meanwhile (`filing.stamp_of`), or a worker took what should be withdrawn, they are done again.
* Spool item, outcome and audit entries are committed together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import Agreement, agreements
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts.check import Judgement
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Caller, Event, Finding, Oid, Outcome
from kanta_gateway.pipeline.casefile import CaseFile, Memory, hidden
from kanta_gateway.pipeline.compose import Composer, Draft
from kanta_gateway.pipeline.filing import load, stamp_of
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.notify import Notifier
from kanta_gateway.pipeline.parts import Parts, Scope
from kanta_gateway.pipeline.plan import Plan, plan
from kanta_gateway.pipeline.publish import Made, Publisher
from kanta_gateway.pipeline.wording import told_findings, told_removed
from kanta_gateway.privacy.envelope import sealed_hash
from kanta_gateway.spool import records, store
from kanta_gateway.spool.records import StoredRecord, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.spool.store import StoredDocument

CLOSED = frozenset({Outcome.CANCELLED, Outcome.REPLACED})
"""What became of records that another one took the place of: nobody answers what is asked about them."""
TRIES = 5
"""How often judging starts again when others keep changing the same client."""


class _OvertakenError(Exception):
    """A worker took a document that the plan takes back: nothing is written, and the client is judged again."""


@dataclass(slots=True)
class _Work:
    """One client's judgement and what it brings, before it is written."""

    case: CaseFile
    judgement: Judgement
    plan: Plan
    drafts: Mapping[int, list[Draft]]
    composer: Composer
    made: list[Made] = field(default_factory=list)


class Settler:
    """Judges clients one by one."""

    def __init__(self, parts: Parts, scope: Scope, caller: Caller, memory: Memory | None = None) -> None:
        self._parts = parts
        self._scope = scope
        self._caller = caller
        self._memory = memory or Memory()
        self._publisher = Publisher(parts)
        self._notifier = Notifier(parts, caller)

    def settle(self, provider: str, purchaser: str, client_ref: str, only: Collection[int] | None = None) -> None:
        """Judge one client's records and bring its documents up to date.

        Deadlines are read as of the day of the newest delivery that brought anything of the client.

        Args:
            provider: OID of the provider.
            purchaser: name of the contract file.
            client_ref: keyed reference of the client, or of any of the person's clients.
            only: rows that are new; None judges everything again.

        Raises:
            ConflictError: others kept changing the same client.
        """
        for _ in range(TRIES):
            with self._scope.read() as tx:
                case = self._load(tx, provider, purchaser, client_ref, only)
                agreement = self._agreement(tx, provider, purchaser)
                work = self._work(tx, case, agreement, purchaser, only)
            if not self._scope.is_dry:
                work.made = self._publisher.publish(work.plan, work.drafts, agreement, case)
            with suppress(_OvertakenError), self._scope.write() as tx:
                if stamp_of(tx, provider, purchaser, client_ref) == case.stamp:
                    self._write(tx, work, agreement)
                    return
        raise ConflictError("a client's records were changed by others again and again; send the record again")

    def _load(
        self, tx: Connection, provider: str, purchaser: str, client_ref: str, only: Collection[int] | None
    ) -> CaseFile:
        """The client's file; one of which single records are judged is kept at hand for the next of them."""
        memory = self._memory
        known = memory.file(purchaser, client_ref) if only is not None else None
        shared = memory.shared.get(provider)
        case = load(self._parts, tx, provider, purchaser, client_ref, shared, known=known)
        memory.shared[provider] = case.shared
        if only is not None:
            memory.keep(case)
        return case

    def _agreement(self, tx: Connection, provider: str, purchaser: str) -> Agreement:
        key = (provider, purchaser)
        if key not in self._memory.agreements:
            known = [one for one in agreements(tx, provider) if one.purchaser == purchaser]
            if not known:
                raise ConflictError("the provider has no registered contract with this purchaser")
            self._memory.agreements[key] = known[0]
        return self._memory.agreements[key]

    def _work(
        self, tx: Connection, case: CaseFile, agreement: Agreement, purchaser: str, only: Collection[int] | None
    ) -> _Work:
        """Judge, compose, and judge again if a document's content makes a record wait."""
        contract = self._parts.contracts[purchaser]
        composer = Composer(self._parts, contract, agreement, case)
        held: dict[int, tuple[Finding, ...]] = {}
        while True:
            _, judgement, _ = judged(self._parts, case, purchaser, only=only, held=held)
            planned, drafts = self._plan(tx, case, composer, judgement)
            newly = {
                row: tuple(one for draft in of_row for one in draft.holds)
                for row, of_row in drafts.items()
                if row not in held and any(draft.holds for draft in of_row)
            }
            if not newly:
                return _Work(case, judgement, planned, drafts, composer)
            held |= newly

    def _plan(
        self, tx: Connection, case: CaseFile, composer: Composer, judgement: Judgement
    ) -> tuple[Plan, dict[int, list[Draft]]]:
        mapper = self._parts.mapper
        records_ = {one.key for one in case.rows if one.row in judgement.outcomes}
        rows = [one for one in case.rows if one.key in records_]
        days = {one.row: one.day for one in case.entries}
        chosen = {
            one.row: mapper.variants(one.type, composer.product(judgement.decisions.get(one.row)), days[one.row])
            for one in rows
            if one.row in judgement.outcomes
        }
        marks = {
            one.row: composer.mark(one, judgement.decisions.get(one.row))
            for one in rows
            if one.row in judgement.outcomes
        }
        planned = plan(
            rows, judgement.outcomes, _documents(tx, case, rows),
            {row: [variant.name for variant in of_row] for row, of_row in chosen.items()}, marks,
            moved=judgement.situation.resolution.moved if judgement.situation else (), whose=composer.whose,
        )  # fmt: skip
        drafts: dict[int, list[Draft]] = {}
        for wanted in planned.make:
            decision = judgement.decisions.get(wanted.record.row)
            variant = next(one for one in chosen[wanted.record.row] if one.name == wanted.variant)
            draft = composer.draft(
                composer.source(wanted.record, decision), variant, composer.guard(wanted.record),
                is_replacement=wanted.replaces is not None,
            )  # fmt: skip
            drafts.setdefault(wanted.record.row, []).append(
                replace(draft, guard=marks[wanted.record.row], decision=decision, whose=composer.whose)
            )
        return planned, drafts

    def _write(self, tx: Connection, work: _Work, agreement: Agreement) -> None:
        """One transaction: outcomes, spool items, withdrawals, and the entries about them."""
        now = self._parts.now()
        took_back = [store.withdraw(tx, one.oid, now) for one in work.plan.withdraw]
        took_back += [store.invalidate(tx, one.oid, now) for one in work.plan.invalidate]
        if not all(took_back):
            raise _OvertakenError
        # as they stand now: the file may have been at hand for long, and others may have judged it since
        before = records.by_rows(tx, work.judgement.outcomes)
        changed = [(one, told) for one in before if records.differs(one, told := self._verdict(one, work))]
        records.settle(tx, [told for _, told in changed], now)
        hidden_ = self._hide(tx, work, before)
        store.put(tx, [one.new for one in work.made], now)
        self._parts.log.append(tx, list(self._events(tx, work, agreement, changed, hidden_)))
        if (situation := work.judgement.situation) is not None:
            self._notifier.update(tx, work.case, situation, situation.contract, agreement)

    def _hide(self, tx: Connection, work: _Work, rows: Collection[StoredRecord]) -> list[tuple[StoredRecord, bytes]]:
        """Mask at rest what is known now: all about a client under turvakielto, and what no author will answer."""
        done: list[tuple[StoredRecord, bytes]] = []
        for one in rows:
            is_closed = work.judgement.outcomes[one.row] in CLOSED
            if not (is_closed or work.case.masking(one.key)[0]):
                continue
            read = work.composer.read(one, is_closed=is_closed)
            if (payload := hidden(self._parts, work.case, one, read)) is not None:
                records.replace_payload(tx, one.row, payload)
                done.append((one, payload))
        return done

    def _verdict(self, one: StoredRecord, work: _Work) -> Verdict:
        outcome = work.judgement.outcomes[one.row]
        judged_ = work.judgement.findings.get(one.row, ())
        drafts = work.drafts.get(one.row, ())
        removed = dict(one.removed)
        composed: list[dict[str, Any]] = []
        if not drafts and outcome.makes_document:  # its document stands: so does what composing it told
            composed = [dict(value) for value in one.findings if value.get("composing")]
        for draft in drafts:
            told = [
                value | {"composing": True} for value in told_findings(f for f in draft.findings if f not in judged_)
            ]
            composed.extend(value for value in told if value not in composed)
            if draft.masked:
                again = (value for value in told_removed({}, draft.masked)["masked"] if value not in removed["masked"])
                removed["masked"] = [*removed["masked"], *again]
        state = records.RECEIVED if one.row in work.plan.waiting else records.SETTLED
        return Verdict(one.row, outcome, [*told_findings(judged_), *composed], removed, state)

    def _events(
        self, tx: Connection, work: _Work, agreement: Agreement, changed: Collection[tuple[StoredRecord, Verdict]],
        hidden_: Collection[tuple[StoredRecord, bytes]],
    ) -> Iterator[AuditEvent]:  # fmt: skip
        common: dict[str, Any] = {
            "caller": self._caller, "at": self._parts.now(),
            "provider": Oid(work.case.provider), "controller": agreement.organiser.oid,
            "purpose": self._caller.purpose, "basis": "703/2023 §14",
        }  # fmt: skip

        def whose(client_ref: str | None) -> str | None:
            return client_ref if work.case.is_of_client else None

        names = {Outcome.HELD: Event.RECORD_HOLD, Outcome.REFUSED: Event.RECORD_REFUSE}
        for before, verdict in changed:
            if verdict.outcome in names and before.outcome is not verdict.outcome:
                rules = sorted({str(one["rule"]) for one in verdict.findings})
                told = {"rules": rules}
                yield AuditEvent(
                    event=names[verdict.outcome], subject=before.ticket, client_ref=whose(before.client_ref),
                    details=told, **common,
                )  # fmt: skip
        for one, payload in hidden_:
            yield AuditEvent(
                event=Event.DOCUMENT_DROP, subject=one.ticket, client_ref=whose(one.client_ref),
                details={"at_rest": True, "before": sealed_hash(one.payload), "after": sealed_hash(payload)}, **common,
            )  # fmt: skip
        for made in work.made:
            earlier = _earlier(tx, made)
            for event in (Event.DOCUMENT_MAP, Event.DOCUMENT_SIGN, Event.DOCUMENT_SPOOL):
                yield AuditEvent(
                    event=event, subject=made.new.oid, client_ref=whose(made.new.client_ref),
                    details={**made.told[event], **(earlier if event is Event.DOCUMENT_SIGN else {})}, **common,
                )  # fmt: skip
        taken_back = {Event.DOCUMENT_WITHDRAW: work.plan.withdraw, Event.DOCUMENT_INVALIDATE: work.plan.invalidate}
        for event, documents in taken_back.items():
            for document in documents:
                yield AuditEvent(
                    event=event, subject=document.oid, client_ref=whose(document.client_ref), details={}, **common
                )


def _earlier(tx: Connection, made: Made) -> dict[str, str]:
    """The document that a new one takes the place of, for its entry."""
    replaced = store.get(tx, made.new.replaces) if made.new.replaces else None
    return {"replaces": replaced.oid, "before": replaced.digest} if replaced is not None else {}


def _documents(tx: Connection, case: CaseFile, rows: Collection[StoredRecord]) -> Collection[StoredDocument]:
    """The documents of these rows."""
    if len(rows) == len(case.rows):
        return [document for ref in case.stamp.clients for document in store.of_client(tx, ref)]
    found = store.of_records(tx, (one.row for one in rows))
    return [document for of_row in found.values() for document in of_row]
