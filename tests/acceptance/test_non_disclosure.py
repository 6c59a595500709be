"""Turvakielto: nothing tells where the client lives, whenever the mark comes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
from tests.installations import documents, installation, sample, take, written

from kanta_gateway.gateway import Gateway
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.spool import records, store
from kanta_gateway.spool.states import State

STREET, TOWN, POSTAL_CODE, TELEPHONE = "Haavikonraito 17", "Lehtikangasjoki", "99970", "049 833 4455"
TEXT = (
    "Taksi haki osoitteesta Haavikonraito 17, vaikka asiakas muutti Lehtikangasjoelle (99970) ja vastaa "
    "numerosta 049 833 4455. Haavikonraidolla ei ollut ketään."
)
TELLING = ("Haavikonrai", "Lehtikangas", "99970", "833 4455")


def export(non_disclosure: bool | None) -> dict[str, Any]:  # noqa: FBT001 — the one thing that differs
    """The small sample's first client with telling texts; None leaves the state of turvakielto out."""
    value = copy.deepcopy(sample())
    client = value["asiakkaat"][0]
    client["yhteystiedot"] = {
        "lahiosoite": STREET, "postinumero": POSTAL_CODE, "postitoimipaikka": TOWN, "puhelin": TELEPHONE,
    }  # fmt: skip
    client.pop("turvakielto", None)
    if non_disclosure is not None:
        client["turvakielto"] = non_disclosure
    client["valmennuspaivakirja"][0]["vapaaMerkinta"] = TEXT
    client["valmennuspaivakirja"] = client["valmennuspaivakirja"][:4]
    value["asiakkaat"] = [client]
    return value


def delivered(gateway: Gateway, folder: Path, non_disclosure: bool | None) -> list[dict[str, Any]]:  # noqa: FBT001
    """Take the export in that state."""
    return take(gateway, written(folder, export(non_disclosure)))


def texts(gateway: Gateway) -> str:
    """Everything that the documents say."""
    return orjson.dumps(list(documents(gateway).values())).decode()


def test_unknown_state_holds(tmp_path: Path) -> None:
    """While nobody has said whether the client is under turvakielto, every record of the client is held. [REC-09]"""
    gateway = installation(tmp_path / "data")
    rows = delivered(gateway, tmp_path, None)

    held = [row for row in rows if row["outcome"] == "held"]
    assert held
    assert documents(gateway) == {}
    assert all(any(one["rule"] == "SRC-NON-DISCLOSURE" for one in row["findings"]) for row in held)


def test_told_later_frees(tmp_path: Path) -> None:
    """Once it is told that there is none, the held records become documents."""
    gateway = installation(tmp_path / "data")
    delivered(gateway, tmp_path / "first", None)
    delivered(gateway, tmp_path / "second", non_disclosure=False)

    assert documents(gateway)


def test_under_turvakielto_nothing_tells(tmp_path: Path) -> None:
    """Address, town, postal code and telephone are masked in texts, inflected too. [REC-09]"""
    gateway = installation(tmp_path / "data")
    delivered(gateway, tmp_path, non_disclosure=True)
    found = texts(gateway)

    assert "Taksi haki osoitteesta" in found
    assert not [one for one in TELLING if one in found]


def test_unsent_documents_are_made_again(tmp_path: Path) -> None:
    """A mark that comes later replaces what waits; the telling version is never sent."""
    gateway = installation(tmp_path / "data")
    delivered(gateway, tmp_path / "first", non_disclosure=False)
    before = documents(gateway)
    assert "Haavikonraidolla" in texts(gateway)
    delivered(gateway, tmp_path / "second", non_disclosure=True)
    with gateway.parts.database.reading() as tx:
        states = store.counts(tx)

    assert documents(gateway).keys() == before.keys()
    assert not [one for one in TELLING if one in texts(gateway)]
    assert states[State.WITHDRAWN.value] == states[State.QUEUED.value]


def test_name_of_a_town_stays_a_name(tmp_path: Path) -> None:
    """A client whose surname is the name of its town keeps it in every document, also when the mark comes later."""
    told = export(non_disclosure=False)
    told["asiakkaat"][0].update(sukunimi="Lehtikangasjoki")
    later = copy.deepcopy(told)
    later["asiakkaat"][0]["turvakielto"] = True
    gateway = installation(tmp_path / "data")
    for number, one in enumerate((told, later)):
        take(gateway, written(tmp_path / str(number), one))
    made = [next(iter(one.values())) for one in documents(gateway).values()]

    clients = [one["asiakas"][0] if isinstance(one["asiakas"], list) else one["asiakas"] for one in made]

    assert {one["sukunimi"] for one in clients} == {"Lehtikangasjoki"}


def with_another(non_disclosure: bool) -> dict[str, Any]:  # noqa: FBT001 — the one thing that differs
    """The client, and another one whose entry tells where the client lives."""
    value = export(non_disclosure)
    other = next(copy.deepcopy(one) for one in sample()["asiakkaat"] if one["asiakasnumero"] == "A-3")
    other["valmennuspaivakirja"] = other["valmennuspaivakirja"][:2]
    other["valmennuspaivakirja"][0]["vapaaMerkinta"] = (
        f"Haettiin Sampo kotoa Haavikonraidolta, numero {TELEPHONE}. Postinumero {POSTAL_CODE}, Lehtikangasjoelta siis."
    )
    other["valmennuspaivakirja"][1]["vapaaMerkinta"] = "Käytiin Lehtikangasjoella uimassa."
    value["asiakkaat"].append(other)
    return value


def test_others_texts_do_not_tell_either(tmp_path: Path) -> None:
    """In another client's text street, number, postal code and, beside a name, the town go; a town alone stays."""
    gateway = installation(tmp_path / "data")
    take(gateway, written(tmp_path, with_another(non_disclosure=True)))
    found = texts(gateway)

    assert "Haettiin [nimi poistettu] kotoa [osoite poistettu]" in found
    assert "[paikkakunta poistettu] siis." in found
    assert "Käytiin Lehtikangasjoella uimassa." in found
    assert not [one for one in TELLING if one in found.replace("Käytiin Lehtikangasjoella", "")]


def test_others_unsent_documents_are_made_again(tmp_path: Path) -> None:
    """When the mark comes later, what waits of other clients and tells is made again without it."""
    gateway = installation(tmp_path / "data")
    take(gateway, written(tmp_path / "first", with_another(non_disclosure=False)))
    assert "Haavikonraidolta" in texts(gateway)
    later = export(non_disclosure=True)
    take(gateway, written(tmp_path / "second", later))
    found = texts(gateway)

    assert "Käytiin Lehtikangasjoella uimassa." in found
    assert not [one for one in TELLING if one in found.replace("Käytiin Lehtikangasjoella", "")]


def test_stored_records_are_masked_too(tmp_path: Path) -> None:
    """What was stored before the mark came is masked again at rest."""
    gateway = installation(tmp_path / "data")
    delivered(gateway, tmp_path / "first", None)
    delivered(gateway, tmp_path / "second", non_disclosure=True)
    with gateway.parts.database.reading() as tx:
        client = records.subjects(tx, ["client"])[0]
        stored = records.of_client(tx, client[0], client[2])
    kept = orjson.dumps([dict(opened(gateway.parts, one)) for one in stored]).decode()

    assert "Taksi haki osoitteesta" in kept
    assert not [one for one in TELLING if one in kept]


def test_the_unit_stands_in_the_document_only(tmp_path: Path) -> None:
    """Figures, explanations, the client's report and the log tell neither name nor OID of the service unit.

    [REC-08, REC-09]
    """
    gateway = installation(tmp_path / "data")
    rows = delivered(gateway, tmp_path, non_disclosure=True)
    caller = gateway.actor(None, None, None)
    oids = [document["oid"] for row in rows for document in row["documents"]]
    said = "\n".join([
        str(rows), str(gateway.office.figures(caller, None, None, explain=True)), str(gateway.overview.status()),
        *(str(gateway.documents.explain(oid, caller)) for oid in oids),
        str(gateway.office.access_report(caller, "A-1")),
        *(line for form in ("jsonl", "csv", "fhir") for line in gateway.trail.export(form, caller)),
    ])  # fmt: skip
    units = [(one["oid"], one["nimi"]) for one in sample()["palveluntuottaja"]["yksikot"]]

    assert any(oid in texts(gateway) for oid, _ in units)
    assert [name for oid, name in units if oid in said or name in said] == []
