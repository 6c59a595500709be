"""The small language in which a source names elements of a FHIR resource."""

from __future__ import annotations

from typing import Any

import pytest

from kanta_gateway.intake.fhirpaths import covers, leaves, parsed, values

RESOURCE = {
    "resourceType": "CarePlan",
    "category": [{"text": "Toteuttamissuunnitelma"}],
    "author": {"reference": "Practitioner/p1"},
    "contained": [
        {"resourceType": "Goal", "id": "g1", "description": {"text": "Eka"}},
        {"resourceType": "Goal", "id": "g2", "description": {"text": "Toka"}},
    ],
    "goal": [{"reference": "#g1"}, {"reference": "#g2"}, {"reference": "#gone"}],
    "extension": [{"url": "urn:a", "valueBoolean": False}, {"url": "urn:b.c", "valueBoolean": True}],
    "period": {"start": "2025-01-02"},
}
OTHERS = {"Practitioner/p1": {"resourceType": "Practitioner", "name": [{"family": "Esimerkki"}]}}


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
        ("extension[url=urn:d].valueBoolean", []),
        ("period.start.further", []),
        ("nothing->name", []),
    ],
)
def test_a_path_gives_every_value_that_it_leads_to(path: str, expected: list[Any]) -> None:
    """Lists are walked, items chosen by place or by an element, references followed; nowhere gives nothing."""
    assert values(RESOURCE, path, OTHERS.get) == expected


@pytest.mark.parametrize("path", ["a..b", "1a", "a[", "a[=x]", "a b", "a->->b["])
def test_what_is_no_path_is_told_when_the_source_is_compiled(path: str) -> None:
    """A mistake in a source file is never a silent nothing."""
    with pytest.raises(ValueError, match="is no path"):
        parsed(path)


def test_leaves_and_paths_speak_of_elements_alike() -> None:
    """What a path reads can be told from what is left over: list places and choices do not matter."""
    assert "goal.reference" in set(leaves(RESOURCE))
    assert covers("extension[url=urn:b.c].valueBoolean") == "extension.valueBoolean"
    assert covers("goal->description.text") == "goal"
