"""Entries of the log for whoever may not read all of them, and whom an entry is about.

* An entry of another's register stands as its place and leaf hash: completeness is proved without content (LOG-14).
* Clients stand in the log as keyed references. Which client one is, is told to whoever may resolve it, by an act of its
  own with a purpose; the reference is looked for among the clients that the gateway knows, and cannot be computed back.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import proofs, report
from kanta_gateway.errors import NotFoundError
from kanta_gateway.model import Caller, Event
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.sphere import Sphere


def closed(tx: Connection, entries: Sequence[Mapping[str, Any]], sphere: Sphere) -> list[dict[str, Any]]:
    """Entries as a reader gets them, those of another's register closed.

    Args:
        tx: a reading transaction.
        entries: bodies, in order.
        sphere: what the reader can know of.
    """
    leaf = proofs.reader(tx)
    return [
        dict(one) if sphere.is_open(one)
        else {"idx": one["idx"], "leaf": b64encode(leaf(0, int(one["idx"]))).decode()}
        for one in entries
    ]  # fmt: skip


class Resolver:
    """Tells which client an entry is about."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def client_of(self, caller: Caller, index: int) -> dict[str, Any]:
        """The client that one entry is about, by the provider's own number; none where it is about no client.

        Args:
            caller: who asks.
            index: place of the entry in the log.

        Raises:
            NotFoundError: there is no such entry that the caller may read; the log tells of the attempt.
        """
        decision = self._office.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        with self._parts.database.reading() as tx:
            sphere = self._office.guard.sphere_in(tx, caller)
            page = report.entries(tx, self._parts.log.seals, report.Filter(after=index - 1, limit=1))
            entry = next((one for one in page if one["idx"] == index and sphere.is_open(one)), None)
        if entry is None:
            self._office.conceal(caller, Event.AUDIT_RESOLVE, None)
            raise NotFoundError
        with self._parts.database.transaction() as tx:
            ref = entry.get("client")
            found = self._numbers(tx, str(ref)) if ref else []
            self._office.note(tx, [self._office.event(
                caller, Event.AUDIT_RESOLVE, subject=f"entry {index}", provider=entry["provider"],
                controller=entry["controller"], client_ref=ref, decision=decision,
            )])  # fmt: skip
        return {"index": index, "clients": found}

    def _numbers(self, tx: Connection, ref: str) -> list[dict[str, str]]:
        """Provider and client number of a reference."""
        providers = sorted({owner for owner, _, one in records.subjects(tx, ["client"]) if one == ref})
        numbers = {
            (owner, one.id) for owner in providers
            for one in records.of_client(tx, owner, ref) if one.type == "client"
        }  # fmt: skip
        return [{"provider": owner, "client": number} for owner, number in sorted(numbers)]
