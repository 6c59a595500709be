"""Conformance: each way in which a document can fail its structure has its own rule."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from kanta_gateway import knowledge
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.samples import sample
from kanta_gateway.mapping.structures import Structure, Structures, load_structure
from kanta_gateway.messages import Messages
from kanta_gateway.model import Severity

TEXT = """
oid: 2.999.7.2022.1.10
number: "7"
title: {fi: Koe, sv: Prov}
document_type: Arvio
fields:
  nimi: {is: string 1..1, fi: Nimi, sv: Namn}
  paiva: {is: date 0..1, fi: Päivä, sv: Dag}
  laji: {is: coding 0..1, fi: Laji, sv: Art, system: 2.999.1, allowed: [A, B]}
  jasen:
    is: group 0..*
    fi: Jäsen
    sv: Medlem
    fields:
      eka: {is: string 0..1, fi: Eka, sv: Första}
      toka: {is: string 0..1, fi: Toka, sv: Andra}
  kytkin: {is: boolean 0..1, fi: Kytkin, sv: Brytare}
  lisa: {is: string 0..1, fi: Lisä, sv: Mer}
  syy: {is: string 0..1, fi: Syy, sv: Orsak}
conditions:
  - {rule: one-of, in: jasen, fields: [eka, toka]}
  - {rule: only-when, fields: [syy], when: {field: kytkin, equals: true}}
  - {rule: required-when, fields: [lisa], when: {field: laji, equals: Muu}}
"""
CHECK = Conformance(load_structure(TEXT, "7"))


def coding(code: str = "A", display: str = "Eka") -> dict[str, str]:
    """A coding of the structure's system."""
    return {"system": "urn:oid:2.999.1.2020", "code": code, "display": display}


def found(**content: Any) -> list[tuple[str, str]]:
    """Rules and pointers found in a document with a name and this content."""
    return [(one.rule, one.pointer) for one in CHECK.check({"koe": {"nimi": "N", **content}})]


def test_right_document() -> None:
    """A document that fits has no findings."""
    assert found(paiva="2026-01-02", laji=coding(), jasen=[{"toka": "x"}], kytkin=True, syy="s") == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"nimi": ""}, ("STR-02", "/koe/nimi")),
        ({"nimi": 1}, ("STR-03", "/koe/nimi")),
        ({"paiva": "1.2.2026"}, ("STR-04", "/koe/paiva")),
        ({"laji": coding("C")}, ("STR-05", "/koe/laji/code")),
        ({"muu": "x"}, ("STR-06", "/koe")),
        ({"jasen": [{"eka": "x"}, {}]}, ("STR-08", "/koe/jasen/1")),
        ({"laji": coding("B", "Muu")}, ("STR-09", "/koe")),
        ({"syy": "s"}, ("STR-10", "/koe")),
        ({"syy": "s", "kytkin": False}, ("STR-10", "/koe")),
    ],
)
def test_rule(content: dict[str, Any], expected: tuple[str, str]) -> None:
    """Each mistake is found once, at its place."""
    assert [expected] == found(**content)


def test_missing() -> None:
    """A missing field is told at the field itself and holds the document."""
    finding = CHECK.check({"koe": {}})[0]

    assert (finding.rule, finding.severity, finding.pointer) == ("STR-01", Severity.HOLD, "/koe/nimi")


def test_no_value_is_told() -> None:
    """No finding repeats a value of the document."""
    value = {"koe": {"nimi": 7, "SALAISUUS": "SALAISUUS", "paiva": "SALAISUUS", "laji": coding("SALAISUUS")}}

    assert "SALAISUUS" not in repr(CHECK.check(value))


def test_not_even_an_object() -> None:
    """A document whose root is no group is a finding, not a failure."""
    assert [one.rule for one in CHECK.check({"koe": []})] == ["STR-03"]


def test_every_kind_has_its_text() -> None:
    """Every kind of finding has a text in all languages."""
    messages = Messages.load({"structures": knowledge.texts("mappings/messages")["structures"]})
    kinds = ("missing", "empty", "type", "form", "not-allowed", "unknown", "other", "one-of", "only-when",
             "required-when")  # fmt: skip

    assert {f"structure-{kind}" for kind in kinds} | {"code-unverified", "code-not-valid"} == messages.kinds()


def test_own_structures_compile() -> None:
    """Every structure that the gateway carries can be checked."""
    structures = Structures.load(knowledge.texts("schemas/structures")).all()

    assert all(Conformance(one).check({})[0].rule == "STR-01" for one in structures)


CODED = Conformance(load_structure("""
oid: 2.999.8.2022.1.10
number: "8"
title: {fi: Koe, sv: Prov}
document_type: Arvio
fields:
  vanha: {is: boolean 0..1, fi: Vanha, sv: Gammal}
  tunnus: {is: string 0..1, fi: Tunnus, sv: Kod}
  jasen:
    is: group 0..*
    fi: Jäsen
    sv: Medlem
    fields:
      rooli: {is: coding 0..*, fi: Rooli, sv: Roll, system: 2.999.1}
      toimi: {is: string 0..1, fi: Toimi, sv: Akt}
      hetki: {is: string 0..1, fi: Hetki, sv: Stund}
  liite: {is: string 0..*, fi: Liite, sv: Bilaga}
  saatu: {is: date 0..1, fi: Saatu, sv: Erhållen}
conditions:
  - {rule: required-when, fields: [tunnus], unless: {field: vanha, equals: true}}
  - {rule: required-when, in: jasen, fields: [toimi], when: {field: rooli, code: ["31", "32"]}}
  - {rule: required-when, in: jasen, fields: [hetki], when: {field: /vanha, equals: true}}
  - {rule: required-when, fields: [saatu], when: {field: liite}}
  - {rule: one-of, fields: [tunnus, jasen/toimi]}
""", "8"))  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"tunnus": "x"}, []),
        ({"jasen": [{"toimi": "x"}]}, ["STR-09"]),  # not old: the code is needed
        ({"jasen": [{"toimi": "x", "hetki": "h"}], "vanha": True}, []),
        ({"jasen": [{"toimi": "x"}], "vanha": True}, ["STR-09"]),  # the condition looks at the root
        ({"tunnus": "x", "jasen": [{"rooli": [coding("30"), coding("32")]}]}, ["STR-09"]),
        ({"tunnus": "x", "jasen": [{"rooli": [coding("30")]}]}, []),
        ({"tunnus": "x", "liite": ["l"]}, ["STR-09"]),  # anything at all in the field
        ({"tunnus": "x", "liite": ["l"], "saatu": "2026-01-02"}, []),
        ({"vanha": True}, ["STR-08"]),
    ],
)
def test_conditions_on_codes_presence_and_root(content: dict[str, Any], expected: list[str]) -> None:
    """A condition may ask for a code, for anything at all, or for a field of the root, and for the contrary."""
    assert expected == [one.rule for one in CODED.check({"koe": content})]


def without(structure: Structure, at: int) -> Structure:
    """The structure with one condition that looks where nothing is, so that it never holds anything up."""
    own = structure.conditions
    return replace(structure, conditions=(*own[:at], replace(own[at], group=("nowhere",)), *own[at + 1 :]))


def breaks(structure: Structure, at: int) -> bool:
    """Whether some document breaks this condition and no other."""
    condition, check, others = structure.conditions[at], Conformance(structure), without(structure, at)
    rule = {"one-of": "STR-08", "required-when": "STR-09", "only-when": "STR-10"}[condition.rule]
    told = (rule, ", ".join(condition.fields))
    alone = Conformance(others)
    return any(
        not alone.check(value) and told in {(one.rule, one.params["fields"]) for one in check.check(value)}
        for value in (sample(others, Random(seed).randrange) for seed in range(400))
    )


def test_every_own_condition_can_fail() -> None:
    """For each condition of our structures there is a document that breaks it alone."""
    own = Structures.load(knowledge.texts("schemas/structures")).all()

    assert [
        (one.number, one.conditions[at]) for one in own for at in range(len(one.conditions)) if not breaks(one, at)
    ] == []
