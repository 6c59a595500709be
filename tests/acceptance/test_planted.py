"""Marked values of every class in every free text of every kind of record are found nowhere they must not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.acceptance.test_every_kind import AUTHORITYS, CALLER, KINDS, SERVICES, World, own, record
from tests.documents import schema

from kanta_gateway.contracts.minimisation import NOT_SAID
from kanta_gateway.errors import RecordInvalidError
from kanta_gateway.recordtypes import TEXT_LENGTH, RecordType
from kanta_gateway.web import service_of

VALUES = {
    "identity-code": ("080891W9059", "Tunnus {} oli esillä."),
    "account-number": ("FI49 9210 0001 1445 56", "Palkkio maksetaan tilille {} kuussa."),
    "telephone": ("049 866 7788", "Numero on {} iltaisin."),
    "e-mail": ("merkki.oma@posti.example", "Tavoittaa parhaiten: {} näin."),
    "car-plate": ("MRK-907", "Auto {} pihassa."),
    "street-address": ("Merkkikatu 5", "Haettiin osoitteesta {} aamulla."),
    "person": ("Xenia Merkkinen", "Parina oli {} tänään."),
    "diagnosis": ("skitsofrenia", "Taustalla {} edelleen."),
    "medicine": ("Ketipinoria 25 mg", "Otti {} illalla."),
    "religion": ("helluntaiseurakuntaan", "Perhe kuuluu {} yhä."),
    "union": ("Rakennusliittoon", "Liittyi {} keväällä."),
    "politics": ("kokoomuslainen", "Sanoi olevansa {} aina."),
    "sexuality": ("homoseksuaali", "Kertoi olevansa {} ensi kertaa."),
    "origin": ("romanitausta", "Esiin tuli {} työhaussa."),
    "staff-private": ("avioerosta", "Anneli Kurkelan {} puhuttiin."),
}
"""Class -> value, and the sentence that it stands in."""
BELONGS = {
    "contact": {"telephone", "street-address", "e-mail", "person", "staff-private"},
    "names": {"person", "staff-private"},
    "places": {"street-address"},
}
"""What may stand in a field by what belongs there."""


def text(kind: RecordType, field: str) -> str:
    """A text with a value of every class that does not belong in the field."""
    may = set().union(*(BELONGS.get(one, set()) for one in kind.privacy.get(field, "").split()))
    return "Päivä sujui. " + " ".join(form.format(value) for cls, (value, form) in VALUES.items() if cls not in may)


def planted(kind: RecordType, given: Mapping[str, Any]) -> dict[str, Any]:
    """The record with that text in place of every free text."""
    stated = schema(kind.name)["properties"]
    return {
        key: _filled(value, stated.get(key, {}), text(kind, key)) if key in kind.texts else value
        for key, value in given.items()
    }


def _filled(value: Any, stated: Mapping[str, Any], told: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(one, stated["properties"][key], told) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, stated["items"], told) for one in value]
    return told if stated.get("maxLength", 0) >= TEXT_LENGTH else value


def given(world: World, kind: str, client: str) -> dict[str, Any]:
    """A planted record of one kind."""
    return planted(world.gateway.parts.types[kind], own(kind, client) if kind in AUTHORITYS else record(kind, client))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, dict[str, Any]]]]:
    """Every kind of record for every service, under a contract that masks, and what was told of each."""
    one = World(tmp_path_factory.mktemp("planted"), *AUTHORITYS)
    told = {f"{kind}-{who}": one.post(given(one, kind, who)) for kind in (*KINDS, *AUTHORITYS) for who in SERVICES}
    yield one, told
    one.gateway.close()


def left(said: str) -> list[str]:
    """Classes whose values stand in what is said."""
    return [cls for cls, (value, _) in VALUES.items() if value in said]


def test_no_document_holds_a_planted_value(world: tuple[World, dict[str, dict[str, Any]]]) -> None:
    """Every kind of record becomes its document, with its sentence and marks, and without any value."""
    one, told = world
    shown = {name: one.shown(row) for name, row in told.items()}

    assert {name for name, row in told.items() if row["outcome"] not in {"accepted", "flagged", "replacement"}} == set()
    assert {name: left(said) for name, said in shown.items() if left(said)} == {}
    assert any("Päivä sujui. Tunnus [henkilötunnus poistettu] oli esillä." in said for said in shown.values())


def test_every_class_is_told(world: tuple[World, dict[str, dict[str, Any]]]) -> None:
    """Each record's answer tells every class that was masked, by field, and repeats no value."""
    one, told = world
    wanted = set(VALUES) - {"staff-private"}  # the sentence about it names a member of the staff
    lacking = {
        name: wanted - {each["class"] for each in row["masked"]}
        for name, row in told.items()
        if one.gateway.parts.types[row["type"]].texts - set(one.gateway.parts.types[row["type"]].privacy)
        and wanted - {each["class"] for each in row["masked"]}
    }

    assert {name: left(orjson.dumps(row).decode()) for name, row in told.items() if left(str(row))} == {}
    assert {name: classes for name, classes in lacking.items() if classes} == {}


def test_nothing_else_tells(world: tuple[World, dict[str, dict[str, Any]]]) -> None:
    """No ticket, entry of the log, explanation, figure or byte of the data folder holds a planted value."""
    one, told = world
    gateway, caller = one.gateway, one.gateway.actor(None, None, None)
    oids = [document["oid"] for row in list(told.values())[::5] for document in row["documents"]]
    said = "\n".join([
        *(str(gateway.desk.ticket(row["ticket"], "fi").told) for row in told.values()),
        *(line for form in ("jsonl", "csv", "fhir") for line in gateway.trail.export(form, caller)),
        *(str(gateway.documents.explain(oid, caller)) for oid in oids),
        str(gateway.office.figures(caller, None, None, explain=True)), str(gateway.overview.status()),
    ])  # fmt: skip
    files = [path for path in Path(gateway.settings.data).rglob("*") if path.is_file()]
    inside = {cls for path in files for cls, (value, _) in VALUES.items() if value.encode() in path.read_bytes()}

    assert left(said) == []
    assert len(files) > 3
    assert inside == set()


def test_errors_keep_silent(world: tuple[World, dict[str, dict[str, Any]]]) -> None:
    """A record that does not fit its schema is refused without a word of what it holds."""
    one, _ = world
    wrong = {**given(one, "diary_entry", "KT"), "date": "080891W9059", "unknown": VALUES["person"][0]}
    with pytest.raises(RecordInvalidError) as refused:
        service_of(one.gateway).submit(orjson.dumps(wrong), CALLER, "fi", is_dry=False)
    told = [one.gateway.parts.messages.finding(each, "fi") for each in refused.value.findings]

    assert left(str(refused.value) + str(told)) == []


def test_by_default_the_author_is_asked(tmp_path: Path) -> None:
    """Without an instruction every kind of record with such texts waits; codes and numbers are masked at once."""
    one = World(tmp_path)
    contracts = one.gateway.parts.contracts
    silent = {**contracts, "lapha": replace(contracts["lapha"], minimisation=NOT_SAID)}
    object.__setattr__(one.gateway.parts, "contracts", silent)
    told = {kind: one.post(given(one, kind, "KT")) for kind in KINDS}
    asked = {
        kind: {each["rule"] for each in row["findings"] if each["severity"] == "hold"} for kind, row in told.items()
    }  # fmt: skip
    with_texts = {kind for kind in KINDS if one.gateway.parts.types[kind].texts}
    one.gateway.close()

    assert {kind for kind in with_texts if told[kind]["outcome"] != "held"} == set()
    assert {kind for kind in with_texts if "PRI-02" not in asked[kind]} == set()
    assert [kind for kind, row in told.items() if left(str(row))] == []
