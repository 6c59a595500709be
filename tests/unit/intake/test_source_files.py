"""What the package carries for those who deliver tables: templates and samples fit their sources."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from tests.make_source_files import made

from kanta_gateway import knowledge
from kanta_gateway.intake.columns import walk, written_as
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import FRAME, RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.intake.tables import header_of
from kanta_gateway.model import Finding, Record, Severity

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
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


def told(name: str, kind: str) -> tuple[list[Record], list[Finding]]:
    """What reading the templates or samples of a source gives, and everything it finds worth a correction."""
    records: list[Record] = []
    found: list[Finding] = []
    for path, content in knowledge.of_source(name).items():
        if path.startswith(f"{kind}/"):
            for one in read(SOURCES[name], io.BytesIO(content), path):
                if isinstance(one, Record):
                    records.append(one)
                    found += one.findings
                elif isinstance(one, Problem) and one.finding.rule != "SRC-FORM":
                    found.append(one.finding)
    return records, found


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_has_a_template_and_a_sample(name: str) -> None:
    """Whoever delivers in a format finds a file to fill in and one to compare with."""
    assert {"samples", "templates"} == {path.partition("/")[0] for path in knowledge.of_source(name)}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_samples_are_clean(name: str) -> None:
    """Reading a sample gives a record of every type that its source knows, and finds nothing."""
    records, found = told(name, "samples")
    types = {one for kind in SOURCES[name].kinds.values() for one in (kind.type, *kind.types.values())}

    assert [] == found
    assert (types if name != "json-lines" else set()) <= {one.type for one in records}


@pytest.mark.parametrize("name", sorted(set(SOURCES) - set(TABLES) - {"helsinki-xlsx"}))
def test_templates_without_tables_are_clean(name: str) -> None:
    """A template of a JSON format has one of each record that its sample has, and reading finds nothing in it."""
    records, found = told(name, "templates")

    assert [] == found
    assert {one.type for one in told(name, "samples")[0]} <= {one.type for one in records}


def test_template_of_canonical_records() -> None:
    """It has a record of every type with every field of its schema."""
    records, _ = told("json-lines", "templates")

    assert sorted(SCHEMAS.schemas) == sorted(one.type for one in records)
    assert {one.type: set(SCHEMAS.schemas[one.type]["properties"]) - FRAME for one in records} == {
        one.type: set(one.content) for one in records
    }


def test_templates_of_workbooks_have_every_heading() -> None:
    """Each sheet of the template opens its table with all of its columns, and no table is without a sheet."""
    source, found = SOURCES["helsinki-xlsx"], {}
    for path, content in knowledge.of_source(source.name).items():
        if path.startswith("templates/"):
            for sheet in load_workbook(io.BytesIO(content)).worksheets:
                rows = [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
                header = header_of(source.tables, rows[0])
                table = header.table if header else next(one for one in source.tables if one.layout == "pairs")
                written = {str(cell) for row in rows for cell in row}
                found[table.name] = set(table.columns) - {"@sheet"} <= written

    assert dict.fromkeys((one.name for one in source.tables), True) == found


def test_made_files_are_current() -> None:
    """Files that are made are as they would be made now (`python -m tests.make_source_files`)."""
    here = {path: content for name in SOURCES for path, content in knowledge.of_source(name).items()}

    assert [] == [path for path, content in made() if cells(path, content) != cells(path, here.get(path, b""))]


def cells(path: str, content: bytes) -> object:
    """What a file holds: a workbook's cells, else its bytes."""
    if not path.endswith(".xlsx") or not content:
        return content
    return {one.title: list(one.iter_rows(values_only=True)) for one in load_workbook(io.BytesIO(content)).worksheets}
