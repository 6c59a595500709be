"""Mistakes of notice files and of a contract's notices are told all at once, with their places."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from kanta_gateway import knowledge
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.notices.types import NoticeTypes
from kanta_gateway.recordtypes import RecordType

ROOT = Path(__file__).parents[3]
TYPES = {
    name: RecordType.of(name, json.loads(text))
    for name, text in knowledge.texts("schemas/records", suffix=".json").items()
}
LISTS = knowledge.texts("mappings/notices/lists")
FILE = yaml.safe_load((ROOT / "mappings/notices/absence-to-purchaser.yaml").read_text("utf-8"))


def loaded(**other: object) -> NoticeTypes:
    """One notice type with other parts."""
    return NoticeTypes.load({"absence-to-purchaser": yaml.safe_dump({**FILE, **other})}, LISTS, TYPES)


def group(**other: object) -> list[dict[str, object]]:
    """The groups with another part in the first."""
    return [{**FILE["groups"][0], **other}]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"groups": group(fields=[{"name": "reason", "kind": "service", "of": "record.reason"}])},
         "record.reason cannot be told as service"),
        ({"groups": group(fields=[{"name": "reason", "kind": "day", "of": "record.description"}])},
         "description is no fact of absence"),
        ({"groups": group(fields=[{"name": "date", "kind": "text", "of": "record.date"}])}, "kind: expected one of"),
        ({"groups": group(records=["abscence"])}, "abscence is no record type"),
        ({"groups": group(told_in="told_on")}, "told_on is no fact of absence"),
        ({"groups": group(fields=[{"name": "shoe", "kind": "day", "of": "record.date"}])}, "shoe has no label"),
        ({"head": [{"name": "date", "kind": "day", "of": "record.date"}]}, "the head of a notice has no record"),
        ({"head": [{"name": "client", "kind": "name", "of": "client.contact"}]}, "client.contact cannot be told"),
        ({"title": {"fi": "Ilmoitus"}}, "expected a text in each of fi, sv, en"),
        ({"notice": "other"}, "expected the file's own name"),
        ({"window": "month"}, "window: expected a number of days"),
        ({"colour": "red"}, "colour is not known"),
        ({"recipients": []}, "expected a recipient"),
    ],
)  # fmt: skip
def test_mistake_of_a_file(other: dict[str, object], expected: str) -> None:
    """A mistake of a notice file is found before anything starts, and told with its place."""
    with pytest.raises(MisconfiguredError) as caught:
        loaded(**other)

    assert expected in str(caught.value)


def test_all_mistakes_at_once() -> None:
    """Several mistakes are told together."""
    with pytest.raises(MisconfiguredError) as caught:
        loaded(colour="red", window="month", groups=group(records=["abscence"]))

    assert all(word in str(caught.value) for word in ("colour", "window", "abscence"))


def contract(*notices: dict[str, object]) -> Contract:
    """A contract with some notices and nothing else."""
    return Contract.load(
        yaml.safe_dump({"contract": "x", "source": "x", "products": [], "rules": [], "notices": list(notices)}),
        "x", TYPES,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"given_by": "somebody"}, "given_by: expected one of"),
        ({"ways": {"email": "notice"}}, "ways: email: expected announcement"),
        ({"ways": {"fax": "notice"}}, "ways: fax: expected one of"),
        ({"given_by": "organiser-itself"}, "reason is missing"),
        ({"standing_request": {"reference": "x"}}, "verified is missing"),
        ({"products": ["KT9"]}, "KT9 is neither a product nor a class"),
    ],
)  # fmt: skip
def test_mistake_of_a_contract(other: dict[str, object], expected: str) -> None:
    """A contract that lets e-mail carry a notice, or names no giver, is not read."""
    with pytest.raises(MisconfiguredError) as caught:
        contract({"notice": "absence-to-purchaser", "given_by": "provider", "clause": "1", **other})

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("given_by", "expected"),
    [
        ("provider", "on behalf of the organiser only"), ("provider-for-organiser", "standing_request is missing"),
    ],
)  # fmt: skip
def test_outsiders_are_told_on_behalf_only(given_by: str, expected: str) -> None:
    """A provider tells the payer on the organiser's behalf and on a standing request, or not at all (AB-10)."""
    types = NoticeTypes.load(knowledge.texts("mappings/notices"), LISTS, TYPES)
    terms = contract({"notice": "absence-to-payer", "given_by": given_by, "clause": "1"}).notices

    assert any(expected in one for one in types.mistakes("x", terms))


def test_unknown_notice() -> None:
    """A contract that asks for a notice that there is not is found at start."""
    types = NoticeTypes.load(knowledge.texts("mappings/notices"), LISTS, TYPES)
    terms = contract({"notice": "absence-to-pope", "given_by": "provider", "clause": "1"}).notices

    assert types.mistakes("x", terms) == [
        "contracts/x.yaml: notice absence-to-pope: there is no such file in mappings/notices"
    ]


def test_every_type_is_documented() -> None:
    """The page on notices names every notice type with what it carries out, and no other."""
    page = (ROOT / "docs/howto-notices.md").read_text("utf-8")
    lines = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    rows = {name: set(carried.split(", ")) for name, carried in lines}
    types = NoticeTypes.load(knowledge.texts("mappings/notices"), LISTS, TYPES).types

    assert {name: set(one.carries_out) for name, one in types.items()} == {
        name: carried for name, carried in rows.items() if name in types or "-to-" in name
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("heinola", ("organiser-itself", "")),  # the city's own
        ("lapha", ("provider-for-organiser", "001 §5.3")),  # the provider's, on the county's behalf (AB-10)
    ],
)
def test_who_tells_the_payer(name: str, expected: tuple[str, str]) -> None:
    """In Heinola the city tells the payer itself and none is made; in Lapland the provider does on its behalf."""
    known = Contract.load(knowledge.texts("mappings/contracts")[name], name, TYPES)
    (terms,) = [one for one in known.notices if one.notice == "absence-to-payer"]

    assert (terms.given_by, terms.clause if terms.is_made else "") == expected
    assert (terms.standing_request is not None) == terms.is_made
    assert bool(terms.reason) != terms.is_made


def test_no_contract_lets_mail_tell() -> None:
    """No contract file lets e-mail carry more than that something waits (HEL-16)."""
    files = knowledge.texts("mappings/contracts")
    ways = [
        one.ways.get("email", "announcement")
        for name, text in files.items()
        if "\nnotices:" in text
        for one in Contract.load(text, name, TYPES).notices
    ]

    assert len(ways) > 10
    assert set(ways) == {"announcement"}
