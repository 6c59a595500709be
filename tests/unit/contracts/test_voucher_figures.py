"""Figures of a service that is bought by the day: which days are on the invoice, at which price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml
from tests.unit.contracts import builders
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts.figures import explain, totals
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError

DAY, AWAY = "diary_entry", "absence"


def test_days_on_the_invoice() -> None:
    """Realised days are paid, those to check among them; what is held, refused or no realised day is not."""
    entries = [
        v.entry(DAY, "A", guidance_hours=0.5), v.entry(DAY, "B", date="2022-08-03", hours=9, guidance_hours=0.25),
        v.entry(DAY, "C", date="2022-08-06", hours=4), v.entry(DAY, "held", date="2022-08-08", hours=None),
        v.entry(DAY, "refused", date="2022-07-04"), v.entry(DAY, "drunk", date="2022-08-09", tasks="päihtynyt"),
        v.entry(DAY, "visit", date="2022-08-10", tasks="tutustuminen"),
        v.entry(DAY, "other", date="2022-08-11", funding="project"),
    ]  # fmt: skip
    told = v.numbers(v.case(*entries, ends_on="2022-10-31"))

    assert told == {
        "level": "perustaso", "price_eur": 40, "realised_days": 3, "days_to_check": 2, "rows_not_invoiced": 5,
        "invoice_eur": 120, "to_check_eur": 80, "individual_guidance_hours": 0.75, "absence_calendar_days": 0,
    }  # fmt: skip


def test_day_without_a_price_waits() -> None:
    """A day after the prices ended is no line of the invoice and stands beside it."""
    days = [v.entry(DAY, date=one) for one in ("2022-12-30", "2023-01-02")]
    told = v.numbers(v.case(*days, starts_on="2022-10-17", ends_on="2023-01-31"))

    assert (told["realised_days"], told["invoice_eur"], told["rows_not_invoiced"]) == (1, 40, 1)


def test_each_day_at_the_price_of_its_own_level() -> None:
    """When the level changes, days before and after are paid each at their own price; the newest level is told."""
    special = v.entry(
        "decision", "A", product_number=2, level="erityistaso", starts_on="2022-05-02", ends_on="2022-07-31"
    )
    days = [v.entry(DAY, date=one) for one in ("2022-07-27", "2022-07-28", "2022-08-02")]
    told = v.numbers(v.case(special, v.entry("decision", "B"), *days))

    assert (told["level"], told["price_eur"], told["invoice_eur"]) == ("perustaso", 40, 2 * 48 + 40)


def test_price_of_the_level_goes_before_the_price_of_the_row() -> None:
    """The invoice uses the price of the level, whatever the decision's own price says."""
    told = v.numbers(v.case(v.entry(DAY), unit_price=48))

    assert (told["price_eur"], told["invoice_eur"]) == (40, 40)


def test_absent_calendar_days() -> None:
    """Weekends within an absence count, closures do not, and a day told twice counts once."""
    away = [
        v.entry(AWAY, date="2022-08-05", ends_on="2022-08-08"), v.entry(AWAY, date="2022-08-08", ends_on="2022-08-09"),
        v.entry(AWAY, date="2022-08-15", ends_on="2022-08-19", reason="Paja kiinni"),
        v.entry(AWAY, date="2022-09-05", ends_on="2022-09-01"),
    ]  # fmt: skip

    assert v.numbers(v.case(*away))["absence_calendar_days"] == 5


def test_figures_as_of_a_day() -> None:
    """Days after the as-of date are on no invoice yet; what was dated after its own import stands beside it always."""
    days = [v.entry(DAY, date=one) for one in ("2022-08-02", "2022-09-01")]
    ahead = replace(v.entry(DAY, date="2022-12-24"), received_on=date(2022, 9, 1))
    told = v.numbers(v.case(*days, ahead), date(2022, 8, 31))

    assert (told["realised_days"], told["rows_not_invoiced"]) == (1, 1)


def test_totals_are_exact() -> None:
    """The total of all clients adds the numbers before they were rounded."""
    whole = v.case(v.entry(DAY))
    told = explain(v.HEINOLA, whole, v.judged(whole), v.AS_OF)
    summed = totals(v.HEINOLA, {"1": told, "2": told})

    assert {name: one.value for name, one in summed["TOTAL"].items()} == {
        "realised_days": 2, "invoice_eur": 80, "to_check_eur": 0,
    }  # fmt: skip
    assert summed["TOTAL"]["invoice_eur"].exact == Decimal(80)


def test_figure_names_what_is_behind_it() -> None:
    """Every figure tells the records behind it, in order of time, and its clause."""
    days = [v.entry(DAY, name, date=one) for name, one in (("B", "2022-08-03"), ("A", "2022-08-02"))]
    told = explain(v.HEINOLA, v.case(*days), v.judged(v.case(*days)), v.AS_OF)

    assert told["invoice_eur"].records == ("A", "B")
    assert told["invoice_eur"].clause == "002 §5.2"


@pytest.mark.parametrize(
    ("part", "change", "told"),
    [
        ("products", lambda data: data["products"][0]["prices"].append({"amount": "40", "to": 1}), "amount: expected"),
        ("words", lambda data: data["words"][0].update(means="perhaps"), "means: expected one of"),
        ("reconciliation", lambda data: data["reconciliation"].update(lines="no_such"), "lines: no_such is no figure"),
        ("reconciliation", lambda data: data["reconciliation"].update(invoiced="tasks"), "tasks is no fact"),
        ("reconciliation", lambda data: data["reconciliation"].update(absent=["holiday"]), "holiday is no record type"),
        ("rules", lambda data: data["rules"][0].update(unless_words=["no-list"]), "there is no word list no-list"),
        ("rules", lambda data: data["rules"][0].update(unless="HEI-02"), "unless: expected a list"),
        ("not_software", lambda data: data["not_software"][0]["instead"].pop("sv"), "sv is missing"),
    ],
)
def test_mistake_in_the_contract_file_is_told(part: str, change: Callable[[Any], object], told: str) -> None:
    """Each part of the file says what is wrong with it and where, before the process starts."""
    data = yaml.safe_load(v.TEXT)
    change(data)

    with pytest.raises(MisconfiguredError) as caught:
        Contract.load(yaml.safe_dump(data), "wrong.yaml", builders.TYPES)

    assert told in str(caught.value)
    assert part.rstrip("s") in str(caught.value)
