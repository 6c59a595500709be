"""Which notices are due for one client, and what they tell: a function of the set of facts and of what was told.

* A fact is told once. What was told and is no longer so is told by a correction that names the first notice.
* What somebody has told in another way, as the record itself says, needs no notice; once a notice told it, it stays
  the notice's to correct.
* Facts are collected in windows of days, so that one notice tells several; in any order they make the same notices.
* Only the fields of the notice's own file are read, each in the form of its kind (`kinds.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.notices.kinds import PLACE
from kanta_gateway.notices.kinds import told as value_told
from kanta_gateway.notices.typereader import YEAR

if TYPE_CHECKING:
    from kanta_gateway.notices.lists import Lists
    from kanta_gateway.notices.typereader import Field, Group, NoticeType, Within

Key = tuple[str, str, str]
"""Group, record type and record id: one fact that a notice tells."""
CHANGED, GONE = "corrected", "withdrawn"
ELSEWHERE = "elsewhere"
"""Mark of what another installation told, under a key of its own: the record's version says whether it changed."""
GONE_MARK = "withdrawn"


@dataclass(frozen=True, slots=True)
class Fact:
    """One standing record as notices see it."""

    type: str
    id: str
    version: int
    day: str
    facts: Mapping[str, Any]
    findings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Rule -> parameters of what it found."""
    product: str = ""
    """Code of the product that it falls under."""
    roots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`product`, `decision` and `unit` of the record."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that the recipient has, or may have."""

    id: str
    root: str
    """The first notice of its chain; its own id for a first one."""
    items: Mapping[Key, tuple[int, str]]
    """Version of the record and mark of what was told."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One client, or the provider's own conduct, with what every notice about it has in common."""

    facts: Sequence[Fact]
    """What stands now, in any order."""
    roots: Mapping[str, Mapping[str, Any]]
    """`client`, `organiser`, `provider`."""
    is_secret: bool
    """Turvakielto, or not known whether there is one."""
    told: Sequence[Told] = ()
    """In the order in which they were made."""
    past: Callable[[str, str, int], Fact | None] = lambda *_: None
    """Record type, id and version -> the state that was told, for telling what is withdrawn."""


@dataclass(frozen=True, slots=True)
class Item:
    """One fact of a notice."""

    key: Key
    version: int
    day: str
    content: Mapping[str, Any]
    mark: str
    change: str = ""
    """`corrected` or `withdrawn` in a correction."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice as it should be now."""

    corrects: str
    """Id of the first notice; empty for a first one."""
    recipients: tuple[str, ...]
    """Kinds; more than one where it is not known who it is."""
    items: tuple[Item, ...]
    content: Mapping[str, Any]
    send_on: str
    ready_on: str
    """First day on which it may be handed over; empty for at once."""
    due_on: str


Mark = Callable[[Any], str]
Limit = Callable[[str, "Within"], str]


class Teller:
    """Makes the drafts of one notice type.

    Args:
        kind: the notice type.
        lists: words.
        mark: a keyed digest of what an item tells: sameness without content.
        limit: the last day in time, from a day on.
        products: codes of the products it is for; empty for all.
    """

    def __init__(
        self, kind: NoticeType, lists: Lists, mark: Mark, limit: Limit, products: frozenset[str] = frozenset()
    ) -> None:
        self._kind = kind
        self._lists = lists
        self._mark = mark
        self._limit = limit
        self._products = products

    def due(self, subject: Subject) -> list[Draft]:
        """Every notice that should wait now, first ones before corrections."""
        last: dict[Key, tuple[int, str]] = {}
        roots: dict[Key, str] = {}
        for one in subject.told:
            last |= one.items
            roots |= {key: roots.get(key, one.root) for key in one.items}
        found = {item.key: (item, fact) for item, fact in self._items(subject)}
        new = [
            (item, fact) for key, (item, fact) in found.items()
            if key not in last and not self._is_told_elsewhere(key[0], fact)
        ]  # fmt: skip
        changes: dict[str, list[tuple[Item, Fact]]] = {}
        for key, (version, mark) in last.items():
            change = self._change(key, version, mark, found.get(key), subject)
            if change is not None:
                changes.setdefault(roots[key], []).append(change)
        drafts = [self._draft("", items, subject) for items in self._windows(new)]
        drafts += [self._draft(root, items, subject) for root, items in sorted(changes.items())]
        return drafts

    def _items(self, subject: Subject) -> Iterator[tuple[Item, Fact]]:
        for group in self._kind.groups:
            for fact in subject.facts:
                if self._concerns(group, fact):
                    content = self._content(group.fields, {**subject.roots, **_own(fact, group)}, subject)
                    key = (group.name, fact.type, fact.id)
                    yield Item(key, fact.version, fact.day, content, self._mark(_firm(group, content))), fact

    def _concerns(self, group: Group, fact: Fact) -> bool:
        """Whether the notice is to tell of a record."""
        return (
            fits(group, fact.type, fact.facts)
            and (not self._products or fact.product in self._products)
            and (not group.findings or any(rule in fact.findings for rule in group.findings))
        )

    def _is_told_elsewhere(self, group: str, fact: Fact) -> bool:
        name = next(one.told_in for one in self._kind.groups if one.name == group)
        return bool(name) and bool(fact.facts.get(name))

    def _change(
        self, key: Key, version: int, mark: str, now: tuple[Item, Fact] | None, subject: Subject
    ) -> tuple[Item, Fact] | None:
        """What a correction tells of a fact that was told; None where it is still as it was."""
        if now is not None:
            item, fact = now
            if item.mark == mark or (mark == ELSEWHERE and item.version == version):
                return None
            return Item(item.key, item.version, item.day, item.content, item.mark, CHANGED), fact
        if mark == GONE_MARK:
            return None
        fact_then = subject.past(key[1], key[2], version) or Fact(key[1], key[2], version, "", {})
        group = next((one for one in self._kind.groups if one.name == key[0]), None)
        if group is None:  # the file no longer has the group: nothing of it can be told
            return None
        content = self._content(group.fields, {**subject.roots, **_own(fact_then, group)}, subject)
        return Item(key, version, fact_then.day, content, GONE_MARK, GONE), fact_then

    def _content(
        self, fields: Sequence[Field], roots: Mapping[str, Mapping[str, Any]], subject: Subject
    ) -> dict[str, Any]:
        """The fields that have something to tell; only these."""
        content: dict[str, Any] = {}
        for one in fields:
            root, rest = one.path
            values = roots.get(root, {})
            words = self._lists[one.words] if one.words else None
            value = value_told(one.kind, values.get(rest) if rest else values, words, is_secret=subject.is_secret)
            if value is not None:
                content[one.name] = value
        return content

    def _windows(self, items: Sequence[tuple[Item, Fact]]) -> list[list[tuple[Item, Fact]]]:
        """Facts that one notice tells together: of one product, within the window."""
        windows: list[list[tuple[Item, Fact]]] = []
        for item, fact in sorted(items, key=lambda one: (one[1].product, one[0].day, one[0].key)):
            first = windows[-1][0] if windows else None
            if first is None or first[1].product != fact.product or not self._is_within(first[0].day, item.day):
                windows.append([])
            windows[-1].append((item, fact))
        return windows

    def _is_within(self, start: str, day: str) -> bool:
        if self._kind.window == YEAR:
            return start[:4] == day[:4]
        return start == day or (bool(start) and _later(start, int(self._kind.window) - 1) >= day)

    def _draft(self, corrects: str, told: Sequence[tuple[Item, Fact]], subject: Subject) -> Draft:
        """The notice that tells some facts."""
        told = sorted(told, key=lambda one: (one[0].day, one[0].key))
        items = tuple(item for item, _ in told)
        days = [one.day for one in items if one.day]
        first, last = min(days, default=""), max(days, default="")
        notice = {"first_day": first, "last_day": last, "count": len(items)}
        roots = {**subject.roots, **told[0][1].roots, "notice": notice}
        groups = {
            group.name: [
                {**one.content, **({"change": one.change} if one.change else {})}
                for one in items if one.key[0] == group.name
            ]
            for group in self._kind.groups
        }  # fmt: skip
        content = {
            "head": self._content(self._kind.head, roots, subject),
            "groups": {name: of_group for name, of_group in groups.items() if of_group},
        }
        is_yearly = self._kind.window == YEAR and not corrects and bool(first)
        return Draft(
            corrects=corrects, recipients=self._recipients(subject), items=items, content=content,
            send_on=_later(first, self._kind.send_after_days) if first and not corrects else first,
            ready_on=f"{int(first[:4]) + 1}-01-01" if is_yearly else "",
            due_on=self._limit(first, self._kind.within) if first and not corrects else "",
        )  # fmt: skip

    def _recipients(self, subject: Subject) -> tuple[str, ...]:
        """Who gets it: the one that the client's own facts say, else every one that it may be."""
        client = subject.roots.get("client", {})
        possible = self._kind.recipients
        named = [one.kind for one in possible if all(_is(client.get(name), value) for name, value in one.when.items())]
        return tuple(named or (one.kind for one in possible))


def fits(group: Group, record_type: str, facts: Mapping[str, Any]) -> bool:
    """Whether a group may tell of a record, as far as the record's own facts say.

    Args:
        group: of a notice type.
        record_type: type of the record.
        facts: of the record.
    """
    words = set(facts.get("words") or ())
    return (
        record_type in group.records
        and all(_is(facts.get(name), value) for name, value in group.where.items())
        and all(facts.get(name) not in (None, "", []) for name in group.filled)
        and (not group.words or bool(words & group.words))
        and not words & group.unless_words
    )


def _own(fact: Fact, group: Group) -> dict[str, Mapping[str, Any]]:
    """What the fields of an item may be read from, beside what the whole notice has."""
    rule = next((one for one in group.findings if one in fact.findings), "")
    return {
        **fact.roots,
        "record": fact.facts,
        "category": fact.facts.get("categories") or {},
        "finding": {"rule": rule, **fact.findings.get(rule, {})},
    }


def _firm(group: Group, content: Mapping[str, Any]) -> dict[str, Any]:
    """What tells whether a fact is still as it was told: a place may come and go with turvakielto."""
    places = {one.name for one in group.fields if one.kind == PLACE}
    return {name: value for name, value in content.items() if name not in places}


def _is(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list) else value == wanted


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
