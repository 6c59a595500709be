"""Rows of a code list from an export of the code server: CSV, XML or JSON, by the words of its columns.

* Nothing is guessed about a value: a date that cannot be read, or a row without code or name, is told and not taken.
* Which column is which is told by its name alone (`mappings/codeserver.yaml`); encoding and delimiter are found out.
* One code may come in several rows, one for each language.

Source: exports of koodistopalvelu.kanta.fi.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lxml import etree

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = dict[str, str]

_DELIMITERS = ";\t,|"
_NOT_WORD = re.compile(r"[\W_]+")
_ENCODINGS = ("utf-8-sig", "cp1252")


@dataclass(frozen=True, slots=True)
class Words:
    """What the columns of an export are called."""

    columns: Mapping[str, str]
    """Folded column name -> what it holds."""
    languages: Mapping[str, str]
    dates: tuple[str, ...]
    forever: tuple[str, ...]

    @classmethod
    def load(cls, text: str) -> Words:
        """Read `mappings/codeserver.yaml`."""
        stated = plain(text)
        return cls(
            {_folded(word): name for name, words in stated["columns"].items() for word in words},
            {str(word): name for name, words in stated["languages"].items() for word in words},
            tuple(stated["dates"]),
            tuple(stated["forever"]),
        )


@dataclass(slots=True)
class Term:
    """One code as the code server has it."""

    code: str
    names: dict[str, str]
    """Language -> long name, else short name."""
    valid_from: str
    """ISO 8601; empty where it has none."""
    valid_to: str


@dataclass(slots=True)
class Export:
    """What an export holds."""

    terms: list[Term] = field(default_factory=list)
    systems: set[str] = field(default_factory=set)
    """OIDs of code systems that it names."""
    mistakes: list[str] = field(default_factory=list)
    how: str = ""
    """Form, encoding and delimiter, as they were found out."""
    columns: dict[str, str] = field(default_factory=dict)
    """What was taken from which column."""


def read_export(content: bytes, words: Words) -> Export:
    """Read an export.

    Raises:
        MisconfiguredError: it has no rows with a code and a name in any of the known forms.
    """
    export = Export()
    start = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    rows = {b"<": _xml, b"[": _json, b"{": _json}.get(start, _table)(content, export, words)
    terms: dict[tuple[str, str, str], Term] = {}
    for number, row in enumerate(rows, 1):
        known = _known(row, words, export)
        if known.get("system"):
            export.systems.add(known["system"].removeprefix("urn:oid:"))
        if "code" in known:
            _take(number, known, words, export, terms)
    export.terms = list(terms.values())
    if not export.terms and not export.mistakes:
        raise MisconfiguredError(
            f"the export ({export.how}) has no column that is known as a code, with rows below it; "
            "expected e.g. CodeId, LongName, BeginDate, ExpireDate"
        )
    return export


def _folded(word: str) -> str:
    return _NOT_WORD.sub("", word.casefold())


def _known(row: Mapping[str, str], words: Words, export: Export) -> Row:
    """The row under our names; `long:sv` for a name in a language of its own column."""
    found: Row = {}
    for column, value in row.items():
        name, language = _column(column, words)
        if name and value.strip():
            export.columns.setdefault(column, name)
            found.setdefault(f"{name}:{language}" if language else name, value.strip())
    return found


def _column(column: str, words: Words) -> tuple[str, str]:
    if name := words.columns.get(_folded(column)):
        return name, ""
    parts = [part for part in _NOT_WORD.split(column) if part]
    language = words.languages.get(parts[-1].casefold(), "") if len(parts) > 1 else ""
    return (words.columns.get(_folded("".join(parts[:-1])), ""), language) if language else ("", "")


def _take(number: int, row: Row, words: Words, export: Export, terms: dict[tuple[str, str, str], Term]) -> None:
    language = words.languages.get(row.get("language", "").casefold(), "fi")
    names: dict[str, str] = {}
    for form in ("long", "short"):  # the long name goes first
        for key, of in ((form, language), *((f"{form}:{one}", one) for one in ("fi", "sv"))):
            if key in row:
                names.setdefault(of, row[key])
    days = [_day(row.get(word, ""), words) for word in ("from", "to")]
    if not names:
        export.mistakes.append(f"row {number}: has a code and no name; complete the export")
    elif None in days:
        export.mistakes.append(f"row {number}: a date cannot be read; expected e.g. 2027-01-01 or 1.1.2027")
    else:
        first, last = (day or "" for day in days)
        term = terms.setdefault((row["code"], first, last), Term(row["code"], {}, first, last))
        term.names.update(names)


def _day(value: str, words: Words) -> str | None:
    """A day as ISO 8601; empty for none, None for one that cannot be read."""
    if not value or any(year in value for year in words.forever):
        return ""
    for form in words.dates:
        try:
            return datetime.strptime(re.split("[T ]", value)[0], form).date().isoformat()  # noqa: DTZ007 — a day
        except ValueError:
            continue
    return None


def _table(content: bytes, export: Export, words: Words) -> Iterator[Row]:
    text = _decoded(content, export)
    lines = text.splitlines()[:5]
    delimiter = max(_DELIMITERS, key=lambda one: max((line.count(one) for line in lines), default=0))
    export.how += f", delimiter {delimiter!r}"
    table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    # A title may stand above the column names: they are the first row in which a column is known as the code.
    head = next((at for at, row in enumerate(table) if any(_column(one, words)[0] == "code" for one in row)), None)
    for row in table[head + 1 :] if head is not None else ():
        yield dict(zip(table[head], row, strict=False))  # type: ignore[index]


def _decoded(content: bytes, export: Export) -> str:
    encodings = ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else _ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        export.how = f"text, encoding {encoding}"
        return text
    raise MisconfiguredError(f"the export is no text in {', '.join(encodings)}; export it again as UTF-8")


def _json(content: bytes, export: Export, _: Words) -> Iterator[Row]:
    try:
        value = json.loads(_decoded(content, export))
    except (ValueError, RecursionError) as error:
        raise MisconfiguredError("the export is no readable JSON; export it again") from error
    export.how = export.how.replace("text", "JSON")
    yield from (_flat(one) for one in _objects(value))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object, at any depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _flat(one: Mapping[str, Any]) -> Row:
    """Texts and numbers of an object; a name given by language becomes a column for each."""
    row: Row = {}
    for key, value in one.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            row[key] = str(value)
        elif isinstance(value, dict):
            row |= {f"{key} {inner}": text for inner, text in value.items() if isinstance(text, str)}
    return row


def _xml(content: bytes, export: Export, _: Words) -> Iterator[Row]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise MisconfiguredError("the export is no well-formed XML; export it again") from error
    export.how = "XML"
    yield from (_of_element(one) for one in root.iter(etree.Element))


def _of_element(one: etree._Element) -> Row:
    """Attributes and children of an element; `<attribute type="LongName">` is the column that it names."""
    row = {str(name): str(value) for name, value in one.attrib.items()}
    for child in one.iterchildren(etree.Element):
        if not len(child) and child.text:
            own = {str(name).casefold(): str(value) for name, value in child.attrib.items()}
            name = own.get("type") or own.get("name") or etree.QName(child).localname
            language = own.get("language") or own.get("lang") or own.get("{http://www.w3.org/xml/1998/namespace}lang")
            row.setdefault(f"{name} {language}" if language else name, child.text)
    return row


def matched(terms: Iterable[Term], carried: Mapping[str, tuple[str, str]]) -> Iterator[tuple[Term, str]]:
    """Each term with the key of the row that the gateway carries for it, else with its own code as key.

    Args:
        terms: of the export.
        carried: key -> (code, Finnish display). A code decides; only where no row has it does the name.
    """
    by_code = {code: key for key, (code, _) in carried.items()}
    by_name = {_folded(display): key for key, (_, display) in carried.items()}
    for term in terms:
        yield term, by_code.get(term.code) or by_name.get(_folded(term.names.get("fi", "")), term.code)
