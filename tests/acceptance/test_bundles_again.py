"""Bundles one after another: what replaces, renews, cancels and repeats, in every order of arrival."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.bundles import BASE, CLIENT, PARTIES, Resource, activation, encounter, implementation, written
from tests.faulty_bundles import SECRET, faults
from tests.installations import documents, installation

from kanta_gateway.gateway import Gateway
from kanta_gateway.knowledge import of_source

FIRST = implementation("p1", description="Ensimmäinen.")
SECOND = implementation("p2", description="Toinen.", replaces=[{"reference": "CarePlan/p1"}], created="2022-09-20")
THIRD = implementation("p3", description="Kolmas.", replaces=[{"reference": "CarePlan/p2"}], created="2022-10-20")


def take(gateway: Gateway, path: Path, *resources: Resource) -> dict[str, tuple[str, int]]:
    """Import a bundle of its own; id -> outcome and version, without what every record needs."""
    caller = gateway.actor(None, None, None)
    rows = gateway.deliveries.import_files([written(path, resources)], "fhir-bundle", "paijat-hame", caller).rows()
    return {row["id"]: (row["outcome"], row["version"]) for row in rows if row["outcome"] != "reference"}


def seen_again(gateway: Gateway, path: Path) -> dict[str, str]:
    """Import a file once more; id -> outcome of what stands, without what every record needs."""
    caller = gateway.actor(None, None, None)
    rows = gateway.deliveries.import_files([path], "fhir-bundle", "paijat-hame", caller).standing()
    return {row["id"]: row["outcome"] for row in rows if row["outcome"] != "reference"}


def standing(gateway: Gateway) -> list[tuple[str, str]]:
    """What stands as documents: id of the record, and what is told of the situation."""
    return sorted((key[0], str(made)) for key, made in documents(gateway).items())


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND))), ids=["as-written", "backwards"])
def test_a_replacement_stands_in_whatever_order_it_comes(tmp_path: Path, order: tuple[Resource, ...]) -> None:
    """What `replaces` another resource is its later version, also when it arrives before it (GEN-03)."""
    gateway = installation(tmp_path / "data")
    take(gateway, tmp_path / "base.json", *BASE)
    for number, one in enumerate(order):
        take(gateway, tmp_path / f"{number}.json", one)
    told = take(gateway, tmp_path / "again.json", *order)
    (document,) = standing(gateway)
    gateway.close()

    assert "Toinen." in document[1]
    assert told == {"CarePlan/p1": ("duplicate", 1), "CarePlan/p2": ("duplicate", 1)}


PARTS: dict[str, list[list[Resource]]] = {
    "whole": [[FIRST, SECOND, THIRD]],
    "each": [[FIRST], [SECOND], [THIRD]],
    "two-and-one": [[FIRST, SECOND], [THIRD]],
    "mixed": [[THIRD, FIRST, SECOND]],
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_a_chain_is_one_record_however_it_is_delivered(tmp_path: Path, parts: list[list[Resource]]) -> None:
    """Corrections of corrections leave one document, whether they come together or one by one."""
    gateway = installation(tmp_path / "data")
    take(gateway, tmp_path / "base.json", *BASE)
    told: dict[str, Any] = {}
    for number, part in enumerate(parts):
        told |= take(gateway, tmp_path / f"{number}.json", *part)
    (document,) = standing(gateway)
    gateway.close()

    assert "Kolmas." in document[1]
    assert told["CarePlan/p3"] == ("replacement", 1)


def test_version_ids_of_a_server_do_not_disturb_a_chain(tmp_path: Path) -> None:
    """A server numbers each resource from 1: what replaces another stands above all of its versions."""
    gateway = installation(tmp_path / "data")
    chain = [
        FIRST | {"meta": {"versionId": "1"}},
        FIRST | {"meta": {"versionId": "2"}, "description": "Ensimmäinen, korjattu."},
        SECOND | {"meta": {"versionId": "1"}},
    ]
    caller = gateway.actor(None, None, None)
    path = written(tmp_path / "chain.json", [*BASE, *chain])
    rows = [
        (row["id"], row["version"], row["outcome"])
        for row in gateway.deliveries.import_files([path], "fhir-bundle", "paijat-hame", caller).rows()
        if row["outcome"] != "reference"
    ]
    (document,) = standing(gateway)
    gateway.close()

    assert rows == [
        ("CarePlan/p1", 1, "replaced"), ("CarePlan/p1", 2, "replaced"), ("CarePlan/p2", 1, "replacement"),
    ]  # fmt: skip
    assert "Toinen." in document[1]


def test_a_renewed_plan_frees_what_waited_and_leaves_the_days_before_it_alone(tmp_path: Path) -> None:
    """The plan that replaces another grants its own days; those before it stay granted by the first (PAI-04)."""
    gateway = installation(tmp_path / "data")
    before = take(gateway, tmp_path / "1.json", *BASE, encounter("e1", "2022-10-05"), encounter("e2", "2022-12-02"))
    renewed = activation("act2", replaces=[{"reference": "CarePlan/act"}], created="2022-11-28",
                         period={"start": "2022-12-01", "end": "2023-02-28"})  # fmt: skip
    take(gateway, tmp_path / "2.json", renewed)
    after = seen_again(gateway, tmp_path / "1.json")
    gateway.close()

    assert before == {"Encounter/e1": ("accepted", 1), "Encounter/e2": ("held", 1)}
    assert after == {"Encounter/e1": "accepted", "Encounter/e2": "accepted"}


def test_what_was_entered_in_error_leaves_no_document(tmp_path: Path) -> None:
    """The cancelled record withdraws its document, and comes back as nothing when it is delivered again (GEN-02)."""
    gateway = installation(tmp_path / "data")
    take(gateway, tmp_path / "1.json", *BASE, encounter("e1", "2022-10-05"))
    wrong = encounter("e1", "2022-10-05", status="entered-in-error")
    told = [take(gateway, tmp_path / f"{number}.json", wrong) for number in (2, 3)]
    left = standing(gateway)
    gateway.close()

    assert told == [{"Encounter/e1": ("cancellation", 1)}, {"Encounter/e1": ("duplicate", 1)}]
    assert left == []


def test_what_was_unfinished_stands_when_it_is_finished(tmp_path: Path) -> None:
    """An encounter that was delivered while it went on waits, and the finished one makes the document."""
    gateway = installation(tmp_path / "data")
    open_ = encounter("e1", "2022-10-05", status="in-progress", text={"status": "empty", "div": "<div>-</div>"})
    before = take(gateway, tmp_path / "1.json", *BASE, open_)
    after = take(gateway, tmp_path / "2.json", encounter("e1", "2022-10-05"))
    left = standing(gateway)
    gateway.close()

    assert (before, after) == (
        {"Encounter/e1": ("held", 1)}, {"Encounter/e1": ("replacement", 1)}
    )  # fmt: skip
    assert [name for name, _ in left] == ["Encounter/e1"]


def test_client_and_parties_may_come_last(tmp_path: Path) -> None:
    """What waits for client, plan and staff is freed by them, whatever bundle they come in."""
    gateway = installation(tmp_path / "data")
    first = take(gateway, tmp_path / "1.json", encounter("e1", "2022-10-05"))
    for number, part in enumerate(([CLIENT], [activation()], PARTIES), 2):
        take(gateway, tmp_path / f"{number}.json", *part)
    left = standing(gateway)
    gateway.close()

    assert first == {"Encounter/e1": ("held", 1)}
    assert [name for name, _ in left] == ["Encounter/e1"]


def test_the_sample_becomes_documents(tmp_path: Path) -> None:
    """What the package gives a provider to look at is accepted as it stands."""
    gateway = installation(tmp_path / "data")
    path = tmp_path / "bundle.json"
    path.write_bytes(next(one for name, one in of_source("fhir-bundle").items() if name.startswith("samples/")))
    rows = list(
        gateway.deliveries.import_files([path], "fhir-bundle", "paijat-hame", gateway.actor(None, None, None)).rows()
    )
    made = documents(gateway)
    gateway.close()

    assert {row["outcome"] for row in rows} == {"accepted", "reference"}
    assert [row["id"] for row in rows if row["outcome"] == "accepted"] == [
        "CarePlan/toteuttamis-1", "Encounter/tapaaminen-1", "Encounter/peruttu-1", "Encounter/neuvottelu-1",
        "Composition/yhteenveto-1", "DocumentReference/yhteenveto-2",
    ]  # fmt: skip
    assert len(made) == 6


@pytest.mark.parametrize("seed", range(3))
def test_a_faulty_bundle_takes_nothing_else_away_and_is_taken_once(tmp_path: Path, seed: int) -> None:
    """Through the whole import: good entries become documents, nothing is taken twice, nothing secret is told."""
    chosen = random.Random(seed).sample([one for one in faults(seed) if not one.is_file and not one.touched], 4)
    for fault in chosen:
        gateway = installation(tmp_path / fault.name)
        path = tmp_path / f"{fault.name}.json"
        path.write_bytes(fault.data)
        caller = gateway.actor(None, None, None)
        first, second = (
            gateway.deliveries.import_files([path], "fhir-bundle", "paijat-hame", caller) for _ in range(2)
        )
        rows, again = list(first.rows()), list(second.rows())
        made = documents(gateway)
        gateway.close()

        assert (fault.rule, fault.pointer) in {(one["rule"], one["pointer"]) for one in first.findings}
        assert SECRET not in str((rows, again, first.findings))
        assert {row["outcome"] for row in again} <= {"duplicate"}
        assert len(made) == sum(len(row["documents"]) for row in rows)


HELD = encounter("e1", "2022-10-05")
CANCELLED = encounter("e1", "2022-10-05", status="cancelled")
NEGOTIATED = encounter("e1", "2022-10-05", type=[{"text": "Verkostoneuvottelu"}])
WRONG = encounter("e1", "2022-10-05", status="entered-in-error")
MEETING, MISSED, NEGOTIATION = (f"1.2.246.537.6.1506.{one}" for one in ("19005", "19006", "19004"))


def editions(*states: Resource) -> list[Resource]:
    """The states of one resource with a server's version ids."""
    return [one | {"meta": {"versionId": str(number)}} for number, one in enumerate(states, 1)]


FORMS: list[tuple[list[Resource], list[str]]] = [
    ([HELD, CANCELLED], [MISSED]),
    ([CANCELLED, HELD], [MEETING]),
    ([HELD, NEGOTIATED], [NEGOTIATION]),
    ([CANCELLED, WRONG], []),
    ([HELD, CANCELLED, WRONG], []),
    ([HELD, NEGOTIATED, CANCELLED], [MISSED]),
]
NUMBERED: list[tuple[list[Resource], list[str]]] = [
    (editions(HELD, CANCELLED), [MISSED]),
    (editions(HELD, CANCELLED)[::-1], [MISSED]),
    (editions(HELD, CANCELLED, HELD | {"text": CANCELLED["text"]}), [MEETING]),
    (editions(CANCELLED, WRONG), []),
    (editions(CANCELLED, WRONG)[::-1], []),
]
"""These can stand in one bundle: their versions tell them apart."""


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        *(([[one] for one in states], expected) for states, expected in (*FORMS, *NUMBERED)),
        *(([states], expected) for states, expected in NUMBERED),
    ],
)
def test_one_contact_is_one_document_whatever_it_was_taken_for(
    tmp_path: Path, deliveries: list[list[Resource]], expected: list[str]
) -> None:
    """A meeting that was cancelled, or was a negotiation, leaves no document of what it was taken for before."""
    gateway = installation(tmp_path / "data")
    take(gateway, tmp_path / "base.json", *BASE)
    for number, part in enumerate(deliveries):
        take(gateway, tmp_path / f"{number}.json", *part)
    made = [key[2].rsplit(".", 3)[0] for key in documents(gateway)]
    again = [take(gateway, tmp_path / f"again-{number}.json", *part) for number, part in enumerate(deliveries)]
    same = [key[2].rsplit(".", 3)[0] for key in documents(gateway)]
    gateway.close()

    assert made == same == expected
    assert {outcome for one in again for outcome, _ in one.values()} == {"duplicate"}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_forms_of_one_contact_end_alike_in_every_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Numbered states of one contact, each of another type, leave the newest, in whatever order they arrive."""
    states = editions(HELD, CANCELLED, NEGOTIATED)
    gateway = installation(tmp_path / "data")
    take(gateway, tmp_path / "base.json", *BASE)
    for place in order:
        take(gateway, tmp_path / f"{place}.json", states[place])
    made = [key[2].rsplit(".", 3)[0] for key in documents(gateway)]
    gateway.close()

    assert made == [NEGOTIATION]
