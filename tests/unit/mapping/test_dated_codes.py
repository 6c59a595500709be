"""Dated codes: of the rows of one key the record's day decides."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.documents import source

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.engine import Mapper
from kanta_gateway.mapping.rules import load_mappings
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.mapping.tree import to_json
from kanta_gateway.model import Severity

LAST, FIRST = "2026-12-31", "2027-01-01"


def row(code: str, **other: Any) -> dict[str, Any]:
    """A row of the key `working-age`."""
    return {"key": "working-age", "code": code, "display": {"fi": code, "sv": code}, "verified": True, **other}


def listed(*rows: dict[str, Any], number: str = "1221") -> str:
    """A code list with these rows, as a file of the data folder."""
    stated = yaml.safe_load(knowledge.texts("mappings/codes")["1221"])
    return yaml.safe_dump({**stated, "number": number, "rows": list(rows)})


def days(**stated: str) -> dict[str, Any]:
    """Days as YAML reads them."""
    return {word: yaml.safe_load(day) for word, day in stated.items()}


TURN = (
    row("OLD", **days(valid_to=LAST)),
    row("NEW", **days(valid_from=FIRST), version="202701"),
)


@pytest.mark.parametrize(
    ("day", "expected"), [(LAST, ("OLD", "201601")), (FIRST, ("NEW", "202701")), ("", ("NEW", "202701"))]
)
def test_day_decides(day: str, expected: tuple[str, str]) -> None:
    """New Year's Eve has the old code and version, New Year's Day the new ones; no day has the one without end."""
    coding = Codes.load({"1221": listed(*TURN)}).coding("1221", "working-age", "fi", day)

    assert expected == (coding.code, coding.system.rpartition(".")[2])


def test_imported_rows_go_first() -> None:
    """Rows of the data folder stand for those of the same key; the other keys stay as they are carried."""
    codes = Codes.load(knowledge.texts("mappings/codes"), {"1221": listed(*TURN)})

    assert codes.coding("service-task", "working-age", "sv", LAST).code == "OLD"
    assert codes.coding("service-task", "disability").code == "20"
    assert "working-age" not in {one.key for one in codes.unverified() if one.list == "service-task"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((row("A"), row("B")), "twice for the same day"),
        ((row("A", **days(valid_to=FIRST)), row("B", **days(valid_from=FIRST))), "twice for the same day"),
        ((row("A", valid_from="soon"),), "expected a day"),
        ((row("A", **days(valid_from=FIRST, valid_to=LAST)),), "valid_to is before valid_from"),
    ],
)
def test_mistakes(rows: tuple[dict[str, Any], ...], expected: str) -> None:
    """Rows of one key may not hold on the same day, and days are days."""
    with pytest.raises(MisconfiguredError, match=expected):
        Codes.load({"1221": listed(*rows)})


def composed(day: str, *rows: dict[str, Any]) -> tuple[Any, list[tuple[str, Severity]]]:
    """Service task of a diary entry of a day, and what was found."""
    structures = Structures.load(knowledge.texts("schemas/structures"))
    codes = Codes.load(knowledge.texts("mappings/codes"), {"1221": listed(*rows)})
    mapper = Mapper(load_mappings(knowledge.texts("mappings/documents"), structures, codes), structures, codes)
    (variant,) = mapper.variants("diary_entry", {"class": "KT"}, day)
    tree = mapper.compose(variant, source({"date": day}, "diary_entry", day=day))
    entry = to_json(tree)["merkinta_asiakkaan_arjesta"]["asiakaskertomusmerkinta"]
    return entry.get("palvelutehtava"), [(one.rule, one.severity) for one in tree.findings if one.rule == "CODE-1221"]


@pytest.mark.parametrize(("day", "code"), [(LAST, "OLD"), (FIRST, "NEW")])
def test_document_on_both_sides(day: str, code: str) -> None:
    """A document carries the code of its record's day."""
    coding, found = composed(day, *TURN)

    assert (coding["code"], found) == (code, [])


def test_no_code_on_the_day() -> None:
    """On a day that no row covers the document has no code, and its record waits."""
    assert composed(FIRST, row("OLD", **days(valid_to=LAST))) == (None, [("CODE-1221", Severity.HOLD)])
