"""What a mapping file says, as immutable values: documents, variants, fields, rules and conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kanta_gateway.mapping.structures import FieldDef, Structure


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition: the value at the path is, or is not, one of these."""

    path: str
    values: tuple[str | bool, ...]
    is_wanted: bool
    """False for `unless`."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Once for every entry of a list."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field, or one line of a labelled text, gets its value."""

    word: str
    """`path`, `constant`, `code`, `format`, `organisation`, `text` or `group`."""
    line: str
    """Mapping file and line."""
    paths: tuple[str, ...] = ()
    name: str = ""
    """Format, code list or fixed row."""
    row: str = ""
    constant: Any = None
    """A truth value, a number, or a text by language."""
    tests: tuple[Clause, ...] = ()
    repeat: Repeat | None = None
    is_contact: bool = False
    label: Mapping[str, str] | None = None
    """Of a line in a labelled text."""
    lines: tuple[Rule, ...] = ()
    """Of a labelled text."""
    fields: tuple[FieldRule, ...] = ()
    """Of a group."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field of the structure and the rules that may make it: the first that gives something does."""

    field: FieldDef
    place: str
    """Keys below the root, such as `laatija/sukunimi`."""
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class VariantRule:
    """One document that records of some types make."""

    name: str
    records: tuple[str, ...]
    tests: tuple[Clause, ...]
    """On the product only."""
    fields: tuple[FieldRule, ...]


@dataclass(frozen=True, slots=True)
class DocumentMapping:
    """One mapping file."""

    structure: Structure
    variants: tuple[VariantRule, ...]
    valid_from: str = ""
    """Day from which documents are made by it (ISO 8601); empty for the day of the structure's own date."""

    @property
    def begins(self) -> str:
        """Day from which it is used."""
        return self.valid_from or self.structure.valid_from

    def code_lists(self) -> frozenset[str]:
        """The code lists that its documents may take codes from."""
        return frozenset(rule.name for one in self.variants for rule in every_rule(one.fields) if rule.word == "code")


def every_rule(fields: Iterable[FieldRule]) -> Iterator[Rule]:
    """Every rule below some fields, those of groups and of labelled texts too."""
    left = list(fields)
    while left:
        rules = list(left.pop().rules)
        while rules:
            rule = rules.pop()
            yield rule
            rules.extend(rule.lines)
            left.extend(rule.fields)


def paths_of(rule: Rule) -> Iterator[str]:
    """Every path that a rule reads: of its value, its conditions and what it repeats."""
    yield from rule.paths
    yield from (one.path for one in rule.tests)
    if rule.repeat is not None:
        yield rule.repeat.path
