"""What a paper says and which facts stand where, read from `mappings/papers/*.yaml`; pure.

* A template holds texts in three languages and names tables of facts; it computes nothing.
* A measure against a risk names the state of the configuration that it depends on; without one it is part of the
  software.
* All mistakes of all files are told at once: an unknown table, column, state or word list, or a text that is lacking.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.shapes import TEXT, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read

LANGUAGES = ("fi", "sv", "en")
Texts = Mapping[str, str]

CONTROLLER, PROCESSOR, CONTRACT, INSTALLATION = "controller", "processor", "contract", "installation"
SCOPES = (CONTROLLER, PROCESSOR, CONTRACT, INSTALLATION)
"""What a paper is about: there is one for each of them that is registered."""
WORDS = "words"
"""Name of the file with the names of columns and coded values."""
RISKS = "risks"
"""The table that is made of a template's own risks."""
STATE = "state"
"""Word list of `RISKS`: in-place, not-in-place, in-software."""

VALUES = ("name", "oid", "contract", "processor", "controller", "day", "version")
"""What texts may name in braces."""
TABLES: Mapping[str, tuple[str, ...]] = {
    "organisations": ("name", "oid", "party"),
    "contracts": ("contract", "controller", "processor", "valid_from", "valid_to", "services", "contract_file",
                  "relationships"),
    "contents": ("contract", "article", "subject", "text"),
    "sub_processors": ("contract", "name", "oid", "valid_from", "valid_to", "approved_on"),
    "register_use": ("contract", "processor", "valid_from", "valid_to"),
    "units": ("name", "oid", "organisation", "valid_from", "valid_to"),
    "roles": ("role", "task", "maximum", "reach", "actions", "purposes"),
    "decisions": ("row", "text", "grade", "basis", "in_use"),
    "narrowing": ("policy",),
    "record_types": ("record_type", "data_subject", "data_class", "fields", "in_documents", "not_in_documents",
                     "documents"),
    "structures": ("number", "title", "structure", "record_types"),
    "sources": ("source", "record_types"),
    "levels": ("contract_file", "class", "level", "clause"),
    "field_levels": ("contract_file", "record_type", "field", "class", "level"),
    "retention": ("what", "period", "from", "basis"),
    "recipients": ("contract_file", "notice", "recipient", "given_by", "ways", "basis", "clause"),
    "keys": ("key", "place", "algorithm", "valid_to"),
    "witnesses": ("name", "key_id"),
    "settings": ("setting", "value"),
    RISKS: ("risk", "source", "measure", "state"),
}  # fmt: skip
"""Every table of facts with its columns: `pipeline.papers` fills them."""
STATES = (
    "production", "keys-apart", "witnesses", "archive-mutual-tls", "relationships-registered", "contracts-complete",
    "nothing-allowed", "own-policies", "between-controllers-off", "policy-is-maximum", "grace-within-30-days",
    "master-in-token", "signing-in-token",
)  # fmt: skip
"""States of the configuration that a measure may depend on."""

_TEXTS = Keys(dict.fromkeys(LANGUAGES, TEXT))
_SECTION = Keys({"title": _TEXTS}, {
    "text": _TEXTS, "table": OneOf(tuple(TABLES)), "columns": ListOf(TEXT), "empty": _TEXTS,
})  # fmt: skip
_MEASURE = Keys({"text": _TEXTS}, {"when": OneOf(STATES)})
_RISK = Keys({"title": _TEXTS, "source": TEXT, "measures": ListOf(_MEASURE)})
_TEMPLATE = Keys(
    {"paper": TEXT, "of": OneOf(SCOPES), "basis": TEXT, "title": _TEXTS, "intro": _TEXTS, "sections": ListOf(_SECTION)},
    {"risks": ListOf(_RISK)},
)
_WORDS = Keys({"labels": Named(_TEXTS), "columns": Named(_TEXTS), "lists": Named(Named(_TEXTS))})


@dataclass(frozen=True, slots=True)
class Section:
    """One section: a text, a table, or both."""

    title: Texts
    text: Texts = field(default_factory=dict)
    table: str = ""
    columns: tuple[str, ...] = ()
    empty: Texts = field(default_factory=dict)
    """What stands in the place of a table without rows."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is done against a risk."""

    text: Texts
    when: str = ""
    """State of the configuration that it depends on; empty: the software always does it."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk to the rights and freedoms of people (GDPR 35(7)(c)), and the measures against it."""

    title: Texts
    source: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One paper."""

    name: str
    of: str
    basis: str
    title: Texts
    intro: Texts
    sections: tuple[Section, ...]
    risks: tuple[Risk, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables of facts that it shows, each once."""
        return tuple(dict.fromkeys(one.table for one in self.sections if one.table and one.table != RISKS))

    @property
    def states(self) -> tuple[str, ...]:
        """States of the configuration that its measures depend on."""
        measures = (measure for risk in self.risks for measure in risk.measures)
        return tuple(dict.fromkeys(one.when for one in measures if one.when))


@dataclass(frozen=True, slots=True)
class Words:
    """Names of columns and coded values by language."""

    labels: Mapping[str, Texts]
    columns: Mapping[str, Texts]
    lists: Mapping[str, Mapping[str, Texts]]

    def word(self, name: str, code: str, language: str) -> str:
        """What a code of a list is called; the code itself where nobody has named it."""
        return self.lists.get(name, {}).get(code, {}).get(language, code)


@dataclass(frozen=True, slots=True)
class Templates:
    """Every paper, and the words that all share."""

    papers: Mapping[str, Template]
    words: Words

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Templates:
        """Read the files.

        Args:
            files: name of the file -> its YAML text.

        Raises:
            MisconfiguredError: a file does not hold; all mistakes at once.
        """
        told: list[str] = []
        words = _words(files.get(WORDS, ""), told)
        papers: dict[str, Template] = {}
        for name, text in files.items():
            if name == WORDS:
                continue
            mistakes = Mistakes(f"papers/{name}.yaml")
            stated = _shaped(text, _TEMPLATE, mistakes)
            if stated is not None:
                for what in _faults(stated, name, words):
                    mistakes.say(1, what)
                papers[name] = _template(stated)
            told += mistakes.told
        if told:
            raise MisconfiguredError(mistakes=told)
        return cls(papers, words)


def _shaped(text: str, shape: Keys, mistakes: Mistakes) -> Lined | None:
    try:
        stated: Lined = shaped(read(text, mistakes) or Lined(), shape, mistakes)
    except MisconfiguredError:
        return None
    return None if mistakes.told else stated


def _words(text: str, told: list[str]) -> Words:
    mistakes = Mistakes(f"papers/{WORDS}.yaml")
    stated = _shaped(text, _WORDS, mistakes)
    told += mistakes.told
    if stated is None:
        return Words({}, {}, {})
    words = Words(stated["labels"], stated["columns"], stated["lists"])
    known = {column for columns in TABLES.values() for column in columns}
    told += [f"papers/{WORDS}.yaml: columns lack {one}" for one in sorted(known - words.columns.keys())]
    return words


def _faults(stated: Mapping[str, Any], name: str, words: Words) -> Iterator[str]:
    """What the shape of a file cannot tell."""
    if stated["paper"] != name:
        yield f"paper: {stated['paper']} stands in a file of another name"
    for place, section in enumerate(stated["sections"], 1):
        columns = section.get("columns", [])
        if "table" not in section and columns:
            yield f"section {place}: columns without a table"
        unknown = set(columns) - set(TABLES.get(section.get("table", ""), ()))
        yield from (f"section {place}: the table has no column {one}" for one in sorted(unknown))
    for text in _all_texts(stated):
        named = {part for _, part, _, _ in string.Formatter().parse(text) if part is not None}
        yield from (f"a text names {{{one}}}; known: {', '.join(VALUES)}" for one in sorted(named - set(VALUES)))
    if any(one.get("table") == RISKS for one in stated["sections"]) and STATE not in words.lists:
        yield f"papers/{WORDS}.yaml has no list {STATE}"


def _all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) == set(LANGUAGES):
            yield from map(str, value.values())
        else:
            for one in value.values():
                yield from _all_texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _all_texts(one)


def _template(stated: Mapping[str, Any]) -> Template:
    return Template(
        stated["paper"], stated["of"], stated["basis"], stated["title"], stated["intro"],
        tuple(_sections(stated["sections"])),
        tuple(
            Risk(one["title"], one["source"], tuple(
                Measure(measure["text"], measure.get("when", "")) for measure in one["measures"]
            ))
            for one in stated.get("risks", ())
        ),
    )  # fmt: skip


def _sections(stated: Iterable[Mapping[str, Any]]) -> Iterator[Section]:
    for one in stated:
        table = one.get("table", "")
        yield Section(
            one["title"], one.get("text", {}), table, tuple(one.get("columns") or TABLES.get(table, ())),
            one.get("empty", {}),
        )  # fmt: skip
