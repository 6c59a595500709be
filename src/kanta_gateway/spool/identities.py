"""Which client numbers, of whichever provider, have one identity code: a keyed mark of it beside each client.

* The mark is keyed by the controller too, so what two controllers keep never meets.
* The newest record of a client tells it; an older one that comes late changes nothing.
* It goes with the content of the client's record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, delete, exists, select

from kanta_gateway.tables import client_person, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

_C = client_person.c
_OWN = (_C.provider == bindparam("provider"), _C.purchaser == bindparam("purchaser"))
_HAVE = select(_C.client_ref, _C.version).where(*_OWN, _C.client_ref.in_(bindparam("clients", expanding=True)))
_GONE = delete(client_person).where(*_OWN, _C.client_ref.in_(bindparam("clients", expanding=True)))
_SAME = client_person.alias("same")
_MINE = client_person.alias("mine")
_ELSEWHERE = (
    select(_SAME.c.provider, _SAME.c.purchaser, _SAME.c.client_ref)
    .join(_MINE, and_(_MINE.c.person_ref == _SAME.c.person_ref, _MINE.c.person_ref != ""))
    .where(
        _MINE.c.provider == bindparam("provider"), _MINE.c.purchaser == bindparam("purchaser"),
        _MINE.c.client_ref.in_(bindparam("clients", expanding=True)),
    )
    .distinct()
    .order_by(_SAME.c.provider, _SAME.c.purchaser, _SAME.c.client_ref)
)  # fmt: skip
_KEY = (record.c.provider, record.c.purchaser, record.c.client_ref)
_IS_ITS = and_(_C.provider == _KEY[0], _C.purchaser == _KEY[1], _C.client_ref == _KEY[2])


class Told(NamedTuple):
    """What one record of a client tells of who it is."""

    client_ref: str
    version: int
    person_ref: str


class Place(NamedTuple):
    """One client number in one provider's part of a register."""

    provider: str
    purchaser: str
    client_ref: str


def note(tx: Connection, provider: str, purchaser: str, told: Iterable[Told]) -> None:
    """Keep who clients are, where it is told by a newer record than what is known.

    Args:
        tx: the caller's transaction.
        provider: OID of the provider.
        purchaser: name of the contract file.
        told: what records tell, oldest first.
    """
    newest: dict[str, Told] = {}
    for one in told:
        if one.client_ref not in newest or newest[one.client_ref].version <= one.version:
            newest[one.client_ref] = one
    if not newest:
        return
    own = {"provider": provider, "purchaser": purchaser}
    have = {str(ref): int(version) for ref, version in tx.execute(_HAVE, {**own, "clients": list(newest)})}
    new = [one for one in newest.values() if have.get(one.client_ref, one.version) <= one.version]
    if known := [one.client_ref for one in new if one.client_ref in have]:
        tx.execute(_GONE, {**own, "clients": known})
    if new:
        tx.execute(client_person.insert(), [{**own, **one._asdict()} for one in new])


def places(tx: Connection, provider: str, purchaser: str, clients: Collection[str]) -> list[Place]:
    """Every client number, at any provider of the controller, of whom these clients of one register are."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients)}
    return [Place(*row) for row in tx.execute(_ELSEWHERE, told)]


def is_empty(tx: Connection) -> bool:
    """Whether nothing is known of anybody."""
    return tx.execute(select(_C.client_ref).limit(1)).first() is None


def unknown(tx: Connection, types: Collection[str]) -> list[Place]:
    """Clients of whom nothing is noted although their record has content.

    Args:
        tx: a transaction.
        types: record types that tell who a client is.
    """
    query = select(*_KEY).where(record.c.type.in_(types), record.c.payload.is_not(None), ~exists().where(_IS_ITS))
    return [Place(*row) for row in tx.execute(query.distinct().order_by(*_KEY))]


def forget(tx: Connection, types: Collection[str]) -> int:
    """Forget of whom no record has content any more; how many.

    Args:
        tx: the caller's transaction.
        types: record types that tell who a client is.
    """
    has_content = exists().where(_IS_ITS, record.c.type.in_(types), record.c.payload.is_not(None))
    return tx.execute(delete(client_person).where(~has_content)).rowcount
