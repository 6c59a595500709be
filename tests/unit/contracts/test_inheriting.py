"""A contract with the law that it inherits: what is told once, what is given away, and what was in force when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml
from tests.unit.contracts import lawful as law
from tests.unit.contracts import vouchers
from tests.unit.contracts.builders import ROOT, TYPES

from kanta_gateway.contracts import library
from kanta_gateway.contracts.agenda import clocks
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError

LAPHA_DAY = {"tasks": "x", "performance": "x", "skills": "x", "recorder": "H1", "recorder_name": vouchers.NAME}
WEEK = tuple(f"2025-09-{day:02}" for day in range(8, 13))


def lapha(change: Callable[[dict[str, Any]], None] | None = None) -> Contract:
    """The Lapland contract with the law, as it is or after a change."""
    return law.contract("lapha") if change is None else law.changed("lapha", change)


def fifth_day(under: Contract) -> set[str]:
    """Rules told of the fifth day of a week of product KT1."""
    every = [law.entry("diary_entry", under=under, date=one, hours=5, **LAPHA_DAY) for one in WEEK]
    whole = law.case(*every, days_per_week=5)
    return {rule for rule, _, _ in law.told(whole, every[-1], under=under)} & {"LAP-03", "KT-02"}


def _days_of_kt(most: int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for one in data["products"]:
            one["limits"]["days_per_week"] = [1, most]

    return change


def _without_covers(data: dict[str, Any]) -> None:
    for one in data["rules"]:
        one.pop("covers", None)


def test_what_the_contract_tells_the_law_does_not_tell_again() -> None:
    """A contract's rule that covers the law's goes alone where both would tell; without `covers` both do."""
    assert {"LAP-03"} == fifth_day(lapha())
    assert {"LAP-03", "KT-02"} == fifth_day(lapha(_without_covers))


def test_where_the_contract_is_laxer_the_law_speaks() -> None:
    """A contract that allows five days a week is silent about the fifth, and the law is not, although it is covered."""
    assert {"KT-02"} == fifth_day(lapha(_days_of_kt(5)))


def test_what_weighs_less_covers_nothing() -> None:
    """A contract that only remarks on what the law flags does not take the law's flag away."""

    def change(data: dict[str, Any]) -> None:
        for one in data["rules"]:
            if one.get("covers") == ["KT-02"]:
                one["severity"] = "info"

    assert {"LAP-03", "KT-02"} == fifth_day(lapha(change))


def test_period_that_the_contract_lets_pass() -> None:
    """Lapland sets no shortest period; two months are too short by the law, and too long only by the contract."""
    under = lapha()
    short, long = law.case(ends_on="2025-10-31"), law.case(ends_on="2028-01-31")

    assert ("KT-01", "law-period-too-short") in law.on(short, "decision", under=under)
    assert [("LAP-03", "period-too-long")] == [
        one for one in law.on(long, "decision", under=under) if one[1][-4:] == "long"
    ]


def test_duty_that_the_contract_gives_away() -> None:
    """In Heinola the city tells the payer of absences, so the law's rule is not judged of the provider's records."""
    own, away = law.contract("heinola"), vouchers.entry("absence", payer_told_on=None)
    judgement = judge(own, vouchers.case(away), date(2022, 12, 1), law.FREE)

    def nowhere(data: dict[str, Any]) -> None:
        del data["elsewhere"]

    theirs = judge(law.changed("heinola", nowhere), vouchers.case(away), date(2022, 12, 1), law.FREE)

    assert [] == [one.rule for one in judgement.findings[away.row]]
    assert ["AB-07"] == [one.rule for one in theirs.findings[away.row]]


def test_deadline_is_told_once() -> None:
    """The payer's fourteen days have one clock in Lapland; where its own is laxer the law's stands beside it."""

    def laxer(data: dict[str, Any]) -> None:
        for one in data["rules"]:
            if one["id"] == "LAP-12":
                one["days"] = 21

    found = []
    for under in (lapha(), lapha(laxer)):
        away = law.entry("absence", under=under, payer_told_on=None)
        judgement = judge(under, law.case(away), law.AS_OF, law.FREE)
        found.append([(one.rule.id, one.due) for one in clocks(judgement) if one.record is away])

    assert [[("LAP-12", "2025-09-17")], [("AB-07", "2025-09-17"), ("LAP-12", "2025-09-24")]] == found


def _repealed(data: dict[str, Any]) -> None:
    data["services"][0] |= {"valid_to": date(2026, 12, 31), "successor": "UUSI"}
    data["services"].append({"name": "UUSI", "act": "x", "organiser": "TYOLLISYYSALUE", "valid_from": date(2026, 6, 1)})
    rule = next(one for one in data["rules"] if one["kind"] == "day-hours")
    data["rules"].append({**rule, "services": ["UUSI"], "low": 2})


def test_type_of_service_that_is_repealed() -> None:
    """Until the act's last day its rules hold for its products, and from the next day on those of its successor."""
    under = law.changed("national", _repealed)
    every = [law.entry("diary_entry", date=one, hours=hours)
             for one, hours in (("2026-12-31", 3), ("2027-01-04", 3), ("2027-01-05", 1))]  # fmt: skip
    whole = law.case(*every, starts_on="2026-10-01", ends_on="2027-03-31")

    told = [[rule for rule, _, _ in law.told(whole, one, date(2027, 2, 1), under)] for one in every]

    assert [["KT-03"], [], ["KT-03"]] == told


def test_type_of_service_without_successor() -> None:
    """A type that nothing follows is judged by nothing after its last day, nor before its first."""

    def change(data: dict[str, Any]) -> None:
        data["services"][0] |= {"valid_from": date(2025, 9, 10), "valid_to": date(2025, 9, 11)}

    under = law.changed("national", change)
    every = [law.entry("diary_entry", date=f"2025-09-{day}", hours=2) for day in ("09", "10", "11", "12")]

    assert [0, 1, 1, 0] == [len(law.told(law.case(*every), one, under=under)) for one in every]


def test_reason_is_judged_by_the_list_of_its_day() -> None:
    """A reason that left the list is paid up to its last day, and one that joined it from its first."""

    def change(data: dict[str, Any]) -> None:
        data["absence_reasons"] = [
            {"key": "public_duty", "benefit": True, "valid_to": date(2025, 9, 30)},
            {"key": "public_duty", "benefit": False, "valid_from": date(2025, 10, 1)},
        ]

    under = law.changed("national", change)
    before = law.entry("absence", date="2025-09-30", payer_told_on="2025-10-01", reason_category="public_duty")
    after = law.entry("absence", date="2025-10-01", payer_told_on="2025-10-01", reason_category="public_duty")
    whole = law.case(before, after)

    assert law.told(whole, before, under=under) == []
    assert [("AB-02", "info", "law-reason-not-paid")] == law.told(whole, after, under=under)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("lapha", lambda data: data.update(inherits=["nowhere"]), "there is no file of law nowhere"),
        ("lapha", lambda data: data["products"][0].pop("service_type"), "service_type is missing"),
        ("lapha", lambda data: data["products"][0].update(service_type="X"), "the law has no type of service X"),
        ("lapha", lambda data: data["rules"][0].update(covers=["KT-05"]), "covers KT-05, which the law does not judge"),
        ("lapha", lambda data: data["rules"][0].update(may_be_elsewhere=True), "may_be_elsewhere is not known"),
        ("heinola", lambda data: data["elsewhere"][0].update(rule="KT-04"), "KT-04 is no duty that a contract can"),
        ("heinola", lambda data: data["elsewhere"][0].pop("clause"), "clause is missing"),
        ("national", lambda data: data["services"][0].update(successor="X", valid_to="2026-12-31"), "X is no type of"),
        ("national", lambda data: data["services"][0].update(successor="X"), "a type that nothing has repealed"),
        ("national", lambda data: data["rules"][0].update(services=["X"]), "services: X is no type of service"),
        ("national", lambda data: data["rules"][0].update(covers=["X"]), "covers is not known"),
        ("national", lambda data: data["absence_reasons"][0].update(benefit="yes"), "benefit: expected bool"),
        ("national", lambda data: data["figures"][1].update(amount="x"), "there is no amount x"),
        ("national", lambda data: data["amounts"].update({"expense-allowance": [{"amount": "9"}]}), "a number of"),
        ("national", lambda data: data.pop("services"), "services is missing"),
    ],
)  # fmt: skip
def test_mistakes_are_told(name: str, change: Callable[[dict[str, Any]], object], said: str) -> None:
    """What does not fit the law, or is wrong in its file, is told before the process starts."""
    with pytest.raises(MisconfiguredError) as caught:
        law.changed(name, change)

    assert said in str(caught.value)


def test_file_of_law_is_no_purchaser() -> None:
    """Nobody can deliver to the law: only contract files are contracts."""
    assert {"plain", "lapha", "heinola", "helsinki", "paijat-hame", "quality-criteria"} <= library.load(
        {**law.TEXTS, "plain": law.PLAIN}, TYPES
    ).keys() - {"national"}
    assert "national" not in library.load(law.TEXTS, TYPES)


def test_one_more_contract_inherits_the_same_law() -> None:
    """A changed contract file is put together with the law that the others have."""
    alone = Contract.load(law.TEXTS["heinola"], "heinola", TYPES)

    whole = library.inherit(alone, library.laws_of([law.contract("lapha")]))

    assert [one.id for one in alone.rules] == [one.id for one in whole.rules[: len(alone.rules)]]
    assert {"KT-04", "AB-02"} <= {one.id for one in whole.rules}


def test_report_says_where_each_rule_of_the_law_is_judged() -> None:
    """Each contract covers, inherits or gives away every rule of the law, or it concerns none of its products."""
    told = library.report([law.contract(name) for name in ("heinola", "helsinki", "quality-criteria")])
    heinola, helsinki = told["heinola"], told["helsinki"]

    assert "quality-criteria" not in told
    assert {"KT-01": ["HEI-01"], "KT-02": ["HEI-02"], "KT-03": ["HEI-02"]} == heinola["covered"]
    assert ["AB-07"] == heinola["elsewhere"]
    assert "KT-04" in _list(heinola["inherited"])
    assert {"AB-08", "AB-09"} <= set(_list(heinola["not_judged"]))
    assert "KT-14" in _list(heinola["not_software"])
    assert [] == heinola["concerns_no_product"]
    assert ["REC-12"] == helsinki["inherited"]
    assert "KT-04" in _list(helsinki["concerns_no_product"])
    assert {"TYOLL_TUKEVA_27D", "TYOTOIMINTA_27E"} == {one["name"] for one in _list(helsinki["services"])}


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value


def test_reasons_are_those_of_records_and_of_codes() -> None:
    """Every category that an absence can tell has its row in the law and its code for documents, and no other has."""
    enum = yaml.safe_load((ROOT / "schemas" / "records" / "absence.json").read_text("utf-8"))
    codes = yaml.safe_load((ROOT / "mappings" / "codes" / "absence-reason.yaml").read_text("utf-8"))
    told = set(enum["properties"]["reason_category"]["enum"])

    assert told == {one["key"] for one in yaml.safe_load(law.TEXTS["national"])["absence_reasons"]}
    assert told == {row["key"] for row in codes["rows"]}
