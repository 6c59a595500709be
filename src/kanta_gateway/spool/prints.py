"""Fingerprints of contact data end: with the client's basic data, or when its only register leaves."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from kanta_gateway.spool.records import PARAMETERS
from kanta_gateway.tables import fingerprint, record

if TYPE_CHECKING:
    from sqlalchemy import Connection


def only_in(tx: Connection, provider: str, purchasers: Collection[str]) -> list[str]:
    """Clients with fingerprints who stand in some of a provider's registers and in no other."""
    other, mine = record.alias(), record.c.purchaser.in_(sorted(purchasers))
    elsewhere = exists().where(
        other.c.client_ref == record.c.client_ref, other.c.provider == provider,
        other.c.purchaser.not_in(sorted(purchasers)),
    )  # fmt: skip
    known = exists().where(fingerprint.c.client_ref == record.c.client_ref)
    query = select(record.c.client_ref).where(record.c.provider == provider, mine, known, ~elsewhere).distinct()
    return [str(one) for one in tx.execute(query).scalars()]


def forget(tx: Connection, together: str, refs: Collection[str]) -> None:
    """Forget fingerprints of contact data.

    Args:
        tx: the caller's transaction.
        together: where those of all clients under turvakielto are kept out of the texts of others.
        refs: clients, whose own go, and those among them.
    """
    prints, gone = fingerprint.c, sorted(refs)
    for start in range(0, len(gone), PARAMETERS):
        mine = prints.client_ref.in_(gone[start : start + PARAMETERS])
        values = sorted(set(tx.execute(select(prints.value).where(mine)).scalars()))
        tx.execute(delete(fingerprint).where(mine))
        for place in range(0, len(values), PARAMETERS):  # another client may live at the same address
            theirs = prints.value.in_(values[place : place + PARAMETERS])
            left = set(tx.execute(select(prints.value).where(theirs, prints.client_ref != together)).scalars())
            lost = prints.value.in_(sorted(set(values[place : place + PARAMETERS]) - left))
            tx.execute(delete(fingerprint).where(prints.client_ref == together, lost))
