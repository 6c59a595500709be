"""Quality reviews: what scores add up to, and what follows from measured numbers."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import pytest
from tests.unit.contracts import builders as b

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.reviews import implied
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Outcome, Record

QUALITY = Contract.load(
    (b.ROOT / "mappings" / "contracts" / "quality-criteria.yaml").read_text(encoding="utf-8"),
    "quality-criteria.yaml",
    b.TYPES,
)
AS_OF = date(2025, 12, 1)
_rows = count(1)


def entry(kind: str, name: str, **content: Any) -> Entry:
    """One record of a review."""
    row = next(_rows)
    return Entry(b.TYPES[kind], name, 1, False, facts(QUALITY, Record(kind, name, 1, None, content)), row, row)  # noqa: FBT003


def review(scores: list[Any], **content: Any) -> Case:
    """A review with these scores: a number, a pair (range), a dictionary of a criterion's fields, or None."""
    own = entry("quality_review", "R", **{"date": "2025-11-19", "provider_name": "Paja", **content})
    return Case(entries=[own, *(criterion(place, one) for place, one in enumerate(scores, 1))])


def criterion(place: int, told: Any) -> Entry:
    """One criterion."""
    content: dict[str, Any] = {"review": "R", "number": place}
    if isinstance(told, dict):
        content |= told
    elif isinstance(told, tuple):
        content["score"] = {"low": told[0], "high": told[1], "firm": False}
    elif told is not None:
        content["score"] = {"low": told, "high": told, "firm": True}
    return entry("quality_criterion", f"R/{place}", **content)


def told(case: Case) -> list[tuple[str, str]]:
    """Rule and kind of what was found on the review."""
    judgement = judge(QUALITY, case, AS_OF, frozenset())
    return sorted((one.rule, one.kind) for one in judgement.findings[case.entries[0].row])


ALL_FOUR = [4] * 25


def test_a_certain_total_has_no_finding() -> None:
    """A review whose scores add up to the stated total of the stated level is told nothing."""
    assert told(review(ALL_FOUR, stated_total=100, stated_level="Hyvä  taso")) == []


def test_records_of_a_review_are_references() -> None:
    """Neither the review nor its criteria ever become documents."""
    case = review(ALL_FOUR)

    outcomes = judge(QUALITY, case, AS_OF, frozenset()).outcomes

    assert set(outcomes.values()) == {Outcome.REFERENCE}


@pytest.mark.parametrize(
    ("scores", "content", "expected"),
    [
        ([*ALL_FOUR[:24], None], {}, [("LAA-05", "scores-missing")]),
        (ALL_FOUR[:24], {}, [("LAA-05", "scores-missing")]),
        ([*ALL_FOUR[:24], (3, 5)], {}, [("LAA-05", "scores-ranged")]),
        ([*ALL_FOUR[:24], 6], {}, [("LAA-01", "score-outside-scale"), ("LAA-05", "scores-missing")]),
        ([*ALL_FOUR[:24], 0], {}, [("LAA-01", "score-outside-scale"), ("LAA-05", "scores-missing")]),
        ([*ALL_FOUR[:24], (4, 7)], {}, [("LAA-01", "score-outside-scale"), ("LAA-05", "scores-missing")]),
        (ALL_FOUR, {"stated_total": 99}, [("LAA-01", "total-outside-interval")]),
        ([*ALL_FOUR[:24], (3, 5)], {"stated_total": 102},
         [("LAA-01", "total-outside-interval"), ("LAA-05", "scores-ranged")]),
        ([*ALL_FOUR[:24], (3, 5)], {"stated_total": 101}, [("LAA-05", "scores-ranged"), ("LAA-05", "total-uncertain")]),
        ([*ALL_FOUR[:24], None], {"stated_total": 101}, [("LAA-05", "scores-missing"), ("LAA-05", "total-uncertain")]),
        (ALL_FOUR, {"stated_total": 100, "stated_level": "Kohtalainen taso"}, [("LAA-02", "level-differs")]),
        ([3, *ALL_FOUR[:23], 5], {"stated_total": 100, "stated_level": "hyvä taso"}, []),
    ],
)  # fmt: skip
def test_what_is_found(scores: list[Any], content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Missing scores, ranges, impossible totals and other levels are told, each under its rule."""
    assert expected == told(review(scores, **content))


def test_nothing_is_invented() -> None:
    """Unscored criteria and ranges give intervals; a score outside the scale counts as unscored."""
    case = review([5, 5, 4, None, (3, 5), {"score": {"low": 5, "high": 5, "firm": False}}, 9], stated_total=30)
    judgement = judge(QUALITY, case, AS_OF, frozenset())

    told_ = figures(QUALITY, case, judgement, AS_OF)
    assert set(told_.values()) == {None}

    from kanta_gateway.contracts.figures import explain

    numbers = {name: one.value for name, one in explain(QUALITY, case, judgement, AS_OF, "R").items()}
    assert {
        "criteria": 7, "scored": 5, "firm_points": 14, "lower_bound": 22, "upper_bound": 24, "unscored_as_one": 42,
        "unscored_as_five": 124, "stated_total": 30, "level_of_stated_total": "Palvelu ei ole tuettua työllistymistä",
        "possible_levels": [
            "Esimerkillinen taso", "Hyvä taso", "Kohtalainen taso", "Palvelu ei ole tuettua työllistymistä",
        ],
    } == numbers  # fmt: skip


MEASURED = [
    (1, 20, 5), (1, 21, 4), (1, 25, 4), (1, 26, 3), (1, 31, 2), (1, 40, 2), (1, 41, 1),
    (2, 96, 5), (2, 95, 4), (2, 75, 3), (2, 60, 2), (2, 59.9, 1), (4, 49, 2), (15, 30, 5), (15, 271, 1),
    (16, 24.9, 1), (16, 25, 2), (17, 6, 5), (17, 5, 4), (17, 4, 3), (17, 2, 2), (17, 1, 1), (19, 85, 5), (20, 49, 1),
    (21, 95, 5), (21, 64, 1), (24, 65, 5), (24, 39, 2),
]  # fmt: skip


@pytest.mark.parametrize(("place", "measured", "expected"), MEASURED)
def test_scores_that_follow_from_numbers(place: int, measured: float, expected: int) -> None:
    """The classes of the source give the score, on both sides of each limit."""
    assert QUALITY.scale is not None

    found = implied(QUALITY.scale, criterion(place, {"measured": measured}))

    assert found is not None
    assert (expected, False) == (found.score, found.is_between)


@pytest.mark.parametrize(
    ("place", "measured", "expected"), [(2, 95.5, 5), (2, 89.5, 4), (17, 3, 3), (21, 64.5, 2), (24, 30, 2)]
)
def test_gaps_of_the_source_take_the_better_class(place: int, measured: float, expected: int) -> None:
    """A number between two classes, or in two of them, gets the better score, and the result says so."""
    assert QUALITY.scale is not None

    found = implied(QUALITY.scale, criterion(place, {"measured": measured}))

    assert found is not None
    assert (expected, True) == (found.score, found.is_between)


@pytest.mark.parametrize(
    ("place", "content", "expected"),
    [
        (4, {"measured": 95, "teams": 3}, 2),
        (4, {"measured": 95, "teams": 2}, 5),
        (17, {"measured": 6, "follow_up_form": "none"}, 2),
        (17, {"measured": 6, "follow_up_form": "monthly"}, 3),
        (17, {"measured": 6, "follow_up_form": "weekly"}, 5),
        (17, {"measured": 4, "job_seekers": 2}, 5),
        (17, {"measured": 3, "job_seekers": 2}, 3),
        (17, {"measured": 4, "job_seekers": 3}, 3),
        (21, {"measured": 100, "placed": 9}, 1),
        (21, {"measured": 100, "placed": 10}, 5),
        (3, {"measured": 100}, None),
        (1, {}, None),
    ],
)
def test_other_facts_limit_the_score(place: int, content: dict[str, Any], expected: int | None) -> None:
    """Teams, the follow-up form, few job seekers and few placed persons change what a number gives."""
    assert QUALITY.scale is not None

    found = implied(QUALITY.scale, criterion(place, content))

    assert expected == (None if found is None else found.score)


def test_a_score_that_the_number_does_not_give() -> None:
    """A recorded score that differs from what was measured is told; one that agrees is not."""
    wrong = {"score": {"low": 5, "high": 5, "firm": True}, "measured": 30}
    right = {"score": {"low": 3, "high": 3, "firm": True}, "measured": 30}

    assert told(review([wrong, *ALL_FOUR[1:]])) == [("LAA-03", "score-differs")]
    assert told(review([right, *ALL_FOUR[1:]])) == []
