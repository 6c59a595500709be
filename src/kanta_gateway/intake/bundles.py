"""A FHIR Bundle as canonical records, entry by entry, with what it cannot use told by path.

* Collections and transactions are read; each entry is validated by the R4B models before anything of it is taken.
  There are no R4 models: for the resources read here R4B has the same elements (FHIR R4B §2.1.0, changes).
* A first pass writes down what references lead to, on disk and not in memory, so that order does not matter.
* `entered-in-error` is the cancelled record. What `replaces` another is the next version of the same record,
  whatever its own id is (GEN-03); without a version id the same id with other content is a new state (GEN-06).
* An entry that does not hold is told with the paths of its mistakes, and the others go through.

Source: FHIR R4 Bundle, §2.36; resource references, §2.3.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson

from kanta_gateway.intake.fhirpaths import covers, leaves, values
from kanta_gateway.intake.jsontext import MAX_DEPTH, refusal
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.objects import UNKNOWN, read_record
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.stream import Parsable
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Field, Kind
    from kanta_gateway.intake.sources import Source

TYPES = ("collection", "transaction")
MAX_MISTAKES = 20
"""Mistakes of one entry that are told; more say the same."""
_OTHER_RELEASE = re.compile(r"/fhir/(?:DSTU2|STU3|R5|R6|1\.0|3\.0|5\.0|6\.0)/|\|(?:1|3|5|6)\.\d")
_BASE = re.compile(r"(?P<name>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")
_MAX_CHAIN = 50
_OPENS, _CLOSES = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})


def read_bundle(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Record | Problem]:
    """Everything that a Bundle holds.

    Args:
        source: how its resources become records.
        stream: the file's bytes.
        file_name: for messages.

    Raises:
        UnreadableError: it is no JSON, or no Bundle of a kind that is read.
    """
    index = _Index(source)
    try:
        yield from index.build(stream, file_name)
        stream.seek(0)
        for position, entry in enumerate(_entries(stream, file_name)):
            yield from _read(source, index, entry, f"/entry/{position}")
    finally:
        index.close()


def _entries(stream: BinaryIO, file_name: str) -> Iterator[Any]:
    stream.seek(0)
    try:
        yield from ijson.items(Parsable(stream), "entry.item", use_float=False)
    except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError, SystemError) as error:
        raise refusal(unreadable("SRC-JSON", "", {"offset": f"<= {stream.tell()}"}), f"the file {file_name}") from error


def _bounded(stream: BinaryIO, file_name: str) -> None:
    """Refuse a Bundle that is nested deeper than anything real, before anything of it is put together."""
    stream.seek(0)
    level = 0
    try:
        for event, _ in ijson.basic_parse(Parsable(stream), use_float=False):
            level += (event in _OPENS) - (event in _CLOSES)
            if level > MAX_DEPTH:
                raise refusal(unreadable("SRC-DEPTH", "", {"limit": str(MAX_DEPTH)}), f"the file {file_name}")
    except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError, SystemError) as error:
        raise refusal(unreadable("SRC-JSON", "", {"offset": f"<= {stream.tell()}"}), f"the file {file_name}") from error


def _of(entry: Any) -> Mapping[str, Any] | None:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return resource if isinstance(resource, Mapping) and isinstance(resource.get("resourceType"), str) else None


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"


class _Index:
    """What references of a bundle lead to: names of entries, and the resources that paths follow."""

    def __init__(self, source: Source) -> None:
        self._followed = frozenset(source.followed)
        self._replacing = {kind.replaces for kinds in source.resources.values() for kind in kinds if kind.replaces}
        self._store = sqlite3.connect("")  # a temporary file that goes with the connection
        self._store.execute("create table entry (name text primary key, resource text)")
        self._store.execute("create table alias (given text primary key, name text)")
        self._store.execute("create table replaced (name text primary key, by_whom text)")

    def build(self, stream: BinaryIO, file_name: str) -> Iterator[Problem]:
        """Read the bundle once for its names; tells what is wrong with it as a whole."""
        _bounded(stream, file_name)
        self._check(stream, file_name)
        for position, entry in enumerate(_entries(stream, file_name)):
            resource = _of(entry)
            if resource is None or not resource.get("id"):
                continue
            name = _name(resource)
            kept = json.dumps(resource, default=str) if resource["resourceType"] in self._followed else None
            is_new = self._store.execute("insert or ignore into entry values (?, ?)", (name, kept)).rowcount
            if not is_new:
                yield Problem(unreadable("SRC-TWICE", f"/entry/{position}"))
            if isinstance(entry.get("fullUrl"), str):
                self._store.execute("insert or ignore into alias values (?, ?)", (entry["fullUrl"], name))
            for path in self._replacing:
                for told in values(resource, path, lambda _: None):
                    self._store.execute("insert or ignore into replaced values (?, ?)", (name, str(told)))

    @staticmethod
    def _check(stream: BinaryIO, file_name: str) -> None:
        stream.seek(0)
        found: dict[str, Any] = {}
        try:
            for path, event, value in ijson.parse(Parsable(stream), use_float=False):
                if event == "string" and path in {"resourceType", "type"}:
                    found[path] = value
                if path == "entry" and event == "start_array" and len(found) == 2:
                    break
        except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError, SystemError) as error:
            offset = f"<= {stream.tell()}"
            raise refusal(unreadable("SRC-JSON", "", {"offset": offset}), f"the file {file_name}") from error
        if found.get("resourceType") != "Bundle" or found.get("type") not in TYPES:
            raise refusal(unreadable("SRC-BUNDLE", "/type", {"allowed": ", ".join(TYPES)}), f"the file {file_name}")

    def name(self, reference: str) -> str:
        """The `Type/id` that a reference means: by full URL, or by its own end."""
        row = self._store.execute("select name from alias where given = ?", (reference,)).fetchone()
        if row is not None:
            return str(row[0])
        found = _BASE.search(reference)
        return found["name"] if found is not None else reference

    def has(self, name: str) -> bool:
        """Whether the bundle has an entry of this name."""
        return self._store.execute("select 1 from entry where name = ?", (name,)).fetchone() is not None

    def follow(self, reference: str) -> Mapping[str, Any] | None:
        """The resource that a reference leads to, if it is one that paths follow."""
        row = self._store.execute("select resource from entry where name = ?", (self.name(reference),)).fetchone()
        return None if row is None or row[0] is None else json.loads(row[0])

    def chain(self, name: str) -> tuple[str, int]:
        """The record that a chain of replacements began with, and which version this one is."""
        version, seen = 1, {name}
        while version < _MAX_CHAIN:
            row = self._store.execute("select by_whom from replaced where name = ?", (name,)).fetchone()
            if row is None or (name := self.name(str(row[0]))) in seen:
                break
            seen.add(name)
            version += 1
        return name, version

    def close(self) -> None:
        """Let go of the temporary file."""
        self._store.close()


def _read(source: Source, index: _Index, entry: Any, place: str) -> Iterator[Record | Problem]:
    resource = _of(entry)
    if resource is None:
        yield Problem(unreadable("SRC-TYPE", f"{place}/resource", {"expected": "resource"}))
        return
    place = f"{place}/resource"
    faults = list(_faults(resource, place))
    if faults:
        yield from (Problem(one) for one in faults)
        return
    kinds = source.resources.get(resource["resourceType"], ())
    kind = next((one for one in kinds if _holds(one, resource)), None)
    if kind is None:
        params = {"type": resource["resourceType"]}
        yield Problem(Finding("SRC-RESOURCE", Severity.INFO, "resource-not-used", place, params))
        return
    yield from _record(kind, index, resource, place)


def _faults(resource: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """What is wrong with one resource: release, id, and everything that the models find, by path."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 — heavy, and needed for bundles only
    from pydantic import ValidationError  # noqa: PLC0415

    profiles = values(resource, "meta.profile", lambda _: None)
    if any(_OTHER_RELEASE.search(str(one)) for one in profiles):
        yield unreadable("SRC-RELEASE", f"{place}/meta/profile")
        return
    if not resource.get("id"):
        yield unreadable("SRC-ID", place, {"field": "id"})
        return
    try:
        model = get_fhir_model_class(resource["resourceType"])
    except (KeyError, LookupError, ValueError):
        yield unreadable("SRC-KIND", f"{place}/resourceType", {"field": "resourceType"})
        return
    try:
        model.model_validate(_exact(resource))
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False, include_context=False)[:MAX_MISTAKES]:
            pointer = "/".join([place, *map(str, one["loc"])])
            yield unreadable("SRC-FHIR", pointer, {"what": one["type"].replace("_", " ")})
    except (TypeError, ValueError, RecursionError):
        yield unreadable("SRC-FHIR", place, {"what": "value"})


def _exact(value: Any) -> Any:
    """The resource with plain numbers, as the models take it."""
    if isinstance(value, Mapping):
        return {key: _exact(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def _holds(kind: Kind, resource: Mapping[str, Any]) -> bool:
    """Whether a resource is of this kind: each path has one of the words, or a text that begins with one."""
    for path, words in kind.when.items():
        found = [str(one).casefold() for one in values(resource, path, lambda _: None)]
        if not any(told == word or (word.endswith("*") and told.startswith(word[:-1]))
                   for told in found for word in words):  # fmt: skip
            return False
    return True


def _record(kind: Kind, index: _Index, resource: Mapping[str, Any], place: str) -> Iterator[Record | Problem]:
    name = _name(resource)
    view = {path: _value(parts, path, resource, index) for path, parts in kind.fields.items()}
    for path in filter(None, (kind.client, kind.version, kind.status)):
        view[path] = _one(values(resource, path, index.follow))
    if kind.client and isinstance(view.get(kind.client), str):
        client = index.name(view[kind.client])
        if not index.has(client):
            yield Problem(Finding("SRC-REFERENCE", Severity.INFO, "reference-dangling", f"{place}/{kind.client}"))
        view[kind.client] = client.rpartition("/")[2]
    root, version = index.chain(name)
    is_subject = kind.is_subject
    view[kind.id] = root.rpartition("/")[2] if is_subject else root
    made = read_record(kind, {key: one for key, one in view.items() if one is not None}, place, None, frozenset())
    if not isinstance(made, Record):
        yield made
        return
    has_version = bool(view.get(kind.version)) or version > 1
    yield replace(
        made, label=name, is_keyed=not has_version and not kind.is_reference,
        version=made.version if view.get(kind.version) else version, dropped=_dropped(kind, resource),
    )  # fmt: skip


def _dropped(kind: Kind, resource: Mapping[str, Any]) -> dict[str, int]:
    """Elements of the resource that no path of the kind reads, by path; those of extensions by their place only."""
    read = {covers(path) for path in (*kind.fields, kind.client, kind.version, kind.status, *kind.when) if path}
    read |= {"resourceType", "id", *kind.own}
    found: Counter[str] = Counter()
    for leaf in leaves(resource):
        if not any(leaf == one or leaf.startswith(f"{one}.") for one in read):
            found[leaf if leaf.replace(".", "").isalnum() else UNKNOWN] += 1
    return dict(sorted(found.items()))


def _one(found: list[Any]) -> Any:
    return found[0] if found else None


def _value(parts: tuple[Field, ...], path: str, resource: Mapping[str, Any], index: _Index) -> Any:
    """What a path gives for the shapes that are read from it: a list for lists and for words, else one value."""
    found = values(resource, path, index.follow)
    shapes = {one.shape for one in parts}
    if "list" in shapes:
        return [_item(parts[0], one, index) for one in found if isinstance(one, Mapping)] or None
    if path.endswith("reference"):
        found = [index.name(one) if isinstance(one, str) else one for one in found]
    return (found or None) if shapes & {"texts", "dates", "words"} else _one(found)


def _item(one: Field, item: Mapping[str, Any], index: _Index) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, parts in one.fields.items():
        value = _value(parts, path, item, index)
        if value is not None:
            made[path] = value
    return made
