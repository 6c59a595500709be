"""Which notices are due and what they tell: once, minimised, corrected when it is no longer so."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from kanta_gateway.notices.due import Draft, Fact

t: Any = import_module("tests.unit.notices.told")


def days(drafts: list[Draft], group: str = "absences") -> list[list[str]]:
    """First days that each notice tells of."""
    return [[one["first_day"] for one in draft.content["groups"].get(group, ())] for draft in drafts]


def test_fields_of_the_form() -> None:
    """The payer's notice holds the fields of form TT3 and no other."""
    (draft,) = t.teller().due(t.subject(t.fact(ends_on="2025-03-11")))

    assert draft.content == {
        "head": {
            "client": "Rautiola, Sampo Ilmari", "identity_code": "120685-905P", "service": "Työtoiminta",
            "organiser": t.ORGANISER, "first_day": "2025-03-10", "last_day": "2025-03-10",
        },
        "groups": {"absences": [{"first_day": "2025-03-10", "last_day": "2025-03-11", "reason": "incapacity"}]},
    }  # fmt: skip


def test_collected_for_two_weeks() -> None:
    """Absences of fourteen days go together, the next one begins a notice of its own."""
    found = t.teller().due(t.subject(t.fact("a", "2025-03-03"), t.fact("b", "2025-03-16"), t.fact("c", "2025-03-17")))

    assert days(found) == [["2025-03-03", "2025-03-16"], ["2025-03-17"]]
    assert [one.send_on for one in found] == ["2025-03-10", "2025-03-24"]


def test_told_once() -> None:
    """What a notice has told is not told again; what comes after is."""
    world = t.World(t.teller())
    world.hand_over(world.due(t.fact("a", "2025-03-03")))

    assert days(world.due(t.fact("a", "2025-03-03"), t.fact("b", "2025-03-04"))) == [["2025-03-04"]]


def test_told_in_another_way() -> None:
    """An absence of which the provider has told the payer itself needs no notice."""
    assert t.teller().due(t.subject(t.fact(payer_told_on="2025-03-11"))) == []


def test_correction() -> None:
    """Another category of a told absence makes one correction that names the first notice, and only one."""
    world = t.World(t.teller())
    world.hand_over(world.due(t.fact()))
    other = t.fact(version=2, categories={"absence-reason": "child_illness"})
    (draft,) = world.due(other)

    assert (draft.corrects, draft.content["groups"]["absences"]) == (
        "N-1", [{"first_day": "2025-03-10", "reason": "child_illness", "change": "corrected"}],
    )  # fmt: skip

    world.hand_over([draft])

    assert world.due(other) == []


def test_correction_stays_with_the_first_notice() -> None:
    """A correction of a correction names the first notice too."""
    world = t.World(t.teller())
    for version, reason in enumerate(("incapacity", "other", "public_duty"), 1):
        world.hand_over(world.due(t.fact(version=version, categories={"absence-reason": reason})))

    assert [one.root for one in world.told] == ["N-1", "N-1", "N-1"]


def test_cancelled() -> None:
    """An absence that was told and cancelled is taken back by a notice that tells which one it was."""
    world = t.World(t.teller())
    world.hand_over(world.due(t.fact()))
    (draft,) = world.due(past=lambda *_: t.fact())

    assert (draft.corrects, draft.content["groups"]["absences"]) == (
        "N-1", [{"first_day": "2025-03-10", "reason": "incapacity", "change": "withdrawn"}],
    )  # fmt: skip

    world.hand_over([draft])

    assert world.due(past=lambda *_: t.fact()) == []


def test_cancelled_before_it_was_told() -> None:
    """An absence that is gone before anybody was told of it leaves nothing."""
    assert t.teller().due(t.subject()) == []


def test_another_version_with_the_same_to_tell() -> None:
    """A new version that changes nothing of what was told makes no correction."""
    world = t.World(t.teller())
    world.hand_over(world.due(t.fact()))

    assert world.due(t.fact(version=2)) == []


def test_service_not_arranged() -> None:
    """A day on which the service was closed is told as such and is no absence (AB-05)."""
    (draft,) = t.teller().due(t.subject(t.fact(words=["closed"])))

    assert draft.content["groups"] == {"not_arranged": [{"first_day": "2025-03-10"}]}


@pytest.mark.parametrize(
    ("category", "words", "expected"),
    [
        ("service_closed", [], {"service_closed": [{"first_day": "2025-03-10"}]}),
        ("service_closed", ["closed"], {"service_closed": [{"first_day": "2025-03-10"}]}),
        ("swapped_day", [], None),
    ],
)  # fmt: skip
def test_no_absence(category: str, words: list[str], expected: Any) -> None:
    """A record that says that the service was closed is told as such, once; a swapped day is not told (AB-06)."""
    found = t.teller().due(t.subject(t.fact(reason_category=category, words=words)))

    assert [one.content["groups"] for one in found] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("payer", "expected"), [("kela", ("kela",)), ("fund", ("fund",)), (None, ("kela", "fund"))]
)  # fmt: skip
def test_recipient(payer: str | None, expected: tuple[str, ...]) -> None:
    """The client's own payer gets it; where nobody has told who that is it may be either, and is not guessed."""
    (draft,) = t.teller().due(t.subject(t.fact(), benefit_payer=payer))

    assert draft.recipients == expected


def test_products() -> None:
    """A contract can want a notice for some of its products only."""
    assert t.teller("absence-to-payer", "VT1").due(t.subject(t.fact())) == []


@pytest.mark.parametrize(("is_secret", "expected"), [(False, t.UNIT), (True, None)])
def test_place_under_non_disclosure(is_secret: bool, expected: Any) -> None:  # noqa: FBT001 — a case of the table
    """A notice does not tell the unit of a client under turvakielto."""
    decision = t.fact("P-1", record_type="decision", starts_on="2025-03-10")
    (draft,) = t.teller("start-to-shop-steward").due(t.subject(decision, is_secret=is_secret))

    assert draft.content["head"].get("place") == expected


def test_shop_steward_gets_what_the_act_allows() -> None:
    """The shop steward gets a name, the service and its place, days, hours and period, and nothing else (KT-13)."""
    decision = t.fact(
        "P-1", record_type="decision", starts_on="2025-03-10", ends_on="2025-06-06", days_per_week=3, hours_per_day=5,
        level="erityistaso",
    )  # fmt: skip
    (draft,) = t.teller("start-to-shop-steward").due(t.subject(decision))

    assert draft.content == {
        "head": {"client": "Rautiola, Sampo Ilmari", "place": t.UNIT},
        "groups": {"services": [{
            "service": "Työtoiminta", "period_start": "2025-03-10", "period_end": "2025-06-06", "days_per_week": 3,
            "hours_per_day": 5,
        }]},
    }  # fmt: skip


def test_finding_as_a_category() -> None:
    """A deviation is told by its category; an intoxicated client could not take part, and that is all."""
    entry = t.fact("PK-1", record_type="diary_entry")
    found = t.teller("deviation-to-own-worker").due(t.subject(replace(entry, findings={"HEI-20": {}})))

    assert found[0].content["groups"] == {"deviations": [{"date": "2025-03-10", "deviation": "HEI-20"}]}
    assert t.teller("deviation-to-own-worker").due(t.subject(entry)) == []


def test_numbers_of_a_finding() -> None:
    """How often a client was away unannounced is told, and until when."""
    client = Fact("client", "101", 1, "", {}, {"HEL-07": {"times": "3", "date": "2025-03-12"}})
    (draft,) = t.teller("unannounced-to-purchaser").due(t.subject(client))

    assert draft.content["groups"] == {"repeated": [{"times": 3, "last_day": "2025-03-12"}]}


def test_year_is_ready_when_it_is_over() -> None:
    """The yearly notice collects a calendar year and is not handed over before the year is over."""
    incidents = [
        t.fact(f"V-{day}", day, "incident", occurred_on=day, kind="near_miss")
        for day in ("2025-02-01", "2025-12-31", "2026-01-01")
    ]
    found = t.teller("conduct-yearly").due(t.subject(*incidents))

    assert [(len(one.items), one.ready_on, one.due_on) for one in found] == [
        (2, "2026-01-01", "2025-02-01+03-31"), (1, "2027-01-01", "2026-01-01+03-31"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(t.types().types))
def test_every_type_has_texts(name: str) -> None:
    """Every notice type has a title in three languages, a recipient with its provision, and what it carries out."""
    kind = t.types().types[name]

    assert set(kind.title) == {"fi", "sv", "en"}
    assert all(one.basis["public"] and one.basis["other"] for one in kind.recipients)
    assert kind.carries_out
