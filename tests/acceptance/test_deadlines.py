"""Deadlines and completeness of what was delivered: what is due, what is lacking, and who may see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from tests.installations import installation, take, written
from tests.small_export import export, identity_code

from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import NotFoundError, NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Oid
from kanta_gateway.operating.overview import Overview
from kanta_gateway.pipeline.deadlines import Asked

ALL = frozenset(ClockState)
TO_DO = {ClockState.BREACHED, ClockState.OPEN}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that was given two clients: five days of service each, no plan and no summary."""
    folder = tmp_path_factory.mktemp("deadlines")
    one = installation(folder / "data")
    take(one, written(folder, export(2, 5, is_whole=False)))
    yield one
    one.close()


def operator(gateway: Gateway) -> Caller:
    """A local person."""
    return gateway.actor(None, None, None)


def due(gateway: Gateway, as_of: date, **asked: Any) -> dict[str, Any]:
    """Every clock, read on a day."""
    return gateway.office.deadlines(operator(gateway), Asked(as_of, "en", **asked))


def lacking(gateway: Gateway, as_of: date, **asked: Any) -> dict[str, Any]:
    """What is lacking on a day."""
    return gateway.office.completeness(operator(gateway), Asked(as_of, "en", **asked))


def rows(told: dict[str, Any]) -> list[tuple[str, str, str | None, int | None, str]]:
    """Client, rule, due date, days left and state of each clock."""
    return [(one["client"], one["rule"], one["due"], one["days_left"], one["state"]) for one in told["deadlines"]]


def test_what_is_due_within_the_period(gateway: Gateway) -> None:
    """Two weeks in, a plan is due that day; a month in, it is overdue and stands first."""
    early, later = (due(gateway, day, client="A-1", states=TO_DO) for day in (date(2025, 3, 17), date(2025, 4, 16)))

    assert rows(early)[0] == ("A-1", "LAP-08", "2025-03-17", 0, "open")
    assert rows(later)[0] == ("A-1", "LAP-08", "2025-03-17", -30, "breached")
    assert rows(later)[1:] == [
        ("A-1", "LAP-13", "2025-04-29", 13, "open"), ("A-1", "LAP-13", "2025-05-30", 44, "open"),
        ("A-1", "LAP-15", "2025-06-13", 58, "open"),
    ]  # fmt: skip
    assert {one["what"] for one in later["deadlines"]} == {
        "Implementation plan", "Interim evaluation", "Final evaluation", "Final summary",
    }  # fmt: skip


def test_a_clock_tells_where_it_comes_from(gateway: Gateway) -> None:
    """A clock names contract, clause, the record that it stands on, and what started it."""
    one = due(gateway, date(2025, 4, 16), client="A-1", states=TO_DO)["deadlines"][0]

    assert (one["contract"], one["clause"], one["kind"]) == ("lapha", "001 §2.1", "plan-made")
    assert one["record"] == {"type": "decision", "id": "P-1"}
    assert one["start"] == {"type": "decision", "id": "P-1", "field": "starts_on", "day": "2025-03-03"}
    assert (one["done"], one["awaits"]) == (None, ["implementation_plan"])


@pytest.mark.parametrize(("language", "what"), [("fi", "Toteuttamissuunnitelma"), ("sv", "Genomförandeplan")])
def test_in_the_language_of_the_reader(gateway: Gateway, language: str, what: str) -> None:
    """What is due is told in the language that was asked for."""
    told = gateway.office.deadlines(operator(gateway), Asked(date(2025, 4, 16), language, states=TO_DO))

    assert told["deadlines"][0]["what"] == what


def test_pages_make_up_the_whole(gateway: Gateway) -> None:
    """Pages of one clock follow each other without a gap, overdue before open, each by its day."""
    whole = due(gateway, date(2025, 4, 16))
    pages, after = [], 0
    while page := (told := gateway.office.deadlines(operator(gateway), Asked(date(2025, 4, 16), "en"), after, 1))[
        "deadlines"
    ]:
        pages += page
        after = told["next"]
    to_do = [one for one in pages if one["state"] in TO_DO]

    assert pages == whole["deadlines"]
    assert sum(whole["counts"].values()) == len(pages)
    assert [(one["state"], one["due"]) for one in to_do] == sorted((one["state"], one["due"]) for one in to_do)


def test_days_that_are_lacking(gateway: Gateway) -> None:
    """After the fifth day, a Tuesday, one day of that week is lacking, and every day of the next weeks."""
    told = lacking(gateway, date(2025, 3, 24), client="A-1")
    (one,) = told["completeness"]

    assert not told["complete"]
    assert [(week["start"], week["expected"], week["told"]) for week in one["weeks"]] == [
        ("2025-03-10", 3, 2), ("2025-03-17", 3, 0),
    ]  # fmt: skip
    assert one["lacking_days"] == 4
    assert [(row["rule"], row["awaits"]) for row in told["records"]] == [("LAP-08", ["implementation_plan"])]


def test_a_delivery_that_is_complete(gateway: Gateway) -> None:
    """Before the first week has ended nothing is lacking."""
    told = lacking(gateway, date(2025, 3, 8))

    assert (told["complete"], told["completeness"], told["records"]) == (True, [], [])
    assert told["periods"] == {"judged": 2, "unknown": 0}


def test_of_a_contract_only(gateway: Gateway) -> None:
    """Another contract has no clocks here, and one that there is not is told."""
    assert due(gateway, date(2025, 4, 16), contract="heinola")["deadlines"] == []
    assert rows(due(gateway, date(2025, 4, 16), contract="lapha")) == rows(due(gateway, date(2025, 4, 16)))
    with pytest.raises(NotFoundError):
        due(gateway, date(2025, 4, 16), contract="no-such")


def test_reading_is_logged_with_whose_it_was(gateway: Gateway) -> None:
    """Each reading is an entry for each client whose data it used, with what was read."""
    size = len(list(gateway.trail.export("jsonl", operator(gateway))))
    due(gateway, date(2025, 4, 16), client="A-1")
    lacking(gateway, date(2025, 4, 16))
    entries = [orjson.loads(line) for line in gateway.trail.export("jsonl", operator(gateway))][size:]
    read = [(one["event"], one["subject"]) for one in entries if one["event"] == "figures:read"]

    assert read == [("figures:read", "deadlines"), *[("figures:read", "completeness")] * 2]


def test_others_see_nothing(gateway: Gateway) -> None:
    """Another provider sees no clock, who has no contract is refused, a purchaser needs a contract and a register."""
    organiser = Oid("1.2.246.10.94006007.10.0")
    gateway.registration.register_party("1.2.3", "Toinen ry", organiser, "Alue", "NAYTE/9", "lapha")
    other = replace(operator(gateway), system="x", organisation=Oid("1.2.3"), role="provider-system")
    asked = Asked(date(2025, 4, 16), "en")
    without = replace(other, organisation=organiser, role="purchaser-supervisor", purpose="supervision")
    stranger = replace(without, organisation=Oid("1.2.4"), contract="NAYTE/1/2025")

    assert gateway.office.deadlines(other, asked)["deadlines"] == []
    assert gateway.office.completeness(other, asked)["periods"]["judged"] == 0
    assert gateway.office.deadlines(replace(without, contract="NAYTE/1/2025"), asked)["deadlines"] != []
    for refused in (replace(other, role="auditor"), without, stranger, replace(stranger, role="provider-system")):
        with pytest.raises(NotPermittedError):
            gateway.office.deadlines(refused, asked)
        with pytest.raises(NotPermittedError):
            gateway.office.completeness(refused, asked)


def test_no_personal_value_is_told(gateway: Gateway) -> None:
    """Neither names nor identity codes stand in what is told: a client appears by number."""
    told = json.dumps([due(gateway, date(2025, 6, 30)), lacking(gateway, date(2025, 6, 30))])

    assert "A-1" in told
    for value in ("Rautiola", "Sampo", identity_code(1)):
        assert value not in told


@pytest.mark.parametrize(
    ("language", "first", "line"),
    [
        ("fi", "Määräajat 2025-04-16: myöhässä 2, avoin 6", "2025-03-17  -30     myöhässä  A-1"),
        ("sv", "Tidsfrister 2025-04-16: försenad 2, öppen 6", "2025-03-17  -30    försenad  A-1"),
        ("en", "Deadlines as of 2025-04-16: overdue 2, open 6", "2025-03-17  -30   overdue  A-1"),
    ],
)
def test_a_table_for_a_person(gateway: Gateway, language: str, first: str, line: str) -> None:
    """`status` prints counts, a table, and what is lacking, in the person's language."""
    overview = Overview(gateway.parts, gateway.office, gateway.accesses, gateway.rights, language)
    told = list(overview.board(overview.due(operator(gateway), date(2025, 4, 16), None, None, TO_DO)))

    assert told[0].startswith(first)
    assert told[2].split() == [*line.split(), *told[2].split()[4:]]
    assert any("2025-03-10" in one and "A-1" in one for one in told[8:])
