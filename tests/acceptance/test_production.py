"""What production refuses: unverified codes, unregistered parties, unnamed persons, development keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kanta_gateway import knowledge
from kanta_gateway.app import build
from kanta_gateway.audit.checkpoint import COSIGNATURE
from kanta_gateway.audit.cosign import Cosigner
from kanta_gateway.errors import KeyUnavailableError, MisconfiguredError, NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.intake.desk import Desk
from kanta_gateway.intake.front import File
from kanta_gateway.settings import Settings
from kanta_gateway.web import application

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "lapha-small.json"


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A development installation whose pipeline is told that it is production."""
    return build(Settings.from_environment({}, data=tmp_path / "data", signing_algorithm="p-256", lang="en"))


def strict(gateway: Gateway) -> Desk:
    """The same installation's desk under the rules of production."""
    return Desk(replace(gateway.parts, is_production=True), gateway.sources)


def sample() -> list[File]:
    """The small sample of our own."""
    return [File(SAMPLE.name, lambda: SAMPLE.open("rb"))]


def test_unverified_codes_hold_every_document(gateway: Gateway) -> None:
    """In production no document is built that needs an unverified code: its record is held and names the code."""
    caller = gateway.actor("person-1", "Person One", "delivery")
    gateway.registration.register_party(
        "1.2.246.10.94005128.10.0", "Provider", "1.2.246.10.94006007.10.0", "Organiser", "NAYTE/1/2025", "lapha"
    )
    result = strict(gateway).import_files(sample(), "lapha-json", "lapha", caller, "en")
    rows = list(result.rows())
    held = [row for row in rows if row["outcome"] == "held"]

    assert held
    assert not any(row["documents"] for row in rows)
    assert all(
        any(one["rule"].startswith("CODE-") and one["severity"] == "hold" for one in row["findings"])
        or any(one["severity"] == "hold" and one["rule"] == "LAP-11" for one in row["findings"])
        for row in held
    )


def test_development_builds_and_says_so(gateway: Gateway) -> None:
    """Elsewhere the same documents are built, and every record tells which codes are not verified."""
    result = gateway.deliveries.import_files([SAMPLE], "lapha-json", "lapha", gateway.actor(None, None, None))
    made = [row for row in result.rows() if row["documents"]]

    assert made
    assert all(any(one["rule"].startswith("CODE-") for one in row["findings"]) for row in made)


def test_unregistered_provider_is_refused(gateway: Gateway) -> None:
    """In production a provider without a registered contract delivers nothing."""
    with pytest.raises(NotPermittedError):
        strict(gateway).import_files(sample(), "lapha-json", "lapha", gateway.actor(None, None, None), "en")


def test_no_keys_are_made_up(tmp_path: Path) -> None:
    """In production a missing key stops the start."""
    with pytest.raises(KeyUnavailableError):
        build(Settings.from_environment({"KANTA_ENVIRONMENT": "production"}, data=tmp_path / "data"))


def test_development_certificate_is_refused(tmp_path: Path) -> None:
    """Production does not sign with a development certificate."""
    build(Settings.from_environment({}, data=tmp_path / "data", signing_algorithm="p-256")).close()
    with pytest.raises(MisconfiguredError):
        build(Settings.from_environment({"KANTA_ENVIRONMENT": "production"}, data=tmp_path / "data"))


def test_nobody_acts_unnamed(gateway: Gateway) -> None:
    """In production a local command without a person is refused."""
    gateway.settings = replace(gateway.settings, environment="production")
    with pytest.raises(MisconfiguredError):
        gateway.actor(None, None, None)


def test_check_names_what_each_code_blocks(gateway: Gateway) -> None:
    """`check` lists the unverified codes with the structures that production does not build because of them."""
    told = {(one["list"], one["key"]): one["blocks"] for one in gateway.checkup.lacking()["unverified_codes"]}

    assert "19007" in told["contact-mode", "on_site"]
    assert told["document-type", "Arvio"] == ["1003"]
    assert ("document-type", "Hakemus") not in told


def test_the_logs_own_key_is_no_witness(tmp_path: Path) -> None:
    """A file of witnesses that names the log's own key keeps the gateway from starting, and so does one too short."""
    settings = Settings.from_environment({}, data=tmp_path / "data", signing_algorithm="p-256", lang="en")
    first = build(settings)
    key = first.parts.checkpoints.key
    first.close()
    file = tmp_path / "witnesses"
    file.write_text(f"{replace(key, name='purchaser', kind=COSIGNATURE)} https://witness.example\n", "utf-8")
    with pytest.raises(MisconfiguredError, match="own key"):
        build(replace(settings, witnesses_file=str(file), witness_quorum=1))
    file.write_text(f"{Cosigner('purchaser', Ed25519PrivateKey.generate()).key} https://witness.example\n", "utf-8")
    with pytest.raises(MisconfiguredError, match="quorum of 2 witnesses was asked for, found 1"):
        build(replace(settings, witnesses_file=str(file), witness_quorum=2))


def test_a_widened_policy_serves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a maximum that allows more than the decree's table the API does not start, and `check` says so. [CTL-15]"""
    plain = knowledge.text

    def widened(name: str, own: Path | None = None) -> str:
        text = plain(name, own)
        if name != "mappings/policy/maximum.cedar":
            return text
        return text.replace('!["SOV", "TER"].contains(context.kind)', '!["SOV"].contains(context.kind)', 1)

    monkeypatch.setattr(knowledge, "text", widened)
    gateway = build(Settings.from_environment({}, data=tmp_path / "data", signing_algorithm="p-256", lang="en"))
    told = gateway.checkup.lacking()
    with pytest.raises(MisconfiguredError, match="not the decree's maximum for LASTENSUOJ TER"):
        application(gateway)
    gateway.close()

    assert "not the decree's maximum" in str(told)
