"""Reads the log for people: pages of entries, a client's own report, exports.

* A report shows names only where it is given the means to open them; an erased name stays erased.
* JSON Lines are the canonical bodies themselves: whoever has them all can compute the tree again.
  An entry that the reader may not see, or whose time is over, stands as its leaf hash: so completeness is
  proved without content.
* Rows are opened with the key of their register and day; what has no row any more is on no page.
* A client is told who used the data, to whom it was disclosed, and on which basis (703/2023 §11);
  by default for the last two years, further back only for a special reason.
* Reading the log is an event itself; the pipeline appends it.
"""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from kanta_gateway.model import instant
from kanta_gateway.tables import audit_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from kanta_gateway.audit.names import Names
    from kanta_gateway.audit.seals import Seals

    MayRead = Callable[[Mapping[str, Any]], bool]

WINDOW_YEARS = 2
"""How far back a client's report goes without a special reason (703/2023 §11.2)."""

_PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""

COLUMNS = (
    "idx", "at", "log", "event", "person_id", "person_name", "person_ref", "organisation", "role", "system",
    "purpose", "basis", "client", "subject", "provider", "controller", "recipient",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries, in the order of the log."""

    client_ref: str | None = None
    events: frozenset[str] = frozenset()
    """Empty for all."""
    since: datetime | None = None
    until: datetime | None = None
    """First moment that is not wanted."""
    after: int = -1
    """Index of the last entry of the page before."""
    limit: int = _PAGE


def bodies(connection: Connection, seals: Seals, wanted: Filter) -> list[tuple[int, str]]:
    """Index and canonical body of one page of entries."""
    c = audit_entry.c
    query = select(c.idx, c.key_id, c.sealed).where(c.idx > wanted.after, c.sealed.is_not(None))
    query = query.order_by(c.idx).limit(wanted.limit)
    if wanted.client_ref is not None:
        query = query.where(c.client_ref == wanted.client_ref)
    if wanted.events:
        query = query.where(c.event.in_(sorted(wanted.events)))
    if wanted.since is not None:
        query = query.where(c.at >= instant(wanted.since))
    if wanted.until is not None:
        query = query.where(c.at < instant(wanted.until))
    return [(idx, seals.open(key_id, idx, sealed).decode()) for idx, key_id, sealed in connection.execute(query)]


def entries(connection: Connection, seals: Seals, wanted: Filter) -> list[dict[str, Any]]:
    """One page of entries as objects."""
    return [orjson.loads(body) for _, body in bodies(connection, seals, wanted)]


def every(connection: Connection, seals: Seals, wanted: Filter) -> Iterator[tuple[int, str]]:
    """Index and canonical body of all entries from `after` on, read page by page."""
    while page := bodies(connection, seals, wanted):
        yield from page
        wanted = replace(wanted, after=page[-1][0])


def jsonl(
    connection: Connection, seals: Seals, clients: Collection[str] | None = None,
    may_read: MayRead | None = None,
) -> Iterator[str]:  # fmt: skip
    """Lines of an export, one for each entry: the bodies that the tree hashes, without names.

    Args:
        connection: a reading connection.
        seals: opens the rows.
        clients: references of the clients whose entries are opened; others stand as their leaf hashes. None opens all.
        may_read: whether the reader may read an entry; others stand as their leaf hashes too. None: every one.
    """
    c = audit_entry.c
    query = select(c.idx, c.client_ref, c.leaf_hash, c.key_id, c.sealed).order_by(c.idx).limit(_PAGE)
    after = -1
    while page := connection.execute(query.where(c.idx > after)).all():
        for idx, client, leaf, key_id, sealed in page:
            is_meant = sealed is not None and (clients is None or client in clients)
            body = seals.open(key_id, idx, sealed) if is_meant else b""
            if body and (may_read is None or may_read(orjson.loads(body))):
                yield body.decode() + "\n"
            else:
                yield f'{{"idx":{idx},"leaf":"{b64encode(leaf).decode()}"}}\n'
        after = page[-1][0]


def table(
    connection: Connection, seals: Seals, wanted: Filter, names: Names | None = None, may_read: MayRead | None = None
) -> Iterator[str]:
    """Lines of a CSV export; with `names` it shows persons, without only their references."""
    yield cells(COLUMNS)
    for row in rows(connection, seals, wanted, names, may_read):
        yield cells(row[column] for column in COLUMNS)


def rows(
    connection: Connection, seals: Seals, wanted: Filter, names: Names | None = None, may_read: MayRead | None = None
) -> Iterator[dict[str, Any]]:
    """Entries as flat rows; those that the reader may not read are left out."""
    people: dict[str, dict[str, str]] = {}
    for _, body in every(connection, seals, wanted):
        entry = orjson.loads(body)
        if may_read is not None and not may_read(entry):
            continue
        actor = entry["actor"]
        name = actor.get("name", "")
        if names is not None and name and name not in people:
            people[name] = names.read(connection, name)
        person = people.get(name, {})
        flat = {column: entry.get(column, actor.get(column, "")) for column in COLUMNS}
        yield flat | {
            "person_id": person.get("id", ""),
            "person_name": person.get("name", ""),
            "person_ref": actor.get("ref", ""),
        }


def client_report(
    connection: Connection, seals: Seals, client_ref: str, now: datetime, *, names: Names,
    since: datetime | None = None,
) -> list[dict[str, str]]:  # fmt: skip
    """What 703/2023 §11 grants a client: who used, to whom disclosed, when, why and on which basis.

    Args:
        connection: a reading connection.
        seals: opens the rows.
        client_ref: the client's keyed reference.
        now: the moment of the report.
        names: opens the names of those who used the data.
        since: earlier than the usual two years only with a special reason, which the caller records.
    """
    wanted = Filter(client_ref=client_ref, since=since or window_start(now), until=now)
    told = ("at", "log", "event", "person_name", "organisation", "role", "recipient", "purpose", "basis",
            "subject", "controller")  # fmt: skip
    return [
        {column: str(row[column]) for column in told}
        for row in rows(connection, seals, wanted, names)
        if row["log"] != "system"
    ]


def window_start(now: datetime) -> datetime:
    """Where a client's report begins without a special reason."""
    day = 28 if (now.month, now.day) == (2, 29) else now.day
    return now.replace(year=now.year - WINDOW_YEARS, day=day)


def cells(values: Iterable[Any]) -> str:
    """One line of a table, in which nothing is taken for a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: Any) -> str:
    is_nested = isinstance(value, dict | list)
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode() if is_nested else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
