"""FHIR Bundles: what becomes a record, what is told by path, and what a faulty bundle leads to."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from typing import Any

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.kinds import Header, Problem
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.model import MAX_VERSION, Record, Severity

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
    """A chain of `replaces` is one record, each above all states of the one before it (GEN-03)."""
    chain = [
        plan(id="c3", replaces=[{"reference": "CarePlan/c2"}]),
        plan(id="c1"),
        plan(id="c2", replaces=[{"reference": "CarePlan/c1"}]),
    ]
    records, _ = taken(bundle(patient(), *chain))

    found = sorted((one.version, one.id, one.label) for one in records if one.type == "implementation_plan")
    assert found == [
        (1, "CarePlan/c1", "CarePlan/c1"), (MAX_VERSION + 1, "CarePlan/c1", "CarePlan/c2"),
        (2 * MAX_VERSION + 1, "CarePlan/c1", "CarePlan/c3"),
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
        ({"meta": {"security": [{"system": "urn:x", "code": "turvakielto"}]}}, True),
        ({"meta": {"security": [{"system": "urn:x", "code": "R"}]}}, False),
        ({"extension": [{"url": "urn:esimerkki:fhir:turvakielto", "valueBoolean": False}]}, False),
        (
            {
                "extension": [{"url": "urn:esimerkki:fhir:turvakielto", "valueBoolean": False}],
                "meta": {"security": [{"code": "TURVAKIELTO"}]},
            },
            True,
        ),
        ({"extension": [{"url": "urn:esimerkki:fhir:turvakielto", "valueCode": "true"}]}, True),
        ({"extension": [{"url": "urn:esimerkki:fhir:turvakielto", "valueString": "ehkä"}]}, None),
        ({"extension": [{"url": "urn:esimerkki:fhir:turvakielto"}]}, None),
    ],
)
def test_turvakielto_is_read_from_extension_and_from_label(changes: Resource, expected: bool | None) -> None:  # noqa: FBT001
    """Either mark is enough; one that cannot be read is not the same as none."""
    assert only(patient(**changes)).content.get("non_disclosure") is expected


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
    """Client, worker and unit may come in another delivery: the record waits for them there."""
    records, problems = taken(bundle(encounter()))

    assert [one.client for one in records] == ["p1"]
    assert {(one.finding.rule, one.finding.pointer) for one in problems} == {
        ("SRC-REFERENCE", f"Bundle.entry[0].resource.{path}.reference")
        for path in ("subject", "participant[0].individual", "serviceProvider")
    }


AT = "Bundle.entry[1].resource"


@pytest.mark.parametrize(
    ("resource", "rule", "pointer"),
    [
        (encounter(period={"start": "12.9.2025"}), "SRC-FHIR", f"{AT}.period.start"),
        (encounter(Nimi="12.9.2025"), "SRC-FHIR", AT),
        (encounter(meta={"profile": ["http://hl7.org/fhir/5.0/StructureDefinition/Encounter"]}), "SRC-RELEASE",
         f"{AT}.meta.profile[0]"),
        (encounter(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/Encounter|3.0.2"]}), "SRC-RELEASE",
         f"{AT}.meta.profile[0]"),
        (encounter(modifierExtension=[{"url": "urn:x", "valueString": "12.9.2025"}]), "SRC-MODIFIER",
         f"{AT}.modifierExtension"),
        (encounter(implicitRules="urn:x"), "SRC-MODIFIER", f"{AT}.implicitRules"),
        ({"resourceType": "Encountre", "id": "x"}, "SRC-KIND", f"{AT}.resourceType"),
        ({"resourceType": "HumanName", "id": "x"}, "SRC-KIND", f"{AT}.resourceType"),
        ({"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}, "SRC-RESOURCE", AT),
        ({"resourceType": "MedicinalProduct", "id": "m"}, "SRC-RESOURCE", AT),
        (encounter(status="planned"), "SRC-RESOURCE", AT),
        (encounter(id=""), "SRC-FHIR", f"{AT}.id"),
        ({key: one for key, one in patient().items() if key != "id"}, "SRC-ID", f"{AT}.id"),
        (encounter(subject={"reference": "Group/g1"}), "SRC-CLIENT", f"{AT}.subject"),
        ("no resource", "SRC-TYPE", AT),
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
    assert "Nimi" not in repr(problems)


@pytest.mark.parametrize(
    "profile",
    [
        "http://hl7.org/fhir/StructureDefinition/Encounter",
        "http://hl7.org/fhir/StructureDefinition/Encounter|4.0.1",
        "http://hl7.org/fhir/StructureDefinition/Encounter|4.3.0",
        "https://hl7.fi/fhir/finnish-base-profiles/StructureDefinition/fi-base-encounter|1.0.0",
    ],
)
def test_a_profile_of_this_release_or_of_others_with_their_own_versions_is_read(profile: str) -> None:
    """Only HL7's own profiles tell a release by their version."""
    assert only(encounter(meta={"profile": [profile]})).type == "meeting"


@pytest.mark.parametrize("status", ["arrived", "triaged", "in-progress", "onleave", "unknown"])
def test_what_is_unfinished_waits(status: str) -> None:
    """An encounter that is not over yet makes no document; the finding stands on its status."""
    made = only(encounter(status=status))

    assert [(one.rule, one.pointer, one.severity) for one in made.findings] == [
        ("SRC-UNFINISHED", "Bundle.entry[0].resource.status", Severity.HOLD)
    ]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-09-12T10:00:00+03:00", "2025-09-12T09:59:00+03:00", True),
        ("2025-09-12T10:00:00+03:00", "2025-09-12T08:00:00Z", False),
        ("2025-09-12T10:00:00+03:00", "2025-09-12", False),
        ("2025-09-12", "2025-09-11T23:00:00Z", True),
        ("2025-09-12", "2025-08", True),
        ("2025-09-12", "2025-09", False),
    ],
)
def test_a_period_that_ends_before_it_starts_waits(start: str, end: str, expected: bool) -> None:  # noqa: FBT001
    """Moments are compared with their offsets; what is less exact contradicts nothing within it."""
    made = only(encounter(period={"start": start, "end": end}))

    found = [one.pointer for one in made.findings if one.rule == "SRC-PERIOD"]
    assert found == (["Bundle.entry[0].resource.period.end"] if expected else [])


def test_a_status_of_another_list_is_a_finding_on_the_record() -> None:
    """The models do not know the required code lists: the source names the words that count."""
    made = only(encounter(status="tehty"))

    assert [(one.rule, one.pointer) for one in made.findings] == [("SRC-CHOICE", "Bundle.entry[0].resource.status")]
    assert made.findings[0].severity >= Severity.HOLD
    assert "tehty" not in repr(made.findings)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "SRC-JSON"),
        (b"{", "SRC-JSON"),
        (b"[]", "SRC-BUNDLE"),
        (b"{}", "SRC-BUNDLE"),
        (bundle(type="document"), "SRC-BUNDLE"),
        (bundle(type="searchset"), "SRC-BUNDLE"),
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


def test_the_same_entry_twice_is_a_repeat_and_another_one_of_its_name_is_told() -> None:
    """Of two entries of one name and version that say different things neither can be meant; versions can be both."""
    repeated, problems = taken(bundle(patient(), patient()))

    assert ([one.id for one in repeated], problems) == (["p1", "p1"], [])

    differing, problems = taken(bundle(patient(), patient(active=True)))

    assert differing == []
    assert [(one.finding.rule, one.finding.pointer) for one in problems] == [
        ("SRC-TWICE", "Bundle.entry[0].resource.id"), ("SRC-TWICE", "Bundle.entry[1].resource.id"),
    ]  # fmt: skip

    versions, problems = taken(bundle(*(plan(meta={"versionId": one}, note=[{"text": one}]) for one in "12")))

    assert [one.version for one in versions] == [1, 2]
    assert {one.finding.rule for one in problems} == {"SRC-REFERENCE"}


def test_an_empty_bundle_is_told() -> None:
    """A bundle without entries is no delivery."""
    records, problems = taken(bundle())

    assert ([], [("SRC-EMPTY", "Bundle.entry")]) == (
        records, [(one.finding.rule, one.finding.pointer) for one in problems]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("timestamp", "expected"), [("2022-12-14T23:30:00Z", "2022-12-15"), ("2022-12-15", None), (None, None)]
)
def test_the_bundles_own_time_stamp_is_the_day_of_the_delivery(timestamp: str | None, expected: str | None) -> None:
    """Clocks are read as of the Finnish day of `Bundle.timestamp`, wherever it stands in the file."""
    data = bundle(patient(), **({"timestamp": timestamp} if timestamp else {}))
    found = [one for one in read(SOURCES["fhir-bundle"], io.BytesIO(data), "b") if isinstance(one, Header)]

    assert [str(one.as_of) for one in found] == ([expected] if expected else [])


def test_what_stands_too_deep_or_is_too_large_stops_nothing() -> None:
    """An entry that nobody can have meant is told by its place, and the next one is read."""
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    large = encounter(id="large", text={"status": "generated", "div": "x" * 11_000_000})
    records, problems = taken(bundle(encounter(id="deep", reasonCode=deep), large, patient()))

    assert [one.id for one in records] == ["p1"]
    found = [(one.finding.rule, one.finding.pointer.partition(".reasonCode")[0]) for one in problems]
    assert found == [("SRC-DEPTH", "Bundle.entry[0].resource"), ("SRC-SIZE", "Bundle.entry[1]")]


def test_a_key_that_stands_twice_is_told_by_its_place() -> None:
    """Nobody knows which one is meant."""
    data = bundle(patient(gender="male")).replace(b'"gender": "male"', b'"gender": "male", "gender": "female"')
    records, problems = taken(data)

    assert (records, [(one.finding.rule, one.finding.pointer) for one in problems]) == (
        [], [("SRC-TWICE", "Bundle.entry[0].resource.gender")]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"kind": "exchange", "status": "active"}),
        ({"status": "inactive"}, {"kind": "exchange", "status": "withdrawn"}),
        ({"provision": {"type": "deny"}}, {"kind": "exchange", "status": "withdrawn"}),
        ({"scope": {"coding": [{"code": "research"}]}}, {"kind": "other", "status": "active"}),
        ({"extension": [{"url": "urn:esimerkki:fhir:suostumus-peruttu", "valueDate": "2022-11-01"}]},
         {"kind": "exchange", "status": "active", "withdrawn_on": "2022-11-01"}),
    ],
)  # fmt: skip
def test_a_consent_tells_what_it_is_about_and_whether_it_stands(changes: Resource, expected: Resource) -> None:
    """A denial is none, and consents to other things than exchange are told apart."""
    made = only(CONSENT | changes)

    assert {"given_on": "2022-09-05"} | expected == made.content


@pytest.mark.parametrize("status", ["draft", "proposed"])
def test_a_consent_that_nobody_has_given_is_none(status: str) -> None:
    """A draft is told and left out."""
    records, problems = taken(bundle(CONSENT | {"status": status}))

    assert ([], ["SRC-RESOURCE"]) == (records, [one.finding.rule for one in problems])


CONSENT: Resource = {
    "resourceType": "Consent", "id": "s1", "status": "active", "patient": {"reference": "Patient/p1"},
    "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"text": "Lisäsuostumus"}],
    "dateTime": "2022-09-05", "policyRule": {"text": "Vapaaehtoinen"},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["Patient", "Organization", "Encounter"])
@pytest.mark.parametrize("depth", [200, 50_000])
def test_an_entry_nested_beyond_reason_is_told_and_the_others_go_through(kind: str, depth: int) -> None:
    """Nesting that would exhaust the stack is cut where it begins, while the file is read."""
    deep = '{"url":"x","extension":[' * depth + "{}" + "]}" * depth
    resource = f'{{"resourceType":"{kind}","id":"a","extension":[{deep}]}}'
    entries = f'[{{"resource":{resource}}},{{"resource":{json.dumps(patient())}}}]'
    records, problems = taken(f'{{"resourceType":"Bundle","type":"collection","entry":{entries}}}'.encode())

    assert [one.id for one in records] == ["p1"]
    found = [(one.finding.rule, one.finding.pointer) for one in problems]
    assert found == [("SRC-DEPTH", "Bundle.entry[0].resource.extension")]


def test_the_models_are_loaded_for_bundles_only() -> None:
    """Reading another format, and compiling all of them, brings none of the heavy models in."""
    program = (
        "import io, sys\n"
        "from kanta_gateway import knowledge\n"
        "from kanta_gateway.intake.readers import read\n"
        "from kanta_gateway.intake.records import RecordSchemas\n"
        "from kanta_gateway.intake.sources import load_sources\n"
        "schemas = RecordSchemas.load(knowledge.texts('schemas/records', suffix='.json'))\n"
        "sources = load_sources(knowledge.texts('mappings/sources'), schemas)\n"
        "list(read(sources['json-lines'], io.BytesIO(b'{}'), 'x'))\n"
        "print([name for name in sys.modules if name.partition('.')[0] in {'fhir', 'fhir_core'}])\n"
    )
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert seen.stdout == "[]\n"
