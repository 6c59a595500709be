"""Code lists: the coded values that documents and headers need, with their sources and what is verified.

* One file per list; a list is known by its name and by its number (the arc that names the code system).
* A code that no source confirms is `verified: false`; an unknown code is visibly artificial.
* Whoever uses an unverified code gets a finding; refusing it in production is the pipeline's decision.

Source: each list names its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Coding, Finding, Severity

_LIST_WORDS = frozenset({"name", "number", "oid", "version", "title", "source", "rows"})
_ROW_WORDS = frozenset({"key", "code", "display", "verified", "source"})
_LANGUAGES = ("fi", "sv")


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
    rows: Mapping[str, Row]

    @property
    def system(self) -> str:
        """The OID that a coding carries: with its version where one is known."""
        return f"{self.oid}.{self.version}" if self.version else self.oid


class Codes:
    """All code lists."""

    def __init__(self, lists: tuple[CodeList, ...]) -> None:
        self._lists = lists
        self._by_name = {name: one for one in lists for name in (one.name, one.number)}
        self._by_system = {one.system: one for one in lists}

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Codes:
        """Read every list.

        Args:
            files: name of the file without its ending -> its YAML text.

        Raises:
            MisconfiguredError: all mistakes of all files at once.
        """
        mistakes: list[str] = []
        lists: list[CodeList] = []
        taken: dict[str, str] = {}
        for file, text in files.items():
            stated = yaml.safe_load(text)
            found = _mistakes(stated)
            mistakes += [f"code list {file}: {one}" for one in found]
            if found:
                continue
            one = _code_list(stated)
            for name in (one.name, one.number):
                if name in taken:
                    mistakes.append(f"code list {file}: {name} stands in {taken[name]} already; rename one")
                taken[name] = file
            lists.append(one)
        if mistakes:
            raise MisconfiguredError("\n".join(mistakes))
        return cls(tuple(lists))

    def coding(self, list_name: str, key: str, language: str = "fi") -> Coding:
        """One code as a document carries it.

        Args:
            list_name: name or number of the list.
            key: of the row.
            language: of the display.

        Raises:
            MisconfiguredError: there is no such list, row or language.
        """
        one = self.code_list(list_name)
        row = one.rows.get(key)
        if row is None:
            raise MisconfiguredError(
                f"code list {list_name} has no row of that key; add it to the list, or correct the mapping"
            )
        display = row.display.get(language)
        if display is None:
            raise MisconfiguredError(f"code list {list_name} has no display in language {language}; expected fi or sv")
        return Coding(one.system, row.code, display, row.verified)

    def code_list(self, name: str) -> CodeList:
        """The list with this name or number.

        Raises:
            MisconfiguredError: there is none.
        """
        one = self._by_name.get(name)
        if one is None:
            raise MisconfiguredError(f"there is no code list {name}; add a file for it, or correct the name")
        return one

    def has(self, list_name: str, key: str) -> bool:
        """Whether there is such a row: for checks of mappings at start."""
        one = self._by_name.get(list_name)
        return one is not None and key in one.rows

    def all(self) -> tuple[CodeList, ...]:
        """Every list."""
        return self._lists

    def unverified(self) -> tuple[Row, ...]:
        """Every row that nobody has verified."""
        return tuple(row for one in self._lists for row in one.rows.values() if not row.verified)

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


def _mistakes(stated: Any) -> list[str]:
    if not isinstance(stated, Mapping):
        return ["expected a mapping; write name, number, oid, title, source and rows"]
    found = [f"{word} is missing; add it" for word in sorted(_LIST_WORDS - {"version"}) if not stated.get(word)]
    found += [f"{word} is no word of a code list; remove it" for word in sorted(set(stated) - _LIST_WORDS)]
    keys: set[str] = set()
    for row in stated.get("rows") or ():
        key = str(row.get("key", ""))
        found += [f"row {key}: {one}" for one in _row_mistakes(row, keys)]
        keys.add(key)
    return found


def _row_mistakes(row: Mapping[str, Any], keys: set[str]) -> list[str]:
    display = row.get("display") or {}
    checks = {
        "key is missing or stands twice": not row.get("key") or str(row["key"]) in keys,
        "code is missing, or is no text: quote it": not isinstance(row.get("code"), str),
        "display expected a text in fi and sv": not all(isinstance(display.get(one), str) for one in _LANGUAGES),
        "verified expected true or false": not isinstance(row.get("verified"), bool),
        f"unknown words: {', '.join(sorted(set(row) - _ROW_WORDS))}": bool(set(row) - _ROW_WORDS),
    }
    return [mistake for mistake, is_wrong in checks.items() if is_wrong]


def _code_list(stated: Mapping[str, Any]) -> CodeList:
    name = str(stated["name"])
    rows = {
        str(row["key"]): Row(
            list=name,
            key=str(row["key"]),
            code=row["code"],
            display=MappingProxyType(row["display"]),
            verified=row["verified"],
            source=row.get("source", ""),
        )
        for row in stated["rows"]
    }
    return CodeList(
        name=name,
        number=str(stated["number"]),
        oid=str(stated["oid"]),
        version=str(stated.get("version", "")),
        title=str(stated["title"]),
        source=str(stated["source"]),
        rows=MappingProxyType(rows),
    )
