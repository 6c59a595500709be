"""Deliveries: when each came, what it says of itself, and where each of its rows is stored.

* A repeated row points at the record that is there (`delivered.is_duplicate`).
* One row can hold several records; they are told as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, select, update

from kanta_gateway.model import MAX_VERSION, instant
from kanta_gateway.spool.records import COLUMNS, from_row, json_text
from kanta_gateway.tables import delivered, delivery, record

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from kanta_gateway.spool.records import StoredRecord


class Pointer(NamedTuple):
    """Where one delivered record of a delivery is stored."""

    position: int
    """Number of the delivered row."""
    part: int
    """Which record of the row, from 0."""
    row: int
    label: str
    """What the row is called; empty for the record's own id."""
    is_duplicate: bool
    is_older: bool
    """A duplicate of a state that has been replaced since."""


_OF_DELIVERY = (
    select(
        *COLUMNS,
        delivered.c.position,
        delivered.c.part,
        delivered.c.record_row,
        delivered.c.label,
        delivered.c.is_duplicate,
        delivered.c.is_older,
    )
    .select_from(delivered.join(record, delivered.c.record_row == record.c.id))
    .where(
        delivered.c.delivery_id == bindparam("delivery"),
        delivered.c.position > bindparam("after"),
        delivered.c.position <= bindparam("last"),
    )
    .order_by(delivered.c.position, delivered.c.part)
)


def open_delivery(tx: Connection, values: Mapping[str, Any]) -> None:
    """Write down that a delivery began."""
    tx.execute(delivery.insert(), dict(values))


def close_delivery(tx: Connection, delivery_id: str, findings: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Write down that every record of a delivery has been judged, and what was found on the delivery as a whole."""
    closed = {"settled_at": instant(now), "findings": json_text(findings)}
    tx.execute(update(delivery).where(delivery.c.id == delivery_id).values(closed))


def find_delivery(tx: Connection, delivery_id: str) -> RowMapping | None:
    """The delivery with this id."""
    return tx.execute(select(delivery).where(delivery.c.id == delivery_id)).mappings().first()


def point(tx: Connection, delivery_id: str, pointers: Sequence[Pointer]) -> None:
    """Remember which row each delivered record became."""
    if pointers:
        tx.execute(
            delivered.insert(),
            [
                {
                    "delivery_id": delivery_id, "position": one.position, "part": one.part, "record_row": one.row,
                    "label": one.label, "is_duplicate": int(one.is_duplicate), "is_older": int(one.is_older),
                }
                for one in pointers
            ],
        )  # fmt: skip


def of_delivery(tx: Connection, delivery_id: str, after: int, limit: int) -> list[tuple[Pointer, StoredRecord]]:
    """Delivered records of one delivery, row by row: where each is stored, and what is there.

    Args:
        tx: a reading transaction.
        delivery_id: the delivery.
        after: last position seen, -1 for the beginning.
        limit: how many delivered rows at most; one row can hold several records.
    """
    found = tx.execute(_OF_DELIVERY, {"delivery": delivery_id, "after": after, "last": after + limit})
    return [
        (Pointer(row.position, row.part, row.record_row, row.label, bool(row.is_duplicate), bool(row.is_older)),
         from_row(row))
        for row in found
    ]  # fmt: skip


def clients_of_delivery(tx: Connection, delivery_id: str) -> list[str]:
    """Clients that one delivery brought records of."""
    query = (
        select(record.c.client_ref)
        .join(delivered, delivered.c.record_row == record.c.id)
        .where(delivered.c.delivery_id == delivery_id, record.c.client_ref.is_not(None))
        .distinct()
    )
    return sorted(str(one) for one in tx.execute(query).scalars())


def chains(tx: Connection, provider: str, names: Iterable[str]) -> dict[tuple[str, str], tuple[str, int]]:
    """Where records are kept that replaced one of another id: type and own name -> id of the chain, and place in it.

    Args:
        tx: a reading transaction.
        provider: OID of the provider.
        names: what they are called.
    """
    query = (
        select(record.c.type, delivered.c.label, record.c.record_id, func.max(record.c.version))
        .join(record, delivered.c.record_row == record.c.id)
        .where(record.c.provider == provider, delivered.c.label != record.c.record_id)
        .group_by(record.c.type, delivered.c.label, record.c.record_id)
    )
    found: dict[tuple[str, str], tuple[str, int]] = {}
    wanted = sorted(names)
    for start in range(0, len(wanted), 300):  # SQLite allows a limited number of parameters
        for kind, label, name, version in tx.execute(query.where(delivered.c.label.in_(wanted[start : start + 300]))):
            found[(str(kind), str(label))] = (str(name), (int(version) - 1) // MAX_VERSION)
    return found


def labels(tx: Connection, provider: str, purchaser: str) -> Iterator[tuple[str, str]]:
    """What the rows that a provider delivered to a purchaser are called, each once, with the client it is about.

    Args:
        tx: a reading transaction.
        provider: OID of the provider.
        purchaser: name of the contract.

    Yields:
        Label, and the client's keyed reference; empty for what is about no client.
    """
    query = (
        select(delivered.c.label, record.c.client_ref)
        .join(record, delivered.c.record_row == record.c.id)
        .join(delivery, delivered.c.delivery_id == delivery.c.id)
        .where(delivery.c.provider == provider, delivery.c.purchaser == purchaser, delivered.c.label != "")
        .distinct()
    )
    for label, client_ref in tx.execute(query):
        yield str(label), str(client_ref or "")


def names_of(tx: Connection, rows: Sequence[int]) -> dict[int, str]:
    """What the rows were called in which records were delivered last; none for a record delivered by itself.

    Args:
        tx: a reading transaction.
        rows: of the records.
    """
    query = select(delivered.c.record_row, delivered.c.label).where(delivered.c.label != "")
    found: dict[int, str] = {}
    for start in range(0, len(rows), 300):  # SQLite allows a limited number of parameters
        for row, label in tx.execute(query.where(delivered.c.record_row.in_(rows[start : start + 300]))):
            found[int(row)] = str(label)
    return found
