"""What the gateway keeps for a while only: records given back to their provider, and clients' reference data.

* A record that waits or was refused was given back when its delivery was answered. Its provider is reminded of it,
  and its content goes when its time is over; its ticket stays, and the same version is a duplicate from then on.
* Reference data of a client goes when the last relationship, or where none are registered the last contract, has
  ended and the delivery window after it is over: until then a late delivery still needs it (CTL-14). With it goes what
  rules needed of the client's other records, and the fingerprints of contact data.
* Files are never stored: they are read as they come, record by record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, insert, select

from kanta_gateway import forgotten
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.terms import DELIVERY_MONTHS, Agreement, window_end
from kanta_gateway.access.wills import TYPES
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.model import Caller, Event, Oid, Outcome, instant
from kanta_gateway.pipeline.destroying import BATCH, Gone, controllers, destroy
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.retention import Term
from kanta_gateway.spool import persons, prints
from kanta_gateway.spool.records import SETTLED
from kanta_gateway.tables import document, record, reminder

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from kanta_gateway.pipeline.office import Office

CLIENTS = 50
"""Whose data goes in one transaction."""
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
        term, count, after = self._parts.terms.own["returned"], 0, 0
        if not term.remind:
            return 0
        limit = self._moment(self._today - timedelta(days=term.remind[0] - 1))
        while True:
            with self._parts.database.alone() as tx:
                rows = list(_returned(tx, limit, None, after, BATCH))
                if not rows:
                    return count
                count += self._reminded(tx, caller, rows, term)
            after = rows[-1]["id"]

    def _reminded(self, tx: Connection, caller: Caller, rows: Sequence[RowMapping], term: Term) -> int:
        """Write down the reminders of some records; of how many."""
        now, owners = instant(self._parts.now()), controllers(tx)
        told = _reminded(tx, [row["ticket"] for row in rows])
        events = []
        for row in rows:
            age = (self._today - _day(row["received_at"])).days
            due = [days for days in term.remind if days <= age and days not in told.get(row["ticket"], [])]
            if due:
                tx.execute(insert(reminder), [{"ticket": row["ticket"], "days": days, "at": now} for days in due])
                events.append(AuditEvent(
                    event=Event.RECORD_REMIND, caller=caller, at=self._parts.now(), client_ref=row["client_ref"],
                    subject=row["ticket"], provider=row["provider"], controller=Oid(_owner(owners, row)),
                    purpose=PURPOSE, basis=term.source, details={"days": due[-1]},
                ))  # fmt: skip
        self._parts.log.append(tx, events)
        return len(events)

    def destroy_returned(self, caller: Caller) -> int:
        """Destroy the content of what was given back and not corrected in its time; how many records."""
        term, count = self._parts.terms.own["returned"], 0
        limit = self._moment(term.begun(self._today) + timedelta(days=1))
        while True:
            with self._parts.database.alone() as tx:
                rows = list(_returned(tx, limit, None, 0, BATCH))
                if not rows:
                    return count
                owners = controllers(tx)
                gone = [Gone(record.name, row["ticket"], row["key_id"], row["provider"], _owner(owners, row),
                             row["client_ref"]) for row in rows]  # fmt: skip
                self._destroy(tx, caller, gone, term)
            count += len(rows)

    def destroy_reference(self, caller: Caller) -> int:
        """Destroy what is known of clients whose last relationship's delivery window is over; how many records."""
        term, count = self._parts.terms.own["reference"], 0
        with self._parts.database.reading() as tx:
            registers: dict[tuple[str, str], list[Agreement]] = {}
            for one in agreements(tx, clients=None):
                registers.setdefault((one.provider.oid, one.purchaser), []).append(one)
        for (provider, purchaser), contracts in registers.items():
            over = self._over(provider, purchaser, contracts, term)
            for start in range(0, len(over), CLIENTS):
                count += self._forget(caller, contracts[0], over[start : start + CLIENTS], term)
        return count

    def _over(self, provider: str, purchaser: str, contracts: Sequence[Agreement], term: Term) -> list[str]:
        """Clients of a register whose delivery window is over, and of whom something is known still."""
        contract = self._parts.contracts.get(purchaser)
        months = contract.delivery_months if contract is not None else DELIVERY_MONTHS
        lasts = _Lasts(contracts)
        if lasts.is_open:
            return []
        with self._parts.database.reading() as tx:
            known = tx.execute(
                select(record.c.client_ref).where(
                    record.c.provider == provider, record.c.purchaser == purchaser, record.c.client_ref.is_not(None),
                    forgotten.CONTENTS[record.name].has_any,
                ).distinct()
            ).scalars().all()  # fmt: skip
            groups = {ref: persons.group(tx, provider, purchaser, ref) for ref in known}
        ends = ((ref, lasts.of(group)) for ref, group in groups.items())
        return sorted(
            ref for ref, last in ends
            if last is not None and term.ends(window_end(last, months) + timedelta(days=1)) <= self._today
        )  # fmt: skip

    def _forget(self, caller: Caller, one: Agreement, refs: Sequence[str], term: Term) -> int:
        """Destroy some clients' basic data, and what rules needed of the rest; how many records."""
        c, provider = record.c, one.provider.oid
        left = exists().where(document.c.client_ref == c.client_ref, document.c.payload.is_not(None))
        with self._parts.database.alone() as tx:
            query = select(*_COLUMNS).where(
                c.provider == provider, c.purchaser == one.purchaser, c.client_ref.in_(refs), c.state == SETTLED, ~left,
                forgotten.CONTENTS[record.name].has_any,
                c.type.not_in(sorted(TYPES)),  # statements of will decide as long as there is anything to disclose
                c.payload.is_(None) | c.outcome.not_in(RETURNED),  # what was given back has a term of its own
            )  # fmt: skip
            rows = tx.execute(query).mappings().all()
            gone = [Gone(record.name, row["ticket"], row["key_id"], provider, one.organiser.oid, row["client_ref"],
                         is_whole=True) for row in rows]  # fmt: skip
            self._destroy(tx, caller, gone, term)
            prints.forget(tx, self._parts.keyring.protected(provider), {row["client_ref"] for row in rows})
        return len(rows)

    def _destroy(self, tx: Connection, caller: Caller, gone: Sequence[Gone], term: Term) -> None:
        if gone:
            destroy(self._parts, tx, caller, gone, purpose=PURPOSE, basis=term.source, details={"term": term.id})

    @staticmethod
    def _moment(day: date) -> str:
        """Beginning of a day, as stored; the day is counted in UTC, as moments are stored."""
        return f"{day.isoformat()}T00:00:00.000000Z"


def _owner(owners: Mapping[tuple[str, str], str], row: RowMapping) -> str:
    """Whose register a record is in."""
    return owners.get((row["provider"], row["purchaser"]), row["provider"])


def _returned(
    tx: Connection, before: str, provider: str | None, after: int = 0, most: int | None = None
) -> Iterable[RowMapping]:
    """Records that wait or were refused, were answered before a moment, and have their content, oldest first.

    Args:
        tx: a transaction.
        before: the moment.
        provider: whose; None for all.
        after: number of the last one seen.
        most: so many at most; None for all.
    """
    query = select(*_COLUMNS).where(
        record.c.outcome.in_(RETURNED), record.c.payload.is_not(None), record.c.received_at < before
    )
    if provider is not None:
        query = query.where(record.c.provider == provider)
    query = query.where(record.c.id > after).order_by(record.c.id)
    return tx.execute(query if most is None else query.limit(most)).mappings()


def _reminded(tx: Connection, tickets: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for start in range(0, len(tickets), BATCH):
        query = select(reminder.c.ticket, reminder.c.days).where(reminder.c.ticket.in_(tickets[start : start + BATCH]))
        for ticket, days in tx.execute(query.order_by(reminder.c.days)):
            found.setdefault(ticket, []).append(days)
    return found


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])


class _Lasts:
    """Last days of the client relationships of one register.

    Args:
        contracts: those that it stands under, ended ones too.
    """

    def __init__(self, contracts: Sequence[Agreement]) -> None:
        own = [one for one in contracts if one.relationships is None]
        self.is_open = any(one.span.last is None for one in own)
        """Whether a contract without a last day, and without registered relationships, keeps everybody's."""
        self._contract = max((one.span.last for one in own if one.span.last is not None), default=None)
        self._clients: dict[str, list[date]] = {}
        for one in contracts:
            for of in one.relationships or ():
                last = min(of.span.last or date.max, one.span.last or date.max)
                self._clients.setdefault(of.client_ref, []).append(last)

    def of(self, clients: Iterable[str]) -> date | None:
        """Last day of a person's last relationship; None while there is one without end, or where none is known."""
        found = [day for ref in clients for day in self._clients.get(ref, ())]
        found += [self._contract] if self._contract is not None else []
        last = max(found, default=date.max)
        return None if last == date.max else last
