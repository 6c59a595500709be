"""A paper as titles, paragraphs and tables in one language, and the digest of what it was made of; pure.

* Facts are values without a language; a coded value is looked up in the words.
* The digest covers the template, the facts that the paper shows and the version of the software: the same
  configuration gives the same digest in every language and form, and any change that the paper would show another.
* Each table has its own digest too, so that a reader is told which part has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from kanta_gateway.papers.template import RISKS, STATE, Measure, Section, Template, Words

NOT_TOLD = "\N{EN DASH}"
"""Stands in a cell without a value: an empty one is skipped by screen readers."""
TEXT_PART = "template"
"""Part of the digest that covers the texts."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A value that the words name in each language."""

    list: str
    code: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of days, months or years."""

    number: int
    unit: str
    """A word of the list `unit`."""


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the configuration says."""

    values: Mapping[str, str]
    """What texts may name in braces."""
    tables: Mapping[str, Sequence[Row]]
    states: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column titles."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One section as it is written."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a paper was made of, as it says itself."""

    paper: str
    of: str
    """OID or contract number of what it is about; empty for the installation."""
    language: str
    digest: str
    parts: Mapping[str, str]
    """Name of a table (and `template`) -> the beginning of its own digest."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper in one language."""

    title: str
    language: str
    head: tuple[tuple[str, str], ...]
    """Label and value of what stands above the text."""
    intro: tuple[str, ...]
    parts: tuple[Part, ...]
    stamp: Stamp
    labels: Mapping[str, str]
    """Words of the form itself, such as `contents`."""


def stamp(template: Template, facts: Facts, of: str, language: str) -> Stamp:
    """The digest of a paper and of each of its parts.

    Args:
        template: of the paper.
        facts: what the configuration says.
        of: what it is about.
        language: of the paper.
    """
    covered: dict[str, Any] = {name: facts.tables.get(name, ()) for name in template.tables}
    covered[TEXT_PART] = asdict(template)
    if template.risks:
        covered[RISKS] = {name: facts.states.get(name, False) for name in template.states}
    values = {name: value for name, value in facts.values.items() if name != "day"}
    digests = {name: _digest(value) for name, value in covered.items()}
    whole = _digest({"paper": template.name, "of": of, "values": values, "parts": digests})
    return Stamp(template.name, of, language, whole, {name: one[:16] for name, one in sorted(digests.items())})


def compose(template: Template, facts: Facts, words: Words, of: str, language: str) -> Paper:
    """The paper in one language.

    Args:
        template: of the paper.
        facts: what the configuration says.
        words: names of columns and coded values.
        of: what it is about.
        language: fi, sv or en.
    """
    writer = _Writer(facts, words, language)
    stamped = stamp(template, facts, of, language)
    parts = [writer.part(section, template) for section in template.sections]
    parts.append(writer.digests(stamped))
    name = facts.values.get("name", "")
    about = of if of.startswith(name) else f"{name} {of}"
    head = {"about": about, "basis": template.basis, "made_on": facts.values["day"], "made_by": facts.values["version"],
            "digest": stamped.digest}  # fmt: skip
    return Paper(
        writer.text(template.title), language,
        tuple((writer.label(name), value) for name, value in head.items() if value),
        writer.paragraphs(template.intro), tuple(parts), stamped,
        {name: texts[language] for name, texts in words.labels.items()},
    )  # fmt: skip


class _Writer:
    """Facts as text in one language."""

    def __init__(self, facts: Facts, words: Words, language: str) -> None:
        self._facts = facts
        self._words = words
        self._language = language

    def label(self, name: str) -> str:
        return self._words.labels[name][self._language]

    def text(self, texts: Mapping[str, str]) -> str:
        return texts[self._language].format_map(self._facts.values)

    def paragraphs(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.text(texts).split("\n\n") if one.strip()) if texts else ()

    def part(self, section: Section, template: Template) -> Part:
        paragraphs = self.paragraphs(section.text)
        if not section.table:
            return Part(self.text(section.title), paragraphs)
        rows = [*self._risks(template)] if section.table == RISKS else self._facts.tables.get(section.table, ())
        if not rows:
            return Part(
                self.text(section.title), (*paragraphs, *(self.paragraphs(section.empty) or [self.label("none")]))
            )
        head = tuple(self._words.columns[name][self._language] for name in section.columns)
        body = tuple(tuple(self._shown(row.get(name)) for name in section.columns) for row in rows)
        return Part(self.text(section.title), paragraphs, Table(head, body))

    def digests(self, stamped: Stamp) -> Part:
        """The last section: how a reader tells whether the paper is up to date."""
        rows = [(self._words.word("part", name, self._language), value) for name, value in stamped.parts.items()]
        table = Table((self.label("part"), self.label("part_digest")), tuple(rows))
        return Part(self.label("up_to_date"), (self.label("how_to_check"),), table)

    def _risks(self, template: Template) -> Iterator[Row]:
        for risk in template.risks:
            for measure in risk.measures:  # each row whole: a screen reader reads them one by one
                yield {"risk": self.text(risk.title), "source": risk.source, "measure": self.text(measure.text),
                       "state": self._state(measure)}  # fmt: skip

    def _state(self, measure: Measure) -> Coded:
        if not measure.when:
            return Coded(STATE, "in-software")
        return Coded(STATE, "in-place" if self._facts.states.get(measure.when) else "not-in-place")

    def _shown(self, value: Any) -> str:
        words, language = self._words, self._language
        match value:
            case Coded(list=name, code=code):
                shown = words.word(name, code, language)
            case Amount(number=number, unit=unit):
                shown = f"{number} {words.word('unit', unit, language)}"
            case bool():
                shown = self.label("yes" if value else "no")
            case Mapping():
                shown = str(value.get(language) or value.get("fi", ""))
            case list() | tuple():
                shown = ", ".join(map(self._shown, value))
            case _:
                shown = "" if value is None else str(value)
        return shown or NOT_TOLD


def _digest(value: Any) -> str:
    told = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return sha256(b"kanta-gateway/paper\0" + told).hexdigest()
