"""Unusual access: each kind of rule on both sides of its threshold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.architecture.sources import ROOT

from kanta_gateway.audit.unusual import Detector, Found, Oversight
from kanta_gateway.errors import MisconfiguredError

NOON = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday, noon in Helsinki
SHIPPED = (ROOT / "mappings/audit/unusual.yaml").read_text("utf-8")


def entry(idx: int, event: str = "record:read", at: datetime = NOON, client: str = "", **actor: str) -> dict[str, Any]:
    """An entry of the log."""
    who = {"ref": "r1", "name": "n1", "organisation": "1.2", "role": "provider-system", **actor}
    told = {"idx": idx, "at": at.isoformat(), "event": event, "actor": who, "provider": "1.2", "controller": "1.9",
            "details": {}}  # fmt: skip
    return told | ({"client": client} if client else {})


def found(entries: list[dict[str, Any]], **facts: str) -> list[Found]:
    """What the shipped rules find."""
    known = {"relationship": "open", "standing": "known", "family": "other", **facts}
    return Detector(Oversight.load(SHIPPED), lambda name, _entry: known[name], {"own"}.__contains__).run(entries)


def rules(entries: list[dict[str, Any]], **facts: str) -> set[str]:
    """Ids of the rules that found something."""
    return {one.rule.id for one in found(entries, **facts)}


def test_ordinary_work_is_not_unusual() -> None:
    """Reads of some clients in working hours by somebody who serves them are no finding."""
    assert set() == rules([entry(n, client=f"c{n}", at=NOON + timedelta(minutes=n)) for n in range(29)])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"relationship": "none"}, {"no-relationship"}),
        ({"relationship": "ended"}, {"no-relationship"}),
        ({"family": "same"}, {"own-family-name"}),
        ({"standing": "left"}, {"after-leaving"}),
        ({"standing": "role-ended"}, {"role-ended"}),
        ({"standing": "not-kept", "family": ""}, set()),
    ],
)
def test_facts_beside_the_log(facts: dict[str, str], expected: set[str]) -> None:
    """No open relationship, an own family name, leaving and an ended role are each found by what is known of them."""
    assert expected == rules([entry(0, client="c")], **facts)


def test_many_clients_in_a_short_time() -> None:
    """LOG-11: thirty clients within an hour are found, the same over two hours or of one client are not. [LOG-11]"""
    quick = [entry(n, client=f"c{n}", at=NOON + timedelta(minutes=n)) for n in range(30)]
    slow = [entry(n, client=f"c{n}", at=NOON + timedelta(minutes=4 * n)) for n in range(30)]
    same = [entry(n, client="c", at=NOON + timedelta(minutes=n)) for n in range(30)]
    shared = [entry(n, client=f"c{n}", at=NOON + timedelta(minutes=n), ref=f"r{n % 2}") for n in range(30)]

    assert {"many-clients"} == rules(quick)
    assert set() == rules(slow) | rules(same) | rules(shared)


def test_abnormal_searching() -> None:
    """LOG-11: ten denied searches within an hour are found, nine are not. [LOG-11]"""
    denied = [entry(n, "request:deny", at=NOON + timedelta(minutes=n)) for n in range(10)]

    assert {"abnormal-search"} == rules(denied)
    assert set() == rules(denied[:9])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 2, 3, 59, tzinfo=UTC), True), (datetime(2026, 3, 2, 4, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 2, 18, 59, tzinfo=UTC), False), (datetime(2026, 3, 2, 19, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 1, 10, 0, tzinfo=UTC), True),
    ],
)  # fmt: skip
def test_outside_hours_are_finnish_hours(at: datetime, expected: bool) -> None:  # noqa: FBT001
    """Before six, from nine in the evening and at the weekend, by Finnish time, is outside working hours."""
    assert expected is ("outside-hours" in rules([entry(0, at=at)]))


def test_a_finding_is_one_rule_one_person_one_day() -> None:
    """Several entries of one day are one finding with their count and places; the next day is another one."""
    one, two = found(
        [entry(3, client="a"), entry(7, client="b"), entry(9, client="a", at=NOON + timedelta(days=1))], family="same"
    )

    assert (2, 2, 3, 7, "2026-03-02") == (one.entries, len(one.clients), one.first_idx, one.last_idx, one.day)
    assert one.key != two.key


def test_the_gateways_own_acts_are_left_out() -> None:
    """What the worker does at night is the gateway's own act, and one without a person is nobody's."""
    night = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    assert set() == rules([entry(0, at=night, ref="own"), entry(1, at=night, ref="")])


def test_mistakes_of_the_file() -> None:
    """A rule that lacks its threshold, or has no time of day, is told with its name."""
    stated = yaml.safe_load(SHIPPED)
    del stated["rules"]["many-clients"]["minutes"]
    stated["rules"]["outside-hours"]["first"] = "early"
    with pytest.raises(MisconfiguredError) as wrong:
        Oversight.load(yaml.safe_dump(stated))

    assert {
        "many-clients: a rule of kind many-clients needs minutes",
        "outside-hours: first is no time of day; write 06:00",
    } == {one.partition(": ")[2] for one in wrong.value.mistakes}


def test_each_register_by_itself_and_all_together() -> None:
    """What one register shows is a finding of it; what only all together show, a finding of none. [LOG-08, LOG-11]"""

    def reads(*counts: int) -> list[dict[str, Any]]:
        whose = [f"1.{n}" for n, count in enumerate(counts) for _ in range(count)]
        return [entry(n, client=f"c{n}", at=NOON + timedelta(minutes=n)) | {"controller": one}
                for n, one in enumerate(whose)]  # fmt: skip

    seen = {counts: [(one.controller, len(one.clients)) for one in found(reads(*counts))]
            for counts in ((29,), (30, 5), (20, 10), (20, 9))}  # fmt: skip

    assert {(29,): [], (30, 5): [("1.0", 1), ("", 5)], (20, 10): [("", 1)], (20, 9): []} == seen
