"""What a caller can reach: what is not there and what is another's are told alike, to the last query.

* Whether the caller may do such a thing at all is decided first, without looking for the thing.
* Then it is looked for, and whose it is; missing and another's take the same queries, the same key operations and one
  entry each, so that neither answer nor work tells whether a guessed identifier exists.
* Only who can reach a thing hears why it may not use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kanta_gateway.errors import NotFoundError, ParameterError
from kanta_gateway.model import Caller, Event, Finding, Severity
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.sphere import Sphere
from kanta_gateway.spool import deliveries, records, store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.permits import Permits

Find = Callable[["Connection"], Thing | None]
"""Looks for a thing; None where there is none."""
HIDDEN = "nothing of this name is within the caller's reach"


class Reach:
    """Finds things for callers."""

    def __init__(self, parts: Parts, office: Permits) -> None:
        self._parts = parts
        self._office = office

    def seek(self, caller: Caller, event: Event, find: Find) -> Thing:
        """Whose the thing is that the caller asks for, if it can reach it.

        Args:
            caller: who asks.
            event: what it wants to do.
            find: looks for the thing.

        Raises:
            NotPermittedError: the caller may do this with nothing; nothing was looked for.
            NotFoundError: there is no such thing, or it is another's; the log tells of the attempt.
        """
        own = caller.organisation if self._office.is_own_only(caller) else None
        self._office.permit(caller, event, provider=own)
        with self._parts.database.reading() as tx:
            sphere = self._office.guard.sphere_in(tx, caller)
            found = find(tx)
        if found is None or not _reaches(found, sphere):
            self._office.conceal(caller, event, found)
            raise NotFoundError
        return found


def after(
    tx: Connection, sphere: Sphere, name: str, find: Callable[[str], Find], place: Callable[[Connection, str], int]
) -> int:
    """Where a list goes on: behind the last thing that its reader was told of; 0 for the beginning.

    Lists go on by the name of a thing and not by a number, since a number would tell how much all others have.

    Args:
        tx: the transaction of the list.
        sphere: what the reader can know of.
        name: of the thing; empty for the beginning.
        find: finds things of its kind.
        place: tells the place of one that is there.

    Raises:
        ParameterError: the reader can reach no such thing.
    """
    if not name:
        return 0
    found = find(name)(tx)
    if found is None or not _reaches(found, sphere):
        told = {"field": "after", "expected": "`next` of the page before"}
        raise ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", "/after", told),))
    return place(tx, name)


def _reaches(thing: Thing, sphere: Sphere) -> bool:
    return sphere.holds(
        thing.provider or "", purchaser=thing.purchaser or "", controller=thing.controller or "",
        client_ref=thing.client_ref,
    )  # fmt: skip


def document(oid: str) -> Find:
    """A document by its OID."""

    def find(tx: Connection) -> Thing | None:
        row = store.owner(tx, oid)
        if row is None:
            return None
        return Thing(row.provider, row.organiser, row.purchaser, row.client_ref, record_type=row.type)

    return find


def ticket(name: str) -> Find:
    """A record by its ticket."""

    def find(tx: Connection) -> Thing | None:
        row = records.owner(tx, name)
        return None if row is None else Thing(row.provider, None, row.purchaser, row.client_ref, record_type=row.type)

    return find


def delivery(name: str) -> Find:
    """A delivery by its id."""

    def find(tx: Connection) -> Thing | None:
        row = deliveries.find_delivery(tx, name)
        return None if row is None else Thing(row["provider"], None, row["purchaser"])

    return find


def notice(name: str) -> Find:
    """A notice by its id."""

    def find(tx: Connection) -> Thing | None:
        row = notices.owner(tx, name)
        return None if row is None else Thing(row.provider, row.organiser, row.purchaser)

    return find
