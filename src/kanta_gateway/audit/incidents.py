"""Clocks of an incident: who must be told by when, and whether they were.

* Triggers, recipients and times are data; a clock runs from when the incident was known, or after another clock.
* Where the law says only "at once" nothing is judged late: the hours that it took are told.
* This module sees values only.

Clocks: `mappings/audit/incidents.yaml`. Sources: 703/2023 §90, 741/2023 §29.1, GDPR 33, 124/2025 §§11-13.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kanta_gateway.shapes import TEXT, WHOLE, Keys, Named, shaped
from kanta_gateway.stated import Lined, Mistakes, nearest, read

_TEXTS = Keys(dict.fromkeys(("fi", "sv", "en"), TEXT))
_CLOCK = Keys({"to": TEXT, "ref": TEXT}, {"hours": WHOLE, "months": WHOLE, "after": TEXT})
_FILE = Keys({
    "triggers": Named(Keys({"texts": _TEXTS, "clocks": Named(_CLOCK)})),
    "records": Named(Keys({"trigger": TEXT, "told": TEXT})),
})  # fmt: skip
DONE, LATE, OPEN, OVERDUE = "done", "done-late", "open", "overdue"


@dataclass(frozen=True, slots=True)
class Clock:
    """Somebody who must be told, and by when."""

    id: str
    to: str
    ref: str
    """The provision."""
    hours: int | None
    months: int | None
    after: str
    """Id of the clock after which it runs; empty: from when the incident was known."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One kind of incident."""

    id: str
    texts: Mapping[str, str]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Every kind of incident, and which kind a provider's record is."""

    triggers: Mapping[str, Trigger]
    records: Mapping[str, tuple[str, str]]
    """Kind of a provider's record -> trigger, and the clock that its `purchaser_told_on` answers."""

    @classmethod
    def load(cls, text: str) -> Incidents:
        """Read the file.

        Raises:
            MisconfiguredError: with every mistake.
        """
        mistakes = Mistakes("audit/incidents.yaml")
        stated: Lined = shaped(read(text, mistakes) or Lined(), _FILE, mistakes)
        triggers: dict[str, Trigger] = {}
        for name, one in stated.get("triggers", {}).items():
            seen: list[str] = []
            for id_, clock in one["clocks"].items():
                if clock.get("after", "") not in {"", *seen}:
                    told = f"{name} {id_}: there is no clock {clock['after']} before it{nearest(clock['after'], seen)}"
                    mistakes.say(clock.line, told)
                seen.append(id_)
            triggers[name] = Trigger(name, one["texts"], tuple(_clock(id_, own) for id_, own in one["clocks"].items()))
        for kind, one in stated.get("records", {}).items():
            known = triggers.get(one["trigger"])
            if known is None or one["told"] not in {"", *(clock.id for clock in known.clocks)}:
                mistakes.say(one.line, f"{kind}: there is no such trigger, or it has no such clock")
        mistakes.end()
        return cls(triggers, {kind: (one["trigger"], one["told"]) for kind, one in stated["records"].items()})


def _clock(id_: str, one: Mapping[str, Any]) -> Clock:
    return Clock(id_, one["to"], one["ref"], one.get("hours"), one.get("months"), one.get("after", ""))


def timeline(
    trigger: Trigger, known_at: datetime, told: Mapping[str, datetime], now: datetime
) -> Iterator[dict[str, Any]]:
    """Each clock of one incident: until when, when it was answered, and how it stands.

    Args:
        trigger: what kind of incident it is.
        known_at: when it was known.
        told: clock -> when who must be told was told.
        now: the present moment.
    """
    starts = {"": known_at}
    for clock in trigger.clocks:
        start, done = starts[clock.after], told.get(clock.id)
        due = _due(clock, start)
        starts[clock.id] = done or due or start
        yield {
            "clock": clock.id, "to": clock.to, "basis": clock.ref, "due_at": due or "", "told_at": done or "",
            "hours": round((done - known_at).total_seconds() / 3600, 1) if done else "",
            "state": _state(due, done, now),
        }  # fmt: skip


def _due(clock: Clock, start: datetime) -> datetime | None:
    if clock.hours is not None:
        return start + timedelta(hours=clock.hours)
    if clock.months is None:
        return None
    years, month = divmod(start.year * 12 + start.month - 1 + clock.months, 12)
    return start.replace(year=years, month=month + 1, day=min(start.day, calendar.monthrange(years, month + 1)[1]))


def _state(due: datetime | None, done: datetime | None, now: datetime) -> str:
    if done is not None:
        return DONE if due is None or done <= due else LATE
    return OPEN if due is None or now <= due else OVERDUE
