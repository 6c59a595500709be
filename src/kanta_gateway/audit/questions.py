"""What auditors ask: each question is a few lines of a file, answered from the log by one engine.

* A question selects entries, and shows fields of each, or groups them and collects fields of each group.
* What must be computed names a computation of a closed list; `select` then says which entries it rests on.
* Parameters are a closed list; each narrows the entries in the same way for every question.
* The same id in two files, an unknown field, parameter or computation is a mistake with its line.

Questions: `mappings/audit/questions/*.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.shapes import FLAG, TEXT, WHOLE, WORD, Either, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, listed, nearest, read

LANGUAGES = ("fi", "sv", "en")
PARAMETERS = ("client", "from", "on", "organisation", "person", "recipient", "until")
"""What a question may ask the asker for."""
MEMBERS = (
    "idx", "at", "log", "event", "client", "subject", "provider", "controller", "recipient", "purpose", "basis",
    "permit", "consent",
)  # fmt: skip
"""Fields that are members of an entry."""
ACTORS = ("organisation", "role", "system", "contract", "relation")
PERSONS = ("person_id", "person_name", "person_ref")
DERIVED = ("outcome", "relationship")
"""`outcome`: done, denied or failed; `relationship`: the client's with the provider on the day, open, ended or none."""
FIELDS = (*MEMBERS, *ACTORS, *PERSONS, *DERIVED)
DETAIL = "details."
PICKS = ("count", "first", "last")
_EVENT = re.compile(r"[a-z]+:[a-z-]+")
_CONDITION = Either((ListOf(WORD), Keys({}, {"not": ListOf(WORD), "told": FLAG})))
_QUESTION = Keys(
    {"texts": Keys(dict.fromkeys(LANGUAGES, TEXT)), "provision": ListOf(TEXT), "select": ListOf(Named(_CONDITION))},
    {
        "number": WHOLE, "parameters": Named(OneOf(("needed", "optional")), PARAMETERS), "fields": ListOf(TEXT),
        "group": ListOf(TEXT), "computed": TEXT,
        "collect": Named(Keys({"field": TEXT}, {"event": ListOf(TEXT), "pick": OneOf(PICKS)})),
    },
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """What one field must be for an entry to be selected."""

    field: str
    among: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    told: bool | None = None
    """Whether the field must hold something, or nothing."""

    def holds(self, value: Any) -> bool:
        """Whether the entry's value is as it must be."""
        if self.told is not None and bool(value) is not self.told:
            return False
        text = str(value)
        return (not self.among or text in self.among) and text not in self.never


@dataclass(frozen=True, slots=True)
class Collected:
    """One column of a group: a field of its first or last entry, or how many there are."""

    name: str
    field: str
    events: frozenset[str]
    """Only of entries with these events; empty for all."""
    pick: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question as its file states it."""

    id: str
    number: int | None
    """As law and auditors count it; None for a question of one's own."""
    texts: Mapping[str, str]
    provision: tuple[str, ...]
    parameters: Mapping[str, bool]
    """Parameter -> whether it is needed."""
    select: tuple[tuple[Condition, ...], ...]
    """An entry is selected when every condition of one of these holds."""
    fields: tuple[str, ...]
    group: tuple[str, ...]
    collect: tuple[Collected, ...]
    computed: str
    """Name of the computation; empty where selecting and grouping answers it."""

    @property
    def events(self) -> frozenset[str]:
        """The only events that can be selected; empty where it may be any."""
        named = [{event for one in way if one.field == "event" for event in one.among} for way in self.select]
        return frozenset().union(*named) if all(named) else frozenset()

    @property
    def used(self) -> frozenset[str]:
        """Every field that answering looks at."""
        of_conditions = {one.field for way in self.select for one in way}
        return frozenset({*of_conditions, *self.fields, *self.group, *(one.field for one in self.collect)})


class Questions:
    """Every question of an installation, by id."""

    def __init__(self, known: Mapping[str, Question]) -> None:
        self._known = dict(sorted(known.items(), key=lambda one: (one[1].number is None, one[1].number or 0, one[0])))

    @classmethod
    def load(cls, files: Mapping[str, str], computations: Collection[str]) -> Questions:
        """Read the files.

        Args:
            files: name of the file -> its YAML text.
            computations: names of what can be computed.

        Raises:
            MisconfiguredError: with every mistake of every file.
        """
        known: dict[str, Question] = {}
        told: list[str] = []
        for name, text in files.items():
            mistakes = Mistakes(f"audit/questions/{name}.yaml")
            try:
                stated: Lined = shaped(read(text, mistakes) or Lined(), Named(_QUESTION), mistakes)
            except MisconfiguredError as error:
                told += error.mistakes
                continue
            for id_, one in stated.items():
                if id_ in known:
                    mistakes.say(stated.at(id_), f"{id_} stands in another file already")
                known[id_] = _question(id_, one)
                _check(known[id_], one, computations, mistakes)
            told += mistakes.told
        numbers = [one.number for one in known.values() if one.number is not None]
        told += [
            f"audit/questions: number {one} stands twice" for one in sorted(set(numbers)) if numbers.count(one) > 1
        ]
        if told:
            raise MisconfiguredError(mistakes=told)
        return cls(known)

    def all(self) -> tuple[Question, ...]:
        """Every question, in the order of their numbers."""
        return tuple(self._known.values())

    def get(self, name: str) -> Question | None:
        """A question by its id or its number."""
        return self._known.get(name) or next((one for one in self._known.values() if str(one.number) == name), None)


def _question(id_: str, one: Lined) -> Question:
    return Question(
        id_, one.get("number"), one["texts"], tuple(one["provision"]),
        {name: word == "needed" for name, word in one.get("parameters", {}).items()},
        tuple(tuple(_condition(field, stated) for field, stated in way.items()) for way in one["select"]),
        tuple(one.get("fields", ())), tuple(one.get("group", ())),
        tuple(
            Collected(name, own["field"], frozenset(own.get("event", ())), own.get("pick", "last"))
            for name, own in one.get("collect", {}).items()
        ),
        one.get("computed", ""),
    )  # fmt: skip


def _condition(field: str, stated: Any) -> Condition:
    if isinstance(stated, list):
        return Condition(field, frozenset(map(str, stated)))
    return Condition(field, never=frozenset(map(str, stated.get("not", ()))), told=stated.get("told"))


def _check(one: Question, stated: Lined, computations: Collection[str], mistakes: Mistakes) -> None:
    """What the shape cannot tell: fields, events and computations that there are."""
    for field in sorted(one.used):
        if field not in FIELDS and not (field.startswith(DETAIL) and len(field) > len(DETAIL)):
            mistakes.say(stated.line, f"{one.id}: no entry has a field {field}{nearest(field, FIELDS)}")
    named = {event for way in one.select for own in way if own.field == "event" for event in (*own.among, *own.never)}
    named |= {event for own in one.collect for event in own.events}
    for event in sorted(named):
        if not _EVENT.fullmatch(event):
            mistakes.say(stated.line, f"{one.id}: {event} is no event; write subject:action, such as document:read")
    if one.computed and one.computed not in computations:
        told = f"{one.id}: nothing computes {one.computed}; there are {listed(sorted(computations))}"
        mistakes.say(stated.at("computed"), told)
    if sum(map(bool, (one.fields, one.group, one.computed))) != 1:
        mistakes.say(stated.line, f"{one.id}: say one of fields, group or computed")
    if one.collect and not one.group:
        mistakes.say(stated.at("collect"), f"{one.id}: collect goes with group")
