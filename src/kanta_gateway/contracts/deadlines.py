"""What is due when: the clock of a deadline, its state on a day, and the finding that follows from that state.

* A clock starts on a day that some record tells, runs out on another, and is stopped by a record that tells so.
* A rule's finding is made from its clock and from nothing else, so that the two never disagree.
* What another rule says about lateness (`late` is empty) is done here, whenever it was.
* The day changes how a clock is read, not what is known: what has been delivered by now counts on every day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from kanta_gateway.contracts.calendar import between, later, workdays_later

if TYPE_CHECKING:
    from decimal import Decimal

    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding


class ClockState(StrEnum):
    """How a clock stands on a day."""

    BREACHED = "breached"
    """Not done, and the last day in time has passed."""
    DONE = "done"
    DONE_LATE = "done-late"
    NOT_STARTED = "not-started"
    """What would start it is not known."""
    OPEN = "open"

    @property
    def is_told(self) -> bool:
        """Whether the rule tells a finding of it."""
        return self in {ClockState.BREACHED, ClockState.DONE_LATE}


class Mark(NamedTuple):
    """A day, and the field of the record that tells it."""

    entry: Entry
    field: str
    day: str

    @classmethod
    def of(cls, entry: Entry, name: str) -> Mark | None:
        """The day that a field tells, if it tells one.

        Args:
            entry: the record.
            name: the field.
        """
        day = entry.facts.get(name)
        return cls(entry, name, str(day)) if day else None

    @classmethod
    def made(cls, entry: Entry) -> Mark:
        """The day of the record itself."""
        return cls(entry, entry.kind.day, entry.day)


@dataclass(frozen=True, slots=True)
class Clock:
    """One deadline of one record, decision or client."""

    rule: Rule
    record: Entry
    """What it stands on, and where its finding does."""
    start: Mark | None = None
    due: str = ""
    """The last day in time; empty while it is not known."""
    done: Mark | None = None
    pointer: str = ""
    """The field that tells when it was done."""
    late: str = ""
    """Name of the rule's text for done late; empty where this rule does not judge when it was done."""
    missing: str = ""
    """Name of the rule's text for not done."""
    params: Mapping[str, object] = field(default_factory=dict)
    """What the texts need beside `limit`, the last day in time."""
    awaits: tuple[str, ...] = ()
    """Record types of which one is lacking while it is not done; empty where a field is."""
    month: str = ""
    """The month that it is about (YYYY-MM), where it is about one."""
    hours_left: Decimal | None = None
    """Of a clock that runs by hours of service and not by days."""
    is_out: bool = False
    """It ran out by hours, whatever the day."""

    @property
    def duty(self) -> str:
        """Key of the text that says what is due; empty where the contract file does not say it."""
        return self.rule.duty.get(self.missing) or self.rule.duty.get("", "")

    def state(self, as_of: str) -> ClockState:
        """How it stands on a day.

        Args:
            as_of: the day (ISO 8601).
        """
        if self.done is not None:
            is_late = bool(self.late) and bool(self.due) and self.done.day > self.due
            return ClockState.DONE_LATE if is_late else ClockState.DONE
        if self.is_out:
            return ClockState.BREACHED
        if not self.due:
            return ClockState.NOT_STARTED if self.hours_left is None else ClockState.OPEN
        return ClockState.BREACHED if as_of > self.due else ClockState.OPEN

    def days_left(self, as_of: str) -> int | None:
        """Days until it runs out, less than nothing when it has; None where nothing is awaited any more."""
        return between(as_of, self.due) if self.due and self.done is None else None

    def finding(self, as_of: str) -> Finding | None:
        """What the rule says about it on a day.

        Args:
            as_of: the day (ISO 8601).
        """
        state = self.state(as_of)
        text = {ClockState.BREACHED: self.missing, ClockState.DONE_LATE: self.late}.get(state, "")
        if not text:
            return None
        told = {"date": self.done.day} if self.done is not None else {}
        return self.rule.finding(text, self.pointer, None, **{**told, "limit": self.due, **self.params})


def told(clocks: Iterable[Clock], as_of: str) -> tuple[Finding, ...]:
    """The findings that clocks give on a day."""
    return tuple(found for clock in clocks if (found := clock.finding(as_of)) is not None)


def limit_of(rule: Rule, start: str, situation: Situation) -> str:
    """The last day in time of a rule that counts `days` from a day, workdays where it says so."""
    days = rule.params["days"]
    return workdays_later(start, days, situation.holidays) if rule.params.get("workdays") else later(start, days)


def earliest(found: Iterable[Subject]) -> Mark | None:
    """The first of some records, by its day; one without a day comes last."""
    first = min((one.entry for one in found), key=lambda one: (not one.day, one.day, one.id), default=None)
    return None if first is None else Mark.made(first)


RecordClocks = Callable[["Rule", "Subject", "Situation"], Iterable[Clock]]
ClientClocks = Callable[["Rule", "Situation"], Iterable[Clock]]
DecisionClocks = Callable[["Rule", "Period", "Situation"], Iterable[Clock]]


def checks(kinds: Mapping[str, Callable[..., Iterable[Clock]]]) -> dict[str, Callable[..., tuple[Finding, ...]]]:
    """The checks of some kinds of rules: whatever their clocks give on the day of the situation.

    Args:
        kinds: kind -> its clocks, of a function whose last argument is the situation.
    """
    return {kind: _check(clocks) for kind, clocks in kinds.items()}


def _check(clocks: Callable[..., Iterable[Clock]]) -> Callable[..., tuple[Finding, ...]]:
    def check(*given: Any) -> tuple[Finding, ...]:
        return told(clocks(*given), given[-1].as_of)

    return check
