"""Faulty CSV tables, read alone: each fault is found where it is, and every other row is read."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faulty_tables import SECRET, TABLES, Fault, faults, sheet

from kanta_gateway import knowledge
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.messages import LANGUAGES, Messages
from kanta_gateway.model import Finding, Record, Severity

SOURCE = load_sources(
    knowledge.texts("mappings/sources"), RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
)["heinola-csv"]
MESSAGES = Messages.load(knowledge.texts("mappings/messages"))
EVERY = {one.name: one for one in faults(20221201)}


def taken(data: bytes) -> tuple[set[str], list[Finding]]:
    """Names of the rows that were read, and every finding on them and beside them that is worth telling."""
    made = list(read(SOURCE, io.BytesIO(data), "x.csv"))
    found = [one.finding for one in made if isinstance(one, Problem)]
    rows = [one for one in made if isinstance(one, Record)]
    found += [finding for one in rows for finding in one.findings]
    return {one.label for one in rows}, [one for one in found if one.rule != "SRC-FORM"]


def check(fault: Fault) -> None:
    """The fault's own finding is told where it stands, and no other row is lost."""
    rows, found = taken(fault.data)
    every = [f"{fault.table}:{cells[0]}" for cells in sheet(fault.table).rows]

    assert (fault.rule, fault.pointer) in {(one.rule, one.pointer) for one in found}
    assert len(every) - fault.lost == len(rows & set(every))
    told = [MESSAGES.finding(one, language) for one in found for language in LANGUAGES]
    assert SECRET not in str(told)
    assert "{" not in "".join(str(one["message"]) for one in told)


@pytest.mark.parametrize("name", TABLES)
def test_the_sample_has_no_fault(name: str) -> None:
    """Nothing is found in the sample itself, and all of its rows are read."""
    rows, found = taken(sheet(name).data())

    assert [] == found
    assert len(sheet(name).rows) == len(rows)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_each_fault_is_found(name: str) -> None:
    """Each kind of fault brings its finding at its line and column, in three languages, without the value."""
    check(EVERY[name])


@given(st.integers(0, 10**9))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_wherever_it_stands(seed: int) -> None:
    """The place of a fault does not matter."""
    for one in faults(seed):
        if one.name != "endless-line":
            check(one)


@pytest.mark.parametrize("name", [one for one in sorted(EVERY) if EVERY[one].rule != "SRC-COLUMN-OPTIONAL"])
def test_faults_are_more_than_info(name: str) -> None:
    """A fault holds or refuses: an import with one does not end as if all were well."""
    fault = EVERY[name]
    _, found = taken(fault.data)

    assert {Severity.HOLD, Severity.REFUSE} & {one.severity for one in found if one.rule == fault.rule}
