"""One valid FHIR resource as a canonical record of its kind, with everything told by its place.

* A path tells what is read and, by that, what is left over: counted by element, never with a value.
* Without a version number the same id with other content is a new state (GEN-06); what replaces another resource is
  a later version of that one's record (GEN-03).
* A finding points with FHIRPath (`Bundle.entry[12].resource.period.start`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.intake.fhirpaths import Place, Walk, element, expression, leaves, likely
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.objects import UNKNOWN, read_record
from kanta_gateway.intake.resources import reversed_periods
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import folded
from kanta_gateway.model import MAX_VERSION, Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.entries import Entries, Entry
    from kanta_gateway.intake.kinds import Field, Kind

MAX_LABEL = 256
"""Characters that the store keeps of what a record is called."""
_LISTS = frozenset({"dates", "texts", "words"})


def at(position: int, place: Place = ()) -> str:
    """A place in the resource of an entry, as people are told it."""
    return f"Bundle.entry[{position}].resource{'.' if place else ''}{expression(place)}"


class Reading:
    """One resource on the way of becoming a record of its kind.

    Args:
        kind: what it becomes.
        entries: what its references lead to.
        entry: where it stands.
    """

    def __init__(self, kind: Kind, entries: Entries, entry: Entry) -> None:
        self._kind = kind
        self._entries = entries
        self._entry = entry
        self._walk = Walk(entry.resource, entries.follow)
        self._where: dict[str, list[Place]] = {}
        """Path -> where its values stand."""
        self._dangling: list[Place] = []

    def records(self) -> Iterator[Record | Problem]:
        """The record, after what is told beside it."""
        kind, entry = self._kind, self._entry
        view = {path: self._value(parts, path) for path, parts in kind.fields.items()}
        for path in filter(None, (kind.version, kind.status)):
            view[path] = self._first(path)
        for path in (*kind.when, *kind.unless):
            self._walk.find(path)
        if kind.replaces:
            self._walk.read |= {(*one.place, "reference") for one in self._walk.find(kind.replaces, is_read=False)}
        version = _number(view.get(kind.version))
        if kind.version and version is None:
            view[kind.version] = None
            self._walk.read -= set(self._where.get(kind.version, ()))
        if kind.client:
            client = self._target(kind.client, kind.client_types)
            view[kind.client] = client.rpartition("/")[2] or None
        root, before = self._entries.chain(entry.name)
        if entry.name:
            view[kind.id] = root.rpartition("/")[2] if kind.is_subject else root
            kind = replace(kind, key=())
        given = {key: one for key, one in view.items() if one is not None}
        made = read_record(kind, given, "", None, frozenset())
        for place in (*self._dangling, *self._walk.lost):
            yield Problem(Finding("SRC-REFERENCE", Severity.INFO, "reference-dangling", at(entry.position, place)))
        if not isinstance(made, Record):
            yield Problem(self._placed(made.finding))
            return
        yield replace(
            made, label=(entry.name or f"{entry.type}/{made.id}")[:MAX_LABEL], pointer=at(entry.position),
            is_keyed=version is None and not kind.is_reference, siblings=kind.siblings,
            version=before * MAX_VERSION + made.version, dropped=self._dropped(made),
            findings=tuple({(one.rule, one.pointer): one for one in self._findings(made)}.values()),
        )  # fmt: skip

    def _findings(self, made: Record) -> Iterator[Finding]:
        """What reading found, where it stands, and what a resource as a whole lacks."""
        kind, position = self._kind, self._entry.position
        for one in made.findings:
            yield self._placed(one)
        for place in reversed_periods(self._entry.resource):
            yield unreadable("SRC-PERIOD", at(position, place))
        words = {folded(word): told for word, told in kind.statuses.items()}
        for told in self._walk.find(kind.status)[:1] if kind.status else ():
            if words.get(folded(str(told.value)), False) is None:
                yield unreadable("SRC-UNFINISHED", at(position, told.place))
        if kind.some_of and not any(made.content.get(one) for one in kind.some_of) and not made.findings:
            path = next(key for key, parts in kind.fields.items() if any(one.target in kind.some_of for one in parts))
            named = likely(path)
            yield unreadable("SRC-MISSING", f"{at(position)}.{named}", {"field": named})

    def _first(self, path: str) -> Any:
        found = self._walk.find(path)
        self._where[path] = [one.place for one in found]
        return found[0].value if found else None

    def _target(self, path: str, types: tuple[str, ...]) -> str:
        """The name of what the first reference leads to that leads to one of these types."""
        return next(iter(self._targets(path, types)), "")

    def _targets(self, path: str, types: tuple[str, ...], inside: Any = None) -> list[str]:
        made: list[str] = []
        for one in self._walk.find(path, inside, is_read=False):
            self._where.setdefault(path, []).append(one.place)
            named = self._entries.named(one.value, types)
            told = next((part for part in ("reference", "identifier") if part in one.value), "")
            if named:
                made.append(named)
                # What an identifier names is read as a whole; `display` stays a name that nobody has asked for.
                self._walk.read |= {(*one.place, told), (*one.place, "type")}
            if (not named and not self._is_of_others(one.value, types)) or (named and not self._entries.has(named)):
                self._dangling.append((*one.place, told) if told else one.place)
        return made

    def _is_of_others(self, reference: Any, types: tuple[str, ...]) -> bool:
        """Whether a reference leads to something else, which is not asked for here."""
        told = reference.get("reference") if isinstance(reference, Mapping) else None
        named = self._entries.name(told) if isinstance(told, str) else ""
        return bool(named) and named.partition("/")[0] not in types

    def _value(self, parts: tuple[Field, ...], path: str, inside: Any = None) -> Any:
        """What a path gives for the shapes that are read from it: a list for lists and for words, else one value."""
        shapes = {one.shape for one in parts}
        if types := parts[0].types:
            found: list[Any] = self._targets(path, types, inside)
        elif "list" in shapes:
            items = self._walk.find(path, inside, is_read=False)
            self._where[path] = [one.place for one in items]
            return [self._item(parts[0], one) for one in items if isinstance(one.value, Mapping)] or None
        else:
            told = self._walk.find(path, inside)
            self._where[path] = [one.place for one in told]
            found = [one.value for one in told]
        return (found or None) if shapes & _LISTS else (found[0] if found else None)

    def _item(self, one: Field, start: Any) -> dict[str, Any]:
        """One item of a list."""
        made: dict[str, Any] = {}
        for path, parts in one.fields.items():
            value = self._value(parts, path, start)
            if value is not None:
                made[path] = value
        return made

    def _dropped(self, made: Record) -> dict[str, int]:
        """Elements of the resource that nothing has read, by path; those with names of the writer's by their place."""
        found: Counter[str] = Counter()
        for path, count in made.dropped.items():  # lines of an attached text
            found[f"{element(self._where[path][0])}.data"] += count
        own = {"resourceType", "id", *self._kind.own}
        for leaf in leaves(self._entry.resource):
            name = element(leaf)
            is_read = name in own or any(leaf[:end] in self._walk.read for end in range(1, len(leaf) + 1))
            if not is_read:
                found[name if name.replace(".", "").isalnum() else UNKNOWN] += 1
        return dict(sorted(found.items()))

    def _placed(self, finding: Finding) -> Finding:
        """A finding that points with a path, at the place where the path led."""
        told = finding.pointer.removeprefix("/")
        path = max((one for one in (*self._where, *self._kind.fields) if told.startswith(one)), key=len, default="")
        if not path:
            named = likely(self._kind.client) if finding.rule == "SRC-CLIENT" else "id"
            return replace(finding, pointer=f"{at(self._entry.position)}.{named}", params={"field": named})
        number, _, inner = told.removeprefix(path).removeprefix("/").partition("/")
        places = self._where.get(path, [])
        first = int(number) if number.isdigit() and int(number) < len(places) else 0
        named = expression(places[first]) if places else likely(path)
        named += f".{likely(inner)}" if inner else ""
        params = dict(finding.params)
        if "field" in params:
            params["field"] = named
        return replace(finding, pointer=f"{at(self._entry.position)}.{named}", params=params)


def _number(given: Any) -> int | None:
    """A version id as a number; FHIR's own may be any word, which orders nothing (FHIR R4 §2.24.0.1)."""
    text = str(given) if given is not None else ""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:8]) <= MAX_VERSION else None
