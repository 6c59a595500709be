"""Documents, figures and deadlines as callers see them: permitted, and written in the log before they are given.

A read without its entry does not happen: entry and answer come from one transaction (703/2023 §10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline import deadlines as timing
from kanta_gateway.pipeline import figures as counting
from kanta_gateway.pipeline import invoices, reach
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.logbook import Logbook
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import records, store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.preview import Apart, Preview
    from kanta_gateway.spool.store import StoredDocument


PAGE = 200
"""Documents read at a time where some of them may not be told."""
Closed = Collection[str]
"""Contract files of which the caller has no contract in force."""


class Office(Logbook):
    """Reads and acts for a caller, under the policy."""

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

    def preview(self, caller: Caller, preview: Preview | Apart) -> dict[str, Any]:
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


def _there(found: StoredDocument | None) -> StoredDocument:
    if found is None:  # it was there a moment ago
        raise NotFoundError
    return found


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
