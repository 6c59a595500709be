"""The engine that answers a question from the log: selects entries, shows or groups them, and counts what it left out.

* Entries come one by one and go one by one; only groups are held, one for each.
* A view says what the asker sees of an entry: a field that it takes away is in no answer, an entry that it takes
  away is counted.
* Every answer ends with which entries of the log it holds and which it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kanta_gateway.audit.questions import ACTORS, DETAIL, MEMBERS, Question

Entry = Mapping[str, Any]
Row = Mapping[str, Any]
View = Callable[[Row], Row | None]
"""What the asker sees of an entry's fields; None hides the entry."""
Derive = Callable[[str, Entry], str]
"""Value of a field that no entry holds, such as the client's relationship on the day."""

DENIED = "request:deny"
FAILED = frozenset({"document:reject", "record:refuse"})
PLAIN = frozenset((*MEMBERS, *ACTORS, "outcome", "person_ref"))
"""Fields that an entry holds itself."""
MOST_RANGES = 1000
"""Ranges of indices that are told one by one; beyond them only how many there are."""


def outcome(entry: Entry) -> str:
    """Whether what the entry tells of was done, denied, or failed."""
    event = entry["event"]
    return "denied" if event == DENIED else "failed" if event in FAILED else "done"


def getter(name: str, derive: Derive) -> Callable[[Entry], Any]:
    """What gives one field of an entry; empty where it has none.

    Args:
        name: of the field.
        derive: gives the fields that no entry holds.
    """
    if name in MEMBERS:
        return lambda entry: entry.get(name, "")
    if name in ACTORS:
        return lambda entry: entry["actor"].get(name, "")
    if name == "person_ref":
        return lambda entry: entry["actor"].get("ref", "")
    if name == "outcome":
        return outcome
    if name.startswith(DETAIL):
        word = name.removeprefix(DETAIL)
        return lambda entry: entry["details"].get(word, "")
    return lambda entry: derive(name, entry)


@dataclass(slots=True)
class Ranges:
    """Indices as ranges, taken in ascending order."""

    count: int = 0
    more: int = 0
    """Ranges that are not told one by one."""
    _found: list[list[int]] = field(default_factory=list)
    _last: int = -2

    def take(self, first: int, last: int) -> None:
        """Add the indices from first to last, both included; nothing where last is smaller."""
        if last < first:
            return
        self.count += last - first + 1
        if first == self._last + 1 and self._found and not self.more:
            self._found[-1][1] = last
        elif first != self._last + 1 and len(self._found) >= MOST_RANGES:
            self.more += 1
        elif first != self._last + 1:
            self._found.append([first, last])
        self._last = last

    def told(self) -> dict[str, Any]:
        """How many, and which: `0-3,7`."""
        text = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in self._found)
        return {"count": self.count, "indices": text} | ({"more_ranges": self.more} if self.more else {})


@dataclass(slots=True)
class Tally:
    """Which entries an answer holds, counted while it is given."""

    size: int
    """Entries of the log when it was asked."""
    is_whole: bool = True
    """Whether the asker may read every register; to others it is not told how much there is in another one."""
    given: int = 0
    rows: int = 0
    withheld: Ranges = field(default_factory=Ranges)
    """Entries that the asker's view takes away and that could be of the answer."""
    left_out: Ranges = field(default_factory=Ranges)
    """Every entry of the log that the answer does not hold."""
    is_computed: bool = False
    """Whether the rows are figures over entries, so that no single entry is left out."""
    _next: int = 0

    def holds(self, idx: int) -> None:
        """The answer holds this entry."""
        self.given += 1
        self.left_out.take(self._next, idx - 1)
        self._next = idx + 1

    def told(self) -> dict[str, Any]:
        """The last line of every answer."""
        if self.is_computed:
            told = {"rows": self.rows, "entries": {"of": self.size, "used": self.given}}
            return told | {"withheld": self._withheld()}
        self.left_out.take(self._next, self.size - 1)
        self._next = max(self._next, self.size)
        return {
            "rows": self.rows, "entries": {"of": self.size, "given": self.given},
            "left_out": self.left_out.told(), "withheld": self._withheld(),
        }  # fmt: skip

    def _withheld(self) -> dict[str, Any]:
        return self.withheld.told() if self.is_whole else {"registers": "others"}


class Engine:
    """Answers one question.

    Args:
        question: which.
        derive: gives the fields that no entry holds.
        view: what the asker sees.
        tally: counts.
    """

    def __init__(self, question: Question, derive: Derive, view: View, tally: Tally) -> None:
        self._question = question
        self._view = view
        self._tally = tally
        self._shown = {name: getter(name, derive) for name in sorted(question.used)}
        ways = [sorted(way, key=lambda one: one.field not in PLAIN) for way in question.select]  # what is dear, last
        self._ways = [[(getter(one.field, derive), one.holds) for one in way] for way in ways]

    def selected(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Row]]:
        """Each entry that is selected and seen, with the fields that the asker sees of it."""
        tally, shown = self._tally, self._shown.items()
        for entry in entries:
            if not any(all(holds(get(entry)) for get, holds in way) for way in self._ways):
                continue
            seen = self._view({name: get(entry) for name, get in shown})
            if seen is None:
                tally.withheld.take(entry["idx"], entry["idx"])
                continue
            tally.holds(entry["idx"])
            yield entry, seen

    def rows(self, entries: Iterable[Entry]) -> Iterator[Row]:
        """The rows of the answer."""
        if self._question.group:
            yield from self._grouped(entries)
            return
        for _, seen in self.selected(entries):
            self._tally.rows += 1
            yield {name: seen.get(name, "") for name in self._question.fields}

    def _grouped(self, entries: Iterable[Entry]) -> Iterator[Row]:
        groups: dict[tuple[Any, ...], dict[str, Any]] = {}
        question = self._question
        for entry, seen in self.selected(entries):
            key = tuple(seen.get(name, "") for name in question.group)
            group = groups.get(key)
            if group is None:
                told = dict(zip(question.group, key, strict=True))
                told |= {one.name: 0 if one.pick == "count" else "" for one in question.collect}
                group = groups[key] = told | {"entries": 0, "first": entry["at"], "last": ""}
            group["entries"] += 1
            group["last"] = entry["at"]
            for one in question.collect:
                if not one.events or entry["event"] in one.events:
                    _collect(group, one.name, one.pick, seen.get(one.field, ""))
        for group in groups.values():
            self._tally.rows += 1
            yield group


def _collect(group: dict[str, Any], name: str, pick: str, found: Any) -> None:
    if pick == "count":
        group[name] += 1
    elif found != "" and (pick == "last" or group[name] == ""):
        group[name] = found
