"""Client numbers that belong to one person, as an official of the purchaser said: links that can be undone.

* A link says: this client is judged and filed as that one. It is never deleted, an undone one stays as evidence.
* Nobody is linked twice at once, and whom others are linked to is linked to nobody.
* A link holds within one provider and one purchaser: what two controllers keep never meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select, update

from kanta_gateway.model import instant
from kanta_gateway.tables import person_link

if TYPE_CHECKING:
    from sqlalchemy import Connection

_C = person_link.c
_ACTIVE = (_C.provider == bindparam("provider"), _C.purchaser == bindparam("purchaser"), _C.undone_at.is_(None))
_OF = select(_C.id, _C.client_ref, _C.primary_ref).where(
    *_ACTIVE, or_(_C.client_ref == bindparam("client"), _C.primary_ref == bindparam("client"))
).order_by(_C.id)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """One client that is judged and filed as another one."""

    id: int
    client_ref: str
    primary_ref: str


def links(tx: Connection, provider: str, purchaser: str, client_ref: str) -> list[Link]:
    """The links that hold now and name this client, on either side."""
    told = {"provider": provider, "purchaser": purchaser, "client": client_ref}
    return [Link(*row) for row in tx.execute(_OF, told)]


def group(tx: Connection, provider: str, purchaser: str, client_ref: str) -> tuple[str, ...]:
    """Every client reference of the person: first the one that the others are filed as."""
    found = links(tx, provider, purchaser, client_ref)
    if not found:
        return (client_ref,)
    primary = found[0].primary_ref
    if primary != client_ref:
        found = links(tx, provider, purchaser, primary)
    return (primary, *(one.client_ref for one in found))


def every(tx: Connection) -> list[tuple[str, str, Link]]:
    """Provider, purchaser and link of every link that holds now."""
    query = select(_C.provider, _C.purchaser, _C.id, _C.client_ref, _C.primary_ref).where(_C.undone_at.is_(None))
    return [(row[0], row[1], Link(*row[2:])) for row in tx.execute(query.order_by(_C.id))]


def add(
    tx: Connection, provider: str, purchaser: str, client_ref: str, primary_ref: str, reason: str, now: datetime
) -> None:
    """Link a client to the one that it is judged and filed as; that neither is linked yet is the caller's to see."""
    tx.execute(person_link.insert(), {
        "provider": provider, "purchaser": purchaser, "client_ref": client_ref, "primary_ref": primary_ref,
        "reason": reason, "merged_at": instant(now),
    })  # fmt: skip


def undo(tx: Connection, link: Link, now: datetime) -> None:
    """End a link."""
    tx.execute(update(person_link).where(_C.id == link.id).values(undone_at=instant(now)))
