"""Tests of the closed list of formats."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kanta_gateway.mapping import formats


@pytest.mark.parametrize(
    ("name", "values", "made"),
    [
        ("date-list", [["2025-10-16", "2025-11-24"]], "16.10.2025, 24.11.2025"),
        ("date-list", [["lokakuussa"]], "lokakuussa"),
        ("date-list", ["2025-10-16"], "16.10.2025"),
        ("decimal", [Decimal("5.50")], "5,5"),
        ("decimal", [5.0], "5"),
        ("decimal", [100], "100"),
        ("decimal", [float("nan")], None),
        ("decimal", ["5"], None),
        ("finnish-date", ["2025-09-04"], "4.9.2025"),
        ("finnish-date", ["2025-02-30"], None),
        ("finnish-moment", ["2025-09-23T08:05"], "23.9.2025 klo 8.05"),
        ("finnish-moment", ["2025-09-23T06:05:00+00:00"], "23.9.2025 klo 9.05"),
        ("finnish-moment", ["2025-09-23"], "23.9.2025"),
        ("finnish-moment", ["eilen"], None),
        ("identity-birth-date", ["140388-917R"], date(1988, 3, 14)),
        ("identity-birth-date", ["011217C935V"], date(2017, 12, 1)),
        ("identity-birth-date", ["310288-917R"], None),
        ("identity-birth-date", ["x"], None),
        ("person-name", [{"surname": "Niva", "given_names": "Anneli"}], "Anneli Niva"),
        ("person-name", ["Anneli Niva"], "Anneli Niva"),
        ("person-name", [{}], None),
        ("helsinki-time", ["2025-09-01", "25:00"], None),
        ("helsinki-time", ["2025-09-01", 9], None),
    ],
)
def test_format_makes_what_it_says(name: str, values: list[Any], made: Any) -> None:
    """A format gives its value, or nothing where the input does not fit."""
    assert formats.FORMATS[name].make(*values, "fi") == made


@pytest.mark.parametrize(("on", "offset"), [("2025-09-01", "+03:00"), ("2025-12-01", "+02:00")])
def test_time_of_day_is_that_of_finland(on: str, offset: str) -> None:
    """A time of day carries the offset that Finland has on that day."""
    made = formats.helsinki_time(on, "09:00")

    assert made is not None
    assert made.isoformat() == f"{on}T09:00:00{offset}"


@pytest.mark.parametrize(
    ("value", "language", "told"),
    [
        (True, "fi", "Kyllä"),
        (False, "sv", "Nej"),
        (["a", "b"], "fi", "a, b"),
        ("  ", "fi", None),
        ({}, "fi", None),
    ],
)
def test_plain_value_in_a_text(value: Any, language: str, told: str | None) -> None:
    """A value in a text is shown in the document's language; emptiness is not shown."""
    assert formats.text(value, language) == told
