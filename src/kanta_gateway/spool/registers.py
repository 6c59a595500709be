"""Whole registers, row by row: everything that is stored under one controller's contracts, out and in again.

* Rows are read in order and in pages, and written with their own tickets, ids and OIDs.
* A row that refers to another by its number is written so many numbers higher as the first free one is.
* Content and its key are the caller's: here they are sealed bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, text, tuple_
from sqlalchemy.exc import IntegrityError

from kanta_gateway.errors import UntrustedError
from kanta_gateway.spool.disclosures import Notice
from kanta_gateway.spool.states import OPEN
from kanta_gateway.tables import (
    access_grant,
    client_request,
    data_key,
    delivered,
    delivery,
    disclosure,
    document,
    lost_will,
    moved,
    notice,
    person_link,
    record,
    reminder,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Table

PAGE = 200
"""Rows with content that are in memory at once."""
Pair = tuple[str, str]
"""Provider, and name of the contract file: one controller's part of what a provider delivers."""
_NUMBERED = {"record": record.c.id, "document": document.c.sequence, "notice": notice.c.sequence,
             "person_link": person_link.c.id, "disclosure": disclosure.c.sequence,
             "client_request": client_request.c.sequence}  # fmt: skip
TABLES: Mapping[str, Table] = {one.name: one for one in (
    access_grant, client_request, delivered, delivery, disclosure, document, moved, notice, person_link, record,
    reminder,
)}  # fmt: skip
"""What goes with a controller's registers."""


def rows(tx: Connection, name: str, *, pairs: Collection[Pair] = (), organiser: str = "") -> Iterator[dict[str, Any]]:
    """Rows of a numbered table, in order, page by page.

    Args:
        tx: a reading transaction.
        name: of the table.
        pairs: whose rows: for tables that tell provider and purchaser.
        organiser: whose rows: for tables that tell the controller.
    """
    table, number = TABLES[name], _NUMBERED[name]
    query = select(table).order_by(number).limit(PAGE)
    if organiser:
        query = query.where((table.c.organiser if "organiser" in table.c else table.c.controller) == organiser)
    else:
        query = query.where(tuple_(table.c.provider, table.c.purchaser).in_(sorted(pairs)))
    after = 0
    while page := tx.execute(query.where(number > after)).mappings().all():
        yield from map(_dict, page)
        after = page[-1][number.name]


def _dict(row: RowMapping) -> dict[str, Any]:
    """A row by plain names: the library's are of a kind of their own, which JSON does not take."""
    return {str(name): value for name, value in row.items()}


def deliveries(tx: Connection, pairs: Collection[Pair]) -> Iterator[dict[str, Any]]:
    """Deliveries of some registers, in order."""
    own = tuple_(delivery.c.provider, delivery.c.purchaser).in_(sorted(pairs))
    yield from map(_dict, tx.execute(select(delivery).where(own).order_by(delivery.c.received_at)).mappings())


def pointers(tx: Connection, delivery_id: str) -> Iterator[dict[str, Any]]:
    """Where each row of a delivery is stored."""
    query = select(delivered).where(delivered.c.delivery_id == delivery_id)
    yield from map(_dict, tx.execute(query.order_by(delivered.c.position, delivered.c.part)).mappings())


def moves(tx: Connection, pairs: Collection[Pair]) -> Iterator[dict[str, Any]]:
    """Which of the registers' records were delivered for which clients."""
    own = (
        select(record.c.id)
        .where(
            tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs)), record.c.provider == moved.c.provider,
            record.c.type == moved.c.type, record.c.record_id == moved.c.record_id,
            record.c.client_ref == moved.c.client_ref,
        )
        .exists()
    )  # fmt: skip
    yield from map(_dict, tx.execute(select(moved).where(own)).mappings())


def reminders(tx: Connection, tickets: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Reminders of some records: after how many days, and when; by ticket."""
    found: dict[str, list[dict[str, Any]]] = {}
    query = select(reminder).where(reminder.c.ticket.in_(sorted(tickets))).order_by(reminder.c.days)
    for row in tx.execute(query):
        found.setdefault(row.ticket, []).append({"days": row.days, "at": row.at})
    return found


def lost_wills(tx: Connection, pairs: Collection[Pair]) -> dict[tuple[str, str, str], set[str]]:
    """Tickets of statements of will that a restored database has lost, by provider, purchaser and client."""
    found: dict[tuple[str, str, str], set[str]] = {}
    query = (
        select(record.c.provider, record.c.purchaser, record.c.client_ref, lost_will.c.ticket)
        .join(lost_will, (lost_will.c.client_ref == record.c.client_ref) & (lost_will.c.provider == record.c.provider))
        .where(tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs)))
        .distinct()
    )
    for provider, purchaser, client, ticket in tx.execute(query):
        found.setdefault((provider, purchaser, client), set()).add(ticket)
    return found


def untried(tx: Connection, controller: str) -> int:
    """How many disclosure notices of a controller wait and were never tried, so that they have no bytes yet."""
    mine = (disclosure.c.controller == controller, disclosure.c.state == Notice.QUEUED.value, disclosure.c.digest == "")
    return int(tx.execute(select(func.count()).where(*mine)).scalar_one())


def open_documents(tx: Connection, organiser: str) -> int:
    """How many of a controller's documents are still on their way."""
    open_ = document.c.state.in_([one.value for one in sorted(OPEN)])
    return int(tx.execute(select(func.count()).where(document.c.organiser == organiser, open_)).scalar_one())


def unjudged(tx: Connection, pairs: Collection[Pair], state: str) -> int:
    """How many records of some registers are in a state."""
    own = tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs))
    return int(tx.execute(select(func.count()).where(own, record.c.state == state)).scalar_one())


def highest(tx: Connection) -> dict[str, int]:
    """The highest number that each numbered table has given; rows that come in are numbered on from it."""
    return {
        name: int(tx.execute(select(func.coalesce(func.max(number), 0))).scalar_one())
        for name, number in _NUMBERED.items()
    }


def newer(tx: Connection, organiser: str, pairs: Collection[Pair], moment: str) -> int:
    """How many of a controller's things came, or were decided, after a moment."""
    moments = (
        (record, ("received_at",)), (document, ("made_at",)), (notice, ("made_at",)), (disclosure, ("made_at",)),
        (client_request, ("registered_at", "decided_at", "answered_at")),
        (access_grant, ("given_at",)),  # it is reviewed at both ends: the user's organisation answers for its people
    )  # fmt: skip
    count = 0
    for table, names in moments:
        whose = next((table.c[name] for name in ("organiser", "controller") if name in table.c), None)
        mine = tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs)) if whose is None else whose == organiser
        later = or_(*(table.c[name] > moment for name in names))
        count += int(tx.execute(select(func.count()).select_from(table).where(mine, later)).scalar_one())
    return count


def restore(tx: Connection, name: str, found: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the numbers that they bring.

    Raises:
        UntrustedError: a row refers to one that is not there, or stands twice.
    """
    try:
        if found:
            tx.execute(TABLES[name].insert(), [dict(one) for one in found])
    except IntegrityError as error:
        raise UntrustedError(
            f"the package is incomplete: a row of {name} refers to a row that is not in it, or stands twice"
        ) from error


def renumber(tx: Connection) -> None:
    """Let the database count on behind the rows that were written with their numbers."""
    if tx.dialect.name != "postgresql":
        return
    for name, number in _NUMBERED.items():
        tx.execute(text(
            f"SELECT setval(pg_get_serial_sequence('{name}', '{number.name}'), "  # noqa: S608 — names of our own tables
            f"(SELECT max({number.name}) FROM {name}))"
        ))  # fmt: skip


def held(tx: Connection, name: str, column: str, values: Collection[str]) -> list[str]:
    """Which of some values a table holds already."""
    found = TABLES[name].c[column]
    return sorted(tx.execute(select(found).where(found.in_(sorted(values)))).scalars())


def note_keys(tx: Connection, ids: Sequence[int], gone: Collection[int], moment: str) -> None:
    """Note the keys of content that comes in.

    Args:
        tx: the caller's transaction.
        ids: every key.
        gone: those that are destroyed.
        moment: when.
    """
    values = [{"id": one, "made_at": moment, "destroyed_at": moment if one in gone else None} for one in ids]
    if values:
        tx.execute(data_key.insert(), values)
