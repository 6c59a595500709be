"""Tests of composing: which documents a record makes, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.documents import PRODUCTS, full, mapper, source

from kanta_gateway.mapping.tree import explain, leaves, to_json

if TYPE_CHECKING:
    from kanta_gateway.model import Tree

MEANS = "keinot_ja_aikataulu_tavoitteen_saavuttamiseksi"


def composed(record_type: str, product: str = "KT", **content: object) -> Tree:
    """The first document of one record."""
    given = source(content, record_type, product)
    return mapper().compose(mapper().variants(record_type, given["product"])[0], given)


@pytest.mark.parametrize(
    ("record_type", "product", "numbers"),
    [
        ("implementation_plan", "KT", ["15021"]),
        ("implementation_plan", "SK", ["15021"]),
        ("implementation_plan", "VT", ["15024"]),
        ("agreement", "KT", ["13004"]),
        ("service_start", "KT", ["19002"]),
        ("service_end", "KT", ["19012"]),
        ("diary_entry", "VT", ["19007"]),
        ("guidance", "KT", ["19003"]),
        ("meeting", "KT", ["19005"]),
        ("missed_meeting", "KT", ["19006"]),
        ("negotiation", "KT", ["19004"]),
        ("absence", "KT", ["19013"]),
        ("notice", "KT", ["4002"]),
        ("interim_evaluation", "KT", ["1003"]),
        ("final_evaluation", "VT", ["16009"]),
        ("final_summary", "SK", ["16009", "19012"]),
        ("staff", "KT", []),
    ],
)
def test_record_makes_documents_of_its_structures(record_type: str, product: str, numbers: list[str]) -> None:
    """Record type and product decide the structures."""
    variants = mapper().variants(record_type, PRODUCTS[product])

    assert sorted(one.structure.split(".")[6] for one in variants) == numbers


def test_codes_that_nobody_verified_are_told_once() -> None:
    """An unverified code brings one finding, however often it is used."""
    rules = [one.rule for one in composed("diary_entry", date="2025-09-01", mode="on_site").findings]

    assert rules == ["CODE-1221", "CODE-1222", "CODE-1250"]


def test_labelled_text_speaks_the_language_of_the_document() -> None:
    """Labels within a text are Swedish in a Swedish document; the client's text stays as it is."""
    given = source({"date": "2025-09-01", "hours": 4.5, "tasks": "Pinottiin."}, "diary_entry", language="sv")
    tree = mapper().compose(mapper().variants("diary_entry", given["product"])[0], given)

    text = next(one.value for one in leaves(tree) if one.key == "kuvaus")

    assert text == "Timmar: 4,5\nUppgifter: Pinottiin."


def test_goals_and_their_parts_are_repeated() -> None:
    """Every goal is one entry; its partial goals stand in its means, in order."""
    goals = [
        {"name": "Rytmi", "subgoals": [{"name": "Klo 9", "means": "Lappu"}, {"name": "Soitto"}]},
        {"name": "Työ"},
    ]
    tree = composed("implementation_plan", made_on="2025-09-04", goals=goals)

    value = to_json(tree)["tyoikaisten_palvelujen_toteuttamissuunnitelma"]["suunnitelma"]

    assert value["asetettavat_tavoitteet"] == [
        {
            "nimi": "Rytmi",
            MEANS: "Osatavoite: Klo 9\nKeinot: Lappu\nOsatavoite: Soitto",
        },
        {"nimi": "Työ"},
    ]


@pytest.mark.parametrize(
    ("record_type", "opening"),
    [("interim_evaluation", "Väliarviointi"), ("final_evaluation", "Loppuarviointi")],
)
def test_evaluation_says_which_it_is(record_type: str, opening: str) -> None:
    """The remarks of 1003 open with the kind of evaluation, then tell what the client said."""
    tree = composed(record_type, date="2025-10-16", client_assessment="Kivaa.")

    text = next(one.value for one in leaves(tree) if one.key == "muuta_huomioitavaa")

    assert text == f"{opening}\nAsiakkaan arvio: Kivaa."


def test_next_of_kin_is_a_contact_field() -> None:
    """Only the field with the next of kin is marked as a contact field. [REC-10]"""
    tree = composed("agreement", **full("agreement"))

    assert [one.key for one in leaves(tree) if one.is_contact] == ["muut_asiat"]


def _is_explained(row: dict[str, Any]) -> bool:
    return bool(row["origins"]) and all(all(one.values()) for one in row["origins"])


@pytest.mark.parametrize("record_type", sorted(mapper().record_types()))
def test_every_value_can_be_explained(record_type: str) -> None:
    """Every value names its input path, its mapping line, its word and its place in the structure."""
    rows = explain(composed(record_type, **full(record_type)))

    assert [one["pointer"] for one in rows if not _is_explained(one)] == []


def test_explanation_follows_repeats() -> None:
    """The path of a value in a repeat is told from the record on."""
    rows = explain(composed("implementation_plan", goals=[{"subgoals": [{"means": "Lappu"}]}]))

    assert "record.goals[].subgoals[].means" in {one["path"] for row in rows for one in row["origins"]}


def test_labels_are_there_in_both_languages() -> None:
    """Every node has its Finnish and its Swedish label."""
    tree = composed("absence", date="2025-09-23")

    assert all(one.label["fi"] and one.label["sv"] for one in leaves(tree))
