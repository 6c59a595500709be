"""Is the delivery complete: days, weeks and months that should have a record and have none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from tests.unit.contracts import builders as b
from tests.unit.contracts import helsinki as h
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import Judgement
from kanta_gateway.contracts.completeness import Gaps, gaps
from kanta_gateway.contracts.expected import Weekdays
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError

WEEKDAYS = v.HEINOLA.expected.weekdays
MONDAY = date(2022, 8, 8)
"""A week into the voucher, whose first week is Monday 1 August to Sunday 7 August."""


def of(judgement: Judgement) -> Gaps:
    """What the only period of a case lacks."""
    assert judgement.situation is not None
    (found,) = gaps(judgement.situation)
    return found


def weeks(whole: Case, as_of: date = MONDAY) -> list[tuple[str, int, int, tuple[str, ...]]]:
    """First day, expected and recorded days of each week that lacks some, and which they are."""
    return [(one.start, one.expected, one.told, one.days) for one in of(v.judged(whole, as_of)).weeks]


def days(*on: str, kind: str = "diary_entry", **content: Any) -> list[Any]:
    """Entries of some days."""
    return [v.entry(kind, date=one, **content) for one in on]


def agreed(text: str, **content: Any) -> Any:
    """An agreement with days of the week."""
    return v.entry("agreement", days=text, **{"days_per_week": None, **content})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ma, ti, to klo 9\u201314", (0, 1, 3)),
        ("ma\u2013to klo 9\u201315", (0, 1, 2, 3)),
        ("ma-pe", (0, 1, 2, 3, 4)),
        ("ma ke pe", (0, 2, 4)),
        ("Ti ja to", (1, 3)),
        ("ma klo 9\u201312, to klo 12.30\u201315", (0, 3)),
        ("ma, ke\u2013pe", (0, 2, 3, 4)),
        ("", ()),
        ("joka toinen ma", ()),
        ("2 krt/vko", ()),
        ("pe\u2013ma", ()),
        ("sopimuksen mukaan", ()),
    ],
)
def test_days_of_the_week_are_read_or_not_at_all(text: str, expected: tuple[int, ...]) -> None:
    """Days of the week are read where all that is written is understood, and not guessed elsewhere."""
    assert WEEKDAYS.read(text) == expected


def test_without_words_no_day_is_read() -> None:
    """A contract that names no words reads no days."""
    assert Weekdays().read("ma") == ()


def test_a_week_lacks_days_by_number() -> None:
    """With a number of days a week only, it is told how many are lacking and not which."""
    whole = v.case(*days("2022-08-01"), *days("2022-08-03", kind="absence", ends_on="2022-08-03"))

    assert weeks(whole) == [("2022-08-01", 3, 2, ())]
    assert weeks(v.case(*whole.entries, *days("2022-08-05"))) == []


def test_a_week_lacks_days_by_name() -> None:
    """With the days of the week in the agreement, the days themselves are told."""
    whole = v.case(agreed("ma, ke, pe"), *days("2022-08-01"))

    assert weeks(whole) == [("2022-08-01", 3, 1, ("2022-08-03", "2022-08-05"))]


def test_a_day_that_was_swapped_is_not_lacking() -> None:
    """An attended day that is none of the client's stands for one of them; an absence does not."""
    came = v.case(agreed("ma, ke, pe"), *days("2022-08-01", "2022-08-02", "2022-08-05"))
    absent = days("2022-08-02", kind="absence", ends_on="2022-08-02")
    away = v.case(agreed("ma, ke, pe"), *days("2022-08-01", "2022-08-05"), *absent)
    once = v.case(agreed("ma, ke, pe"), *days("2022-08-01", "2022-08-02"))

    assert weeks(came) == []
    assert weeks(away) == [("2022-08-01", 3, 2, ("2022-08-03",))]
    assert weeks(once) == [("2022-08-01", 3, 2, ("2022-08-03", "2022-08-05"))]


def test_an_absence_of_several_days_tells_of_each() -> None:
    """An absence, or a closed service, from Monday to Friday leaves nothing lacking."""
    away = days("2022-08-01", kind="absence", ends_on="2022-08-07")
    closed = days("2022-08-01", kind="absence", ends_on="2022-08-07", reason="paja kiinni")

    assert weeks(v.case(*away)) == []
    assert weeks(v.case(agreed("ma, ke, pe"), *closed)) == []


def test_what_waits_tells_of_its_day() -> None:
    """An entry that is held is a record all the same."""
    assert weeks(v.case(*days("2022-08-01", "2022-08-02", "2022-08-03", hours=None))) == []


def test_only_days_that_have_passed_are_expected() -> None:
    """Of a week that has not ended the days before the as-of date are expected, and by number only what is certain."""
    named, numbered = v.case(agreed("ma, ke, pe")), v.case()

    assert weeks(named, date(2022, 8, 3)) == [("2022-08-01", 1, 0, ("2022-08-01",))]
    assert weeks(named, date(2022, 8, 1)) == []
    assert weeks(numbered, date(2022, 8, 3)) == []
    assert weeks(numbered, date(2022, 8, 5)) == [("2022-08-01", 2, 0, ())]


def test_a_holiday_is_nobodys_day() -> None:
    """In the week of the holiday Tuesday 16 August no day is expected on it, and by number one day less is certain."""
    whole = v.case(*days("2022-08-01", "2022-08-02", "2022-08-03", "2022-08-08", "2022-08-09", "2022-08-10"))
    named = v.case(agreed("ma, ti, ke"), *(one for one in whole.entries if one.type == "diary_entry"))
    as_of = date(2022, 8, 22)

    assert weeks(whole, as_of) == [("2022-08-15", 2, 0, ())]
    assert weeks(named, as_of) == [("2022-08-15", 2, 0, ("2022-08-15", "2022-08-17"))]


def test_nothing_is_expected_after_the_end() -> None:
    """A service that ended early expects nothing after its last day."""
    whole = v.case(*days("2022-08-01", "2022-08-02", "2022-08-03"), v.entry("service_end", date="2022-08-07"))

    assert weeks(whole, v.AS_OF) == []


def test_nothing_is_expected_where_nothing_tells_how_often() -> None:
    """A decision without days a week expects nothing, and says that it does not know."""
    found = of(v.judged(v.case(days_per_week=None), MONDAY))

    assert (found.weeks, found.months, found.days_per_week) == ((), (), 0)


def test_the_agreement_goes_before_the_decision() -> None:
    """Days a week of the newest agreement that has begun are what is expected."""
    fewer = agreed("", days_per_week=1, signed_on="2022-08-02")
    later = agreed("", days_per_week=4, signed_on="2022-08-20", starts_on="2022-08-22")

    assert weeks(v.case(fewer, later)) == [("2022-08-01", 1, 0, ())]


def test_days_that_contradict_the_number_are_not_guessed() -> None:
    """More days than named are expected by number; fewer than named are expected of those named."""
    more = v.case(agreed("ma", days_per_week=2))
    fewer = v.case(agreed("ma, ti, ke", days_per_week=2), *days("2022-08-01"))

    assert weeks(more) == [("2022-08-01", 2, 0, ())]
    assert weeks(fewer) == [("2022-08-01", 2, 1, ())]


def test_the_next_period_has_its_own_days() -> None:
    """Days of one period do not tell of another; an absence that reaches over tells of both."""
    periods = [v.entry("decision", "D1", ends_on="2022-08-07"), v.entry("decision", "D2", starts_on="2022-08-08")]
    whole = v.case(*periods, *days("2022-08-01", kind="absence", ends_on="2022-08-14"))
    judgement = v.judged(whole, date(2022, 8, 15))
    assert judgement.situation is not None

    assert [one.weeks for one in gaps(judgement.situation)] == [(), ()]


def test_months_that_are_lacking() -> None:
    """A month kept as a sheet is lacking once it has ended, and its days are not told again."""
    week = {f"2025-09-{day:02d}": 6 for day in range(1, 29) if date(2025, 9, day).weekday() in {0, 2, 4}}
    week |= {"2025-09-29": 6}
    whole = h.case(h.month(week), grant=h.entry("decision", "P", weekdays="ma ke pe"))

    assert of(h.judged(whole, date(2025, 10, 31))).months == ()
    assert of(h.judged(whole, date(2025, 11, 1))).months == ("2025-10",)
    assert of(h.judged(whole, date(2025, 11, 1))).weeks == ()


def test_days_without_a_mark_are_lacking() -> None:
    """In a month that is there, a day of the client's week without a mark is lacking."""
    marks: dict[str, Any] = {
        f"2025-09-{day:02d}": 6 for day in range(1, 31) if date(2025, 9, day).weekday() in {0, 2, 4}
    }
    marks["2025-09-17"] = ""
    whole = h.case(h.month(marks), grant=h.entry("decision", "P", weekdays="ma ke pe"))
    found = of(h.judged(whole, date(2025, 10, 31))).weeks

    assert [(one.start, one.days) for one in found] == [("2025-09-15", ("2025-09-17",))]


def test_coaching_expects_no_days() -> None:
    """An agreement by the hour expects no days: what it awaits is told by its clocks."""
    judgement = h.judged(h.coached())
    assert judgement.situation is not None

    assert gaps(judgement.situation) == []


@pytest.mark.parametrize(
    ("stated", "mistake"),
    [
        ([], "completeness: expected keys and values"),
        ({}, "completeness: parts is missing"),
        ({"parts": [{"rule": "X"}]}, "completeness parts 1: attended is missing"),
        ({"parts": [{"rule": "X", "clause": "c", "attended": ["diary"]}]}, "diary is no record type"),
        ({"parts": [{"rule": "X", "clause": "c", "attended": [], "products": ["Q"]}]}, "Q is neither a product"),
        ({"parts": [], "weekdays": 1}, "completeness weekdays: expected keys and values"),
        ({"parts": [], "weekdays": {"words": ["ma"], "fields": {}}}, "words: expected seven words"),
        ({"parts": [], "weekdays": {"words": list("abcdefg"), "fields": {"x": "days"}}}, "x is no record type"),
    ],
)
def test_a_mistake_is_told(stated: Any, mistake: str) -> None:
    """What is wrong with the expectations of a contract file is told when it is read."""
    file = yaml.safe_load(v.TEXT) | {"completeness": stated}

    with pytest.raises(MisconfiguredError) as told:
        Contract.load(yaml.safe_dump(file), "heinola.yaml", b.TYPES)

    assert mistake in str(told.value)


def test_a_contract_may_expect_nothing() -> None:
    """Without expectations no day is lacking."""
    file = {name: part for name, part in yaml.safe_load(v.TEXT).items() if name != "completeness"}
    contract = Contract.load(yaml.safe_dump(file), "heinola.yaml", b.TYPES)

    assert contract.expected.parts == ()
    assert contract.expected.weekdays.read("ma") == ()


@pytest.mark.parametrize("duty", [1, {"no-such-text": "duty-plan"}])
def test_a_duty_names_texts(duty: Any) -> None:
    """What is due is one text, or one for each text of the kind."""
    file = yaml.safe_load(v.TEXT)
    next(one for one in file["rules"] if one["kind"] == "told-within")["duty"] = duty

    with pytest.raises(MisconfiguredError, match="duty: expected the key of a text"):
        Contract.load(yaml.safe_dump(file), "heinola.yaml", b.TYPES)
