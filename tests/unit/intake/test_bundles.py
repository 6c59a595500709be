"""FHIR Bundles: what becomes a record, what is told by path, and what a faulty bundle leads to."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.model import Record, Severity

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Puhuttiin&#160;työstä.</p><p>Sovittiin.</p></div>'
Resource = dict[str, Any]


def patient(**changes: Any) -> Resource:
    """A client."""
    return {
        "resourceType": "Patient", "id": "p1", "name": [{"family": "Esimerkki", "given": ["Eeva", "Maria"]}],
        "identifier": [{"system": "urn:oid:1.2.246.21", "value": "010190-961U"}],
    } | changes  # fmt: skip


def encounter(**changes: Any) -> Resource:
    """A meeting."""
    return {
        "resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/p1"},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
        "type": [{"text": "Tapaaminen"}],
        "period": {"start": "2025-09-12T23:30:00+00:00", "end": "2025-09-13T00:15:00+00:00"},
        "participant": [{"individual": {"reference": "PractitionerRole/r1"}}],
        "serviceProvider": {"reference": "Organization/o1"},
        "text": {"status": "generated", "div": NARRATIVE},
    } | changes  # fmt: skip


def plan(**changes: Any) -> Resource:
    """An implementation plan."""
    return {
        "resourceType": "CarePlan", "id": "c1", "status": "active", "intent": "plan", "created": "2025-09-01",
        "category": [{"text": "Toteuttamissuunnitelma"}], "subject": {"reference": "Patient/p1"},
        "author": {"reference": "PractitionerRole/r1"},
    } | changes  # fmt: skip


def bundle(*resources: Any, **changes: Any) -> bytes:
    """A bundle of resources."""
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": one} for place, one in enumerate(resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries} | changes).encode()


def taken(data: bytes) -> tuple[list[Record], list[Problem]]:
    """Records and problems of a bundle."""
    items = list(read(SOURCES["fhir-bundle"], io.BytesIO(data), "bundle.json"))
    return [one for one in items if isinstance(one, Record)], [one for one in items if isinstance(one, Problem)]


def only(*resources: Any) -> Record:
    """The one record of a bundle that has no problems but dangling references."""
    records, problems = taken(bundle(*resources))
    assert {one.finding.rule for one in problems} <= {"SRC-REFERENCE"}
    (record,) = records
    return record


def test_a_meeting_has_the_finnish_day_and_the_text_of_its_narrative() -> None:
    """23.30 UTC is the next day in Finland; blocks of the narrative are lines, marks of form are left out."""
    made = only(encounter())

    assert ("meeting", "Encounter/e1", "p1") == (made.type, made.id, made.client)
    assert {
        "date": "2025-09-13", "start_time": "02:30", "end_time": "03:15", "mode": "remote", "topic": "Tapaaminen",
        "description": "Puhuttiin työstä.\nSovittiin.", "recorder": "PractitionerRole/r1",
        "producer": "Organization/o1",
    } == made.content  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "cancelled"}, "missed_meeting"),
        ({"type": [{"text": "Verkostoneuvottelu etänä"}]}, "negotiation"),
        ({"type": [{"text": "Puhelu"}]}, "meeting"),
    ],
)
def test_an_encounter_is_of_the_first_kind_that_holds(changes: Resource, expected: str) -> None:
    """Status and type tell a missed meeting and a negotiation from a meeting."""
    assert only(encounter(**changes)).type == expected


def test_entered_in_error_is_the_cancelled_record() -> None:
    """What was entered in error cancels the record of its id."""
    assert only(encounter(status="entered-in-error")).is_cancelled
    assert not only(encounter()).is_cancelled


def test_what_replaces_a_resource_is_its_next_version_in_any_order() -> None:
    """A chain of `replaces` is one record with versions 1, 2, 3, named by the first, wherever they stand (GEN-03)."""
    chain = [
        plan(id="c3", replaces=[{"reference": "CarePlan/c2"}]),
        plan(id="c1"),
        plan(id="c2", replaces=[{"reference": "CarePlan/c1"}]),
    ]
    records, _ = taken(bundle(patient(), *chain))

    found = sorted((one.version, one.id, one.label) for one in records if one.type == "implementation_plan")
    assert found == [
        (1, "CarePlan/c1", "CarePlan/c1"), (2, "CarePlan/c1", "CarePlan/c2"), (3, "CarePlan/c1", "CarePlan/c3"),
    ]  # fmt: skip


def test_a_circle_of_replacements_ends() -> None:
    """Two plans that replace each other are told as they can be, and reading ends."""
    records, _ = taken(bundle(plan(id="a", replaces=[{"reference": "CarePlan/b"}]),
                              plan(id="b", replaces=[{"reference": "CarePlan/a"}])))  # fmt: skip

    assert len(records) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"extension": [{"url": "urn:esimerkki:fhir:turvakielto", "valueBoolean": True}]}, True),
        ({"meta": {"security": [{"system": "urn:x", "code": "TURVAKIELTO"}]}}, True),
        ({"meta": {"security": [{"system": "urn:x", "code": "R"}]}}, False),
    ],
)
def test_turvakielto_is_read_from_extension_and_from_label(changes: Resource, expected: bool) -> None:  # noqa: FBT001
    """Either mark is enough."""
    assert only(patient(**changes)).content["non_disclosure"] is expected


def test_sections_of_an_attached_text_are_found_by_their_titles() -> None:
    """A summary that is Base64 text has the same fields as one with sections."""
    text = "Palvelun sisältö\nTapaamisia viikoittain.\n\nEteneminen\nHyvin.\nJatkosuunnitelma\nTyökokeilu."
    made = only({
        "resourceType": "DocumentReference", "id": "d1", "status": "current", "type": {"text": "Loppuyhteenveto"},
        "subject": {"reference": "Patient/p1"}, "date": "2025-11-30T10:00:00+02:00",
        "author": [{"reference": "PractitionerRole/r1"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}],
    })  # fmt: skip

    assert "final_summary" == made.type
    told = {name: made.content.get(name) for name in ("content", "progress", "client_view", "continuation_plan")}
    assert {
        "content": "Tapaamisia viikoittain.", "progress": "Hyvin.", "client_view": None,
        "continuation_plan": "Työkokeilu.",
    } == told  # fmt: skip


def test_elements_that_no_path_reads_are_counted_by_path_and_not_kept() -> None:
    """What the gateway cannot use is told by path; its value is in no record."""
    made = only(encounter(reasonCode=[{"text": "F41.2 ahdistus"}], length={"value": 45, "unit": "min"}))

    assert {"reasonCode.text": 1, "length.value": 1, "length.unit": 1}.items() <= made.dropped.items()
    assert "F41.2" not in repr(made)


def test_a_reference_to_nothing_is_told_and_its_record_is_kept() -> None:
    """A client may come in another delivery: the record waits for it there."""
    records, problems = taken(bundle(encounter()))

    assert [one.client for one in records] == ["p1"]
    assert [(one.finding.rule, one.finding.pointer) for one in problems] == [
        ("SRC-REFERENCE", "/entry/0/resource/subject.reference")
    ]


def test_references_by_full_url_find_their_entry() -> None:
    """In a transaction entries point at each other by URN."""
    records, problems = taken(bundle(patient(), encounter(subject={"reference": "urn:uuid:0"}), type="transaction"))

    assert problems == []
    assert {one.client for one in records if one.type == "meeting"} == {"p1"}


@pytest.mark.parametrize(
    ("resource", "rule", "pointer"),
    [
        (encounter(period={"start": "12.9.2025"}), "SRC-FHIR", "/entry/1/resource/period/start"),
        (encounter(meta={"profile": ["http://hl7.org/fhir/5.0/StructureDefinition/Encounter|5.0"]}), "SRC-RELEASE",
         "/entry/1/resource/meta/profile"),
        ({"resourceType": "Encountre", "id": "x"}, "SRC-KIND", "/entry/1/resource/resourceType"),
        ({"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}, "SRC-RESOURCE",
         "/entry/1/resource"),
        (encounter(id=""), "SRC-ID", "/entry/1/resource"),
        ("no resource", "SRC-TYPE", "/entry/1/resource"),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_hold_is_told_by_path_and_the_others_go_through(
    resource: Any, rule: str, pointer: str
) -> None:
    """Every mistake has the path of its element; no value is repeated."""
    records, problems = taken(bundle(patient(), resource, encounter(id="good")))

    assert {"p1", "Encounter/good"} == {one.id for one in records}
    assert (rule, pointer) in {(one.finding.rule, one.finding.pointer) for one in problems}
    assert "12.9.2025" not in repr(problems)


def test_a_status_of_another_list_is_a_finding_on_the_record() -> None:
    """The models do not know the required code lists: the source names the words that count."""
    made = only(encounter(status="tehty"))

    assert [(one.rule, one.pointer) for one in made.findings] == [("SRC-CHOICE", "/entry/0/resource/status")]
    assert made.findings[0].severity >= Severity.HOLD
    assert "tehty" not in repr(made.findings)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "SRC-JSON"),
        (b"{", "SRC-JSON"),
        (b"[]", "SRC-BUNDLE"),
        (bundle(type="document"), "SRC-BUNDLE"),
        (json.dumps(patient()).encode(), "SRC-BUNDLE"),
        (bundle(patient())[:-5], "SRC-JSON"),
        (bundle(patient(name=[{"family": "Häkkinen", "given": ["Å"]}])).decode().encode("utf-16"), "SRC-JSON"),
    ],
)
def test_a_file_that_is_no_bundle_is_refused_with_its_reason(data: bytes, rule: str) -> None:
    """Empty, cut off, another encoding or another kind of bundle: one clear finding."""
    with pytest.raises(UnreadableError) as seen:
        taken(data)

    assert [one.rule for one in seen.value.findings] == [rule]


def test_the_same_entry_twice_is_told() -> None:
    """Two entries of one name in one bundle cannot both be meant."""
    _, problems = taken(bundle(patient(), patient()))

    assert [(one.finding.rule, one.finding.pointer) for one in problems] == [("SRC-TWICE", "/entry/1")]


@pytest.mark.parametrize("kind", ["Patient", "Organization", "Encounter"])
@pytest.mark.parametrize("depth", [200, 50_000])
def test_a_bundle_nested_beyond_reason_is_refused(kind: str, depth: int) -> None:
    """Nesting that would exhaust the stack is found before anything is put together."""
    deep = '{"url":"x","extension":[' * depth + "{}" + "]}" * depth
    resource = f'{{"resourceType":"{kind}","id":"a","extension":[{deep}]}}'
    with pytest.raises(UnreadableError) as seen:
        taken(f'{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{resource}}}]}}'.encode())

    assert [one.rule for one in seen.value.findings] == ["SRC-DEPTH"]
