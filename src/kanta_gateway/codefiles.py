"""Code lists in the data folder: rows of the code server, verified and dated, beside those that the gateway carries.

* The file says which code system it is by its own OID or name, or the caller says it; it is never guessed.
* A row takes the key of the carried row with its code, else with its Finnish name, else its own code as key.
* Two codes for one key on one day are ambiguous: neither is taken, and both are told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.codeserver import Export, Term, Words, matched, read_export

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kanta_gateway.mapping.codes import CodeList

FOLDER = "codes"
"""Where they lie in the data folder."""
MAX_BYTES = 200_000_000
"""The largest lists (places, occupations) have a few ten thousand rows."""
_OID = re.compile(r"\d+(?:\.\d+){3,}")


@dataclass(slots=True)
class Imported:
    """What came of one export."""

    number: str
    """Of the code list."""
    how: str
    columns: Mapping[str, str]
    """Column of the export -> what was taken from it."""
    verified: list[str] = field(default_factory=list)
    """Keys that the gateway carries and that have rows of the code server now."""
    unverified: list[str] = field(default_factory=list)
    """Keys that the gateway carries and that the export does not have."""
    rows: int = 0
    mistakes: list[str] = field(default_factory=list)


def stored(data: Path) -> dict[str, str]:
    """Text of every imported list, by name of its file."""
    return {one.stem: one.read_text("utf-8") for one in sorted((data / FOLDER).glob("*.yaml"))}


def take(file: Path, data: Path, codes: Codes, words: Words, name: str, version: str) -> Imported:
    """Write the rows of an export into the data folder.

    Args:
        file: CSV, XML or JSON.
        data: the data folder.
        codes: every list that is known.
        words: what columns are called.
        name: name, number or OID of the list; empty where file or export say it.
        version: of the list; empty where the file's name says it, or where there is none.

    Raises:
        MisconfiguredError: the export cannot be read, or says nothing about its code system.
    """
    if file.stat().st_size > MAX_BYTES:
        raise MisconfiguredError(f"{file.name} is larger than {MAX_BYTES} bytes; export one code list at a time")
    export = read_export(file.read_bytes(), words)
    one, found = _list_of(codes, name, file.name, export)
    told = Imported(one.number, export.how, export.columns, mistakes=list(export.mistakes))
    carried = {key: (every[-1].code, every[-1].display["fi"]) for key, every in one.dated.items()}
    by_key: dict[str, list[Term]] = {}
    for term, key in matched(export.terms, carried):
        by_key.setdefault(key, []).append(term)
    rows = [row for key, terms in by_key.items() for row in _rows(key, terms, one, told, file.name)]
    told.rows = len(rows)
    told.verified = sorted({row["key"] for row in rows} & set(carried))
    told.unverified = sorted(key for key, every in one.dated.items()
                             if key not in told.verified and not every[-1].verified)  # fmt: skip
    if rows:
        stated = {
            "name": one.name, "number": one.number, "oid": one.oid, "title": one.title,
            "source": f"export of the code server, {file.name}", "rows": rows,
        }  # fmt: skip
        if edition := version or found or one.version:
            stated["version"] = edition
        _write(data / FOLDER / f"{one.number}.yaml", stated)
    return told


def _list_of(codes: Codes, name: str, file: str, export: Export) -> tuple[CodeList, str]:
    """The list that an export is of, and its version where the OID tells one."""
    said = [name] if name else [*export.systems, *_OID.findall(file)]
    found = {(one.number, oid[len(one.oid) + 1 :]): one for oid in said for one in codes.all()
             if oid in {one.name, one.number, one.oid} or oid.startswith(f"{one.oid}.")}  # fmt: skip
    if len({number for number, _ in found}) != 1:
        raise MisconfiguredError(
            f"{file}: expected one known code list, found {len(found)}; name it with --list, by number or OID"
        )
    (_, version), one = max(found.items(), key=lambda item: item[0])
    return one, version if version.isdigit() else ""


def _rows(key: str, terms: list[Term], one: CodeList, told: Imported, file: str) -> list[dict[str, Any]]:
    """The terms of one key as rows; none where two of them hold on the same day."""
    terms = sorted(terms, key=lambda term: term.valid_from)
    for earlier, later in pairwise(terms):
        if not earlier.valid_to or earlier.valid_to >= later.valid_from:
            told.mistakes.append(
                f"{file}: codes {earlier.code} and {later.code} are both valid for {key} on one day; correct the export"
            )
            return []
    carried = one.dated.get(key, ())
    return [_row(key, term, carried[-1].display if carried else {}) for term in terms]


def _row(key: str, term: Term, carried: Mapping[str, str]) -> dict[str, Any]:
    finnish = term.names.get("fi") or next(iter(term.names.values()))
    row: dict[str, Any] = {
        "key": key, "code": term.code,
        "display": {"fi": finnish, "sv": term.names.get("sv") or carried.get("sv") or finnish}, "verified": True,
    }  # fmt: skip
    for word, day in (("valid_from", term.valid_from), ("valid_to", term.valid_to)):
        if day:
            row[word] = date.fromisoformat(day)
    return row


def _write(target: Path, stated: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(stated), allow_unicode=True, sort_keys=False)
    Codes.load({target.stem: text})  # what was written must be readable, or nothing is
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
