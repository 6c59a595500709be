"""Questions are files: what they say, what is wrong in them, and how the engine answers from entries."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.architecture.sources import ROOT

from kanta_gateway.audit.answers import MOST_RANGES, Engine, Entry, Ranges, Row, Tally
from kanta_gateway.audit.questions import Question, Questions
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Event

TEXTS = {"fi": "f", "sv": "s", "en": "e"}
AWAITED = {"access:break", "access:end", "access:review", "audit:purge"}
"""Events of the shipped questions that other parts of the gateway write."""


def question(**stated: Any) -> Question:
    """One question as its file states it."""
    return load(asked={"texts": TEXTS, "provision": ["703/2023 §10"], **stated}).all()[0]


def load(**stated: Any) -> Questions:
    """Questions of one file."""
    return Questions.load({"own": yaml.safe_dump(stated)}, ("users",))


def entry(idx: int, event: str, **more: Any) -> dict[str, Any]:
    """An entry of the log."""
    actor = {"ref": more.pop("ref", "r1"), "organisation": "1.2", "role": "worker", "system": "s", "contract": "",
             "relation": "", "name": "n1"}  # fmt: skip
    return {
        "idx": idx, "at": f"2026-03-02T10:00:{idx:02}.000000Z", "log": "use", "event": event, "actor": actor,
        "subject": "t", "provider": "1.2", "controller": "1.3", "purpose": "p", "basis": "b", "details": {}, **more,
    }  # fmt: skip


def answer(one: Question, entries: list[dict[str, Any]], view: Any = lambda row: row) -> tuple[list[Row], Tally]:
    """What the engine answers."""
    tally = Tally(len(entries))

    def derive(name: str, _entry: Entry) -> str:
        return f"derived {name}"

    return list(Engine(one, derive, view, tally).rows(entries)), tally


def test_shipped_questions_name_events_that_are_written() -> None:
    """Every event of the shipped questions is one that the gateway writes, or that another part of it will."""
    shipped = yaml.safe_load((ROOT / "mappings/audit/questions/auditors.yaml").read_text("utf-8"))
    named = {
        event for one in shipped.values()
        for way in (*one["select"], *one.get("collect", {}).values())
        for event in (way.get("event", []) if isinstance(way.get("event", []), list) else way["event"]["not"])
    }  # fmt: skip

    assert named - AWAITED <= {str(one) for one in Event}


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"select": [{"event": ["document:raed"]}], "fields": ["idx"]}, ""),
        ({"select": [{"event": ["reading"]}], "fields": ["idx"]}, "reading is no event"),
        ({"select": [{"evnt": ["document:read"]}], "fields": ["idx"]}, "has a field evnt; did you mean event?"),
        ({"select": [{"log": ["use"]}], "fields": ["person"]}, "no entry has a field person"),
        ({"select": [{"log": ["use"]}], "computed": "user"}, "nothing computes user"),
        ({"select": [{"log": ["use"]}]}, "say one of fields, group or computed"),
        ({"select": [{"log": ["use"]}], "fields": ["idx"], "group": ["event"]}, "say one of"),
        ({"select": [{"log": ["use"]}], "fields": ["idx"], "parameters": {"clinet": "needed"}}, "client"),
        ({"select": [{"log": ["use"]}], "fields": ["idx"], "collect": {"a": {"field": "at"}}}, "goes with group"),
    ],
)
def test_mistakes_of_a_file_are_told_with_their_line(stated: dict[str, Any], expected: str) -> None:
    """What a question's file misspells or lacks is told, with the file and the nearest word."""
    if not expected:  # an event of an earlier or later version may stand in a log
        assert question(**stated).events == {"document:raed"}
        return
    with pytest.raises(MisconfiguredError) as wrong:
        question(**stated)

    assert any(one.startswith("audit/questions/own.yaml:") and expected in one for one in wrong.value.mistakes)


def test_a_number_or_id_stands_once() -> None:
    """Two questions of one number, and one id in two files, are mistakes."""
    one = {"texts": TEXTS, "provision": ["x"], "select": [{"log": ["use"]}], "fields": ["idx"], "number": 3}
    with pytest.raises(MisconfiguredError) as twice:
        load(a=one, b=one)
    with pytest.raises(MisconfiguredError) as same:
        Questions.load({"x": yaml.safe_dump({"a": one}), "y": yaml.safe_dump({"a": {**one, "number": 4}})}, ())

    assert ("audit/questions: number 3 stands twice",) == tuple(twice.value.mistakes)
    assert any("stands in another file already" in told for told in same.value.mistakes)


def test_conditions_select_entries() -> None:
    """A list of values, values that it must not be, told or not told: any line of conditions selects an entry."""
    one = question(
        select=[{"event": ["a:b"], "client": {"told": True}}, {"event": {"not": ["a:b", "c:d"]}, "details.n": [1]}],
        fields=["idx", "event", "details.n", "relationship"],
    )
    found, tally = answer(one, [
        entry(0, "a:b"), entry(1, "a:b", client="c"), entry(2, "c:d", details={"n": 1}),
        entry(3, "e:f", details={"n": 1}), entry(4, "e:f"),
    ])  # fmt: skip

    assert [1, 3] == [row["idx"] for row in found]
    assert [1, "derived relationship"] == [found[1]["details.n"], found[0]["relationship"]]
    assert {"count": 3, "indices": "0,2,4"} == tally.told()["left_out"]


def test_groups_pair_an_act_with_its_review() -> None:
    """Question 6: a break-glass access and its review are one row, also while the review is lacking."""
    shipped = Questions.load(
        {"auditors": (ROOT / "mappings/audit/questions/auditors.yaml").read_text("utf-8")},
        ("identity-codes", "incidents", "integrity", "leavers", "retention", "traffic", "unusual", "users"),
    )
    one = shipped.get("6")
    assert one is not None
    found, _ = answer(one, [
        entry(0, "access:break", subject="k1", client="c", basis="703/2023 §56.1(2)", ref="r1"),
        entry(1, "access:break", subject="k2", details={"review_by": "2026-03-09"}),
        entry(2, "record:read", subject="k1"),
        entry(3, "access:review", subject="k1", ref="r2", details={"outcome": "lawful"}),
        entry(4, "access:review", subject="k1", ref="r3", details={"case": "closed"}),
    ])  # fmt: skip

    assert [("k1", "r1", "703/2023 §56.1(2)", "r2", "lawful"), ("k2", "r1", "b", "", "")] == [
        tuple(row[name] for name in ("subject", "person_ref", "basis", "reviewer_ref", "review")) for row in found
    ]
    assert ["", "2026-03-09"] == [row["review_by"] for row in found]


def test_what_the_asker_may_not_see_is_counted() -> None:
    """A field that the view takes away is empty, an entry that it takes away is told by its place only."""
    one = question(select=[{"log": ["use"]}], fields=["idx", "person_name"])

    def view(row: Row) -> Row | None:
        return None if row["idx"] == 1 else {"idx": row["idx"]}

    found, tally = answer(one, [entry(number, "a:b") for number in range(3)], view)

    assert [{"idx": 0, "person_name": ""}, {"idx": 2, "person_name": ""}] == found
    assert {"count": 1, "indices": "1"} == tally.told()["withheld"]


@given(st.sets(st.integers(0, 60)))
def test_ranges_tell_exactly_what_they_took(places: set[int]) -> None:
    """Indices taken one by one, and told as ranges, are the same indices."""
    ranges = Ranges()
    for one in sorted(places):
        ranges.take(one, one)
    found: set[int] = set()
    for part in filter(None, ranges.told()["indices"].split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))

    assert places == found
    assert len(places) == ranges.count


def test_many_ranges_are_counted() -> None:
    """Beyond a thousand ranges only their number is told: an answer of every second entry fits in memory."""
    ranges = Ranges()
    for one in range(0, 4 * MOST_RANGES, 2):
        ranges.take(one, one)

    assert (2 * MOST_RANGES, MOST_RANGES) == (ranges.told()["count"], ranges.told()["more_ranges"])
    assert MOST_RANGES == ranges.told()["indices"].count(",") + 1


def test_an_answer_is_given_while_the_log_is_read() -> None:
    """The first rows of an answer come before the rest of the log was read: a log without end is answered."""
    one = question(select=[{"event": ["a:b"]}], fields=["idx"])
    endless = (entry(number % 60, "a:b") for number in itertools.count())
    rows = Engine(one, lambda _name, _entry: "", lambda row: row, Tally(1)).rows(endless)

    assert [0, 1, 2] == [row["idx"] for row in itertools.islice(rows, 3)]
