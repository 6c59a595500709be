"""What minimisation asks waits for its author, who allows it with a reason or words it anew."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from tests.installations import documents, installation, sample, take, written
from tests.processes import InProcess

from kanta_gateway import knowledge
from kanta_gateway.access.parties import agreements
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import ConflictError, NotFoundError, ParameterError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.spool import records
from kanta_gateway.web import service_of

NAME, MEDICINE = "Xenia Virtanen", "Cipralex"
TEXT = f"Parina oli {NAME}. Lääkkeenä {MEDICINE} 10 mg, taustalla skitsofrenia. Päivä sujui hyvin."
REASON = "Parityön turvallinen järjestäminen edellyttää tätä."


def asking(folder: Path, levels: dict[str, str], fields: list[dict[str, Any]] | None = None) -> Gateway:
    """An installation whose contract has these levels beside its own."""
    gateway = installation(folder)
    stated = yaml.safe_load(knowledge.text("mappings/contracts/lapha.yaml"))
    stated["minimisation"]["levels"] |= levels
    stated["minimisation"]["fields"] = fields or []
    own = Contract.load(yaml.safe_dump(stated, allow_unicode=True), "lapha", gateway.parts.types)
    object.__setattr__(gateway.parts, "contracts", {**gateway.parts.contracts, "lapha": own})
    return gateway


def export(text: str = TEXT, version: int = 1) -> dict[str, Any]:
    """One client with one telling entry."""
    value = copy.deepcopy(sample())
    client = next(one for one in value["asiakkaat"] if not one["turvakielto"])
    client["valmennuspaivakirja"] = client["valmennuspaivakirja"][:2]
    entry = client["valmennuspaivakirja"][0]
    entry |= {"vapaaMerkinta": text, "versio": version, "tila": "KORJATTU" if version > 1 else "VALMIS"}
    value["asiakkaat"] = [client]
    return value


def row(rows: list[dict[str, Any]], version: int = 1) -> dict[str, Any]:
    """The telling entry's row of a result."""
    return next(
        one for one in rows if one["type"] == "diary_entry" and (one["id"], one["version"]) == ("PV-0001", version)
    )


def texts(gateway: Gateway) -> str:
    """Everything that the documents say."""
    return orjson.dumps(list(documents(gateway).values())).decode()


def stored(gateway: Gateway) -> dict[tuple[str, int], str]:
    """(id, version) -> what is kept of each record."""
    with gateway.parts.database.reading() as tx:
        client = records.subjects(tx, ["client"])[0]
        rows = records.of_client(tx, client[0], client[2])
    return {(one.id, one.version): orjson.dumps(dict(opened(gateway.parts, one))).decode() for one in rows}


def rules(told: dict[str, Any], severity: str) -> set[tuple[str, str]]:
    """(rule, pointer) of the findings of one severity."""
    return {(one["rule"], one["pointer"]) for one in told["findings"] if one["severity"] == severity}


def test_what_is_asked_waits(tmp_path: Path) -> None:
    """A record with a name and a medicine waits, told under LAP-19; what the contract masks is masked already."""
    gateway = asking(tmp_path / "data", {"person": "ask", "medicine": "ask"})
    told = row(take(gateway, written(tmp_path, export())))
    kept = stored(gateway)["PV-0001", 1]

    assert told["outcome"] == "held"
    assert rules(told, "hold") == {("PRI-02", "/notes"), ("LAP-19", "/notes")}
    assert rules(told, "info") == {("PRI-01", "/notes")}
    assert documents(gateway)
    assert NAME not in texts(gateway)
    assert NAME in kept
    assert "skitsofrenia" not in kept
    assert not [word for word in (NAME, MEDICINE, "skitsofrenia") if word in orjson.dumps(told).decode()]


def test_nothing_is_asked_where_the_contract_masks(tmp_path: Path) -> None:
    """By the contract as it is nothing waits: the name is masked in the document, and told as info."""
    gateway = asking(tmp_path / "data", {})
    told = row(take(gateway, written(tmp_path, export())))

    assert told["outcome"] == "accepted"
    assert rules(told, "hold") == set()
    assert {one["class"] for one in told["masked"]} == {"person", "medicine", "diagnosis"}
    assert NAME not in texts(gateway)
    assert "[nimi poistettu]" in texts(gateway)


def test_allowed_wording_leaves(tmp_path: Path) -> None:
    """Allowed with a reason, the record stands with its own words; the log tells who allowed what, not the words."""
    gateway = asking(tmp_path / "data", {"person": "ask", "medicine": "ask"})
    told = row(take(gateway, written(tmp_path, export())))
    caller = gateway.actor("author-1", "Author One", "service-delivery")
    still = gateway.desk.allow(gateway.office, told["ticket"], [("notes", "person")], REASON, caller, "fi").told
    done = gateway.desk.allow(gateway.office, told["ticket"], [], REASON, caller, "fi").told
    log = "".join(gateway.trail.export("jsonl", caller))
    answers = [
        one["details"] for line in log.splitlines() if (one := orjson.loads(line))["event"] == "record:allow"
    ]  # fmt: skip

    assert still["outcome"] == "held"
    assert done["outcome"] == "accepted"
    assert NAME in texts(gateway)
    assert MEDICINE in texts(gateway)
    assert "skitsofrenia" not in texts(gateway)
    assert [one["answers"] for one in answers] == [
        [{"field": "notes", "class": "person"}], [{"field": "notes", "class": "medicine"}],
    ]  # fmt: skip
    assert not [word for word in (NAME, MEDICINE, REASON) if word in log]


def test_another_record_forgets_no_answer(tmp_path: Path) -> None:
    """What was allowed stays allowed when other records of the client come."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    told = row(take(gateway, written(tmp_path / "1", export())))
    gateway.desk.allow(gateway.office, told["ticket"], [], REASON, gateway.actor(None, None, None), "fi")
    more = export()
    more["asiakkaat"][0]["valmennuspaivakirja"] = copy.deepcopy(sample())["asiakkaat"][0]["valmennuspaivakirja"][1:4]
    take(gateway, written(tmp_path / "2", more))

    assert NAME in texts(gateway)


def test_worded_anew(tmp_path: Path) -> None:
    """A new version without the words stands, and of the old one's words nothing is kept."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    take(gateway, written(tmp_path / "1", export()))
    told = row(take(gateway, written(tmp_path / "2", export("Pari toimi hyvin.", version=2))), 2)

    assert told["outcome"] == "replacement"
    assert "Pari toimi hyvin." in texts(gateway)
    assert NAME not in stored(gateway)["PV-0001", 1]


def test_a_new_version_is_asked_anew(tmp_path: Path) -> None:
    """What was allowed of one version is not allowed of the next."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    told = row(take(gateway, written(tmp_path / "1", export())))
    gateway.desk.allow(gateway.office, told["ticket"], [], REASON, gateway.actor(None, None, None), "fi")
    again = row(take(gateway, written(tmp_path / "2", export("Nyt parina Kaarlo Virtanen.", version=2))), 2)

    assert again["outcome"] == "held"


def test_answers_that_are_none(tmp_path: Path) -> None:
    """A reason that is none or names somebody, another field, a record that does not wait: nothing is allowed."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    rows = take(gateway, written(tmp_path, export()))
    told, caller = row(rows), gateway.actor(None, None, None)
    stands = next(one for one in rows if one["outcome"] == "accepted")
    for ticket, answers, reason, error in (
        (told["ticket"], [], "ok", ParameterError),
        (told["ticket"], [], "Koska Matti Virtanen niin sanoi.", ParameterError),
        (told["ticket"], [("tasks", "person")], REASON, ConflictError),
        (told["ticket"], [("notes", "telephone")], REASON, ConflictError),
        (stands["ticket"], [], REASON, ConflictError),
        ("none", [], REASON, NotFoundError),
    ):
        with pytest.raises(error):
            gateway.desk.allow(gateway.office, ticket, answers, reason, caller, "fi")

    assert gateway.desk.ticket(told["ticket"], "en").told["outcome"] == "held"


def test_a_field_has_levels_of_its_own(tmp_path: Path) -> None:
    """A class allowed in one field is still masked in another; a dropped text leaves its field, counted."""
    fields = [
        {"record": "diary_entry", "field": "notes", "levels": {"person": "allow", "medicine": "drop"}},
        {"record": "diary_entry", "field": "performance", "levels": {"person": "allow"}},
    ]
    gateway = asking(tmp_path / "data", {}, fields)
    value = export("Parina oli Xenia Virtanen.")
    entries = value["asiakkaat"][0]["valmennuspaivakirja"]
    entries[0] |= {"tehtavat": "Xenia Virtanen ohjasi.", "suoriutuminen": "Sujui."}
    entries[1] |= {"vapaaMerkinta": "Sai Cipralex 10 mg aamulla.", "suoriutuminen": "Xenia Virtanen auttoi."}
    rows = take(gateway, written(tmp_path, value))
    said = texts(gateway)

    assert "Parina oli Xenia Virtanen." in said
    assert "[nimi poistettu] ohjasi." in said
    assert "Xenia Virtanen auttoi." in said
    assert "aamulla" not in said
    assert [one["dropped"].get("notes") for one in rows if one["id"] == entries[1]["kirjausId"]] == [1]


def test_over_the_api(tmp_path: Path) -> None:
    """The provider's own system allows with a body; another's finds no record, and a body that is none is refused."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    ticket = row(take(gateway, written(tmp_path, export())))["ticket"]
    with gateway.parts.database.reading() as tx:
        provider = agreements(tx)[0].provider.oid
    own = Caller("records", provider, "T2", "Juhani Korpisaari", "provider-system", "delivery")
    other = Caller("records", Oid("1.2.246.10.95005.10.0"), "T9", "Toinen Taho", "provider-system", "delivery")
    gateway.registration.register_party(
        other.organisation, "Toinen", "1.2.246.10.95006.10.0", "Tilaaja", "T/1", "lapha"
    )
    service = service_of(gateway)
    body = orjson.dumps({"reason": REASON, "answers": [{"field": "notes", "class": "person"}]})
    with pytest.raises(NotFoundError):
        service.allow(ticket, body, other, "fi")
    for wrong in (b"", b"[]", b"{}", b'{"reason": 1}', b'{"reason": "x", "answers": [1]}', b'{"reason": "x", "a": 1}'):
        with pytest.raises(ParameterError):
            service.allow(ticket, wrong, own, "fi")
    told, status = service.allow(ticket, body, own, "fi")

    assert (told["outcome"], status) == ("accepted", 201)
    assert [(one["field"], one["class"], one["reason"]) for one in told["allowed"]] == [("notes", "person", REASON)]


def test_on_the_command_line(tmp_path: Path) -> None:
    """`records allow` answers for a ticket, and says in its exit code whether the record still waits."""
    gateway = asking(tmp_path / "data", {"person": "ask"})
    ticket = row(take(gateway, written(tmp_path, export())))["ticket"]
    gateway.close()
    cli = InProcess(tmp_path / "data")
    told = cli("records", "allow", ticket, "--reason", REASON, "--json")
    unknown = cli("records", "allow", "none", "--reason", REASON)

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["outcome"] == "accepted"
    assert unknown.returncode == 1
