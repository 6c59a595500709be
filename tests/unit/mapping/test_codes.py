"""Code lists: every row is found by list and key, and what nobody verified says so."""

from __future__ import annotations

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.model import Coding, Severity


def own() -> Codes:
    """The code lists that the gateway carries."""
    return Codes.load(knowledge.texts("mappings/codes"))


def test_name_and_number() -> None:
    """A list is known by its name and by its number."""
    assert own().coding("1221", "disability") == own().coding("service-task", "disability")


def test_verified() -> None:
    """A verified code carries the versioned system."""
    coding = own().coding("1222", "disability-work-activity", "sv")

    assert (coding.code, coding.verified, coding.system.endswith(".201601")) == ("55", True, True)


def test_unverified_is_told() -> None:
    """An unverified code is told as information under its list's number."""
    finding = own().finding(own().coding("1221", "working-age"), "/x")

    assert (
        finding.rule, finding.severity, finding.kind, finding.pointer,
    ) == ("CODE-1221", Severity.INFO, "code-unverified", "/x")  # fmt: skip


def test_unknown_system_still_told() -> None:
    """An unverified coding of a system without a list is told as well."""
    assert own().finding(Coding("2.999.5", "x", "X", verified=False)).rule == "CODE-"


def test_artificial_codes_are_visible() -> None:
    """A code that is not known is visibly artificial, and no verified one looks so."""
    artificial = [row for one in own().all() for row in one.rows.values() if "UNVERIFIED" in row.code]

    assert artificial
    assert not any(row.verified for row in artificial)
    assert all(row in own().unverified() for row in artificial)


def test_structures_have_their_types() -> None:
    """Every structure has its general and specific document type and its service process, or its document group."""
    codes = own()
    for one in Structures.load(knowledge.texts("schemas/structures")).all():
        family, _, alone = one.number.rpartition(".")
        assert codes.has(family or "1506", one.document_type)
        assert family or codes.has("1506", alone)
        assert one.service_process is None or codes.has("1277", one.service_process)


def test_every_code_system_has_its_list() -> None:
    """Every national code system that a structure or a mapping names has a list, with its source."""
    known = {one.oid for one in own().all()}
    fields = [field for one in Structures.load(knowledge.texts("schemas/structures")).all()
              for field in one.paths().values()]  # fmt: skip
    systems = {one.code_system for one in fields if one.code_system and "/" not in one.code_system}

    assert systems - known == set()
    assert all(one.source for one in own().all())


def test_title_of_system() -> None:
    """The name of a code system is known by the system of a coding."""
    coding = own().coding("1221", "disability")

    assert (own().title(coding.system), own().title("2.999.5")) == ("Sosiaalihuolto - Palvelutehtävä", "")


@pytest.mark.parametrize(
    ("name", "key", "language"), [("zz", "a", "fi"), ("1221", "zz", "fi"), ("1221", "disability", "en")]
)
def test_unknown_names(name: str, key: str, language: str) -> None:
    """An unknown list, row or language is a mistake of the installation."""
    with pytest.raises(MisconfiguredError):
        own().coding(name, key, language)


def test_all_mistakes_at_once() -> None:
    """Every mistake of every file is told."""
    text = "name: a\nnumber: '1'\noid: 2.999.1\ntitle: T\nsource: S\nrows:\n"
    row = "  - {key: k, code: 5, display: {fi: F}, verified: perhaps, colour: red}\n"
    good = "  - {key: k, code: '5', display: {fi: F, sv: S}, verified: true}\n"
    with pytest.raises(MisconfiguredError) as caught:
        Codes.load({"x": text + row, "y": "[]", "z": "name: z", "a": text + good, "b": text + good})

    parts = (
        "put it in quotes",
        "sv is missing",
        "true or false",
        "colour",
        "expected keys and values",
        "oid is missing",
        "stands in a",
    )
    assert [part for part in parts if part not in str(caught.value)] == []
