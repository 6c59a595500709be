"""Two sources without a client around every record: quality reviews, and canonical records one a line."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from kanta_gateway import knowledge
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import Item, read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.intake.valuekinds import KINDS
from kanta_gateway.model import Record

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
REVIEW = {
    "kriteeristo": "x",
    "arvioinnit": [
        {
            "arviointiId": "LK-1", "tuottaja": "Paja", "paivamaara": "2025-11-19", "ilmoitettuYhteispistemaara": "9",
            "kriteerit": [{"nro": 1, "nimi": "Asiakasmäärä", "pisteet": "3-5", "huomio": "Aino Esimerkin työpaikka"}],
        }
    ],
}  # fmt: skip


def items(source: str, *lines: Any) -> list[Item]:
    """Everything that a file of these lines holds."""
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return list(read(SOURCES[source], io.BytesIO(text.encode()), "file"))


def test_a_review_and_its_criteria_are_records_of_their_own() -> None:
    """A criterion belongs to its review, has its id before its own number, and belongs to no client."""
    review, criterion = items("quality-review", REVIEW)

    assert isinstance(review, Record)
    assert isinstance(criterion, Record)
    assert ("quality_review", "LK-1", None) == (review.type, review.id, review.client)
    assert ("quality_criterion", "LK-1/1", None) == (criterion.type, criterion.id, criterion.client)
    assert {
        "review": "LK-1", "number": 1, "name": "Asiakasmäärä", "score": {"low": 3, "high": 5, "firm": False},
    } == criterion.content  # fmt: skip


def test_remarks_of_a_review_are_counted_and_not_kept() -> None:
    """A remark may tell of a client: it is dropped by its name, and its text is in no record (LAA-06)."""
    _, criterion = items("quality-review", REVIEW)

    assert isinstance(criterion, Record)
    assert {"huomio": 1} == criterion.dropped
    assert "Esimerk" not in repr(criterion.content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (5, 5, True)), (5, (5, 5, True)), (" 4 ", (4, 4, True)), ("3-5", (3, 5, False)),
        ("3\u20135", (3, 5, False)),
        ("3/5", (3, 5, False)), ("vaihtelee 3-5", (3, 5, False)), ("vaihtelee 5", (5, 5, False)),
        ("5 (osittain)", (5, 5, False)), ("5-3", (3, 5, False)), ("ei relevantti", None), ("----", None), ("", None),
    ],
)  # fmt: skip
def test_scores_as_they_are_written(text: Any, expected: tuple[int, int, bool] | None) -> None:
    """A bare number is firm, a range is two numbers, and words without a number are no score."""
    read_ = KINDS["span"](text, {}).value

    assert expected == (None if read_ is None else tuple(read_.values()))


def test_a_score_of_three_numbers_cannot_be_read() -> None:
    """Nothing is guessed: three numbers are neither a score nor a range."""
    assert KINDS["span"]("3, 4 tai 5", {}).rule == "SRC-NUMBER"


CLIENT = {
    "type": "client", "id": "1", "surname": "Esimerkki", "given_names": "Eeva", "identity_code": "010594Y9032",
    "non_disclosure": False,
}  # fmt: skip


def test_canonical_records_one_a_line() -> None:
    """Each line is read by its schema; a wrong one is a finding with its line, and the others go on."""
    made = items("json-lines", CLIENT, {**CLIENT, "id": "2", "salaisuus": "arvo"}, "{", "", {**CLIENT, "id": "3"})

    records = [one.id for one in made if isinstance(one, Record)]
    told = [(one.finding.rule, one.finding.pointer) for one in made if isinstance(one, Problem)]
    assert ["1", "3"] == records
    assert [("SRC-FIELD", "/2/salaisuus"), ("SRC-JSON", "/3")] == told
    assert "arvo" not in repr(told)
