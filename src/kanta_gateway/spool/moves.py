"""Records that were delivered for more than one client: each of their clients has a row in `moved`.

* A record that was written for the wrong client comes again under its own id for the right one.
* So the file of each of these clients must know what was delivered of the record for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, func, select, tuple_, update

from kanta_gateway.spool.records import COLUMNS, RECEIVED, from_row
from kanta_gateway.tables import moved, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.spool.records import StoredRecord

Key = tuple[str, str]

_SAME = and_(
    moved.c.provider == record.c.provider, moved.c.type == record.c.type, moved.c.record_id == record.c.record_id
)
_ELSEWHERE = (
    record.c.provider == bindparam("provider"), record.c.purchaser == bindparam("purchaser"),
    moved.c.client_ref.in_(bindparam("clients", expanding=True)),
    record.c.client_ref.not_in(bindparam("clients", expanding=True)),
)  # fmt: skip
_NEWEST = select(func.coalesce(func.max(record.c.id), 0)).join(moved, _SAME).where(*_ELSEWHERE)
_STATES = select(*COLUMNS).select_from(record.join(moved, _SAME)).where(*_ELSEWHERE).distinct().order_by(record.c.id)
_OF_RECORDS = select(moved.c.type, moved.c.record_id, moved.c.client_ref).where(
    moved.c.provider == bindparam("provider"),
    tuple_(moved.c.type, moved.c.record_id).in_(bindparam("keys", expanding=True)),
)


def note(tx: Connection, provider: str, purchaser: str, clients: Mapping[Key, Collection[str]]) -> None:
    """Write down which clients records were delivered for, and have their other states judged again.

    Args:
        tx: the caller's transaction.
        provider: OID of the provider.
        purchaser: name of the contract: in whose register.
        clients: (type, id) of each record -> keyed references of every client that it was delivered for.
    """
    if not clients:
        return
    have = {tuple(row) for row in tx.execute(_OF_RECORDS, {"provider": provider, "keys": sorted(clients)})}
    new = [(*key, ref) for key, refs in clients.items() for ref in sorted(refs) if (*key, ref) not in have]
    if new:
        tx.execute(moved.insert(), [
            {"provider": provider, "type": kind, "record_id": name, "client_ref": ref} for kind, name, ref in new
        ])  # fmt: skip
    same = tuple_(record.c.type, record.c.record_id).in_(sorted(clients))
    own = (record.c.provider == provider, record.c.purchaser == purchaser, record.c.client_ref.is_not(None))
    tx.execute(update(record).where(*own, same).values(state=RECEIVED))


def newest(tx: Connection, provider: str, purchaser: str, clients: Iterable[str]) -> int:
    """Newest row of what was delivered of these clients' records for other clients; 0 if there is none."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients)}
    return int(tx.execute(_NEWEST, told).scalar_one())


def elsewhere(tx: Connection, provider: str, purchaser: str, clients: Iterable[str]) -> list[StoredRecord]:
    """What was delivered of these clients' records for other clients, oldest first."""
    told = {"provider": provider, "purchaser": purchaser, "clients": list(clients)}
    return [from_row(row) for row in tx.execute(_STATES, told)]
