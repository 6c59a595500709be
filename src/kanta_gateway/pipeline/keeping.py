"""What the gateway keeps for a while only: records given back to their provider, and clients' reference data.

* A record that waits or was refused was given back when its delivery was answered. Its provider is reminded of it,
  and its content goes when its time is over; its ticket stays, and the same version is a duplicate from then on.
* Reference data of a client goes when the last relationship, or where none are registered the last contract, has
  ended and the delivery window after it is over: until then a late delivery still needs it (CTL-14).
* Files are never stored: they are read as they come, record by record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, insert, select, update

from kanta_gateway import forgotten
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.terms import DELIVERY_MONTHS, Agreement, window_end
from kanta_gateway.access.wills import TYPES
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import document, fingerprint, record, reminder
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Oid, Outcome, instant
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.retention import Term
from kanta_gateway.spool import persons
from kanta_gateway.spool.records import SETTLED

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from kanta_gateway.pipeline.office import Office

BATCH = 500
RETURNED = (Outcome.HELD.value, Outcome.REFUSED.value)
PURPOSE = "retention"
_COLUMNS = (
    record.c.id, record.c.ticket, record.c.provider, record.c.purchaser, record.c.client_ref, record.c.outcome,
    record.c.received_at, record.c.key_id, record.c.type,
)  # fmt: skip


class Keeping:
    """Reminds of what was given back, and destroys what was kept for its time.

    Args:
        parts: the built gateway.
        office: permits and writes down.
    """

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    @property
    def _today(self) -> date:
        return self._parts.now().astimezone(HELSINKI).date()

    def listed(self, caller: Caller) -> list[dict[str, Any]]:
        """What was given back and still has its content: for how long, of what reminded, until when.

        A provider sees its own; looking is an entry for each client.
        """
        term, own = self._parts.terms.own["returned"], self._office.scope(caller)
        decision = self._office.permit(caller, Event.RECORD_READ, provider=own)
        with self._parts.database.transaction() as tx:
            rows = list(_returned(tx, self._moment(self._today + timedelta(days=1)), own))
            told = _reminded(tx, [row["ticket"] for row in rows])
            seen = {(row["provider"], row["client_ref"]) for row in rows}
            self._office.note(tx, [
                self._office.event(caller, Event.RECORD_READ, subject="given-back", provider=provider,
                                   client_ref=ref, decision=decision)
                for provider, ref in sorted(seen, key=str)
            ])  # fmt: skip
        return [
            {
                "ticket": row["ticket"], "type": row["type"], "outcome": row["outcome"],
                "returned_on": (day := _day(row["received_at"])).isoformat(),
                "days": (self._today - day).days, "reminded": told.get(row["ticket"], []),
                "destroyed_on": term.ends(day).isoformat(),
            }
            for row in rows
        ]  # fmt: skip

    def remind(self, caller: Caller) -> int:
        """Write down the reminders that are due; each stands in the list that the provider reads, and in the log."""
        term, now, count = self._parts.terms.own["returned"], self._parts.now(), 0
        if not term.remind:
            return 0
        with self._parts.database.alone() as tx:
            rows = list(_returned(tx, self._moment(self._today - timedelta(days=term.remind[0] - 1)), None))
            told = _reminded(tx, [row["ticket"] for row in rows])
            names = self._controllers(tx, rows)
            for row in rows:
                age = (self._today - _day(row["received_at"])).days
                due = [days for days in term.remind if days <= age and days not in told.get(row["ticket"], [])]
                if not due:
                    continue
                tx.execute(insert(reminder), [
                    {"ticket": row["ticket"], "days": days, "at": instant(now)} for days in due
                ])  # fmt: skip
                self._parts.log.append(tx, [
                    self._event(Event.RECORD_REMIND, caller, row, names, {"days": due[-1]}, term)
                ])  # fmt: skip
                count += 1
        return count

    def destroy_returned(self, caller: Caller) -> int:
        """Destroy the content of what was given back and not corrected in its time; how many records."""
        term = self._parts.terms.own["returned"]
        limit = self._moment(term.begun(self._today) + timedelta(days=1))
        with self._parts.database.alone() as tx:
            rows = list(_returned(tx, limit, None))[:BATCH]
            self._destroy(tx, caller, rows, term)
        return len(rows)

    def destroy_reference(self, caller: Caller) -> int:
        """Destroy the reference data of clients whose last relationship's delivery window is over; how many records."""
        term, found = self._parts.terms.own["reference"], 0
        with self._parts.database.alone() as tx:
            for one in agreements(tx):
                over = [
                    ref for ref, last in self._ends(tx, one)
                    if last is not None and term.ends(last) <= self._today
                ]  # fmt: skip
                rows = list(self._reference(tx, one, over)) if over else []
                self._destroy(tx, caller, rows, term)
                gone = {row["client_ref"] for row in rows}
                self._forget_prints(tx, one.provider.oid, gone)
                found += len(rows)
        return found

    def _forget_prints(self, tx: Connection, provider: str, gone: Iterable[str]) -> None:
        """Fingerprints of contact data: the clients' own, and those kept out of the texts of others for them."""
        mine, prints = fingerprint.c.client_ref.in_(list(gone)), fingerprint.c
        values = tx.execute(select(prints.value).where(mine)).scalars().all()
        together = self._parts.keyring.protected(provider)
        tx.execute(delete(fingerprint).where(mine))
        tx.execute(delete(fingerprint).where(prints.client_ref == together, prints.value.in_(values)))

    def _ends(self, tx: Connection, one: Agreement) -> Iterator[tuple[str, date | None]]:
        """Each client of a contract, and the first day after the delivery window; None while it is open."""
        contract = self._parts.contracts.get(one.purchaser)
        months = contract.delivery_months if contract is not None else DELIVERY_MONTHS
        query = select(record.c.client_ref).where(
            record.c.provider == one.provider.oid, record.c.purchaser == one.purchaser,
            record.c.client_ref.is_not(None), record.c.payload.is_not(None),
        ).distinct()  # fmt: skip
        others = [other for other in agreements(tx, one.provider.oid, None) if other.purchaser == one.purchaser]
        for ref in tx.execute(query).scalars():
            group = persons.group(tx, one.provider.oid, one.purchaser, ref)
            lasts = [last for other in others for last in _lasts(other, group)]
            last = None if None in lasts else max((day for day in lasts if day is not None), default=None)
            yield ref, None if last is None else window_end(last, months) + timedelta(days=1)

    def _reference(self, tx: Connection, one: Agreement, refs: Sequence[str]) -> Iterator[RowMapping]:
        types = [  # statements of will stay: they decide as long as there is anything to disclose
            name for name, kind in self._parts.types.items()
            if (kind.is_reference or kind.is_subject) and name not in TYPES
        ]  # fmt: skip
        for ref in refs:
            yield from tx.execute(select(*_COLUMNS).where(
                record.c.provider == one.provider.oid, record.c.purchaser == one.purchaser,
                record.c.client_ref == ref, record.c.type.in_(types), record.c.payload.is_not(None),
                record.c.state == SETTLED,
                ~exists().where(document.c.client_ref == ref, document.c.payload.is_not(None)),
            )).mappings()  # fmt: skip

    def _destroy(self, tx: Connection, caller: Caller, rows: Sequence[RowMapping], term: Term) -> None:
        if not rows:
            return
        destroy_records(tx, rows, instant(self._parts.now()))
        names = self._controllers(tx, rows)
        details = {"term": term.id}
        self._parts.log.append(tx, [
            self._event(Event.DOCUMENT_DESTROY_KEY, caller, row, names, details, term) for row in rows
        ])  # fmt: skip

    def _controllers(self, tx: Connection, rows: Iterable[RowMapping]) -> dict[tuple[str, str], str]:
        """Whose register each record is in."""
        found: dict[tuple[str, str], str] = {}
        for provider in {row["provider"] for row in rows}:
            found |= {(provider, one.purchaser): one.organiser.oid for one in agreements(tx, provider)}
        return found

    def _event(
        self, event: Event, caller: Caller, row: RowMapping, controllers: dict[tuple[str, str], str],
        details: dict[str, Any], term: Term,
    ) -> AuditEvent:  # fmt: skip
        return AuditEvent(
            event=event, caller=caller, at=self._parts.now(), client_ref=row["client_ref"], subject=row["ticket"],
            provider=row["provider"],
            controller=Oid(controllers.get((row["provider"], row["purchaser"]), row["provider"])),
            purpose=PURPOSE, basis=term.source, details=details,
        )  # fmt: skip

    @staticmethod
    def _moment(day: date) -> str:
        """Beginning of a day, as stored; the day is counted in UTC, as moments are stored."""
        return f"{day.isoformat()}T00:00:00.000000Z"


def destroy_records(tx: Connection, rows: Iterable[RowMapping], now: str) -> None:
    """Take the content of records, and note that it stays gone; what is known of them without content stays."""
    found = list(rows)
    forgotten.note(tx, [Forgotten(forgotten.CONTENT, row["ticket"], now, row["key_id"]) for row in found])
    for start in range(0, len(found), BATCH):
        ids = [row["id"] for row in found[start : start + BATCH]]
        tx.execute(update(record).where(record.c.id.in_(ids)).values(payload=None, digest="", state=SETTLED))


def _returned(tx: Connection, before: str, provider: str | None) -> Iterable[RowMapping]:
    """Records that wait or were refused, were answered before a moment, and have their content, oldest first."""
    query = select(*_COLUMNS).where(
        record.c.outcome.in_(RETURNED), record.c.payload.is_not(None), record.c.received_at < before
    )
    if provider is not None:
        query = query.where(record.c.provider == provider)
    return tx.execute(query.order_by(record.c.id)).mappings()


def _reminded(tx: Connection, tickets: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for start in range(0, len(tickets), BATCH):
        query = select(reminder.c.ticket, reminder.c.days).where(reminder.c.ticket.in_(tickets[start : start + BATCH]))
        for ticket, days in tx.execute(query.order_by(reminder.c.days)):
            found.setdefault(ticket, []).append(days)
    return found


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])


def _lasts(one: Agreement, clients: Iterable[str]) -> Iterator[date | None]:
    """Last days of a client's relationships under a contract, or of the contract where none are registered."""
    if one.relationships is None:
        yield one.span.last
        return
    for own in one.relationships:
        if own.client_ref in clients:
            yield own.span.last if one.span.last is None else min(own.span.last or date.max, one.span.last)
