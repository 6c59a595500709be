"""Unusual access, found in the log: rules and thresholds come from a file, entries come one by one.

* A finding is one rule, one person and one day in one controller's register: each supervises the use of its own.
* What no register shows by itself, only all of them together, is a finding of none.
* A finding tells counts and places in the log, never whose data it was.
* A finding is no judgement: it opens a case, which a person works on and closes (703/2023 §78).
* What a rule knows beside the entry (relationship, register of users, family name) is asked of whoever has it.
* Held are the present window of each person and the findings, never the entries.

Rules: `mappings/audit/unusual.yaml`. Sources: 703/2023 §§9, 78; 906/2019 §23 (abnormal searching).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kanta_gateway.audit.answers import DENIED
from kanta_gateway.shapes import TEXT, WHOLE, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read

HELSINKI = ZoneInfo("Europe/Helsinki")
LANGUAGES = ("fi", "sv", "en")
KINDS: Mapping[str, Mapping[str, Any]] = {
    "fact": {"fact": OneOf(("family", "relationship", "standing")), "values": ListOf(TEXT)},
    "many-clients": {"clients": WHOLE, "minutes": WHOLE},
    "many-denied": {"count": WHOLE, "minutes": WHOLE},
    "outside-hours": {"first": TEXT, "last": TEXT, "weekdays": ListOf(WHOLE)},
}
"""Kind of rule -> what it needs. `fact`: something that is known of the entry has one of some values."""
WINDOWED = frozenset({"many-clients", "many-denied"})
"""Kinds that count what a person does in a time."""
ALL = ""
"""In the place of a controller: all registers together."""
_TEXTS = Keys(dict.fromkeys(LANGUAGES, TEXT))
_RULE = Keys(
    {
        "kind": OneOf(tuple(KINDS)),
        "texts": _TEXTS,
        "provision": ListOf(TEXT),
        "events": ListOf(TEXT),
        "due_days": WHOLE,
    },
    {"roles": ListOf(TEXT), **{name: shape for one in KINDS.values() for name, shape in one.items()}},
)
_FILE = Keys({
    "owner": TEXT, "outcomes": Named(_TEXTS), "left_out": ListOf(TEXT),
    "rules": Named(_RULE),
})  # fmt: skip
Ask = Callable[[str, Mapping[str, Any]], str]
"""What is known of an entry beside the log: name of the fact, entry -> word."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of unusual access."""

    id: str
    kind: str
    texts: Mapping[str, str]
    provision: tuple[str, ...]
    events: frozenset[str]
    """Only entries with these events; a denial counts as what was asked when `request:deny` is among them."""
    roles: frozenset[str]
    """Only of persons in these roles; empty for all."""
    due_days: int
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Oversight:
    """The rules, who answers for their cases by default, and how a case can end."""

    owner: str
    outcomes: Mapping[str, Mapping[str, str]]
    left_out: frozenset[str]
    """Identifiers of local stand-ins whose acts are the gateway's own, such as its worker."""
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, text: str) -> Oversight:
        """Read the file.

        Raises:
            MisconfiguredError: with every mistake.
        """
        mistakes = Mistakes("audit/unusual.yaml")
        stated: Lined = shaped(read(text, mistakes) or Lined(), _FILE, mistakes)
        rules = tuple(_rule(name, one, mistakes) for name, one in stated.get("rules", {}).items())
        mistakes.end()
        return cls(stated["owner"], stated["outcomes"], frozenset(stated["left_out"]), rules)

    def rule(self, name: str) -> Rule | None:
        """One rule by its id."""
        return next((one for one in self.rules if one.id == name), None)


def _rule(name: str, one: Lined, mistakes: Mistakes) -> Rule:
    needed = KINDS[one["kind"]]
    for lacking in sorted(needed.keys() - one.keys()):
        mistakes.say(one.line, f"{name}: a rule of kind {one['kind']} needs {lacking}")
    params: dict[str, Any] = {word: one[word] for word in needed if word in one}
    for word in {"first", "last"} & params.keys():
        try:
            params[word] = time.fromisoformat(params[word])
        except ValueError:
            mistakes.say(one.at(word), f"{name}: {word} is no time of day; write 06:00")
    return Rule(
        name, one["kind"], one["texts"], tuple(one["provision"]), frozenset(one["events"]),
        frozenset(one.get("roles", ())), one["due_days"], params,
    )  # fmt: skip


@dataclass(slots=True)
class Found:
    """One rule, one person, one day."""

    rule: Rule
    person: str
    """Keyed reference."""
    name: str
    """Commitment to the person's name."""
    organisation: str
    role: str
    day: str
    controller: str
    """Whose register was used; empty where only all registers together show it."""
    first: str
    last: str = ""
    entries: int = 0
    first_idx: int = 0
    last_idx: int = 0
    clients: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same finding when the same days are looked at again."""
        return (self.rule.id, self.person, self.day, self.controller)


@dataclass(slots=True)
class _Window:
    """What one person did lately."""

    acts: deque[tuple[datetime, str]] = field(default_factory=deque)
    clients: Counter[str] = field(default_factory=Counter)

    def take(self, at: datetime, client: str, minutes: int) -> None:
        """Add an act and forget what is too old."""
        self.acts.append((at, client))
        self.clients[client] += 1
        while self.acts and at - self.acts[0][0] > timedelta(minutes=minutes):
            _, gone = self.acts.popleft()
            self.clients[gone] -= 1
            if not self.clients[gone]:
                del self.clients[gone]


class Detector:
    """Looks at entries one by one.

    Args:
        oversight: the rules.
        ask: what is known beside the log.
        is_left_out: whether an acting person (reference) is the gateway itself.
    """

    def __init__(self, oversight: Oversight, ask: Ask, is_left_out: Callable[[str], bool]) -> None:
        self._rules = oversight.rules
        self._ask = ask
        self._is_left_out = is_left_out
        self._windows: dict[tuple[str, str, str], _Window] = {}
        self._found: dict[tuple[str, str, str, str], Found] = {}
        self.seen: Counter[str] = Counter()
        """How many entries were looked at, by whose register."""

    @property
    def events(self) -> frozenset[str]:
        """Events that any rule looks at."""
        return frozenset().union(*(one.events for one in self._rules))

    def run(self, entries: Iterable[Mapping[str, Any]]) -> list[Found]:
        """Every finding, by the first entry that it rests on."""
        for entry in entries:
            self.take(entry)
        return sorted(self._found.values(), key=lambda one: (one.first_idx, one.rule.id))

    def take(self, entry: Mapping[str, Any]) -> None:
        """Look at one entry."""
        self.seen[entry["controller"]] += 1
        actor = entry["actor"]
        person = actor.get("ref", "")
        if not person or self._is_left_out(person):
            return
        at = datetime.fromisoformat(entry["at"]).astimezone(HELSINKI)
        for rule in self._rules:
            is_meant = entry["event"] in rule.events and (not rule.roles or actor["role"] in rule.roles)
            if not is_meant:
                continue
            if rule.kind in WINDOWED:
                full = self._full(rule, entry, person, at)
                if full is not None:
                    self._note(rule, entry, person, at, full)
            elif self._holds(rule, entry, at):
                self._note(rule, entry, person, at, entry["controller"])

    def _holds(self, rule: Rule, entry: Mapping[str, Any], at: datetime) -> bool:
        """Whether one entry is unusual by itself."""
        params = rule.params
        if rule.kind == "fact":
            return self._ask(params["fact"], entry) in params["values"]
        return bool(at.isoweekday() not in params["weekdays"] or not params["first"] <= at.time() < params["last"])

    def _full(self, rule: Rule, entry: Mapping[str, Any], person: str, at: datetime) -> str | None:
        """In whose register a person has done too much in too short a time; empty: in all together, None: nowhere."""
        client, controller = entry.get("client", ""), entry["controller"]
        counts_clients = rule.kind == "many-clients"
        if not client if counts_clients else entry["event"] != DENIED:
            return None
        full = []
        for whose in dict.fromkeys((controller, ALL)):
            window = self._windows.setdefault((rule.id, person, whose), _Window())
            window.take(at, client, rule.params["minutes"])
            if counts_clients:
                is_full = len(window.clients) >= int(rule.params["clients"])
            else:
                is_full = len(window.acts) >= int(rule.params["count"])
            full += [whose] * is_full
        return full[0] if full else None

    def _note(self, rule: Rule, entry: Mapping[str, Any], person: str, at: datetime, controller: str) -> None:
        actor, day = entry["actor"], at.date().isoformat()
        one = self._found.get((rule.id, person, day, controller))
        if one is None:
            one = Found(rule, person, actor.get("name", ""), actor["organisation"], actor["role"], day, controller,
                        entry["at"], first_idx=entry["idx"])  # fmt: skip
            self._found[one.key] = one
        one.entries += 1
        one.last, one.last_idx = entry["at"], entry["idx"]
        if entry.get("client"):
            one.clients.add(entry["client"])
