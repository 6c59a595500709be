"""The end of a row: twelve years after its event it goes with its salt, and with the day's last row the day's key.

* The leaf hash stays, so the tree, its checkpoints and every proof hold as before.
* A purge is an entry that lists the places that it took and the names that went with them.
* Entries of the log about itself tell of no client and no person; they stay, since later checks need them.
* A purge hides no younger row: each place that is empty must be listed, and the head after it must be old enough.
  Heads carry codes under a key outside the database, so their times cannot be set back by who has only tables;
  a clock that was set forward for a purge is found by the first entry after it was set right again.

Source: 703/2023 annex ("Luovutustenhallinnan asiakirjat", 12 years from the event) and §24.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from kanta_gateway.audit.entry import OWN
from kanta_gateway.model import Event, instant
from kanta_gateway.tables import audit_entry, audit_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.log import Log

LOG_YEARS = 12
"""How long the log of use and disclosure is kept (703/2023 annex)."""
BATCH = 5000
SLACK = timedelta(days=1)
"""Entries of one commit may be told in another order than they happened in; a day is nothing to twelve years."""
PURPOSE, BASIS = "retention", "703/2023 annex, §24"

_E = audit_entry.c
_OWN = sorted(event.value for event in OWN)
_SPENT = (
    select(_E.idx, _E.key_id)
    .where(_E.at <= bindparam("limit"), _E.event.not_in(_OWN))
    .order_by(_E.at, _E.idx)
    .limit(BATCH)
)
_EMPTY: dict[str, Any] = dict.fromkeys(("event", "client_ref", "name", "at", "key_id", "sealed"))


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge took."""

    rows: int
    names: int
    keys: tuple[int, ...]
    """Keys whose last row is gone."""


@dataclass(frozen=True, slots=True)
class Purge:
    """What the entry about a purge says."""

    idx: int
    at: str
    until: str
    """Events up to this moment are gone, but for those of the log about itself."""
    ranges: tuple[tuple[int, int], ...]
    """First and last place of each, in order."""


def limit(now: datetime) -> datetime:
    """The moment until which events are old enough to go."""
    return _years(now, -LOG_YEARS)


def silent_years(tx: Connection, now: datetime, until: datetime | None = None) -> list[int]:
    """Calendar years without an entry between the first one and today: where there are some, the clock may run ahead.

    Args:
        tx: a reading transaction.
        now: the present moment.
        until: only a first entry up to here counts, so that nothing is told where a purge would take nothing.
    """
    old = () if until is None else (_E.at <= instant(until),)
    first = tx.execute(select(func.min(_E.at)).where(*old, _E.event.not_in(_OWN))).scalar()
    if first is None:
        return []
    begun = (datetime(year, 1, 1, tzinfo=UTC) for year in range(int(first[:4]) + 1, now.year))
    return [one.year for one in begun if not _has_entry(tx, one, _years(one, 1))]


def _has_entry(tx: Connection, since: datetime, until: datetime) -> bool:
    query = select(_E.idx).where(_E.at >= instant(since), _E.at < instant(until)).limit(1)
    return tx.execute(query).first() is not None


def purge(tx: Connection, log: Log, name: str, now: datetime) -> Purged:
    """Take the rows whose time is over, at most a batch of them, and append the entry that tells of it.

    Args:
        tx: the caller's transaction.
        log: the log.
        name: of the log.
        now: the present moment.
    """
    log.lock(tx)
    until = instant(limit(now))
    spent = tx.execute(_SPENT, {"limit": until}).all()
    if not spent:
        return Purged(0, 0, ())
    places = sorted(int(idx) for idx, _ in spent)
    ranges = _ranges(places)
    for first, last in ranges:
        tx.execute(update(audit_entry).where(_E.idx >= first, _E.idx <= last).values(_EMPTY))
    names = _forget_names(tx, log, until)
    keys = _keyless(tx, sorted({int(key) for _, key in spent}))
    details = {"until": until, "ranges": ranges, "names": names, "keys": len(keys)}
    log.note_own(tx, name, Event.AUDIT_PURGE, now, "audit_entry", details, PURPOSE, BASIS)
    return Purged(len(places), len(names), keys)


def _forget_names(tx: Connection, log: Log, until: str) -> list[str]:
    """Delete the names that no younger row tells of."""
    used = select(_E.idx).where(_E.name == audit_name.c.commitment, _E.at > until).exists()
    gone = sorted(tx.execute(delete(audit_name).where(~used).returning(audit_name.c.commitment)).scalars())
    if gone:
        log.names.forget()
    return gone


def _keyless(tx: Connection, keys: Sequence[int]) -> tuple[int, ...]:
    """Those keys that seal no row any more."""
    left = set(tx.execute(select(_E.key_id).where(_E.key_id.in_(keys)).group_by(_E.key_id)).scalars())
    return tuple(one for one in keys if one not in left)


def _ranges(places: Iterable[int]) -> list[list[int]]:
    """Places in order, joined where nothing lies between them."""
    found: list[list[int]] = []
    for place in places:
        if found and found[-1][1] == place - 1:
            found[-1][1] = place
        else:
            found.append([place, place])
    return found


def read(entry: dict[str, Any]) -> Purge:
    """What the entry about a purge says; nothing where it is no such entry."""
    ranges = entry["details"].get("ranges")
    pairs = [one for one in ranges if _is_range(one, entry["idx"])] if isinstance(ranges, list) else []
    until = str(entry["details"].get("until", ""))
    return Purge(entry["idx"], entry["at"], until, tuple((first, last) for first, last in pairs))


def _is_range(value: Any, end: int) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
        and 0 <= value[0] <= value[1] < end
    )  # fmt: skip


class Purges:
    """Every purge that the log tells of, asked by place.

    A place may have been taken twice, when a backup brought its row back.
    """

    def __init__(self, purges: Iterable[Purge]) -> None:
        ranges = sorted(((*ranged, one) for one in purges for ranged in one.ranges), key=lambda one: one[:2])
        self._firsts = [first for first, _, _ in ranges]
        ends = ((last, one) for _, last, one in ranges)
        self._reach = list(accumulate(ends, partial(max, key=itemgetter(0))))
        """How far the ranges up to each reach, and which of them reaches farthest."""

    def of(self, place: int) -> Purge | None:
        """The purge that took the entry at this place."""
        at = bisect_right(self._firsts, place) - 1
        if at < 0 or place > self._reach[at][0]:
            return None
        taken: Purge = self._reach[at][1]
        return taken


def due(at: str) -> str:
    """When an event of this moment may be gone, a day's slack given."""
    try:
        return instant(_years(datetime.fromisoformat(at), LOG_YEARS) - SLACK)
    except (ValueError, OverflowError):
        return "9999"


def _years(moment: datetime, years: int) -> datetime:
    """The same day so many years on; a leap day that the year lacks is the day before it."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, day=28)
