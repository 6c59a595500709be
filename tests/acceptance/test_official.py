"""Official schemas from any folder: what is usable is kept, what is not is told, and the record's day decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.installations import installation
from tests.sosmeta import deep, every_feature, leaf, schema_of, structure

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.definitions import FieldDef
from kanta_gateway.model import ValueKind

OURS = "19007"


def put(path: Path, schema: Any, encoding: str = "utf-8") -> None:
    """Write one file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema), encoding)


def imported(folder: Path, *files: tuple[str, Any]) -> dict[str, Any]:
    """What an import of these files tells."""
    for name, schema in files:
        put(folder / "from" / name, schema)
    gateway = installation(folder / "data")
    told = gateway.administration.import_schemas(gateway.actor(None, None, None), folder / "from")
    gateway.close()
    return told


def listed(folder: Path) -> set[str]:
    """OIDs of every usable structure."""
    gateway = installation(folder / "data")
    found = {str(one.oid) for one in gateway.parts.structures.all()}
    gateway.close()
    return found


def test_any_folder(tmp_path: Path) -> None:
    """Schemas at any depth, with byte order marks and among other files, are taken; the rest is named and left."""
    new, old = every_feature(), every_feature("2025.6.30")
    put(tmp_path / "from" / "a" / "b" / "c" / "new.json", schema_of(new), "utf-8-sig")
    put(tmp_path / "from" / "OLD.JSON", schema_of(old), "utf-16")
    put(tmp_path / "from" / "package.json", {"name": "no schema"})
    put(tmp_path / "from" / "list.json", [1, 2])
    (tmp_path / "from" / "readme.txt").write_text("no JSON", "utf-8")
    (tmp_path / "from" / "broken.json").write_text('{"sosmeta": ', "utf-8")
    told = imported(tmp_path)

    assert (told["mistakes"], told["loaded"]) == ([], 2)
    assert ["broken.json", "list.json", "package.json", "readme.txt"] == told["skipped"]
    assert {new.oid, old.oid} <= listed(tmp_path)


def test_twice(tmp_path: Path) -> None:
    """The same folder again brings nothing new, and the same schema in two files counts once."""
    schema = schema_of(every_feature())
    first = imported(tmp_path, ("a.json", schema), ("copy/a.json", schema))
    again = imported(tmp_path)

    assert (first["loaded"], len(first["new"])) == (1, 1)
    assert (again["loaded"], again["new"]) == (1, [])


def test_two_contents_of_one_version(tmp_path: Path) -> None:
    """One OID with two contents is a mistake that names both files; the first stays."""
    other = structure(leaf("Koe", None, 1, children=(leaf("Nimi", ValueKind.STRING),)))
    told = imported(tmp_path, ("a.json", schema_of(every_feature())), ("b.json", schema_of(other)))

    assert told["loaded"] == 1
    assert "b.json" in told["mistakes"][0]
    assert "a.json" in told["mistakes"][0]


def broken(**changes: Any) -> dict[str, Any]:
    """A schema of which one part is changed."""
    schema = schema_of(structure(leaf("Koe", None, 1, children=(leaf("Nimi", ValueKind.STRING, 1),))))
    field = schema["properties"]["koe"]["properties"]["nimi"]
    field.update({key: value for key, value in changes.items() if key != "drop"})
    for name in changes.get("drop", ()):
        field.pop(name)
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        broken(drop=["sosmeta"]),
        broken(drop=["type"]),
        broken(type="null"),
        broken(pattern="^[0-9]{5}$"),  # a document could not be made up: told, not guessed
        {**broken(), "sosmeta": {"oid": "2.999.7"}},
        {**broken(), "properties": {}},
    ],
)
def test_unusable_is_told(tmp_path: Path, schema: dict[str, Any]) -> None:
    """A schema that cannot be read or written is told with its file; nothing of it is kept, the good ones are."""
    told = imported(tmp_path, ("bad.json", schema), ("good.json", schema_of(every_feature())))

    assert told["loaded"] == 1
    assert [one for one in told["mistakes"] if one.startswith("bad.json: ")] == told["mistakes"] != []


def test_unknown_keyword_still_judges(tmp_path: Path) -> None:
    """A keyword that the gateway does not know counts: documents are judged by the published schema."""
    schema = broken(maxLength=200)
    imported(tmp_path, ("a.json", schema))
    gateway = installation(tmp_path / "data")
    check = gateway.parts.conformances(schema["sosmeta"]["oid"])
    gateway.close()

    assert check.check({"koe": {"nimi": "x" * 200}}) == ()
    assert [one.rule for one in check.check({"koe": {"nimi": "x" * 201}})] == ["STR-07"]


def test_hundreds(tmp_path: Path) -> None:
    """A national set of 202 is taken whole; the deepest nests thirty levels."""
    for number in range(201):
        put(tmp_path / "from" / f"{number}.json", schema_of(every_feature(number=str(90100 + number))))
    put(tmp_path / "from" / "deep.json", schema_of(structure(leaf("Koe", None, 1, children=(deep(30),)), "90099")))
    told = imported(tmp_path)

    assert (told["loaded"], told["mistakes"]) == (202, [])


def test_file_gone_bad(tmp_path: Path) -> None:
    """A stored schema that was damaged stops the start and names the file."""
    imported(tmp_path, ("a.json", schema_of(every_feature())))
    (stored,) = (tmp_path / "data" / "sosmeta").glob("*.json")
    stored.write_text("{}", "utf-8")

    with pytest.raises(MisconfiguredError, match=stored.name):
        installation(tmp_path / "data")


def newer(folder: Path, drop: str = "") -> str:
    """Import another version of one of our structures, from 2027 on; its OID."""
    gateway = installation(folder / "data")
    ours = gateway.parts.structures.by_number(OURS)
    gateway.close()
    oid = ".".join((*ours.oid.split(".")[:-3], "2027", "1", "1"))
    fields = tuple(one for one in ours.root.children if one.key != drop)
    root = FieldDef(ours.root.key, ours.root.label, None, 1, 1, children=fields)
    schema = schema_of(structure(root))
    schema["sosmeta"]["oid"] = oid
    imported(folder, ("newer.json", schema))
    return oid


def made_by(folder: Path, day: str) -> str:
    """OID of the structure that a diary entry of this day becomes."""
    gateway = installation(folder / "data")
    (variant,) = gateway.parts.mapper.variants("diary_entry", {"class": "KT"}, day)
    gateway.close()
    return variant.structure


def test_day_of_the_record_decides(tmp_path: Path) -> None:
    """New Year's Eve follows the old version, New Year's Day the new one; what is older than all the oldest."""
    new = newer(tmp_path)
    old = made_by(tmp_path, "2026-12-31")

    assert made_by(tmp_path, "2027-01-01") == new != old
    assert made_by(tmp_path, "1999-01-01") == old


def test_version_that_no_mapping_fits(tmp_path: Path) -> None:
    """A new version that lacks a field of the mapping is not used; `check` says which and why, the old one goes on."""
    new = newer(tmp_path, drop="paivamaara")
    gateway = installation(tmp_path / "data")
    mistakes = gateway.checkup.lacking()["mistakes"]
    gateway.close()

    assert made_by(tmp_path, "2027-01-01") != new
    assert [one for one in mistakes if new in one and "paivamaara" in one]
