"""Matches the log with what it tells about, both ways: nothing happened untold, nothing was told that is not there.

* A claim is something that is stored and that an entry must tell of.
* An entry of a known kind must have its thing, in a state that the entry can have led to.
* The log's own truth is `verify`'s business; this says whether tables and log tell the same story.
* Pure: claims, states and entries come in as values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kanta_gateway.audit.problems import Problems


@dataclass(frozen=True, slots=True)
class Claim:
    """Something stored that must have its entry."""

    table: str
    place: str
    """What is stored, as its table calls it."""
    event: str
    subject: str
    """What the entry must be about."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the entry's details must hold."""
    since: str = ""
    """A moment before the entry or at it; of what is older than the log, the entry is gone."""
    is_newest: bool = False
    """Whether it is the newest entry about it that must tell of it, not any."""

    def is_told_by(self, details: Mapping[str, Any]) -> bool:
        """Whether an entry about the subject tells of this."""
        return all(name in details and details[name] == value for name, value in self.details.items())


@dataclass(frozen=True, slots=True)
class Told:
    """What reconciliation needs of one entry."""

    idx: int
    event: str
    subject: str
    details: Mapping[str, Any]


Known = Mapping[str, Mapping[str, bool]]
"""By event: subjects that are stored, and whether their state is one that the event can have led to."""


def reconcile(claims: Iterable[Claim], entries: Iterable[Told], known: Known, purged: str = "") -> Problems:
    """Match claims and entries; what is left over on either side is told.

    Args:
        claims: what is stored.
        entries: the log, in order.
        known: events whose subjects must be stored.
        purged: entries up to this moment are gone; empty when all are there.
    """
    problems = Problems()
    open_ = _Open(one for one in claims if not purged or one.since > purged)
    for entry in entries:
        open_.hear(entry)
        is_as_told = known[entry.event].get(entry.subject) if entry.event in known else True
        if not is_as_told:
            what = "audit-thing-missing" if is_as_told is None else "audit-state-contradicts"
            problems.tell("audit_entry", entry.idx, what, event=entry.event, subject=entry.subject)
    for left in open_.left():
        what = "audit-thing-differs" if left.details else "audit-thing-untold"
        problems.tell(left.table, left.place, what, event=left.event)
    return problems


class _Open:
    """Claims of which no entry has told yet."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._left: dict[tuple[str, str], list[Claim]] = {}
        self._newest: dict[tuple[str, str], Claim] = {}
        for one in claims:
            self._left.setdefault((one.event, one.subject), []).append(one)
            if one.is_newest:
                self._newest[one.event, one.subject] = one

    def hear(self, entry: Told) -> None:
        """Take what one entry tells."""
        key = (entry.event, entry.subject)
        if key in self._newest:
            self._left[key] = [self._newest[key]]
        if key in self._left:
            self._left[key] = [one for one in self._left[key] if not one.is_told_by(entry.details)]

    def left(self) -> Iterator[Claim]:
        """What no entry told."""
        return chain.from_iterable(self._left.values())
