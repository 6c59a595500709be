"""Word lists of notices: the only words that a notice can tell, and how a reason becomes one of them.

* A reason in a record's own words is read once, at intake, and only its category is kept as a fact.
* Rows are tried in their order; each of a row's groups of stems must be there, one stem of each is enough.
* A stem counts at the beginning of a word, and not where the word before it denies it.
* What no row says is `otherwise`: never the words themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("fi", "sv", "en")
_DENIES = r"(?<!\bei )(?<!\binte )(?<!\bnot )"


@dataclass(frozen=True, slots=True)
class Row:
    """One word that a notice can tell."""

    key: str
    display: Mapping[str, str]
    """By language."""
    stems: tuple[re.Pattern[str], ...] = ()
    """Each must be found in a text that is read as this word."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which fields of a record tell the word."""

    field: str
    """Holds the key itself; goes before the text."""
    text: str
    """Tells it in the record's own words."""


@dataclass(frozen=True, slots=True)
class WordList:
    """One list."""

    name: str
    rows: Mapping[str, Row]
    otherwise: str
    reads: Mapping[str, Reading] = field(default_factory=dict)
    """Record type -> where the word is read from; empty for lists of keys that records have themselves."""

    def key(self, value: Any) -> str:
        """A key of the list: the value itself, or `otherwise`."""
        return value if isinstance(value, str) and value in self.rows else self.otherwise

    def read(self, record_type: str, content: Mapping[str, Any]) -> str | None:
        """The word that a record tells; None where the list does not read such records."""
        where = self.reads.get(record_type)
        if where is None:
            return None
        if content.get(where.field) in self.rows:
            return str(content[where.field])
        text = " ".join(str(content.get(where.text) or "").split()).casefold()
        found = (key for key, row in self.rows.items() if row.stems and all(one.search(text) for one in row.stems))
        return next(found, self.otherwise)


class Lists:
    """Every list by name."""

    def __init__(self, lists: Mapping[str, WordList]) -> None:
        self._lists = lists

    def __contains__(self, name: object) -> bool:
        """Whether there is such a list."""
        return name in self._lists

    def __getitem__(self, name: str) -> WordList:
        """One list.

        Raises:
            KeyError: there is none.
        """
        return self._lists[name]

    def categories(self, record_type: str, content: Mapping[str, Any]) -> dict[str, str]:
        """List -> the word that a record tells, of the lists that read such records."""
        found = ((name, one.read(record_type, content)) for name, one in self._lists.items())
        return {name: key for name, key in found if key is not None}

    def display(self, name: str, key: str, language: str) -> str:
        """How a person reads a word."""
        row = self._lists[name].rows.get(key)
        return key if row is None else row.display[language]


def read_list(name: str, data: Any, mistakes: list[str]) -> WordList:
    """Read one list.

    Args:
        name: of the file.
        data: its YAML content.
        mistakes: gets what is wrong.
    """
    if not isinstance(data, dict) or not isinstance(data.get("rows"), list):
        mistakes.append(f"list {name}: expected list, otherwise and rows")
        return WordList(name, {}, "")
    mistakes.extend(f"list {name}: {one} is not known" for one in data.keys() - {"list", "otherwise", "reads", "rows"})
    rows = {one.key: one for one in _rows(name, data["rows"], mistakes)}
    otherwise = str(data.get("otherwise", ""))
    if otherwise not in rows:
        mistakes.append(f"list {name}: otherwise: expected one of {', '.join(rows)}")
    reads = {str(kind): Reading(**where) for kind, where in data.get("reads", {}).items()}
    return WordList(name, rows, otherwise, reads)


def _rows(name: str, rows: Sequence[Any], mistakes: list[str]) -> Iterator[Row]:
    for one in rows:
        lacking = [language for language in LANGUAGES if not one.get("display", {}).get(language)]
        if "key" not in one or lacking or one.keys() - {"key", "display", "words"}:
            mistakes.append(f"list {name}: a row needs key, display in {', '.join(LANGUAGES)}, and may have words")
            continue
        groups = one.get("words", ())
        yield Row(str(one["key"]), one["display"], tuple(map(_pattern, groups)))


def _pattern(stems: Sequence[str]) -> re.Pattern[str]:
    any_of = "|".join(re.escape(str(stem).casefold()) for stem in stems)
    return re.compile(rf"{_DENIES}\b(?:{any_of})")
