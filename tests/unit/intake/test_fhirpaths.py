"""The small language in which a source names elements of a FHIR resource."""

from __future__ import annotations

from typing import Any

import pytest

from kanta_gateway.intake.fhirpaths import Walk, element, expression, leaves, likely, parsed
from kanta_gateway.intake.values import Unreadable

RESOURCE: dict[str, Any] = {
    "resourceType": "CarePlan",
    "category": [{"text": "Toteuttamissuunnitelma"}],
    "author": {"reference": "Practitioner/p1"},
    "contained": [
        {"resourceType": "Goal", "id": "g1", "description": {"text": "Eka"}},
        {"resourceType": "Goal", "id": "g2", "description": {"text": "Toka"}},
    ],
    "goal": [{"reference": "#g1"}, {"reference": "#g2"}, {"reference": "#gone"}],
    "extension": [
        {"url": "urn:a", "valueBoolean": False},
        {"url": "urn:b.c", "valueBoolean": True},
        {"url": "urn:empty"},
    ],
    "name": [{"use": "maiden", "family": "Vanha"}, {"use": "official", "family": "Uusi"}],
    "identifier": [{"system": "urn:a|b", "value": "1"}],
    "period": {"start": "2025-01-02"},
}
OTHERS = {"Practitioner/p1": {"resourceType": "Practitioner", "name": [{"family": "Esimerkki"}]}}


def walk() -> Walk:
    """A walk over the resource above."""
    return Walk(RESOURCE, OTHERS.get)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("period.start", ["2025-01-02"]),
        ("category.text", ["Toteuttamissuunnitelma"]),
        ("category[0].text", ["Toteuttamissuunnitelma"]),
        ("category[1].text", []),
        ("goal->description.text", ["Eka", "Toka"]),
        ("author->name[0].family", ["Esimerkki"]),
        ("extension[url=urn:a].valueBoolean", [False]),
        ("extension[url=urn:b.c].valueBoolean", [True]),
        ("extension[url=urn:a]", [False]),
        ("extension[url=urn:d]", []),
        ("extension[url=urn:empty]", [Unreadable("SRC-MISSING")]),
        ("name[use=OFFICIAL ].family", ["Uusi"]),
        ("name[use=off*].family", ["Uusi"]),
        ("name[use=old].family|name[use=official].family|name[0].family", ["Uusi"]),
        ("name[use=old].family|name[0].family", ["Vanha"]),
        ("identifier[system=urn:a|b].value", ["1"]),
        ("period.start.further", []),
        ("nothing->name", []),
    ],
)
def test_a_path_gives_every_value_that_it_leads_to(path: str, expected: list[Any]) -> None:
    """Lists are walked, items chosen by place or by an element, references followed; nowhere gives nothing."""
    assert walk().values(path) == expected


@pytest.mark.parametrize("path", ["a..b", "1a", "a[", "a[=x]", "a b", "a->->b[", "a|", "|a", ""])
def test_what_is_no_path_is_told_when_the_source_is_compiled(path: str) -> None:
    """A mistake in a source file is never a silent nothing."""
    with pytest.raises(ValueError, match="is no path"):
        parsed(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("period.start", {"period.start"}),
        ("goal->description.text", {
            "goal[0].reference", "goal[1].reference", "goal[2].reference", "contained[0].id", "contained[1].id",
            "contained[0].resourceType", "contained[1].resourceType",
            "contained[0].description.text", "contained[1].description.text",
        }),
        ("author->name[0].family", {"author.reference"}),
        ("extension[url=urn:a]", {"extension[0].url", "extension[0].valueBoolean"}),
        ("name[use=old].family|name[use=official].family", {"name[1].use", "name[1].family"}),
        ("name[0].family", {"name[0].family"}),
    ],
)  # fmt: skip
def test_a_walk_remembers_what_it_has_read(path: str, expected: set[str]) -> None:
    """Exactly the values that were taken, and those that decided which: another item of the list stays unread."""
    one = walk()
    one.find(path)

    assert {expression(place) for place in one.read} == expected
    assert one.read <= set(leaves(RESOURCE))


def test_a_reference_to_no_contained_resource_is_remembered() -> None:
    """What a reference leads to nothing is told by its place."""
    one = walk()
    one.find("goal->description.text")

    assert [expression(place) for place in one.lost] == ["goal[2].reference"]


def test_places_are_told_as_people_write_them() -> None:
    """An element is told without the number of the item, an expression with it, and a missing one as it would be."""
    place = ("contained", 1, "description", "text")

    assert place in set(leaves(RESOURCE))
    assert element(place) == "contained.description.text"
    assert expression(place) == "contained[1].description.text"
    assert likely("name[use=official].family|name[0].family") == "name[0].family"
    assert likely("author->name[0].family") == "author"
