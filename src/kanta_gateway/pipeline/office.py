"""Everything that looks at what is stored: permitted, and written in the log before it is given.

A read without its entry does not happen: entry and answer come from one transaction (703/2023 §10).
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.policy import Policy
from kanta_gateway.audit import proofs, report
from kanta_gateway.audit.checkpoint import parse
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, NotPermittedError, TooManyReadsError
from kanta_gateway.model import Caller, Decision, Event
from kanta_gateway.pipeline import closing, invoices, reach
from kanta_gateway.pipeline import deadlines as timing
from kanta_gateway.pipeline import figures as counting
from kanta_gateway.pipeline.controllers import Controllers
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.guard import Guard, Thing
from kanta_gateway.pipeline.known import client_refs, entries
from kanta_gateway.pipeline.measure import Measure, is_measured
from kanta_gateway.pipeline.narrowing import Narrowing
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.reach import HIDDEN, Reach
from kanta_gateway.pipeline.sphere import Sphere
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import records, store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.preview import Preview
    from kanta_gateway.spool.store import StoredDocument


PAGE = 200
"""Documents read at a time where some of them may not be told."""
Closed = Collection[str]
"""Contract files of which the caller has no contract in force."""


class Office:
    """Reads and acts for a caller, under the policy."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._controllers = Controllers(parts, policy)
        self.guard = Guard(parts, policy)
        self.narrowing = Narrowing(parts, self)
        self.reach = Reach(parts, self)
        self.measure = Measure(parts)

    def permit(
        self, caller: Caller, event: Event, *, provider: str | None, controller: str | None = None,
        purchaser: str | None = None, client_ref: str | None = None, record_type: str = "",
    ) -> Decision:  # fmt: skip
        """Let the caller go on, or write the denial down and refuse; gives what decided.

        Args:
            caller: who acts.
            event: what it wants to do.
            provider: whose thing it is; None when it is nobody's in particular.
            controller: whose register it is in, where that is known.
            purchaser: name of the contract file that it falls under, where that is known.
            client_ref: the client whose data it is, where it is one client's.
            record_type: type of the one record that it is, or was made of.

        Raises:
            NotPermittedError: the policy does not allow it.
            TooManyReadsError: the caller has read as much as its role may for now.
        """
        thing = Thing(provider, controller, purchaser, client_ref, record_type=record_type)
        decision = self.guard.decide(caller, event, thing)
        if not decision.allowed:
            self._refuse(caller, event, thing, decision)
        self.check_reads(caller, event, provider or "")
        return decision

    def check_reads(self, caller: Caller, event: Event, provider: str) -> None:
        """Let nobody look at more than its role may in a time; the attempt is written down.

        Raises:
            TooManyReadsError: the caller has read as much as its role may for now.
        """
        if is_measured(event) and self.measure.is_full(caller):
            self.deny(caller, event, provider, ("too many reads",))
            raise TooManyReadsError

    @contextmanager
    def acting(self, caller: Caller, event: Event, thing: Thing) -> Iterator[tuple[Connection, Decision]]:
        """One transaction in which it is decided, done and written down: what ends meanwhile ends this too.

        Raises:
            NotPermittedError: the policy does not allow it; the denial is written down, nothing else is done.
        """
        with self._parts.database.transaction() as tx:
            decision = self.guard.decide(caller, event, thing, tx=tx)
            if decision.allowed:
                yield tx, decision
        if not decision.allowed:
            self._refuse(caller, event, thing, decision)

    def _refuse(self, caller: Caller, event: Event, thing: Thing, decision: Decision) -> NoReturn:
        self.deny(
            caller, event, thing.provider or "", decision.reasons, decision,
            controller=thing.controller or self.controller_of(
                caller, thing.provider or "", purchaser=thing.purchaser or "", client_ref=thing.client_ref
            ),
        )  # fmt: skip
        told = "; ".join(decision.reasons)
        raise NotPermittedError(f"{event.value} is not allowed: {told}", findings=decision.findings)

    def deny(
        self, caller: Caller, event: Event, provider: str, reasons: Iterable[str], decision: Decision | None = None,
        *, controller: str = "",
    ) -> None:  # fmt: skip
        """Write a denial down; in a transaction of its own, since what was asked is not done."""
        with self._parts.database.transaction() as tx:
            self._parts.log.append(tx, [self.event(
                caller, Event.REQUEST_DENY, subject=event.value, provider=provider, controller=controller,
                details={"asked": event.value, "reasons": list(reasons), "failed": [
                    f"{one.params['row']}:{one.params['fact']}" for one in (decision.findings if decision else ())
                    if one.kind == "policy-condition"
                ]}, decision=decision,
            )])  # fmt: skip

    def conceal(self, caller: Caller, event: Event, thing: Thing | None) -> None:
        """Write down an attempt at what is not there or another's: the same work for both."""
        own = self.controller_of(caller)
        owner, register = (thing.provider, thing.controller) if thing is not None else (None, None)
        self.deny(caller, event, owner or caller.organisation, (HIDDEN,), controller=register or own)

    def note(self, tx: Connection, events: Iterable[AuditEvent]) -> None:
        """Append entries in the transaction of what they tell about."""
        told = list(events)
        self.measure.add(tx, told)
        self._parts.log.append(tx, told)

    def event(
        self, caller: Caller, event: Event, *, subject: str, provider: str, controller: str = "",
        client_ref: str | None = None, details: Mapping[str, Any] | None = None, decision: Decision | None = None,
        recipient: str = "",
    ) -> AuditEvent:  # fmt: skip
        """The entry about one look or act of a caller, with the provisions and the row that decided."""
        row = {"row": decision.row} if decision is not None and decision.row else {}
        return AuditEvent(
            event=event, caller=caller, at=self._parts.now(), client_ref=client_ref, subject=subject,
            provider=provider or caller.organisation,
            controller=controller or self.controller_of(caller, provider, client_ref=client_ref),
            purpose=caller.purpose, details={**(details or {}), **row}, recipient=recipient,
            basis="; ".join(decision.basis) if decision is not None and decision.basis else "703/2023 §9",
        )  # fmt: skip

    def controller_of(
        self, caller: Caller, provider: str = "", *, purchaser: str = "", client_ref: str | None = None
    ) -> str:  # fmt: skip
        """Whose register it is that is used (`Controllers.of`)."""
        version = self.guard.register_version
        return self._controllers.of(caller, provider, version=version, purchaser=purchaser, client_ref=client_ref)

    def controllers_of(self, client_ref: str | None = None) -> list[str]:
        """Controllers of every register, or of those in which a client stands."""
        version = self.guard.register_version
        return self._controllers.every(version) if client_ref is None else self._controllers.of_client(
            client_ref, version
        )  # fmt: skip

    def of_clients(
        self, caller: Caller, event: Event, refs: Collection[str], *, subject: str, decision: Decision,
        details: Mapping[str, Any] | None = None,
    ) -> list[AuditEvent]:  # fmt: skip
        """Entries about one act on the data of some clients, or of nobody in particular: one for each register."""
        sphere = self.guard.sphere(caller)
        pairs = [
            (ref, one) for ref in refs or (None,)
            for one in ([] if ref is None else [
                own for own in self.controllers_of(ref) if sphere.oversees(controller=own)
            ]) or [""]
        ]  # fmt: skip
        return [
            self.event(caller, event, subject=subject, provider="", controller=one, client_ref=ref, details=details,
                       decision=decision)
            for ref, one in pairs
        ]  # fmt: skip

    def documents(self, caller: Caller, state: str | None, after: str, limit: int) -> dict[str, Any]:
        """Metadata of documents, oldest first; `next` is the OID of the last one."""
        provider = self.scope(caller)
        decision = self.permit(caller, Event.DOCUMENT_LIST, provider=provider)
        with self._parts.database.transaction() as tx:
            found = list(islice(self._listed(tx, caller, state, after, limit), limit))
            counts = Counter(one.organiser for one in found) or {"": 0}
            self.note(tx, [
                self.event(caller, Event.DOCUMENT_LIST, subject="list", provider=provider or "", controller=controller,
                           details={"count": count}, decision=decision)
                for controller, count in counts.items()
            ])  # fmt: skip
        return {"documents": [metadata(one) for one in found], "next": found[-1].oid if found else after}

    def _listed(
        self, tx: Connection, caller: Caller, state: str | None, after: str, limit: int
    ) -> Iterator[StoredDocument]:
        """The documents that the caller may know of, whatever lies between them."""
        closed, sphere = self.guard.closed(caller), self.guard.sphere_in(tx, caller)
        place = reach.after(tx, sphere, after, reach.document, store.place)
        while page := store.listed(tx, provider=sphere.provider, organiser=sphere.controller, state=state, after=place,
                                   limit=max(limit, PAGE)):  # fmt: skip
            place = page[-1].sequence
            found = [
                one for one in page if one.organiser not in closed
                and sphere.holds(one.provider, controller=one.organiser, client_ref=one.client_ref)
            ]  # fmt: skip
            yield from self.narrowing.kept(
                caller, Event.DOCUMENT_LIST, found, lambda one: (one.provider, one.client_ref)
            )

    def is_own_only(self, caller: Caller) -> bool:
        """Whether the caller may see its own organisation's things only."""
        return self._policy.is_own_only(caller)

    def scope(self, caller: Caller) -> str | None:
        """The provider whose things alone the caller may see; None for those who may see all."""
        return caller.organisation if self._policy.is_own_only(caller) else None

    def document(self, oid: str, caller: Caller) -> bytes:
        """The signed bytes of one document.

        Raises:
            NotFoundError: there is none that the caller may see.
            KeyUnavailableError: its content has been destroyed; its evidence stays.
        """
        whose = self.reach.seek(caller, Event.DOCUMENT_READ, reach.document(oid))
        with self.acting(caller, Event.DOCUMENT_READ, whose) as (tx, decision):
            found = _there(store.get(tx, oid))
            content = content_of(self._parts, found)
            self.note(tx, [self.event(
                caller, Event.DOCUMENT_READ, subject=oid, provider=found.provider, controller=found.organiser,
                client_ref=found.client_ref, details={"structure": found.structure}, decision=decision,
            )])  # fmt: skip
        return content

    def invalidate(self, oid: str, caller: Caller) -> dict[str, Any]:
        """Queue the assumed request that invalidates an archived document.

        Raises:
            NotFoundError: there is none that the caller may see.
            ConflictError: it is not archived.
        """
        whose = self.reach.seek(caller, Event.DOCUMENT_INVALIDATE, reach.document(oid))
        with self.acting(caller, Event.DOCUMENT_INVALIDATE, whose) as (tx, decision):
            found = _there(store.get(tx, oid))
            if not store.invalidate(tx, oid, self._parts.now()):
                raise ConflictError("only an archived document can be invalidated; one that waits is withdrawn")
            self.note(tx, [self.event(
                caller, Event.DOCUMENT_INVALIDATE, subject=oid, provider=found.provider,
                controller=found.organiser, client_ref=found.client_ref, decision=decision,
            )])  # fmt: skip
        return {"oid": oid, "state": "invalidating"}

    def figures(
        self, caller: Caller, client: str | None, as_of: date | None, *, explain: bool = False, national: bool = False
    ) -> dict[str, Any]:
        """Derived numbers of one client or of all that the caller may see: the contract's, or the law's."""
        is_narrowed = national or client is not None or as_of is not None or explain
        least = self.narrowing.totals_of(caller, is_narrowed=is_narrowed)
        count, name = (counting.of_law, "national") if national else (counting.of_clients, "figures")

        def derived(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            if least:
                return {provider: counting.totals_of(self._parts, tx, provider, wanted, closed, least)}
            return count(self._parts, tx, provider, wanted, closed=closed, as_of=as_of, explain=explain)

        return {name: self._counted(caller, client, "figures", derived)}

    def reconciliation(self, caller: Caller, client: str | None, as_of: date | None, language: str) -> dict[str, Any]:
        """Diary against absences against invoice, of one client or of all that the caller may see."""

        def compared(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            return invoices.reconciled(self._parts, tx, provider, wanted, closed, as_of, language)

        return {"reconciliation": self._counted(caller, client, "reconciliation", compared)}

    def evidence(self, caller: Caller, client: str, as_of: date | None) -> dict[str, Any]:
        """What each line of one client's invoice rests on.

        Raises:
            NotFoundError: there is no such client that the caller may see.
        """

        def proved(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            return invoices.proved(self._parts, tx, provider, wanted, closed, as_of)

        found = self._counted(caller, client, "evidence", proved)
        if not found:
            raise NotFoundError
        return {"evidence": found}

    def preview(self, caller: Caller, preview: Preview) -> dict[str, Any]:
        """What a changed contract would have said about the records that are held; nothing is changed."""

        def judged(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            preview.add(tx, provider, wanted, closed)
            return {}

        every = [name for name, one in self._parts.types.items() if one.about != "organisation"]
        self._counted(caller, None, "preview", judged, every)
        return preview.told()

    @property
    def today(self) -> date:
        """The day that clocks are read at where none is named."""
        return timing.today(self._parts)

    def deadlines(self, caller: Caller, asked: Asked, after: int = 0, limit: int | None = None) -> dict[str, Any]:
        """What is due when, of one client or of all that the caller may see; overdue first.

        Raises:
            NotFoundError: there is no such contract.
        """
        self._check_contract(asked)

        def due(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            return {provider: timing.due(self._parts, tx, provider, wanted, closed, asked)}

        found = self._counted(caller, asked.client, "deadlines", due).values()
        return timing.page(found, asked, self._parts.messages, after, limit)

    def completeness(self, caller: Caller, asked: Asked) -> dict[str, Any]:
        """Days, weeks, months and records that should be there and are not.

        Raises:
            NotFoundError: there is no such contract.
        """
        self._check_contract(asked)

        def lacking(tx: Connection, provider: str, wanted: Sequence[str], closed: Closed) -> dict[str, Any]:
            return {provider: timing.lacking(self._parts, tx, provider, wanted, closed, asked)}

        return timing.summed(self._counted(caller, asked.client, "completeness", lacking).values(), asked,
                             self._parts.messages)  # fmt: skip

    def _check_contract(self, asked: Asked) -> None:
        if asked.contract is not None and asked.contract not in self._parts.contracts:
            raise NotFoundError("there is no contract of this name; leave it out, or name a file of mappings/contracts")

    def _counted(
        self, caller: Caller, client: str | None, subject: str,
        work: Callable[[Connection, str, Sequence[str], Closed], dict[str, Any]], types: Sequence[str] = (),
    ) -> dict[str, Any]:  # fmt: skip
        """Do some counting for each provider that the caller may see, and write down whose data it used."""
        own = self.scope(caller)
        decision = self.permit(caller, Event.FIGURES_READ, provider=own)
        told: dict[str, Any] = {}
        closed, sphere = self.guard.closed(caller, by_contract_file=True), self.guard.sphere(caller)
        self.narrowing.check(caller, Event.FIGURES_READ, subject)
        with self._parts.database.transaction() as tx:
            own_conduct = subject == "deadlines"  # it is due too, and no figure is told of it
            subjects = types or [
                name for name, one in self._parts.types.items()
                if one.is_subject or (own_conduct and one.about not in {"client", "organisation"})
            ]  # fmt: skip
            every = [one for one in records.subjects(tx, subjects) if own in {None, one[0]} and one[1] not in closed]
            known = [one for one in every if sphere.holds(one[0], purchaser=one[1], client_ref=one[2])]
            for provider in sorted({one[0] for one in known}):
                contracts = {
                    one.purchaser: one.organiser.oid for one in agreements(tx, provider) if sphere.covers(one)
                }  # fmt: skip
                wanted = sorted({ref for owner, _, ref in known if owner == provider})
                wanted = self.narrowing.allowed(caller, Event.FIGURES_READ, provider, wanted)
                others = {one[1] for one in every if one[0] == provider} - {
                    one[1] for one in known if one[0] == provider
                }
                if client is not None:
                    wanted = [ref for ref in wanted if ref == self._parts.keyring.client(provider, client)]
                told |= work(tx, provider, wanted, closed | others)
                used = sorted({(one[2], contracts.get(one[1], "")) for one in known if one[0] == provider})
                self.note(tx, [
                    self.event(
                        caller, Event.FIGURES_READ, subject=subject, provider=provider, controller=controller,
                        client_ref=ref, decision=decision,
                    )
                    for ref, controller in used if ref in wanted
                ])  # fmt: skip
        return told

    def entries(self, caller: Caller, client: str | None, after: int, limit: int) -> dict[str, Any]:
        """Entries of the log, in order; reading them is an entry too."""
        decision, seals = self.permit(caller, Event.AUDIT_READ, provider=None), self._parts.log.seals
        asked = Event.AUDIT_READ
        if client is not None:  # it tells which entries are about whom
            asked, decision = Event.AUDIT_RESOLVE, self.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        sphere = self.guard.sphere(caller)
        with self._parts.database.transaction() as tx:
            if client is None:
                refs: tuple[str, ...] = ()
                read = report.entries(tx, seals, report.Filter(after=after, limit=limit))
            else:  # of a client nothing is told of another's register, not even that there is something
                refs = self._refs(tx, client, sphere)
                ways = [report.Filter(client_ref=ref, after=after) for ref in refs]
                every = merge(*(entries(self._parts, tx, way) for way in ways), key=lambda one: int(one["idx"]))
                read = list(islice(filter(sphere.is_open, every), limit))
            found = closing.closed(tx, read, sphere)
            self.note(tx, self.of_clients(
                caller, asked, refs, subject="entries", details={"count": len(found)}, decision=decision
            ))  # fmt: skip
        return {"entries": found, "next": found[-1]["idx"] if found else after}

    def note_export(self, caller: Caller, form: str, client: str | None) -> tuple[int, tuple[str, ...]]:
        """Permit an export of the log and write it down: how many entries it holds, and whose are opened.

        Raises:
            NotFoundError: there is no such client.
        """
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        if client is not None:
            decision = self.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        sphere = self.guard.sphere(caller)
        with self._parts.database.transaction() as tx:
            refs = self._refs(tx, client, sphere) if client is not None else ()
            if client is not None and not refs:
                raise NotFoundError
            size = proofs.size(tx)
            self.note(tx, self.of_clients(
                caller, Event.AUDIT_READ, refs, subject="export", details={"format": form, "count": size},
                decision=decision,
            ))  # fmt: skip
            return proofs.size(tx), refs

    def _refs(self, tx: Connection, client: str, sphere: Sphere) -> tuple[str, ...]:
        """Keyed references of a client number: one for each provider that has it and that the caller knows of."""
        return client_refs(self._parts, tx, client, sphere.registers)

    def access_report(self, caller: Caller, client: str) -> dict[str, Any]:
        """Who used one client's data or was given it, when, why and on which basis (703/2023 §11)."""
        decision, sphere = self.permit(caller, Event.AUDIT_RESOLVE, provider=None), self.guard.sphere(caller)
        with self._parts.database.transaction() as tx:
            refs = self._refs(tx, client, sphere)
            if not refs:
                raise NotFoundError
            log, now = self._parts.log, self._parts.now()
            rows = [row for ref in refs for row in report.client_report(tx, log.seals, ref, now, names=log.names)
                    if sphere.is_open(row)]  # fmt: skip
            self.note(tx, self.of_clients(
                caller, Event.AUDIT_RESOLVE, refs, subject="access-report", decision=decision
            ))  # fmt: skip
        return {"client": client, "rows": rows, "note": "703/2023 §11: only for clarifying the client's own rights"}

    def checkpoint(self, caller: Caller | None) -> str:
        """Sign the log as it stands; who asked for it is in it."""
        if caller is not None:
            self.permit(caller, Event.AUDIT_CHECKPOINT, provider=None)
        parts = self._parts
        with parts.database.transaction() as tx:
            if caller is not None:
                self.note(tx, [self.event(caller, Event.AUDIT_READ, subject="checkpoint", provider="")])
            note = parts.log.checkpoint(tx, parts.checkpoint_signer(), parts.now(), parts.last_checkpoint())
        parts.keep_checkpoint(note)  # after the commit: what was rolled back was never signed for anybody
        return self._cosigned(note) if parts.witnesses.known else note

    def _cosigned(self, note: str) -> str:
        """Ask the witnesses, outside any transaction, and write down what each answered."""
        parts, size = self._parts, parse(note).size

        def prove(old: int, new: int) -> list[bytes]:
            with parts.database.reading() as tx:
                return proofs.consistency(tx, old, new)

        whole, told = parts.witnesses.cosign(note, prove)
        with parts.database.transaction() as tx:
            parts.log.cosigned(tx, parts.checkpoints.key.name, parts.now(), size, told)
        parts.keep_checkpoint(whole)
        return whole

    def inclusion(self, caller: Caller, index: int, size: int | None) -> dict[str, Any]:
        """Inclusion proof of one entry."""
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        with self._parts.database.transaction() as tx:
            whole = size or proofs.size(tx)
            proof = _told(proofs.inclusion(tx, index, whole))
            self.note(
                tx, [self.event(caller, Event.AUDIT_READ, subject="inclusion-proof", provider="", decision=decision)]
            )
        return {"index": index, "size": whole, "proof": proof}

    def consistency(self, caller: Caller, first: int, second: int | None) -> dict[str, Any]:
        """Consistency proof between two sizes of the log."""
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        with self._parts.database.transaction() as tx:
            whole = second or proofs.size(tx)
            proof = _told(proofs.consistency(tx, first, whole))
            self.note(
                tx, [self.event(caller, Event.AUDIT_READ, subject="consistency-proof", provider="", decision=decision)]
            )
        return {"first": first, "second": whole, "proof": proof}


def _there(found: StoredDocument | None) -> StoredDocument:
    if found is None:  # it was there a moment ago
        raise NotFoundError
    return found


def _told(hashes: Iterable[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in hashes]


def metadata(one: StoredDocument) -> dict[str, Any]:
    """What is told about a document without its content."""
    return {
        "oid": one.oid, "set": one.set_oid, "version": one.version_number,
        "structure": one.structure, "state": one.state.value, "sha256": one.digest, "made_at": one.made_at,
        "attempts": one.attempts, "problem": one.problem,
    }  # fmt: skip


def content_of(parts: Parts, one: StoredDocument) -> bytes:
    """The signed bytes of a stored document.

    Raises:
        KeyUnavailableError: they have been destroyed.
    """
    if one.payload is None:
        raise KeyUnavailableError("the content was destroyed; the document's evidence stays")
    return open_sealed(parts.vault.key(one.key_id), one.payload, b"document")
