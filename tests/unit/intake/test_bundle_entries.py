"""What entries of a bundle are called, what references to them mean, and what a transaction asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.intake.test_bundles import Resource, bundle, encounter, patient, plan, taken

from kanta_gateway.intake.kinds import Problem
from kanta_gateway.model import Record

CODE = "010190-961U"
HERE, ELSEWHERE = "https://a.example/fhir", "https://b.example/fhir"


def transaction(*entries: Resource) -> bytes:
    """A transaction of these entries."""
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def posted(resource: Resource, **changes: Any) -> Resource:
    """An entry that creates a resource."""
    request = {"method": "POST", "url": resource["resourceType"]} | changes
    return {"fullUrl": f"urn:uuid:{resource.get('id', 'new')}", "resource": resource, "request": request}


def found(problems: list[Problem]) -> set[tuple[str, str]]:
    """Rules and places, without what the entries of these tests have no staff and units for."""
    told = {(one.finding.rule, one.finding.pointer) for one in problems}
    return {one for one in told if not one[1].endswith(("individual.reference", "serviceProvider.reference"))}


def meetings(records: list[Record]) -> list[str | None]:
    """Clients of the meetings."""
    return [one.client for one in records if one.type == "meeting"]


@pytest.mark.parametrize(
    ("subject", "client"),
    [
        ({"reference": "Patient/p1"}, "p1"),
        ({"reference": "Patient/p1/_history/3"}, "p1"),
        ({"reference": f"{HERE}/Patient/p1"}, "p1"),
        ({"reference": f"{HERE}/Patient/p1/_history/3"}, "p1"),
        ({"reference": f"Patient?identifier=urn:oid:1.2.246.21|{CODE}"}, "p1"),
        ({"identifier": {"system": "urn:oid:1.2.246.21", "value": f" {CODE.lower()}"}}, "p1"),
        ({"reference": f"{ELSEWHERE}/Patient/p2"}, "p2"),
        ({"reference": f"{ELSEWHERE}/Patient/p1"}, None),
        ({"reference": "Patient?identifier=urn:oid:1.2.246.21|010190-999X"}, None),
        ({"identifier": {"system": "urn:other", "value": CODE}}, None),
        ({"reference": "urn:uuid:nobody"}, None),
        ({"reference": "#p1"}, None),
        ({"display": "Eeva Esimerkki"}, None),
    ],
)
def test_a_reference_means_one_client_or_nobody(subject: Resource, client: str | None) -> None:
    """By name, URL, version, condition or identifier; another server's client of the same id is another one."""
    entries = [{"fullUrl": f"{HERE}/Patient/p1", "resource": patient()}, {"resource": encounter(subject=subject)}]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    records, problems = taken(data)

    assert meetings(records) == ([client] if client else [])
    assert ("SRC-CLIENT" in {rule for rule, _ in found(problems)}) is (client is None)
    assert CODE not in repr(problems)
    assert CODE not in repr([(one.id, one.client, one.label, one.findings) for one in records])


def test_references_by_full_url_find_their_entry_in_any_order() -> None:
    """In a transaction entries point at each other by URN."""
    data = transaction(posted(encounter(subject={"reference": "urn:uuid:p1"})), posted(patient()))
    records, problems = taken(data)

    assert found(problems) == set()
    assert meetings(records) == ["p1"]


def test_two_clients_with_one_identifier_are_nobody() -> None:
    """What could mean two is not guessed."""
    subject = {"identifier": {"system": "urn:oid:1.2.246.21", "value": CODE}}
    records, problems = taken(bundle(patient(), patient(id="p2"), encounter(subject=subject)))

    assert meetings(records) == []
    assert ("SRC-CLIENT", "Bundle.entry[2].resource.subject") in found(problems)


def test_two_resources_of_one_full_url_are_told() -> None:
    """Nobody knows which one a reference means."""
    entries = [{"fullUrl": "urn:uuid:1", "resource": one} for one in (patient(), encounter())]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    records, problems = taken(data)

    assert records == []
    assert found(problems) == {("SRC-TWICE", "Bundle.entry[0].fullUrl"), ("SRC-TWICE", "Bundle.entry[1].fullUrl")}


def test_a_lost_contained_resource_is_told() -> None:
    """A goal that is referred to and not there does not go missing silently."""
    goal = {"resourceType": "Goal", "id": "g1", "lifecycleStatus": "active", "description": {"text": "Oma ala"},
            "subject": {"reference": "Patient/p1"}}  # fmt: skip
    made = plan(contained=[goal], goal=[{"reference": "#g1"}, {"reference": "#g2"}])
    records, problems = taken(bundle(patient(), made))

    assert [one.content.get("goals") for one in records if one.type == "implementation_plan"] == [[{"name": "Oma ala"}]]
    assert ("SRC-REFERENCE", "Bundle.entry[1].resource.goal[1].reference") in found(problems)


def test_the_recorder_is_the_first_worker_who_took_part() -> None:
    """Relatives and others among the participants wrote nothing; the worker's name tells who it was (GEN-04)."""
    took_part = [
        {"individual": {"reference": "RelatedPerson/x", "display": "Ville Vieras"}},
        {"individual": {"reference": "PractitionerRole/r1", "display": "Nina Esimerkki"}},
    ]
    (record,), _ = taken(bundle(encounter(participant=took_part)))

    assert record.content["recorder"] == "PractitionerRole/r1"
    assert record.content["recorder_name"] == {"given_names": "Nina", "surname": "Esimerkki"}
    assert record.dropped["participant.individual.display"] == 1


@pytest.mark.parametrize(
    ("request_", "rule", "pointer", "taken_"),
    [
        ({"method": "POST", "url": "Encounter"}, "", "", True),
        ({"method": "PUT", "url": "Encounter/e1"}, "", "", True),
        ({"method": "PUT", "url": "Encounter/other"}, "SRC-REQUEST", "request.url", False),
        ({"method": "PUT", "url": f"Encounter?identifier=urn:x|{CODE}"}, "SRC-CONDITION", "request", True),
        ({"method": "POST", "url": "Encounter", "ifNoneExist": f"identifier={CODE}"}, "SRC-CONDITION", "request", True),
        ({"method": "DELETE", "url": "Encounter/e1"}, "SRC-REQUEST", "request.method", False),
        ({"method": "PATCH", "url": "Encounter/e1"}, "SRC-REQUEST", "request.method", False),
        ({"method": "salaisuus", "url": "Encounter/e1"}, "SRC-REQUEST", "request.method", False),
    ],
)
def test_a_transaction_brings_what_is_posted_or_put(
    request_: Resource,
    rule: str,
    pointer: str,
    taken_: bool,  # noqa: FBT001
) -> None:
    """A condition is told and not looked into; any other request is told and does nothing."""
    records, problems = taken(transaction(posted(patient()), {"resource": encounter(), "request": request_}))

    assert found(problems) == ({(rule, f"Bundle.entry[1].{pointer}")} if rule else set())
    assert (meetings(records) == ["p1"]) is taken_
    assert not {"salaisuus", CODE} & set(repr(problems).replace("'", " ").split())


def test_a_resource_without_id_has_that_of_the_url_it_is_put_to() -> None:
    """A PUT names the resource; what refers to it finds it."""
    unnamed = {key: one for key, one in patient().items() if key != "id"}
    records, _ = taken(transaction(
        {"fullUrl": "urn:uuid:1", "resource": unnamed, "request": {"method": "PUT", "url": "Patient/p9"}},
        posted(encounter(subject={"reference": "urn:uuid:1"})),
    ))  # fmt: skip

    assert [(one.id, one.client) for one in records] == [("p9", None), ("Encounter/e1", "p9")]


def test_an_encounter_without_id_is_known_by_its_natural_key() -> None:
    """Client, day and time tell contacts apart where nothing else does (GEN-06)."""
    unnamed = {key: one for key, one in encounter().items() if key != "id"}
    records, problems = taken(transaction(posted(unnamed), posted(patient())))

    assert [(one.id, one.label, one.is_keyed) for one in records if one.type == "meeting"] == [
        ("p1|2025-09-13|02:30", "Encounter/p1|2025-09-13|02:30", True)
    ]
    assert found(problems) == set()


@pytest.mark.parametrize(
    ("edition", "expected"), [("7", (7, False)), ("0", (1, True)), ("W/a1", (1, True)), (None, (1, True))]
)
def test_a_version_id_that_is_no_number_orders_nothing(edition: str | None, expected: tuple[int, bool]) -> None:
    """FHIR's version ids are words: only a number can say which state is the later one (GEN-03, GEN-06)."""
    (record,), _ = taken(bundle(plan(**({"meta": {"versionId": edition.replace("/", "-")}} if edition else {}))))

    assert (record.version, record.is_keyed) == expected
