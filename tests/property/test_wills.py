"""Whatever is stated: no statement of will widens a decision beyond the maximum, and none permits once withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.access.decider import Decider, Question
from kanta_gateway.access.purposes import Purposes
from kanta_gateway.access.table import Duties, Facts, Table
from kanta_gateway.access.wills import (
    CONSENT,
    DISCLOSURE,
    GUARDIAN,
    HEALTH,
    PERMIT,
    PROHIBITION,
    SOCIAL,
    Target,
    Will,
    consent,
    permission,
    prohibition,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = ("receiving-official", "receiving-worker", "health-worker", "disclosing-official")
TARGET = Target("1.1", "2.2", "TI", frozenset({"3.3"}), "2026-01-20")
MOMENTS = st.integers(0, 60).map(lambda hours: START + timedelta(hours=hours))
STATED = st.fixed_dictionaries({}, optional={
    "given_at": MOMENTS.map(datetime.isoformat), "set_at": MOMENTS.map(datetime.isoformat),
    "withdrawn_at": MOMENTS.map(datetime.isoformat), "withdrawn_on": st.sampled_from(["2026-01-01", "2026-01-02"]),
    "is_valid": st.booleans(), "status": st.sampled_from(["active", "withdrawn"]),
    "sector": st.sampled_from([SOCIAL, HEALTH]), "recipients": st.sampled_from([["2.2"], ["9.9"]]),
    "service_tasks": st.lists(st.sampled_from(["TI", "LS"]), max_size=2),
    "documents": st.lists(st.sampled_from(["3.3", "9.9"]), max_size=2),
    "controllers": st.lists(st.sampled_from([{"oid": "1.1"}, {"oid": "9.9"}]), max_size=1),
    "against": st.sampled_from([DISCLOSURE, GUARDIAN]), "is_refused": st.booleans(),
    "kind": st.sampled_from(["exchange", "disclosure", "other"]), "parties": st.just([{"id": "2.2"}]),
})  # fmt: skip


def _good(place: int, kind: str, **facts: Any) -> Will:
    """A statement that stands from the day before."""
    began = {"given_on": "2025-12-01"}
    return Will(kind, f"good-{place}", (1, 0), f"g-{place}", START - timedelta(days=1), {**began, **facts},
                is_standing=True, is_gone=False, is_near=True)  # fmt: skip


GOOD = (
    _good(1, PERMIT, sector=SOCIAL),
    _good(2, PERMIT, sector=HEALTH, recipients=["2.2"], documents=["3.3"]),
    Will(CONSENT, "good-3", (1, 0), "g-3", START - timedelta(days=1),
         {"given_on": "2025-12-01", "kind": "exchange", "parties": [{"id": "2.2"}]},
         is_standing=True, is_gone=False, is_near=True),
)  # fmt: skip
"""What lets data be disclosed as long as nothing else is stated: a permit for each sector, and a consent."""


@st.composite
def histories(draw: st.DrawFn) -> list[Will]:
    """States of some statements, in any order of arrival, most of them beside some that permit."""
    found = [one for one in GOOD if draw(st.integers(0, 3))]
    for row in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from([PERMIT, PROHIBITION, CONSENT]))
        began = {"set_on" if kind == PROHIBITION else "given_on": "2026-01-01"}
        found.append(Will(
            kind, draw(st.sampled_from("ab")), (draw(st.integers(1, 4)), row), f"t-{row}", draw(MOMENTS),
            {**began, **draw(STATED)}, is_standing=draw(st.booleans()), is_gone=draw(st.booleans()),
            is_near=draw(st.booleans()),
        ))  # fmt: skip
    return found


@cache
def decider() -> Decider:
    """The shipped policies with every row on."""
    text = {name: knowledge.text(f"mappings/policy/{name}.yaml") for name in ("rows", "duties", "purposes")}
    table = Table.load(text["rows"], ("D3", "D4", "D5"))
    policies = [knowledge.text(f"mappings/policy/{name}.cedar") for name in ("rows", "maximum")]
    return Decider.load(
        table, Duties.load(text["duties"]), Purposes.load(text["purposes"], table.by_id), policies,
        knowledge.text("mappings/policy/schema.cedarschema"),
    )  # fmt: skip


def asked(wills: list[Will], at: datetime, role: str, flow: str, kind: str, task: str, **facts: str) -> Question:
    """A disclosure with these statements of will, and everything else that a row may ask for."""
    target = replace(TARGET, task=task)
    words = {
        "permission": permission(wills, target, at, HEALTH if flow == "health" else SOCIAL)[0],
        "prohibition": prohibition(wills, target, at)[0], "consent": consent(wills, target, at)[0],
    }  # fmt: skip
    whole: dict[str, Any] = {
        "flow": flow, "relationship": "open", "purpose": "told", "via_kanta": "no", "reason": "told", **words, **facts,
    }  # fmt: skip
    return Question("document:disclose", role, "service-delivery" if role != ROLES[0] else "service-arranging",
                    Facts(**whole), kind, task, granted=True, person="known")  # fmt: skip


def test_the_statements_permit() -> None:
    """What most histories begin with is enough: with it each flow is allowed by its row, without it none is."""
    asks = [("social", "receiving-official"), ("health", "health-worker"), ("consented", "health-worker")]
    found = [
        [decider().decide(asked(list(wills), START, role, flow, "TOT", "TI")) for flow, role in asks]
        for wills in (GOOD, ())
    ]

    assert [[(True, "D3"), (True, "D7"), (True, "D14")], [False] * 3] == [
        [(one.allowed, one.row) for one in found[0]], [one.allowed for one in found[1]],
    ]  # fmt: skip


FLOWS = st.sampled_from(["social", "social-authority", "health", "consented"])
CLASSES = st.tuples(
    st.sampled_from(["AST", "SUU", "PTA", "PAA", "VAL", "TOT", "SOP", "SOV", "TUR", "TER"]),
    st.sampled_from(["TI", "LS", "PA", ""]),
) | st.just(("TOT", "TI"))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(histories(), MOMENTS, st.sampled_from(ROLES), FLOWS, CLASSES)
def test_no_statement_widens_the_maximum(
    wills: list[Will], at: datetime, role: str, flow: str, data: tuple[str, str]
) -> None:
    """What is disclosed by any statements of will is within the decree's maximum of the recipient's duty. [ACC-05]"""
    kind, task = data
    decision = decider().decide(asked(wills, at, role, flow, kind, task))

    assert not decision.allowed or decider().duties.of_role(role).allows(kind, task, ())
    assert not decision.allowed or decision.row in {"D3", "D7", "D14"}


@settings(max_examples=300, deadline=None)
@given(histories(), MOMENTS, MOMENTS, st.sampled_from(["social-authority", "health", "consented"]))
def test_nothing_permits_after_its_withdrawal(wills: list[Will], withdrawn: datetime, at: datetime, flow: str) -> None:
    """Once every permit and consent is withdrawn, and that is known, no decision rests on one, whatever came before."""
    newest = max((one.order[0] for one in wills), default=0) + 1
    gone = [
        replace(one, order=(newest, 100 + place), known_at=withdrawn,
                facts={**one.facts, "withdrawn_at": withdrawn.isoformat()})
        for place, one in enumerate(wills) if one.kind != PROHIBITION
    ]  # fmt: skip
    later = max(at, withdrawn)
    decisions = [decider().decide(asked([*wills, *gone], later, role, flow, "TOT", "TI")) for role in ROLES]

    assert not any(one.allowed for one in decisions)


@settings(max_examples=300, deadline=None)
@given(histories(), MOMENTS, histories())
def test_more_prohibitions_give_nothing(wills: list[Will], at: datetime, more: list[Will]) -> None:
    """A prohibition that is added takes away or leaves as it was: it never lets anything be disclosed."""
    added = [replace(one, name=f"new-{place}") for place, one in enumerate(more) if one.kind == PROHIBITION]
    before, after = (
        decider().decide(asked(one, at, "receiving-official", "social-authority", "TOT", "TI")).allowed
        for one in (wills, [*wills, *added])
    )

    assert before or not after


@settings(max_examples=300, deadline=None)
@given(histories(), MOMENTS, st.randoms())
def test_the_order_of_arrival_decides_nothing(wills: list[Will], at: datetime, order: Any) -> None:
    """The same states give the same facts, however they lie."""
    mixed = list(wills)
    order.shuffle(mixed)
    told = [
        (permission(one, TARGET, at, SOCIAL)[0], prohibition(one, TARGET, at)[0], consent(one, TARGET, at)[0])
        for one in (wills, mixed)
    ]

    assert told[0] == told[1]
