"""Faulty Bundles, read alone: each fault is found at its element, and every other resource is read as before."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.faulty_bundles import SECRET, Fault, faults, names, sample

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.messages import LANGUAGES, Messages
from kanta_gateway.model import Finding, Record, Severity

SOURCE = load_sources(
    knowledge.texts("mappings/sources"), RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
)["fhir-bundle"]
MESSAGES = Messages.load(knowledge.texts("mappings/messages"))
EVERY = {one.name: one for one in faults(20221215)}
TOLD_ONLY = frozenset({"client-elsewhere", "conditional", "goal-lost", "planned", "unused-type"})
"""Faults that change nothing that could be read: info."""


def taken(data: bytes) -> tuple[dict[str, Any], list[Finding]]:
    """Content of what was read, by name, and every finding on it and beside it."""
    made = list(read(SOURCE, io.BytesIO(data), "bundle.json"))
    found = [one.finding for one in made if isinstance(one, Problem)]
    records = [one for one in made if isinstance(one, Record)]
    found += [finding for one in records for finding in one.findings]
    return {one.label: (one.id, one.client, one.content) for one in records}, found


CLEAN, _ = taken(json.dumps(sample()).encode())


def found_in(fault: Fault) -> list[Finding]:
    """What a faulty file leads to, once everything else has been read as before."""
    if fault.is_file:
        with pytest.raises(UnreadableError) as refused:
            taken(fault.data)
        assert SECRET not in str(refused.value)
        return list(refused.value.findings)
    read_, found = taken(fault.data)
    kept = {name: one for name, one in CLEAN.items() if name not in fault.lost | fault.touched}
    assert kept == {name: one for name, one in read_.items() if name not in fault.touched}
    assert fault.touched <= read_.keys()
    return found


def check(fault: Fault) -> None:
    """The fault's own finding is told where it stands, in three languages, without the value."""
    found = found_in(fault)

    assert (fault.rule, fault.pointer) in {(one.rule, one.pointer) for one in found}
    told = [MESSAGES.finding(one, language) for one in found for language in LANGUAGES]
    assert SECRET not in str(told)
    assert "{" not in "".join(str(one["message"]) for one in told)


def test_the_sample_has_no_fault() -> None:
    """Nothing is found in the sample itself, and all of its resources are read."""
    assert sorted(names(sample())) == sorted(CLEAN)
    assert taken(json.dumps(sample()).encode())[1] == []


@pytest.mark.parametrize("name", sorted(EVERY))
def test_each_fault_is_found(name: str) -> None:
    """Each kind of fault brings its finding at its element, and takes nothing else away."""
    check(EVERY[name])


@given(st.integers(0, 10**9))
@settings(max_examples=15, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_wherever_it_stands(seed: int) -> None:
    """The place of a fault does not matter: a thousand files that nobody has seen before."""
    for one in faults(seed):
        check(one)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_faults_weigh_more_than_info(name: str) -> None:
    """What could not be read holds or refuses, so that an import does not end as if all were well."""
    fault = EVERY[name]
    worst = max(one.severity for one in found_in(fault) if one.rule == fault.rule)

    assert (worst >= Severity.HOLD) is (name not in TOLD_ONLY)
