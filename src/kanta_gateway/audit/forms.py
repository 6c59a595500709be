"""An answer as it leaves: JSON, JSON Lines, CSV or FHIR AuditEvents, line by line.

* The head says what was asked, when, and of how large a log; the last line says which entries the answer leaves out.
* CSV has the head and the last line as comments (`#`) around the table; nothing in it is taken for a formula.
* FHIR is one AuditEvent a line for each entry that the answer holds or rests on, and an OperationOutcome at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from kanta_gateway.audit.answers import Entry, Row, Tally
from kanta_gateway.audit.fhir import audit_event
from kanta_gateway.audit.report import cells

FORMS = {"csv": "text/csv; charset=utf-8", "fhir": "application/fhir+ndjson", "json": "application/json",
         "jsonl": "application/x-ndjson"}  # fmt: skip
"""Form -> its media type."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question; its rows are read while it is written."""

    head: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    entries: Callable[[], Iterator[tuple[Entry, Row]]]
    """Entries that the answer holds or rests on, with what the asker sees of each."""
    tally: Callable[[], Tally]
    """Of what has been written."""
    observer: str

    def written(self, form: str) -> Iterator[str]:
        """The lines of the answer in a form of `FORMS`."""
        return {"csv": self._csv, "fhir": self._fhir, "json": self._json, "jsonl": self._jsonl}[form]()

    def _jsonl(self) -> Iterator[str]:
        yield _line(self.head)
        yield from map(_line, self.rows())
        yield _line(self.tally().told())

    def _json(self) -> Iterator[str]:
        yield _text(self.head)[:-1] + ',"answer":['
        for number, row in enumerate(self.rows()):
            yield (",\n" if number else "\n") + _text(row)
        yield "\n]," + _text(self.tally().told())[1:] + "\n"

    def _csv(self) -> Iterator[str]:
        yield comment(self.head)
        yield cells(self.columns)
        for row in self.rows():
            yield cells(row.get(name, "") for name in self.columns)
        yield comment(self.tally().told())

    def _fhir(self) -> Iterator[str]:
        for entry, seen in self.entries():
            name = str(seen.get("person_name", ""))
            yield _line(audit_event(_seen(entry, seen), person_name=name, observer=self.observer))
        told = {key: one for key, one in self.tally().told().items() if key != "rows"}
        yield outcome_line({**self.head, **told})


def comment(told: Mapping[str, Any]) -> str:
    """What is told beside a table."""
    return f"# {_text(told)}\n"


def outcome_line(told: Mapping[str, Any]) -> str:
    """What is told beside FHIR resources."""
    issue = {"severity": "information", "code": "informational", "diagnostics": _text(told)}
    return _line({"resourceType": "OperationOutcome", "issue": [issue]})


def pieces(lines: Iterable[str]) -> Iterator[str]:
    """The same text in pieces that are worth sending."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting)


def _seen(entry: Entry, seen: Row) -> Entry:
    """An entry without what the asker does not see of it."""
    told = dict(entry)
    for name in ("client", "subject", "provider", "controller", "recipient"):
        if name not in seen and name in told:
            told[name] = ""
    if "person_ref" not in seen:
        told["actor"] = {**entry["actor"], "ref": ""}
    return told


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _line(value: Any) -> str:
    return _text(value) + "\n"
