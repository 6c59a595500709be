"""Matches the log with what it tells about, both ways: nothing happened untold, nothing was told that is not there.

* A claim is something that is stored and that an entry must tell of.
* An entry of a known kind must have its thing, in a state that the entry can have led to.
* The log's own truth is `verify`'s business; this says whether tables and log tell the same story.
* Pure: claims, states and entries come in as values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    open_: dict[tuple[str, str], list[Claim]] = {}
    for one in claims:
        if purged and one.since <= purged:
            continue
        open_.setdefault((one.event, one.subject), []).append(one)
    for entry in entries:
        key = (entry.event, entry.subject)
        if key in open_:
            open_[key] = [one for one in open_[key] if not one.is_told_by(entry.details)]
        subjects = known.get(entry.event)
        if subjects is None:
            continue
        params = {"event": entry.event, "subject": entry.subject}
        if entry.subject not in subjects:
            problems.tell("audit_entry", entry.idx, "audit-thing-missing", **params)
        elif not subjects[entry.subject]:
            problems.tell("audit_entry", entry.idx, "audit-state-contradicts", **params)
    for left in open_.values():
        for one in left:
            what = "audit-thing-differs" if one.details else "audit-thing-untold"
            problems.tell(one.table, one.place, what, event=one.event)
    return problems
