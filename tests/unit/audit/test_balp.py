"""AuditEvents follow the patterns of IHE BALP: who, client, data, purpose, provision, and why something failed."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent as FhirAuditEvent

from kanta_gateway.audit.fhir import TYPES, audit_event, policies
from kanta_gateway.model import Event

CLIENT = "c" * 64


def entry(event: str, **more: Any) -> dict[str, Any]:
    """An entry of the log."""
    actor = {"ref": "r" * 64, "name": "n", "system": "own system", "organisation": "1.2.3", "role": "worker",
             "contract": "C", "relation": "", "development": False}  # fmt: skip
    return {
        "idx": 3, "at": "2026-03-02T10:00:00.000000Z", "log": "use", "event": event, "actor": actor, "subject": "t-1",
        "provider": "1.2.3", "controller": "1.2.4", "purpose": "service", "basis": "703/2023 §56.1(2); GDPR 5(1)(e)",
        "details": {}, "client": CLIENT, **more,
    }  # fmt: skip


def made(one: dict[str, Any]) -> dict[str, Any]:
    """The resource, which an independent model accepts."""
    resource = audit_event(one, person_name="Testi Ohjaaja", observer="gateway")
    FhirAuditEvent(**resource)
    return resource


def agents(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Code of its type -> agent."""
    return {one["type"]["coding"][0]["code"]: one for one in resource["agent"]}


def profile(resource: dict[str, Any]) -> str:
    """Name of the profile that it claims."""
    return "".join(resource.get("meta", {}).get("profile", [])).rpartition("IHE.BasicAudit.")[2]


@pytest.mark.parametrize(
    ("event", "expected", "ends"),
    [
        ("record:read", "PatientRead", ("110152", "110153")),
        ("record:submit", "PatientCreate", ("110153", "110152")),
        ("record:allow", "PatientUpdate", ("110153", "110152")),
        ("document:destroy-key", "PatientDelete", ("110150", "custodian")),
    ],
)
def test_use_follows_the_pattern_of_its_operation(event: str, expected: str, ends: tuple[str, str]) -> None:
    """A use has user with name and purpose, client and server, the client as patient, and the data."""
    resource = made(entry(event))
    found = agents(resource)
    kinds = [(one["type"]["code"], one.get("role", {}).get("code")) for one in resource["entity"]]
    asker, server = (found[one] for one in ends)
    user = next(one for one in resource["agent"] if one["requestor"])

    assert expected == profile(resource)
    assert "rest" == resource["type"]["code"]
    assert ("own system", "gateway") == (asker["who"]["display"], server["who"]["display"])
    assert all(one["network"]["address"] for one in (asker, server))
    assert ("Testi Ohjaaja", "r" * 64) == (user["name"], user["who"]["identifier"]["value"])
    assert ["urn:fi:laki:703/2023#56.1.2", "urn:eu:reg:2016/679#5.1.e"] == user["policy"]
    assert "service" == user["purposeOfUse"][0]["text"]
    assert [("2", "4"), ("1", "1")] == kinds
    assert CLIENT == resource["entity"][1]["what"]["identifier"]["value"]
    assert "0" == resource["outcome"]


def test_a_use_of_no_client_claims_no_patient() -> None:
    """Without a client the profile is that without a patient."""
    one = entry("figures:read")
    del one["client"]

    assert "Read" == profile(made(one))


def test_a_disclosure_has_discloser_recipient_and_custodian() -> None:
    """A disclosure is an export that the source records, to a recipient, of the controller's data."""
    resource = made(entry("document:send", log="disclosure", recipient="archive"))
    found = agents(resource)

    assert ("110106", "R", "disclose") == (
        resource["type"]["code"], resource["action"], resource["subtype"][0]["code"]
    )  # fmt: skip
    assert "PrivacyDisclosure.Source" == profile(resource)
    assert resource["source"]["observer"] == found["110153"]["who"]
    assert "urn:oid:1.2.3" == found["110153"]["who"]["identifier"]["value"]
    assert "archive" == found["110152"]["who"]["display"]
    assert "urn:oid:1.2.4" == found["159541003"]["who"]["identifier"]["value"]


def test_a_denial_keeps_the_pattern_and_says_why() -> None:
    """A denied read is a read whose outcome is a failure, with the reasons, and claims no profile."""
    resource = made(entry("request:deny", log="system", subject="record:read", details={
        "asked": "record:read", "reasons": ["ACC-04"], "failed": ["D2:mandate"],
    }))  # fmt: skip

    assert ("rest", "R", "8", "") == (
        resource["type"]["code"], resource["action"], resource["outcome"], profile(resource)
    )  # fmt: skip
    assert ("forbidden", "ACC-04") == tuple(
        resource["contained"][0]["issue"][0][name] for name in ("code", "diagnostics")
    )
    assert {"reference": "#outcome"} == resource["entity"][-1]["what"]


def test_a_denial_by_the_clients_will_is_an_authorisation_decision() -> None:
    """A denial that a prohibition decided follows AuthZconsent: system, user, organisation, decider and consent."""
    resource = made(entry("request:deny", log="system", details={
        "asked": "record:read", "reasons": ["D0"], "failed": ["D3:prohibition"],
    }))  # fmt: skip

    assert ("110113", "AuthZ-Consent", "E") == (
        resource["type"]["code"], resource["subtype"][0]["code"], resource["action"]
    )  # fmt: skip
    assert {"IRCP", "110150", "PROV", "authserver"} <= agents(resource).keys()
    assert "Consent" in {one["type"]["code"] for one in resource["entity"]}


def test_every_event_has_its_type() -> None:
    """Every event of the gateway has a type; one of another version is shown as what its word says."""
    unknown = made(entry("thing:read"))

    assert set(Event) == set(TYPES)
    assert ("rest", "R") == (unknown["type"]["code"], unknown["action"])


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("703/2023 §14", ["urn:fi:laki:703/2023#14"]),
        ("1290/2002 13:1; 48/2026 §45.1(4)", ["urn:fi:laki:1290/2002#13:1", "urn:fi:laki:48/2026#45.1.4"]),
        ("GDPR 28(3)", ["urn:eu:reg:2016/679#28.3"]),
        ("the client's own wish", ["urn:kanta-gateway:basis:the%20client%27s%20own%20wish"]),
        ("", []),
    ],
)
def test_provisions_are_identifiers(basis: str, expected: list[str]) -> None:
    """Each provision of an entry's basis is one identifier."""
    assert expected == policies(basis)
