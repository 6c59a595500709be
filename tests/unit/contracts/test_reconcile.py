"""Diary against absences against invoice, day by day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.contracts import builders
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.reconcile import TEXTS, Day, lines, reconcile
from kanta_gateway.messages import Messages

DAY, AWAY = "diary_entry", "absence"


def days(whole: Case, as_of: date = v.AFTER) -> list[Day]:
    """The reconciliation of a case."""
    return reconcile(v.HEINOLA, whole, v.judged(whole, as_of), as_of)


def told(whole: Case) -> dict[str, list[str]]:
    """Day -> kinds of its differences, days without any left out."""
    return {one.day: [found.kind for found in one.differences] for one in days(whole) if one.differences}


def test_day_in_order_has_a_line_and_no_difference() -> None:
    """A realised and reported day is one line at the price of its level, and nothing differs."""
    (one,) = days(v.case(v.entry(DAY, "A")))

    assert one.line is not None
    assert (one.line.subject.entry.id, one.line.amount, one.line.is_to_check) == ("A", Decimal(40), False)
    assert (one.day, one.invoiced, one.differences) == ("2022-08-02", ("2022-09-04",), ())


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        ({"reported_on": None}, ["invoice-not-reported"]),
        ({"reported_on": "2022-08-01"}, ["invoice-reported-early"]),
        ({"hours": 9}, ["invoice-to-check"]),
        ({"date": "2022-08-06"}, ["invoice-to-check"]),
        ({"hours": None}, ["invoice-not-a-line"]),
        ({"voucher_number": "PS-2022-90009"}, ["invoice-not-a-line"]),
        ({"date": "2022-07-04"}, ["invoice-not-a-line"]),
        ({"tasks": "päihtynyt"}, ["invoice-not-a-line"]),
        ({"tasks": "tutustuminen"}, ["invoice-not-a-line"]),
        ({"tasks": "tutustuminen", "reported_on": None}, []),
        ({"hours": None, "reported_on": None}, []),
    ],
)
def test_difference_of_one_entry(content: dict[str, Any], kinds: list[str]) -> None:
    """Each way in which one entry and the invoice differ is told, and what neither has is no difference."""
    one = v.entry(DAY, **content)

    assert list(told(v.case(one)).values()) == ([kinds] if kinds else [])


def test_rules_stand_in_the_difference() -> None:
    """A reported day that is none says which rules keep it off the invoice."""
    (one,) = days(v.case(v.entry(DAY, hours=None)))

    assert one.differences[0].params["rules"] == "HEI-06"
    assert (one.differences[0].rule, one.differences[0].severity.word) == ("HEI-12", "info")


def test_absence_and_closure_on_an_attended_day() -> None:
    """An absence on an attended day differs, each day of it; the same visit told as an intoxicated one does not."""
    attended = v.entry(DAY, date="2022-08-05")
    away = v.entry(AWAY, date="2022-08-04", ends_on="2022-08-06")
    closed = v.entry(AWAY, date="2022-08-04", ends_on="2022-08-06", reason="kiinni")
    drunk = v.entry(AWAY, date="2022-08-05", ends_on="2022-08-05", reason="päihtynyt")

    assert told(v.case(attended, away)) == {"2022-08-05": ["invoice-absent", "invoice-not-a-line"]}
    assert [one.day for one in days(v.case(attended, away))] == ["2022-08-04", "2022-08-05", "2022-08-06"]
    assert told(v.case(attended, closed)) == {"2022-08-05": ["invoice-closed"]}
    assert told(v.case(attended, drunk)) == {"2022-08-05": ["invoice-not-a-line"]}


def test_price_that_differs_is_told_on_every_line() -> None:
    """A decision whose price is not the level's is told on each day that it would change."""
    entries = [v.entry(DAY), v.entry(DAY, date="2022-08-03"), v.entry(DAY, date="2022-08-04", hours=None)]

    assert [one for kinds in told(v.case(*entries, unit_price=48)).values() for one in kinds] == [
        "invoice-price-differs", "invoice-price-differs", "invoice-not-a-line",
    ]  # fmt: skip


def test_day_on_the_invoice_twice() -> None:
    """Two entries of one day that were both reported are told, and only one of them is paid."""
    whole = v.case(v.entry(DAY, "A"), v.entry(DAY, "B"))

    assert "invoice-twice" in told(whole)["2022-08-02"]
    assert v.numbers(whole)["invoice_eur"] == 40
    assert len(lines(v.HEINOLA, whole, v.judged(whole, v.AFTER), v.AFTER)) == 1


def test_a_day_is_to_check_whichever_of_its_records_is() -> None:
    """Hours that only exceed the decision together mark the second record; the day's one line is to check."""
    first = v.entry("diary_entry", "R0", date="2022-08-01", start_time="08:00", hours=4)
    second = v.entry("diary_entry", "R1", date="2022-08-01", start_time="12:00", hours=4)
    whole = v.case(first, second)
    found = lines(v.HEINOLA, whole, v.judged(whole), v.AS_OF)

    assert [("R0", True)] == [(one.subject.entry.id, one.is_to_check) for one in found]


def test_endless_absence_ends_with_the_decision() -> None:
    """An absence whose last day is thousands of years away is listed as far as the decision reaches."""
    away = v.entry(AWAY, date="2022-10-30", ends_on="9999-12-31")

    assert [one.day for one in days(v.case(away))] == ["2022-10-30", "2022-10-31"]


def test_lines_are_those_of_the_figure() -> None:
    """The lines of the invoice add up to the figure, and those to check are marked."""
    whole = v.case(v.entry(DAY, "A"), v.entry(DAY, "B", date="2022-08-03", hours=9), v.entry(DAY, "C", hours=None))
    found = lines(v.HEINOLA, whole, v.judged(whole, v.AFTER), v.AFTER)

    assert [(one.subject.entry.id, one.is_to_check) for one in found] == [("A", False), ("B", True)]
    assert sum(one.amount or 0 for one in found) == v.numbers(whole)["invoice_eur"]


def test_contract_without_reconciliation_compares_nothing() -> None:
    """A contract that names no invoice has neither days nor lines."""
    whole = builders.case(builders.entry(DAY))
    judgement = builders.judged(whole)

    assert reconcile(builders.LAPHA, whole, judgement, builders.AS_OF) == []
    assert lines(builders.LAPHA, whole, judgement, builders.AS_OF) == []


def test_every_difference_has_its_text() -> None:
    """Whatever reconciling can tell has its text in every language."""
    texts = Messages.load({"vouchers": (builders.ROOT / "mappings/messages/vouchers.yaml").read_text("utf-8")})

    assert set(TEXTS) | (v.HEINOLA.kinds & texts.kinds()) <= texts.kinds()
    assert set(TEXTS) <= texts.kinds()
