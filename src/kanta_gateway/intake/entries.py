"""Entries of a FHIR Bundle by what references call them, on disk and not in memory, so that order does not matter.

* An entry is `Type/id`: its resource's id, else the one of the URL that a transaction puts it to.
* A reference names it so, by its full URL, by what a server calls it (with its version), or by a business identifier:
  in a conditional reference (`Type?identifier=…`), or in a logical one that has no other name.
* An absolute URL of another server is another resource, also where `Type/id` is the same (FHIR R4 §2.36.4.1).
* Identifiers can be identity codes: they are only known by a digest whose key dies with the reading.

Source: FHIR R4 §2.3 (references), §2.36 (Bundle), §3.1.0.11 (transactions).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kanta_gateway.intake.fhirpaths import Walk

_NAME = re.compile(r"(?P<name>(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_CONDITION = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?identifier=(?P<system>[^|&]*)\|(?P<value>[^|&]+)")
_MAX_CHAIN = 50
"""Replacements of one record; a longer chain is a circle."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that holds a resource."""

    position: int
    resource: Mapping[str, Any]
    full_url: str
    method: str
    """Of the request of a transaction; empty where there is none."""
    url: str
    """What the request is about."""
    is_conditional: bool
    """Whether the request asks for something to be looked up first."""

    @property
    def type(self) -> str:
        """Type of the resource."""
        return str(self.resource["resourceType"])

    @property
    def id(self) -> str:
        """Its own id, else that of the URL that it is put to."""
        own = self.resource.get("id")
        if isinstance(own, str) and own:
            return own
        put = _NAME.fullmatch(self.url) if self.method == "PUT" else None
        return put["name"].partition("/")[2] if put is not None and put["type"] == self.type else ""

    @property
    def name(self) -> str:
        """`Type/id`; empty where it has no id."""
        return f"{self.type}/{self.id}" if self.id else ""

    @property
    def edition(self) -> str:
        """The version id that a server gave it."""
        meta = self.resource.get("meta")
        return str(meta.get("versionId", "")) if isinstance(meta, Mapping) else ""

    @property
    def is_elsewhere(self) -> bool:
        """Whether the request names another resource than the entry holds."""
        put = _NAME.fullmatch(self.url) if self.method == "PUT" else None
        return put is not None and put["name"] != self.name


class Entries:
    """What references of one bundle lead to.

    Args:
        followed: types of the resources that paths lead into.
        replacing: paths of the references to what a resource replaces.
    """

    def __init__(self, followed: Collection[str], replacing: Collection[str]) -> None:
        self._followed = frozenset(followed)
        self._replacing = tuple(replacing)
        self._key = os.urandom(32)
        self._store = sqlite3.connect("")  # a temporary file that goes with the connection
        self._store.executescript(
            "create table entry (name text, edition text, content blob, place integer, url text, twice integer,"
            " primary key (name, edition));"
            "create table followed (name text primary key, resource text);"
            "create table alias (given text primary key, name text, place integer);"
            "create table identified (given blob, type text, name text, primary key (given, type));"
            "create table replaced (name text primary key, by_whom text);"
        )

    def close(self) -> None:
        """Let go of the temporary file."""
        self._store.close()

    def add(self, entry: Entry) -> None:
        """Take one entry in."""
        name = entry.name
        self._add_alias(entry, name)
        if not name:
            return
        text = json.dumps(entry.resource, default=str, sort_keys=True)
        content = hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()
        self._store.execute(
            "insert into entry values (?, ?, ?, ?, ?, 0)"
            " on conflict do update set twice = content != excluded.content or twice",
            (name, entry.edition, content, entry.position, entry.full_url),
        )
        if entry.type in self._followed:
            self._store.execute("insert or replace into followed values (?, ?)", (name, text))
        for given in self._identifiers(entry.resource):
            self._store.execute(
                "insert into identified values (?, ?, ?) on conflict do update set name ="
                " case when name = excluded.name then name else '' end",
                (given, entry.type, name),
            )
        for path in self._replacing:
            for told in Walk(entry.resource, lambda _: None).values(path):
                if isinstance(told, Mapping) and isinstance(told.get("reference"), str):
                    row = (name, told["reference"])
                    self._store.execute("insert or ignore into replaced values (?, ?)", row)

    def _add_alias(self, entry: Entry, name: str) -> None:
        if entry.full_url:
            self._store.execute(
                "insert into alias values (?, ?, ?) on conflict do update set name ="
                " case when name = excluded.name then name else '' end",
                (entry.full_url, name, entry.position),
            )

    def _identifiers(self, resource: Mapping[str, Any]) -> Iterator[bytes]:
        told = resource.get("identifier")
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, Mapping):
                yield self._digest(one.get("system"), one.get("value"))

    def _digest(self, system: Any, value: Any) -> bytes:
        plain = f"{system or ''}|{''.join(str(value or '').split()).upper()}"
        return hashlib.blake2b(plain.encode("utf-8", "backslashreplace"), key=self._key).digest()

    def is_doubled(self, entry: Entry) -> bool:
        """Whether another entry has the same name and version, and says something else."""
        query = "select twice from entry where name = ? and edition = ?"
        row = self._store.execute(query, (entry.name, entry.edition)).fetchone()
        return row is not None and bool(row[0])

    def is_url_doubled(self, entry: Entry) -> bool:
        """Whether another resource has the same full URL."""
        row = self._store.execute("select name from alias where given = ?", (entry.full_url,)).fetchone()
        return row is not None and not row[0] and bool(entry.name)

    def has(self, name: str) -> bool:
        """Whether the bundle has an entry of this name."""
        return self._store.execute("select 1 from entry where name = ?", (name,)).fetchone() is not None

    def follow(self, reference: str) -> Mapping[str, Any] | None:
        """The resource that a reference leads to, if it is one that paths follow."""
        row = self._store.execute("select resource from followed where name = ?", (self.name(reference),)).fetchone()
        return None if row is None else json.loads(row[0])

    def named(self, reference: Any, types: Collection[str]) -> str:
        """The `Type/id` that a reference element means; empty where it means nothing of these types.

        Args:
            reference: with `reference`, or else with `identifier`.
            types: of which one it must be.
        """
        if not isinstance(reference, Mapping):
            return ""
        told = reference.get("reference")
        if isinstance(told, str) and told:
            found = self.name(told)
        else:
            told = reference.get("identifier")
            given = self._digest(told.get("system"), told.get("value")) if isinstance(told, Mapping) else b""
            found = next(filter(None, (self._identified(given, one) for one in types)), "")
        return found if found.partition("/")[0] in types else ""

    def name(self, reference: str) -> str:
        """The `Type/id` that the text of a reference means; empty where nobody can tell."""
        row = self._store.execute("select name from alias where given = ?", (reference,)).fetchone()
        if row is not None:
            return str(row[0])
        condition = _CONDITION.fullmatch(reference)
        if condition is not None:
            return self._identified(self._digest(condition["system"], condition["value"]), condition["type"])
        if (relative := _NAME.fullmatch(reference)) is not None:
            return relative["name"]
        if reference.startswith(("http://", "https://")) and (last := _last(reference)):
            return "" if self._is_of_another_server(reference, last) else last
        return ""

    def _identified(self, given: bytes, type_: str) -> str:
        query = "select name from identified where given = ? and type = ?"
        row = self._store.execute(query, (given, type_)).fetchone()
        return str(row[0]) if row is not None else ""

    def _is_of_another_server(self, reference: str, name: str) -> bool:
        """Whether the bundle has an entry of this name whose own URL is another one."""
        known = [str(one) for (one,) in self._store.execute("select url from entry where name = ?", (name,))]
        absolute = {one.partition("/_history/")[0] for one in known if one.startswith(("http://", "https://"))}
        return bool(absolute) and reference.partition("/_history/")[0] not in absolute

    def chain(self, name: str) -> tuple[str, int]:
        """The record that a chain of replacements began with, and how many came before this one."""
        before, seen = 0, {name}
        while before < _MAX_CHAIN:
            row = self._store.execute("select by_whom from replaced where name = ?", (name,)).fetchone()
            older = self.name(str(row[0])) if row is not None else ""
            if not older or older in seen or older.partition("/")[0] != name.partition("/")[0]:
                break
            name = older
            seen.add(name)
            before += 1
        return name, before


def _last(url: str) -> str:
    """The `Type/id` that a URL ends with."""
    found = re.search(rf"/{_NAME.pattern}$", url)
    return found["name"] if found is not None else ""


def entry_of(position: int, value: Any) -> Entry | None:
    """An entry as it was built from JSON; None where it holds no resource."""
    resource = value.get("resource") if isinstance(value, Mapping) else None
    if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
        return None
    asked = value.get("request")
    request: Mapping[str, Any] = asked if isinstance(asked, Mapping) else {}
    full_url, url = value.get("fullUrl"), request.get("url")
    told = ("ifNoneExist", "ifMatch", "ifNoneMatch", "ifModifiedSince")
    return Entry(
        position, resource, full_url if isinstance(full_url, str) else "", str(request.get("method", "")).upper(),
        url if isinstance(url, str) else "",
        any(request.get(one) for one in told) or (isinstance(url, str) and "?" in url),
    )  # fmt: skip
