"""A joint service as FHIR resources: our own small Bundle, built with defaults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COACH, COUNTY = "ValmennusLehto Oy", "Kehitysympäristön hyvinvointialue"
WORKSHOP = "Orimattilan työpaja, kuntouttava työtoiminta"
Resource = dict[str, Any]


def text(words: str) -> dict[str, str]:
    """A narrative."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}


def person(key: str, given: str, title: str, organisation: str) -> list[Resource]:
    """A worker and the worker's role."""
    return [
        {"resourceType": "Practitioner", "id": key, "name": [{"family": "Esimerkki", "given": [given]}]},
        {"resourceType": "PractitionerRole", "id": f"{key}-role", "practitioner": {"reference": f"Practitioner/{key}"},
         "organization": {"reference": f"Organization/{organisation}"}, "code": [{"text": title}]},
    ]  # fmt: skip


def encounter(key: str, day: str, producer: str = "coach", author: str = "coach", **changes: Any) -> Resource:
    """A contact."""
    return {
        "resourceType": "Encounter", "id": key, "status": "finished", "subject": {"reference": "Patient/a1"},
        "class": {"code": "AMB"}, "type": [{"text": "Tapaaminen"}],
        "period": {"start": f"{day}T10:00:00+03:00", "end": f"{day}T11:00:00+03:00"},
        "participant": [{"individual": {"reference": f"PractitionerRole/{author}-role"}}],
        "serviceProvider": {"reference": f"Organization/{producer}"}, "text": text(f"Käynti {key} sujui sovitusti."),
    } | changes  # fmt: skip


def plan(key: str, category: str, author: str = "shop", **changes: Any) -> Resource:
    """A plan of the authority or of the provider."""
    return {
        "resourceType": "CarePlan", "id": key, "status": "active", "intent": "plan", "category": [{"text": category}],
        "subject": {"reference": "Patient/a1"}, "period": {"start": "2022-09-05", "end": "2022-11-30"},
        "created": "2022-09-01", "author": {"reference": f"PractitionerRole/{author}-role"},
        "contributor": [{"reference": "PractitionerRole/coach-role"}],
        "description": "Tavoitteena löytää oma ala ja työkokeilupaikka.",
    } | changes  # fmt: skip


def activation(key: str = "act", **changes: Any) -> Resource:
    """The authority's plan, which grants the coaching."""
    return plan(key, "Aktivointisuunnitelma", **changes)


def implementation(key: str = "own", **changes: Any) -> Resource:
    """The provider's plan."""
    return plan(key, "Toteuttamissuunnitelma", **changes)


PARTIES: list[Resource] = [
    {"resourceType": "Organization", "id": "coach", "name": COACH},
    {"resourceType": "Organization", "id": "shop", "name": WORKSHOP},
    *person("coach", "Nina", "työhönvalmentaja", "coach"),
    *person("shop", "Tero", "sosiaaliohjaaja", "shop"),
]
CLIENT: Resource = {
    "resourceType": "Patient", "id": "a1", "name": [{"family": "Esimerkki", "given": ["Aino"]}],
    "identifier": [{"system": "urn:oid:1.2.246.21", "value": "010594Y9032"}],
}  # fmt: skip
BASE = [*PARTIES, CLIENT, activation()]
"""What every record needs."""


def bundle(resources: Iterable[Resource], **changes: Any) -> bytes:
    """A collection of resources, made in the middle of December."""
    entries = [{"fullUrl": f"urn:uuid:{number}", "resource": one} for number, one in enumerate(resources)]
    whole = {"resourceType": "Bundle", "type": "collection", "timestamp": "2022-12-15T10:00:00+02:00", "entry": entries}
    return json.dumps(whole | changes, ensure_ascii=False).encode()


def written(path: Path, resources: Iterable[Resource], **changes: Any) -> Path:
    """A bundle as a file."""
    path.write_bytes(bundle(resources, **changes))
    return path
