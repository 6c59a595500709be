"""A delivery's bytes as header, records and problems, one after another, with flat memory.

* One JSON document is read as a stream, item by item of its lists; JSON Lines are read line by line.
* Nesting deeper than `MAX_DEPTH` is cut where it begins and told; nothing here recurses over the input.
* A line that cannot be read is a problem with its number, and the others go on.
* A document that is no JSON is an error with its byte offset: nothing behind the mistake can be trusted.
* A key that stands twice in one object has no value: nobody knows which one is meant.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson

from kanta_gateway.intake.bundles import read_bundle
from kanta_gateway.intake.columns import read_delimited
from kanta_gateway.intake.jsontext import MAX_DEPTH, MAX_RECORD_BYTES, parsed, refusal
from kanta_gateway.intake.jsontree import Builder
from kanta_gateway.intake.kinds import Header, Problem
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.sheets import read_workbook
from kanta_gateway.intake.sources import Source
from kanta_gateway.intake.stream import Parsable
from kanta_gateway.intake.values import ABSENT, Reading, moment, name
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = b"\xef\xbb\xbf"
_CODE = re.compile(r"\d{6}[\s_]?[-+A-FU-Ya-fu-y][\s_]?\d{3}[\s_]?[0-9A-Za-z]")
"""An identity code, right or not, wherever it stands."""


Item = Header | Record | Problem


def read(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Item]:
    """Everything that a file holds.

    Args:
        source: how the provider's format is read.
        stream: the file's bytes.
        file_name: for messages.

    Raises:
        UnreadableError: the file as a whole is not what the source says.
    """
    reader = {
        "csv": read_delimited, "fhir": read_bundle, "json": _read_document, "json-lines": _read_lines,
        "records": _read_records, "xlsx": read_workbook,
    }[source.format]  # fmt: skip
    return reader(source, stream, shown(file_name))


def shown(file_name: str) -> str:
    """A file's name as findings and logs may tell it: without what looks like an identity code.

    Args:
        file_name: as the provider gave it.
    """
    return _CODE.sub("*****", file_name)


def _read_records(source: Source, stream: BinaryIO, _name: str) -> Iterator[Item]:
    """Canonical records, one a line, each against its schema; the delivery tells nothing of itself."""
    for number, line in _lines(stream):
        record, findings = source.schemas.read(line, f"/{number}")
        if record is not None:
            yield record
        for finding in findings:
            place = finding.pointer or f"/{number}"
            yield Problem(replace(finding, pointer=place, params={"line": str(number), **finding.params}))


def _header(source: Source, value: Any, pointer: str) -> Iterator[Header | Problem]:
    """What a delivery says about itself, after what of it cannot be read."""
    if not isinstance(value, dict):
        yield Problem(unreadable("SRC-TYPE", pointer, {"expected": "object"}))
        value = {}
    stated: dict[str, str] = {}
    for key, reader in (("created", moment), ("system", name), ("id", name)):
        field = source.header[key]
        given = value.get(field)
        reading = ABSENT if given is None or given == "" else reader(given, {})
        if reading.rule:
            yield Problem(unreadable(reading.rule, f"{pointer}/{field}", {"field": field, **reading.params}))
        stated[key] = _short(reading)
    as_of = datetime.fromisoformat(stated["created"]).date() if stated["created"] else None
    yield Header(as_of, stated["created"], stated["system"], stated["id"])


def _short(reading: Reading) -> str:
    return reading.value or ""


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers; of one that is too long only its beginning."""
    number = 0
    while line := stream.readline(MAX_RECORD_BYTES + 1):
        number += 1
        if len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(MAX_RECORD_BYTES)) and not more.endswith(b"\n"):
                pass
        if line.strip(b" \t\r\n" + _BOM):
            yield number, line


def _read_lines(source: Source, stream: BinaryIO, _name: str) -> Iterator[Item]:
    for number, line in _lines(stream):
        yield from _read_line(source, line, number)


def _read_line(source: Source, line: bytes, number: int) -> Iterator[Item]:
    pointer = f"/{number}"
    told_, finding = parsed(line)
    if finding is not None:
        yield Problem(unreadable(finding.rule, pointer, {"line": str(number), **finding.params}))
        return
    value = told_.value
    if not isinstance(value, dict):
        yield Problem(unreadable("SRC-TYPE", pointer, {"line": str(number), "expected": "object"}))
        return
    told = value.get(source.kind_field)
    if told == source.header["at"]:
        yield from _header(source, value, pointer)
        for key, kind in source.header_inside.items():
            if value.get(key) is not None:
                yield from source.read_part(source.kinds[kind], value[key], f"{pointer}/{key}", None)
        return
    if not isinstance(told, str) or told not in source.top:
        yield Problem(unreadable("SRC-KIND", f"{pointer}/{source.kind_field}", {"field": source.kind_field}))
        return
    client = _short(name(value.get(source.client_field, ""), {})) or None
    envelope = frozenset({source.kind_field, source.client_field})
    yield from source.read_object(source.kinds[source.top[told]], value, pointer, client, envelope)


def _read_document(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Item]:
    try:
        yield from _Document(source, stream).items()
    except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError, SystemError) as error:
        # The parser has no common class for its mistakes: a number of 5 000 digits is a SystemError.
        offset = stream.tell() if stream.seekable() else 0
        rule = "SRC-UTF8" if "UTF8" in str(error) or isinstance(error, UnicodeError) else "SRC-JSON"
        raise refusal(unreadable(rule, "", {"offset": f"<= {offset}"}), f"the file {file_name}") from None


class _Document:
    """One JSON document as a stream of events, built item by item."""

    def __init__(self, source: Source, stream: BinaryIO) -> None:
        self._source = source
        self._events = iter(ijson.basic_parse(Parsable(stream), use_float=False))
        self._builder = Builder(self._events)

    def items(self) -> Iterator[Item]:
        event, _ = next(self._events)
        if event != "start_map":
            raise refusal(unreadable("SRC-TYPE", "", {"expected": "object"}), "the file")
        seen: set[str] = set()
        for event, key in self._events:
            if event != "map_key":
                continue
            if key in seen:
                yield Problem(unreadable("SRC-TWICE", f"/{key}" if key in self._known() else ""))
            seen.add(key)
            yield from self._top(key)

    def _known(self) -> frozenset[str]:
        return frozenset({self._source.header.get("at", ""), *self._source.top, *self._source.dropped})

    def _top(self, key: str) -> Iterator[Item]:
        event, value = next(self._events)
        if key == self._source.header.get("at"):
            yield from _header(self._source, self._builder.build(event, value), f"/{key}")
        elif key in self._source.top:
            yield from self._records(self._source.top[key], f"/{key}", event, value)
        elif key in self._source.dropped:
            self._builder.build(event, value)
        else:
            self._builder.build(event, value)
            yield Problem(Finding("SRC-FIELD", Severity.INFO, "part-unknown"))
        if self._builder.is_cut:
            self._builder.is_cut = False
            yield Problem(unreadable("SRC-DEPTH", "", {"limit": str(MAX_DEPTH)}))

    def _records(self, kind: str, pointer: str, event: str, value: Any) -> Iterator[Item]:
        if event != "start_array":
            built = self._builder.build(event, value)
            if built is not None:
                yield from self._one(kind, built, pointer)
            return
        for position, (first, given) in enumerate(self._events):
            if first == "end_array":
                return
            yield from self._one(kind, self._builder.build(first, given), f"{pointer}/{position}")

    def _one(self, kind: str, built: Any, pointer: str) -> Iterator[Item]:
        if self._builder.is_cut:
            self._builder.is_cut = False
            yield Problem(unreadable("SRC-DEPTH", pointer, {"limit": str(MAX_DEPTH)}))
        yield from self._source.read_object(self._source.kinds[kind], built, pointer, None)
