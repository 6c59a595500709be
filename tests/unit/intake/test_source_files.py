"""What the package carries for those who deliver tables: templates and samples fit their sources."""

from __future__ import annotations

import io

import pytest

from kanta_gateway import knowledge
from kanta_gateway.intake.columns import walk, written_as
from kanta_gateway.intake.kinds import Header
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.model import Record, Severity

SOURCES = load_sources(
    knowledge.texts("mappings/sources"), RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
)
TABLES = sorted(name for name, one in SOURCES.items() if one.format == "csv")


@pytest.mark.parametrize("name", TABLES)
def test_templates_have_every_column(name: str) -> None:
    """The template of each table has all of its columns and no other, and there is one for each."""
    source, found = SOURCES[name], {}
    for path, content in knowledge.of_source(name).items():
        if path.startswith("templates/"):
            stream = io.BytesIO(content)
            (header,) = [
                one.header for one in walk(source, stream, path, written_as(source, stream)) if one.is_header
            ]  # fmt: skip
            assert header is not None
            found[header.table.name] = set(header.names)

    assert {one.name: set(one.columns) for one in source.tables} == found


@pytest.mark.parametrize("name", TABLES)
def test_samples_bring_no_finding(name: str) -> None:
    """A sample has rows of every table of its source, and reading finds nothing in them."""
    found: set[str] = set()
    for path, content in knowledge.of_source(name).items():
        if path.startswith("samples/"):
            items = list(read(SOURCES[name], io.BytesIO(content), path))
            records = [one for one in items if isinstance(one, Record)]
            told = [one.finding for one in items if hasattr(one, "finding")]
            told += [finding for one in records for finding in one.findings]

            assert [] == [one for one in told if one.severity > Severity.INFO or one.rule == "SRC-COLUMN-OPTIONAL"]
            found |= {one.label.partition(":")[0] for one in records}

    assert {one.name for one in SOURCES[name].tables} == found


@pytest.mark.parametrize("name", ["fhir-bundle", "json-lines", "quality-review"])
def test_samples_without_tables_bring_no_finding(name: str) -> None:
    """Every resource, line and review of a sample becomes a record, and reading finds nothing in it."""
    (content,) = [one for path, one in knowledge.of_source(name).items() if path.startswith("samples/")]
    items = list(read(SOURCES[name], io.BytesIO(content), name))
    records = [one for one in items if isinstance(one, Record)]

    assert len(records) == len([one for one in items if not isinstance(one, Header)]) > 3
    assert [] == [finding for one in records for finding in one.findings]
