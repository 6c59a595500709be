"""What is destroyed is listed once, and every table of the database has its place in the page about retention."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import LargeBinary

from kanta_gateway.forgotten import CONTENTS
from kanta_gateway.tables import metadata

PAGE = Path(__file__).resolve().parents[2] / "docs/reference-retention.md"
NOT_BY_KEY = {
    "audit_entry": {"leaf_hash", "sealed"},
    "audit_head": {"root", "mac"}, "audit_name": {"salt", "sealed"}, "audit_node": {"hash"},
    "change": {"sealed", "code"}, "party_statement": {"sealed"},
}  # fmt: skip
"""Columns of bytes that no key of content seals; the page says of their tables how they end."""


def told() -> Mapping[str, tuple[str, str, str]]:
    """Table -> what it tells, how that ends, where it stands in a package, as the page says."""
    lines = PAGE.read_text("utf-8").partition("## Table by table")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {name.strip("`"): (tells, end, place) for name, tells, end, place in rows}


def test_every_table_has_its_end() -> None:
    """A table that the page does not know fails here, and so does one that the page says is destroyed and is not."""
    page = told()

    assert metadata.tables.keys() == page.keys()
    for way, is_keyed in (("with its key", True), ("from the list", False)):
        listed = {name for name, one in CONTENTS.items() if one.is_keyed == is_keyed}
        assert listed == {name for name, (_, end, _) in page.items() if way in end}


def test_whatever_is_sealed_is_destroyed_or_named() -> None:
    """Every column of bytes of every table goes with a key, or stands here and in the page with another end."""
    sealed = {
        table.name: {one.name for one in table.c if isinstance(one.type, LargeBinary)}
        for table in metadata.tables.values()
    }
    destroyed = {name: {*one.emptied, *one.rest} for name, one in CONTENTS.items()}
    left = {name: columns - destroyed.get(name, set()) for name, columns in sealed.items()}

    assert {name: columns for name, columns in left.items() if columns} == NOT_BY_KEY


def test_what_has_a_key_is_destroyed_with_it() -> None:
    """Every table whose rows have keys of content is in the list."""
    keyed = {
        table.name for table in metadata.tables.values()
        if any(key.column.table.name == "data_key" for key in table.foreign_keys)
    }  # fmt: skip

    assert {name for name, one in CONTENTS.items() if one.is_keyed} == keyed
