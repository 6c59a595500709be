"""Tests of reading mapping files: every mistake is told at once, with its line and the next step."""

from __future__ import annotations

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.rules import load_mapping, load_mappings
from kanta_gateway.mapping.structures import Structures

STRUCTURES = Structures.load(knowledge.texts("schemas/structures"))
CODES = Codes.load(knowledge.texts("mappings/codes"))
FILES = knowledge.texts("mappings/documents")
HEAD = """structure: 1.2.246.537.6.1506.19002.2022.1.10
variants:
  entry:
    records: [service_start]
    fields:
      asiakas: {use: client}
      palvelutehtava: {code: "1221", of: product.service_task}
      sosiaalipalvelu: {code: "1222", of: product.service}
      laatija: {use: author}
"""
RIGHT = HEAD + "      sosiaalipalvelun_alkamispaiva: record.date\n"


def mistakes(text: str) -> list[str]:
    """What is wrong with one mapping."""
    try:
        load_mapping(text, "x", STRUCTURES, CODES, FILES["groups"])
    except MisconfiguredError as error:
        return str(error).split("\n")
    return []


def test_own_mappings_hold() -> None:
    """Every mapping file is without mistakes, and each names another of our structures."""
    loaded = load_mappings(FILES, STRUCTURES, CODES).mappings

    named = [one.structure.oid for one in loaded]

    assert len(named) == len(FILES) - 1
    assert len(set(named)) == len(named)


def test_rule_knows_its_line() -> None:
    """A rule names the file and line that it stands on."""
    (variant,) = load_mapping(RIGHT, "x", STRUCTURES, CODES, FILES["groups"]).variants
    rules = {one.place: one.rules[0].line for one in variant.fields}

    assert rules["sosiaalipalvelun_alkamispaiva"] == "documents/x.yaml:10"


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("      paivamaara: record.date", "the structure needs sosiaalipalvelun_alkamispaiva"),
        ("      alku: record.date", "the structure has no field alku"),
        ("      lisatiedot: somebody.name", "nothing is called somebody here"),
        ("      lisatiedot: Record.date", "'Record.date' is no path"),
        ("      lisatiedot: {format: shouting, of: record.notes}", "there is no format shouting"),
        ("      lisatiedot: {format: finnish-date, of: [record.a, record.b]}", "expected 1 paths in `of`"),
        ("      lisatiedot: {path: record.notes, constant: true}", "write exactly one"),
        ("      lisatiedot: {path: record.notes, colour: red}", "colour is no word here"),
        ("      lisatiedot: {code: '1221', row: disability}", "which `code` cannot make"),
        ("      lisatiedot: {constant: true}", "does not fit a field that is string"),
        ("      lisatiedot: {repeat: {one: record.list}, path: one.name}", "is not repeatable"),
        ("      lisatiedot: {text: [{label: {fi: Vain suomeksi}, path: record.notes}]}", "add both"),
        ("      lisatiedot: {use: client}", "there is no shared group client"),
        ("      paivamaara: {use: nobody}", "there is no shared group nobody"),
        ("      paivamaara: {format: person-name, of: author}", "which `format` cannot make"),
        ("      paivamaara: record.date\n      paivamaara: record.date", "paivamaara stands twice"),
    ],
)
def test_each_mistake_is_told(added: str, told: str) -> None:
    """A mistake is told with its reason."""
    assert [one for one in mistakes(f"{HEAD}{added}\n") if told in one] != []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('{code: "1250", of: record.mode}', "takes codes of"),
        ('{code: "1221", row: nowhere}', "has no row nowhere"),
        ('{code: "1221"}', "expected either `row` or `of`"),
        ('{code: "0000", of: record.mode}', "0000"),
        ("record.task", "which `path` cannot make"),
    ],
)
def test_each_mistake_about_codes_is_told(wrong: str, told: str) -> None:
    """A code list must exist, have the row, and be the one that the structure asks for."""
    text = RIGHT.replace('{code: "1221", of: product.service_task}', wrong)

    assert [one for one in mistakes(text) if told in one] != []


def test_all_mistakes_are_told_at_once() -> None:
    """Two mistakes in one file bring two messages."""
    found = mistakes(RIGHT + "      alku: record.date\n      lisatiedot: nobody.notes\n")

    assert [one.split(": ")[0] for one in found] == ["documents/x.yaml:11", "documents/x.yaml:12"]


@pytest.mark.parametrize("text", ["", "- a list", "structure: 1.2.3", "structure: [", "structure: 2.999"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    """A text that is no mapping at all is told as such."""
    assert mistakes(text) != []


def test_variant_names_of_one_record_differ() -> None:
    """Two structures cannot use one variant name for one record type: a document would change structure."""
    twice = FILES["19012"].replace("records: [service_end]", "records: [service_start]")

    with pytest.raises(MisconfiguredError, match="variant entry"):
        load_mappings({**FILES, "19012": twice}, STRUCTURES, CODES)
