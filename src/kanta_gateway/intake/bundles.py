"""A FHIR Bundle as canonical records, entry by entry, with what it cannot use told by path.

* Collections and transactions are read; each entry is validated before anything of it is taken (`resources.py`).
* A first pass writes down what references lead to (`entries.py`), so that order does not matter.
* `entered-in-error` is the cancelled record. What `replaces` another is a later version of the same record, whatever
  its own id is (GEN-03); without a version id the same id with other content is a new state (GEN-06).
* Without an id a record is known by its natural key, where the source names one (GEN-06).
* An entry that does not hold is told with the paths of its mistakes, and the others go through.
* Places are told as FHIRPath (`Bundle.entry[12].resource.period.start`).

Source: FHIR R4 Bundle, §2.36; transactions, §3.1.0.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson

from kanta_gateway.intake.entries import Entries, Entry, entry_of
from kanta_gateway.intake.fhirpaths import Walk, expression
from kanta_gateway.intake.fhirrecords import Reading, at
from kanta_gateway.intake.fhirvalues import day_of
from kanta_gateway.intake.jsontext import MAX_DEPTH, MAX_RECORD_BYTES, refusal
from kanta_gateway.intake.jsontree import Builder
from kanta_gateway.intake.kinds import Header, Problem
from kanta_gateway.intake.resources import has_model, mistakes
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.stream import Parsable
from kanta_gateway.intake.values import Unreadable, folded, is_moment
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Kind
    from kanta_gateway.intake.sources import Source

TYPES = ("collection", "transaction")
READ_METHODS = frozenset({"", "POST", "PUT"})
"""Requests of a transaction that bring a resource."""
_METHODS = READ_METHODS | {"DELETE", "GET", "HEAD", "PATCH"}


def read_bundle(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Header | Record | Problem]:
    """Everything that a Bundle holds.

    Args:
        source: how its resources become records.
        stream: the file's bytes, which can be read twice.
        file_name: for messages.

    Raises:
        UnreadableError: it is no JSON, or no Bundle of a kind that is read.
    """
    kinds = [kind for kinds in source.resources.values() for kind in kinds]
    entries = Entries(source.followed, {one.replaces for one in kinds if one.replaces})
    bundle = _Bundle(stream, file_name)
    try:
        for position, value in bundle.entries():
            if (entry := entry_of(position, value)) is not None:
                entries.add(entry)
        yield from _whole(bundle)
        for position, value in bundle.entries():
            yield from _read(source, entries, bundle, position, value)
    finally:
        entries.close()


class _Bundle:
    """The file, read entry by entry, as often as asked."""

    def __init__(self, stream: BinaryIO, file_name: str) -> None:
        self._stream = stream
        self._name = file_name
        self.told: dict[str, Any] = {}
        """What stands beside the entries; complete once the entries have been read."""
        self.twice: set[str] = set()
        """Elements that stand twice."""
        self.count = 0

    def entries(self) -> Iterator[tuple[int, Any]]:
        """Every entry with its number."""
        try:
            yield from self._entries()
        except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError, SystemError, StopIteration) as error:
            # The parser has no common class for its mistakes: a number of 5 000 digits is a SystemError.
            rule = "SRC-UTF8" if "UTF8" in str(error) or isinstance(error, UnicodeError) else "SRC-JSON"
            offset = f"<= {self._stream.tell()}"
            raise refusal(unreadable(rule, "", {"offset": offset}), f"the file {self._name}") from None

    def _entries(self) -> Iterator[tuple[int, Any]]:
        self._stream.seek(0)
        events = iter(ijson.basic_parse(Parsable(self._stream), use_float=False))
        builder = Builder(events, MAX_RECORD_BYTES)
        first, _ = next(events)
        if first != "start_map":
            raise self._refused()
        self.told, self.count = {}, 0
        for event, key in events:
            if event != "map_key":
                continue
            if key in self.told:
                self.twice.add(key)
            event, value = next(events)  # noqa: PLW2901 — the value behind the key
            if key != "entry" or event != "start_array":
                self.told[key] = builder.build(event, value)
                continue
            self.told[key] = True
            for first, value in events:
                if first == "end_array":
                    break
                yield self.count, builder.build(first, value)
                self.count += 1
        if self.told.get("resourceType") != "Bundle" or self.told.get("type") not in TYPES:
            raise self._refused()

    def _refused(self) -> Exception:
        told = unreadable("SRC-BUNDLE", "Bundle.type", {"allowed": ", ".join(TYPES)})
        return refusal(told, f"the file {self._name}")

    @property
    def is_transaction(self) -> bool:
        """Whether its entries are requests."""
        return bool(self.told["type"] == "transaction")


def _whole(bundle: _Bundle) -> Iterator[Header | Problem]:
    """What the bundle says of itself, after what is wrong with it as a whole."""
    for one in sorted(bundle.twice & {"entry", "resourceType", "timestamp", "type"}):
        yield Problem(unreadable("SRC-TWICE", f"Bundle.{one}"))
    head = {key: one for key, one in bundle.told.items() if key != "entry" and not isinstance(one, Unreadable)}
    for rule, place, params in mistakes(head):
        yield Problem(unreadable(rule, f"Bundle.{expression(place)}", params))
    if not bundle.count:
        yield Problem(unreadable("SRC-EMPTY", "Bundle.entry"))
    told = head.get("timestamp")
    if isinstance(told, str) and is_moment(told) and (day := day_of(told, {}).value) is not None:
        yield Header(datetime.fromisoformat(day).date(), told, "", str(head.get("id", "")))


def _read(source: Source, entries: Entries, bundle: _Bundle, position: int, value: Any) -> Iterator[Record | Problem]:
    """One entry: what is wrong with it, or the record that it is."""
    if isinstance(value, Unreadable):
        yield Problem(unreadable(value.rule, f"Bundle.entry[{position}]", {"limit": str(MAX_RECORD_BYTES)}))
        return
    entry = entry_of(position, value)
    method = str(_request(value).get("method", "")).upper()
    if bundle.is_transaction and method not in READ_METHODS:
        told = method if method in _METHODS else "?"
        yield Problem(unreadable("SRC-REQUEST", f"Bundle.entry[{position}].request.method", {"method": told}))
        return
    if entry is None:
        yield Problem(unreadable("SRC-TYPE", at(position), {"expected": "resource"}))
        return
    if entry.type not in source.resources:
        yield Problem(_unused(source, entry))
        return
    faults = list(_faults(entries, entry, is_transaction=bundle.is_transaction))
    yield from (Problem(one) for one in faults)
    if any(one.severity > Severity.INFO for one in faults):
        return
    kind = next((one for one in source.resources[entry.type] if _holds(one, entry.resource)), None)
    if kind is None:
        yield Problem(_unused(source, entry))
        return
    yield from Reading(kind, entries, entry).records()


def _request(value: Any) -> Mapping[str, Any]:
    asked = value.get("request") if isinstance(value, Mapping) else None
    return asked if isinstance(asked, Mapping) else {}


def _unused(source: Source, entry: Entry) -> Finding:
    """A resource that the source has no use for, or one that nobody knows."""
    place = at(entry.position)
    if entry.type in source.resources or entry.type in source.unmodelled or has_model(entry.type):
        return Finding("SRC-RESOURCE", Severity.INFO, "resource-not-used", place, {"type": entry.type})
    return unreadable("SRC-KIND", f"{place}.resourceType", {"field": "resourceType"})


def _faults(entries: Entries, entry: Entry, *, is_transaction: bool) -> Iterator[Finding]:
    """What is wrong with an entry and its resource; what is only told is info."""
    for rule, place, params in mistakes(entry.resource):
        params = {"limit": str(MAX_DEPTH), **params} if rule == "SRC-DEPTH" else params  # noqa: PLW2901
        yield unreadable(rule, at(entry.position, place), params)
    if entries.is_doubled(entry):
        yield unreadable("SRC-TWICE", at(entry.position, ("id",)))
    if entries.is_url_doubled(entry):
        yield unreadable("SRC-TWICE", f"Bundle.entry[{entry.position}].fullUrl")
    if is_transaction and entry.is_elsewhere:
        asked = f"Bundle.entry[{entry.position}].request.url"
        yield Finding("SRC-REQUEST", Severity.REFUSE, "request-elsewhere", asked)
    elif is_transaction and entry.is_conditional:
        asked = f"Bundle.entry[{entry.position}].request"
        yield Finding("SRC-CONDITION", Severity.INFO, "request-conditional", asked)


def _holds(kind: Kind, resource: Mapping[str, Any]) -> bool:
    """Whether a resource is of this kind: each path of `when` has one of its words, and none of `unless` has."""
    return all(_has(resource, *one) for one in kind.when.items()) and not any(
        _has(resource, *one) for one in kind.unless.items()
    )


def _has(resource: Mapping[str, Any], path: str, words: tuple[str, ...]) -> bool:
    """Whether a path leads to one of the words, or to a text that begins with one."""
    found = [folded(str(one)) for one in Walk(resource, lambda _: None).values(path)]
    return any(told == word or (word.endswith("*") and told.startswith(word[:-1])) for told in found for word in words)
