"""Compiles the rules of single values: what a path, constant, code, format or labelled text gives.

* A compiled rule gives a value with its origins, or None.
* Of several paths the first that gives something counts.
* A labelled text has one line for each value: label in the document's language, colon, the value as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kanta_gateway.mapping.codes import coding_of
from kanta_gateway.mapping.formats import FORMATS, READERS, text
from kanta_gateway.mapping.paths import items, reader
from kanta_gateway.model import Coding, Finding, Identifier, Origin, Scalar, ValueKind

if TYPE_CHECKING:
    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.paths import Read, Scope
    from kanta_gateway.mapping.statements import Clause, Rule
    from kanta_gateway.mapping.structures import FieldDef

Made = tuple[Scalar, tuple[Origin, ...]]


class Run:
    """What one composing carries along."""

    __slots__ = ("day", "found", "language")

    def __init__(self, language: str, day: str = "") -> None:
        self.language = language
        self.day = day
        """Of the record (ISO 8601): decides between dated codes; empty where it has none."""
        self.found: dict[tuple[str, str], Finding] = {}
        """Codes that are unverified or not valid on the day, by list and key."""


Make = Callable[[Run, "Scope"], Made | None]
Line = Callable[[Run, "Scope"], Iterator[Made]]


def compile_tests(tests: tuple[Clause, ...]) -> Callable[[Scope], bool]:
    """Whether all conditions hold."""
    compiled = tuple((reader(one.path), one.values, one.is_wanted) for one in tests)

    def holds(scope: Scope) -> bool:
        return all((read(scope) in values) is is_wanted for read, values, is_wanted in compiled)

    return holds


def each(rule: Rule) -> Callable[[Scope], Iterator[Scope]]:
    """The input once for every entry of a repeat, the entry under its name."""
    if rule.repeat is None:
        return lambda scope: iter((scope,))
    name, entries = rule.repeat.name, items(rule.repeat.path)

    def scopes(scope: Scope) -> Iterator[Scope]:
        for entry in entries(scope):
            yield {**scope, name: entry}

    return scopes


def compile_value(rule: Rule, field: FieldDef, codes: Codes, source: str, names: Mapping[str, str]) -> Make:
    """The closure that makes the value of one field.

    Args:
        rule: any but a group.
        field: that it fills.
        codes: all code lists.
        source: structure and key path, for the origin.
        names: of enclosing repeats -> the paths they stand for.
    """
    place = _Place(rule, source, names)
    if rule.word == "text":
        return _labelled(rule, source, names, codes)
    if rule.word == "code":
        return _code(rule, codes, place)
    if rule.word == "organisation":
        return _organisation(rule, field, place)
    if rule.word == "path" and field.kind is ValueKind.IDENTIFIER:
        return _identifier(rule, field, place)
    return _plain(rule, READERS.get(field.kind or ValueKind.STRING, text), place)


class _Place:
    """Where a rule stands, for the origins of what it makes."""

    def __init__(self, rule: Rule, source: str, names: Mapping[str, str]) -> None:
        self._rule, self._source, self._names = rule, source, names

    def origin(self, *paths: str) -> tuple[Origin, ...]:
        told = ", ".join(self._told(path) for path in paths)
        return (Origin(told, self._rule.line, _word(self._rule), self._source),)

    def _told(self, path: str) -> str:
        head, dot, rest = path.partition(".")
        return self._names.get(head, head) + dot + rest


def _word(rule: Rule) -> str:
    return f"{rule.word} {rule.name}".strip()


def _plain(rule: Rule, read_as: Callable[[Any, str], Scalar | None], place: _Place) -> Make:
    """A constant, a format or the first path that gives something."""
    if rule.word == "constant":
        return _constant(rule.constant, place.origin("constant"))
    if rule.word == "format":
        return _format(rule, place)
    reads = tuple((reader(path), place.origin(path)) for path in rule.paths)
    if len(reads) == 1:
        ((read, origin),) = reads
        return _one_path(read, read_as, origin)

    def make(run: Run, scope: Scope) -> Made | None:
        for read, origin in reads:
            value = read(scope)
            if value is not None and (made := read_as(value, run.language)) is not None:
                return made, origin
        return None

    return make


def _one_path(read: Read, read_as: Callable[[Any, str], Scalar | None], origin: tuple[Origin, ...]) -> Make:
    def make(run: Run, scope: Scope) -> Made | None:
        value = read(scope)
        if value is None:
            return None
        made = read_as(value, run.language)
        return None if made is None else (made, origin)

    return make


def _constant(constant: Any, origin: tuple[Origin, ...]) -> Make:
    by_language = constant if isinstance(constant, Mapping) else {"fi": constant, "sv": constant}
    return lambda run, _: (by_language[run.language], origin)


def _format(rule: Rule, place: _Place) -> Make:
    make_value, origin = FORMATS[rule.name].make, place.origin(*rule.paths)
    reads = tuple(reader(path) for path in rule.paths)

    def make(run: Run, scope: Scope) -> Made | None:
        values = [read(scope) for read in reads]
        made = None if None in values else make_value(*values, run.language)
        return None if made is None else (made, origin)

    return make


def _code(rule: Rule, codes: Codes, place: _Place) -> Make:
    ready = {
        (key, language): tuple((row, coding, None if row.verified else codes.finding(coding))
                               for row in reversed(every) for coding in (coding_of(row, language),))
        for key, every in codes.code_list(rule.name).dated.items()
        for language in ("fi", "sv")
    }  # fmt: skip
    reads = tuple((reader(path), place.origin(path)) for path in rule.paths)
    fixed = ((rule.row, place.origin("constant")),) if rule.row else ()

    def make(run: Run, scope: Scope) -> Made | None:
        for key, origin in (*fixed, *((read(scope), origin) for read, origin in reads)):
            known = ready.get((key, run.language)) if isinstance(key, str) else None
            if known is None:
                continue
            for row, coding, finding in known:
                if row.covers(run.day):
                    if finding is not None:
                        run.found.setdefault((coding.system, coding.code), finding)
                    return coding, origin
            run.found.setdefault((rule.name, str(key)), codes.not_valid(rule.name, str(key), run.day))
        return None

    return make


def _organisation(rule: Rule, field: FieldDef, place: _Place) -> Make:
    (path,) = rule.paths
    read, origin, system = reader(path), place.origin(path), field.code_system or ""

    def make(run: Run, scope: Scope) -> Made | None:
        value = read(scope)
        if not isinstance(value, Mapping):
            return None
        oid, name = text(value.get("oid"), run.language), text(value.get("name"), run.language)
        return (Coding(system, oid, name), origin) if oid and name else None

    return make


def _identifier(rule: Rule, field: FieldDef, place: _Place) -> Make:
    make_text, system = _plain(rule, text, place), field.identifier_system or ""

    def make(run: Run, scope: Scope) -> Made | None:
        made = make_text(run, scope)
        return None if made is None else (Identifier(system, str(made[0])), made[1])

    return make


def _labelled(rule: Rule, source: str, names: Mapping[str, str], codes: Codes) -> Make:
    lines = tuple(_line(one, source, names, codes) for one in rule.lines)

    def make(run: Run, scope: Scope) -> Made | None:
        said: list[str] = []
        origins: list[Origin] = []
        for line in lines:
            for value, origin in line(run, scope):
                said.append(str(value))
                origins += origin
        return ("\n".join(said), tuple(origins)) if said else None

    return make


def _line(rule: Rule, source: str, names: Mapping[str, str], codes: Codes) -> Line:
    inner = names
    if rule.repeat:
        head, dot, rest = rule.repeat.path.partition(".")
        inner = {**names, rule.repeat.name: f"{names.get(head, head)}{dot}{rest}[]"}
    make = _of_line(rule, source, inner, codes)
    holds, entries, label = compile_tests(rule.tests), each(rule), rule.label

    def line(run: Run, scope: Scope) -> Iterator[Made]:
        for one in entries(scope):
            made = make(run, one) if holds(one) else None
            if made is not None:
                yield (f"{label[run.language]}: {made[0]}", made[1]) if label else made

    return line


def _of_line(rule: Rule, source: str, names: Mapping[str, str], codes: Codes) -> Make:
    """What makes one line: of a coded value only what it is called stands in a text."""
    if rule.word == "text":
        return _labelled(rule, source, names, codes)
    place = _Place(rule, source, names)
    if rule.word != "code":
        return _plain(rule, text, place)
    make_coding = _code(rule, codes, place)

    def make(run: Run, scope: Scope) -> Made | None:
        made = make_coding(run, scope)
        return (made[0].display, made[1]) if made is not None and isinstance(made[0], Coding) else None

    return make
