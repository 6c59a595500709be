"""Code lists: the coded values that documents and headers need, with their sources and what is verified.

* One file per list; a list is known by its name and by its number (the arc that names the code system).
* A code that no source confirms is `verified: false`; an unknown code is visibly artificial.
* Whoever uses an unverified code gets a finding; refusing it in production is the pipeline's decision.
* A row may be dated: of the rows of one key the record's day decides, and on a day that none covers there is no code.
* Rows imported from the code server go before those of the same key that the gateway carries.

Source: each list names its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Coding, Finding, Severity
from kanta_gateway.shapes import DAY, FLAG, TEXT, WORD, Keys, ListOf, shaped
from kanta_gateway.stated import Lined, Mistakes, nearest, read

_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_ROW = Keys(
    {"key": WORD, "code": TEXT, "display": Keys({"fi": TEXT, "sv": TEXT}), "verified": FLAG},
    {"source": WORD, "version": WORD, "valid_from": DAY, "valid_to": DAY},
)
_LIST = Keys(
    {"name": WORD, "number": WORD, "oid": WORD, "title": WORD, "source": WORD, "rows": ListOf(_ROW)}, {"version": WORD}
)
"""A list of which nobody has told a row is known all the same, so that an export can be imported for it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One code of a list."""

    list: str
    """Name of the list."""
    key: str
    """How mappings name the code."""
    code: str
    display: Mapping[str, str]
    verified: bool
    source: str = ""
    """Where it differs from the list's source."""
    system: str = ""
    """OID that a coding of it carries: with the version of the list that it belongs to, where one is known."""
    valid_from: str = _FIRST_DAY
    """First day (ISO 8601)."""
    valid_to: str = _LAST_DAY
    """Last day, included."""

    def covers(self, day: str) -> bool:
        """Whether it is valid on a day; on no day in particular the one without end is."""
        return self.valid_from <= (day or _LAST_DAY) <= self.valid_to


@dataclass(frozen=True, slots=True)
class CodeList:
    """One code list, as far as the gateway uses it."""

    name: str
    number: str
    oid: str
    """OID of the code system, without version."""
    version: str
    """Last arc of the versioned OID; empty where no version is known."""
    title: str
    """The code system's own name, as headers tell it."""
    source: str
    dated: Mapping[str, tuple[Row, ...]]
    """Every row by its key, the one that began first first."""

    @property
    def rows(self) -> Mapping[str, Row]:
        """The last row of each key."""
        return {key: every[-1] for key, every in self.dated.items()}

    @property
    def system(self) -> str:
        """The OID that a coding carries: with its version where one is known."""
        return f"{self.oid}.{self.version}" if self.version else self.oid


class Codes:
    """All code lists."""

    def __init__(self, lists: tuple[CodeList, ...]) -> None:
        self._lists = lists
        self._by_name = {name: one for one in lists for name in (one.name, one.number)}
        self._by_system = {row.system: one for one in lists for every in one.dated.values() for row in every}

    @classmethod
    def load(cls, files: Mapping[str, str], imported: Mapping[str, str] | None = None) -> Codes:
        """Read every list.

        Args:
            files: name of the file without its ending -> its YAML text.
            imported: the same from the data folder; its rows go before those of the same list and key.

        Raises:
            MisconfiguredError: all mistakes of all files at once.
        """
        carried = _read(files)
        ours = {one.number: one for one in carried}
        theirs = {one.number: one for one in _read(imported or {})}
        merged = (_merged(ours.get(number), theirs.get(number)) for number in {**ours, **theirs})
        return cls(tuple(one for one in merged if one is not None))

    def coding(self, list_name: str, key: str, language: str = "fi", day: str = "") -> Coding:
        """One code as a document carries it.

        Args:
            list_name: name or number of the list.
            key: of the row.
            language: of the display.
            day: that the code is to be valid on (ISO 8601); on a day that no row covers the last row is taken, and the
                caller has been told by `row`.

        Raises:
            MisconfiguredError: there is no such list, row or language.
        """
        every = self.code_list(list_name).dated.get(key)
        if every is None:
            raise MisconfiguredError(
                f"code list {list_name} has no row of that key; add it to the list, or correct the mapping"
            )
        return coding_of(self.row(list_name, key, day) or every[-1], language)

    def row(self, list_name: str, key: str, day: str = "") -> Row | None:
        """The row of a key that is valid on a day, or None.

        Args:
            list_name: name or number of the list.
            key: of the row.
            day: ISO 8601; empty for none in particular.
        """
        every = self.code_list(list_name).dated.get(key, ())
        return next((one for one in reversed(every) if one.covers(day)), None)

    def code_list(self, name: str) -> CodeList:
        """The list with this name or number.

        Raises:
            MisconfiguredError: there is none.
        """
        one = self._by_name.get(name)
        if one is None:
            told = nearest(name, self._by_name)
            raise MisconfiguredError(f"there is no code list {name}; add a file for it, or correct the name{told}")
        return one

    def has(self, list_name: str, key: str) -> bool:
        """Whether there is such a row: for checks of mappings at start."""
        one = self._by_name.get(list_name)
        return one is not None and key in one.dated

    def all(self) -> tuple[CodeList, ...]:
        """Every list."""
        return self._lists

    def unverified(self) -> tuple[Row, ...]:
        """Every row that nobody has verified."""
        rows = (row for one in self._lists for every in one.dated.values() for row in every)
        return tuple(row for row in rows if not row.verified)

    def title(self, system: str) -> str:
        """The name of a coding's code system, empty for one that has no list here."""
        one = self._by_system.get(system)
        return one.title if one else ""

    def finding(self, coding: Coding, pointer: str = "") -> Finding:
        """What a reader is told about an unverified coding."""
        one = self._by_system.get(coding.system)
        number = one.number if one else ""
        params = {"list": number, "code": coding.code, "display": coding.display}
        return Finding(f"CODE-{number}", Severity.INFO, "code-unverified", pointer, params, clause=coding.system)

    def not_valid(self, list_name: str, key: str, day: str) -> Finding:
        """What a reader is told about a code that has no row for the record's day: its document waits.

        Args:
            list_name: name or number of the list.
            key: of the row.
            day: of the record.
        """
        number = self.code_list(list_name).number
        params = {"list": number, "key": key, "day": day}
        return Finding(f"CODE-{number}", Severity.HOLD, "code-not-valid", "", params)


def coding_of(row: Row, language: str) -> Coding:
    """A row as a document carries it.

    Raises:
        MisconfiguredError: it has no display in the language.
    """
    display = row.display.get(language)
    if display is None:
        raise MisconfiguredError(f"code list {row.list} has no display in language {language}; expected fi or sv")
    return Coding(row.system, row.code, display, row.verified)


def _read(files: Mapping[str, str]) -> tuple[CodeList, ...]:
    """Every list of some files."""
    told: list[str] = []
    lists: list[CodeList] = []
    taken: dict[str, str] = {}
    for file, text in files.items():
        mistakes = Mistakes(f"codes/{file}.yaml")
        try:
            stated = _stated(text, mistakes)
            mistakes.end()
        except MisconfiguredError as error:
            told += error.mistakes
            continue
        one = _code_list(stated)
        for name in (one.name, one.number):
            if name in taken:
                mistakes.say(stated.at("name"), f"{name} stands in {taken[name]} already; rename one")
            taken[name] = file
        told += mistakes.told
        lists.append(one)
    if told:
        raise MisconfiguredError(mistakes=told)
    return tuple(lists)


def _merged(ours: CodeList | None, theirs: CodeList | None) -> CodeList | None:
    """Our list with the imported rows before ours of the same key."""
    if ours is None or theirs is None:
        return ours or theirs
    # The name stays ours: mappings and rules of headers know the list by it.
    named = {key: tuple(replace(row, list=ours.name) for row in every) for key, every in theirs.dated.items()}
    return replace(ours, dated=MappingProxyType({**ours.dated, **named}))


def _stated(text: str, mistakes: Mistakes) -> Lined:
    """What a file says; of its rows, each key stands once for a day."""
    stated: Lined = shaped(read(text, mistakes), _LIST, mistakes)
    spans: dict[str, list[tuple[str, str]]] = {}
    for row in stated["rows"]:
        others = spans.setdefault(str(row["key"]), [])
        first, last = _span(row)
        if any(first <= end and begin <= last for begin, end in others):
            mistakes.say(row.line, f"row {row['key']}: key stands twice for the same day; date its rows so that they "
                         "follow each other")  # fmt: skip
        if last < first:
            mistakes.say(row.at("valid_to"), f"row {row['key']}: valid_to is before valid_from")
        others.append((first, last))
    return stated


def _span(row: Mapping[str, Any]) -> tuple[str, str]:
    """First and last day of a row."""
    return str(row.get("valid_from") or _FIRST_DAY), str(row.get("valid_to") or _LAST_DAY)


def _code_list(stated: Mapping[str, Any]) -> CodeList:
    name = str(stated["name"])
    oid, version = str(stated["oid"]), str(stated.get("version", ""))
    dated: dict[str, tuple[Row, ...]] = {}
    for row in sorted(stated["rows"], key=_span):
        of = str(row.get("version", version))
        first, last = _span(row)
        one = Row(
            list=name,
            key=str(row["key"]),
            code=row["code"],
            display=MappingProxyType(row["display"]),
            verified=row["verified"],
            source=row.get("source", ""),
            system=f"{oid}.{of}" if of else oid,
            valid_from=first,
            valid_to=last,
        )
        dated[one.key] = (*dated.get(one.key, ()), one)
    return CodeList(
        name=name,
        number=str(stated["number"]),
        oid=oid,
        version=version,
        title=str(stated["title"]),
        source=str(stated["source"]),
        dated=MappingProxyType(dated),
    )
