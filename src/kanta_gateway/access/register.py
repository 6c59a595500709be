"""The register of parties and users: statements are added and never changed, so any past day can be told (ACC-04).

* What holds is the last statement of each thing; what was known at a moment are the statements made until then.
* What is about a person (name, identifier) is sealed; a client stands as its keyed reference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, insert, or_, select, text

from kanta_gateway.access.statements import KINDS, Statement
from kanta_gateway.model import instant
from kanta_gateway.tables import party_statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

RELATIONSHIP = "relationship"
Seal = Callable[[bytes], bytes]

_INSERT = insert(party_statement)
_COLUMNS = (
    party_statement.c.kind, party_statement.c.valid_from, party_statement.c.valid_to, party_statement.c.body,
    party_statement.c.sealed,
)  # fmt: skip
_KINDS = (
    select(*_COLUMNS)
    .where(party_statement.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(party_statement.c.id)
)
_NEWEST = select(func.coalesce(func.max(party_statement.c.id), 0))
_OF_OWNER = _KINDS.where(or_(party_statement.c.owner == bindparam("owner"), party_statement.c.owner == ""))
_OF_CLIENTS = (
    select(*_COLUMNS)
    .where(
        party_statement.c.client_ref.in_(bindparam("clients", expanding=True)),
        party_statement.c.owner == bindparam("owner"),
    )
    .order_by(party_statement.c.id)
)
_LOCK = text("LOCK TABLE party_statement IN SHARE ROW EXCLUSIVE MODE")


def add(tx: Connection, stated: Iterable[Statement], now: datetime, seal: Seal | None = None) -> None:
    """Add statements; what was stated before stays as it is.

    Args:
        tx: the caller's transaction.
        stated: the statements.
        now: the moment.
        seal: turns what is about a person into bytes that only the register's key opens.
    """
    _lock(tx)
    for one in stated:
        private = {name: one.body[name] for name in KINDS[one.kind].private if name in one.body}
        if private and seal is None:
            raise ValueError("a statement about a person needs the register's key")
        tx.execute(_INSERT, {
            "kind": one.kind, "thing": one.key, "owner": _owner(one), "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "body": orjson.dumps({k: v for k, v in one.body.items() if k not in private}, default=str).decode(),
            "sealed": seal(orjson.dumps(private)) if private and seal is not None else None,
            "client_ref": one.body["client"] if one.kind == RELATIONSHIP else None,
            "recorded_at": instant(now),
        })  # fmt: skip


def _lock(tx: Connection) -> None:
    """Let statements be committed in the order of their numbers, since `version` is the newest number.

    SQLite has one writer anyway; readers wait for nobody.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_LOCK)


def end(tx: Connection, key: str, last: str, now: datetime) -> Statement | None:
    """State again that something ended on a day; None where it is not known, or ended no later anyway.

    Args:
        tx: the caller's transaction.
        key: of the thing.
        last: its last day.
        now: the moment.
    """
    _lock(tx)
    query = select(party_statement).where(party_statement.c.thing == key).order_by(party_statement.c.id.desc())
    newest = tx.execute(query.limit(1)).mappings().first()
    if newest is None or (newest["valid_to"] is not None and newest["valid_to"] <= last):
        return None
    again = {name: value for name, value in newest.items() if name != "id"}
    tx.execute(_INSERT, again | {"valid_to": last, "recorded_at": instant(now)})
    return replace(_statement(newest, None), valid_to=last)


def stated(tx: Connection, kinds: Iterable[str], *, owner: str | None = None) -> list[Statement]:
    """Statements of some kinds, oldest first; what is about persons is left out.

    Args:
        tx: a reading transaction.
        kinds: which kinds.
        owner: only what is this organisation's, or nobody's in particular.
    """
    wanted: dict[str, Any] = {"kinds": list(kinds)}
    query = _KINDS
    if owner is not None:
        query, wanted["owner"] = _OF_OWNER, owner
    return [_statement(row, None) for row in tx.execute(query, wanted).mappings()]


def relationships(tx: Connection, provider: str, clients: Collection[str]) -> list[Statement]:
    """Statements about some clients' relationships with one provider, oldest first.

    Args:
        tx: a reading transaction.
        provider: OID of whoever serves them.
        clients: keyed references.
    """
    found = tx.execute(_OF_CLIENTS, {"owner": provider, "clients": list(clients)}).mappings()
    return [_statement(row, None) for row in found]


def version(tx: Connection) -> int:
    """A number that is another one whenever something has been stated."""
    return int(tx.execute(_NEWEST).scalar_one())


def known(tx: Connection, open_: Seal, *, at: datetime | None = None) -> list[Statement]:
    """Every statement that was known at a moment, oldest first, with what is about persons."""
    query = select(*_COLUMNS).order_by(party_statement.c.id)
    if at is not None:
        query = query.where(party_statement.c.recorded_at <= instant(at))
    return [_statement(row, open_) for row in tx.execute(query).mappings()]


def recorded(tx: Connection, kind: str, open_: Seal) -> list[tuple[Statement, str]]:
    """Every statement of one kind with the moment at which it was made, oldest first."""
    query = select(*_COLUMNS, party_statement.c.recorded_at).where(party_statement.c.kind == kind)
    rows = tx.execute(query.order_by(party_statement.c.id)).mappings()
    return [(_statement(row, open_), str(row["recorded_at"])) for row in rows]


def persons(tx: Connection, organisation: str, open_: Seal) -> list[Statement]:
    """What is stated about the persons of one organisation, oldest first."""
    rows = tx.execute(_OF_OWNER, {"kinds": ["person"], "owner": organisation}).mappings()
    return [_statement(row, open_) for row in rows]


def _owner(one: Statement) -> str:
    """Whose statement it is, for finding it: the processor's, the provider's or the person's organisation."""
    field = next((name for name in ("processor", "provider") if name in one.body), None)
    field = "organisation" if one.kind == "person" else field
    return str(one.body[field]) if field else ""


def _statement(row: Any, open_: Seal | None) -> Statement:
    body = orjson.loads(row["body"])
    if row["sealed"] is not None and open_ is not None:
        body |= orjson.loads(open_(row["sealed"]))
    return Statement(row["kind"], body, row["valid_from"], row["valid_to"])
