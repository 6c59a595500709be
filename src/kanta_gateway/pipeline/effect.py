"""What a change of content would do: decisions that differ, thresholds that differ; pure.

* Decisions are asked of both sides for each role, relationship and purpose that fits: every act about one class,
  one act about every class where it would be use, by each row that either side has turned on, other conditions true.
* What a local policy makes depend on anything else, such as one person's name, is not enumerated.
* Values are told of numbers, days and truth values only; of texts and lists how many differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from kanta_gateway.access.decider import Decider, Question
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.table import NO_CLIENT_DATA, Facts
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.pipeline.guard import is_without_clients
from kanta_gateway.stated import Mistakes, read

MOST = 200
"""Longest list; beyond it only the number is told."""
RELATIONSHIPS = ("open", "none")
ONE = ("TOT", "TI")
"""The class of data that every act is asked about: what carrying out the service brings."""
LOOKS = (Event.DOCUMENT_READ, Event.RECORD_READ, Event.FIGURES_READ, Event.NOTICE_READ)
"""The act that is asked about every class: the first of these that the role may do."""
_OWN = Oid("1")


@dataclass(frozen=True, slots=True)
class Side:
    """What decides about access, before or after a change."""

    policy: Policy
    decider: Decider


@dataclass(frozen=True, slots=True)
class _Act:
    role: str
    event: Event
    facts: Facts
    purpose: str
    kind: str
    task: str


Asked = tuple[str, str, str, str, str, str, str]
"""Role, event, row, relationship, purpose, kind and service task."""


def decisions(before: Side, after: Side) -> dict[str, Any]:
    """Every enumerated decision that differs, gathered by role, act, row, relationship and purpose."""
    asked = list(_asked(before, after))
    allowed = [_allowed(one, asked) for one in (before, after)]
    comes, goes = allowed[1] - allowed[0], allowed[0] - allowed[1]
    return {
        "asked": len(asked), "allowed_before": len(allowed[0]), "allowed_after": len(allowed[1]),
        "newly_allowed": _gathered(comes), "newly_denied": _gathered(goes),
    }  # fmt: skip


def _asked(before: Side, after: Side) -> Iterator[_Act]:
    """Every act of each role about one class of data, and one act of each role about every class."""
    sides = (before, after)
    flows = _flows(before, after)
    classes = sorted({one for side in sides for one in side.decider.duties.classes})
    for role in sorted({role for one in sides for role in (*one.policy.roles, *one.decider.duties.roles)}):
        acts = [event for event in Event if any(one.policy.grants(_caller(role, ""), event) for one in sides)]
        about = next((event for event in LOOKS if event in acts), None)
        for facts in flows:
            rows = [side.decider.table.find(facts) for side in sides]
            fitting = sorted({name for side, row in zip(sides, rows, strict=True)
                              for name in side.decider.purposes.of(role, row.id)})  # fmt: skip
            has_data = facts.flow != NO_CLIENT_DATA
            mine = [event for event in acts if is_without_clients(event) is not has_data]
            of = ONE if has_data else ("", "")
            yield from (_Act(role, event, facts, purpose, *of) for event in mine for purpose in fitting)
            if has_data and about is not None and fitting and any(row.grade == "use" for row in rows):
                yield from (_Act(role, about, facts, fitting[0], *other) for other in classes if other != ONE)


def _flows(before: Side, after: Side) -> list[Facts]:
    """For each row that either side has turned on: facts with which it holds, then each relationship."""
    found: dict[Facts, None] = {}
    for side in (before, after):
        for row in side.decider.table.rows:
            if row.grade == "deny" or row.is_off:
                continue
            fits = {"purpose": "told", **{name: values[0] for name, values in row.when.items()}}
            for relationship in RELATIONSHIPS if "relationship" in row.when else ("none",):
                found[Facts(**{**fits, "relationship": relationship})] = None
    return list(found)


def _allowed(side: Side, asked: Sequence[_Act]) -> set[Asked]:
    """What one side allows of it."""
    found: dict[Asked, Question] = {}
    granted = cache(
        lambda role, purpose, event: side.policy.decide(_caller(role, purpose), event, provider=_OWN).allowed
    )
    for one in asked:
        row = side.decider.table.find(one.facts)
        if row.grade == "deny" or not granted(one.role, one.purpose, one.event):
            continue  # no permit, or the role's own forbid: the engine need not be asked
        key = (one.role, one.event.value, row.id, one.facts.relationship, one.purpose, one.kind, one.task)
        found[key] = Question(
            one.event.value, one.role, one.purpose, one.facts, one.kind, one.task, granted=True, person="known",
            own_task=True, own_service=True, own_register=True, has_duty=True, is_review=True, is_supervised=True,
        )  # fmt: skip
    answers = side.decider.allowed(list(found.values()))
    return {key for key, is_allowed in zip(found, answers, strict=True) if is_allowed}


def _caller(role: str, purpose: str) -> Caller:
    return Caller("system", _OWN, "p", "P", role, purpose, "contract")


def _gathered(found: Iterable[Asked]) -> dict[str, Any]:
    """The same, with the classes of data side by side; at most so many."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for *act, kind, task in sorted(found):
        rows.setdefault(tuple(act), []).append("/".join(one for one in (kind, task) if one))
    names = ("role", "event", "row", "relationship", "purpose")
    told = [dict(zip(names, act, strict=True)) | {"classes": classes} for act, classes in rows.items()]
    return {"count": sum(map(len, rows.values())), "acts": told[:MOST], "more": max(len(told) - MOST, 0)}


def thresholds(files: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """What differs between the texts of files, value by value.

    Args:
        files: path -> text before and after; empty where there is none.
    """
    told: dict[str, Any] = {}
    for path, (before, after) in files.items():
        sides = [dict(_values(_read(text, path))) for text in (before, after)]
        both = [(place, sides[0].get(place), sides[1].get(place)) for place in sides[0].keys() | sides[1].keys()]
        differ = sorted(one for one in both if one[1] != one[2])
        values = [{"place": place, "before": _shown(old), "after": _shown(new)}
                  for place, old, new in differ if _is_shown(old) and _is_shown(new)]  # fmt: skip
        told[path] = {"values": values[:MOST], "texts": len(differ) - len(values),
                      "more": max(len(values) - MOST, 0)}  # fmt: skip
    return told


def _read(text: str, path: str) -> Any:
    return read(text, Mistakes(path)) if path.endswith((".yaml", ".json")) or "." not in path else text.splitlines()


def _values(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _values(one, f"{place}/{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, one in enumerate(value):
            named = one.get("id") or one.get("name") or number if isinstance(one, Mapping) else number
            yield from _values(one, f"{place}/{named}")
    else:
        yield place, value


def _is_shown(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | date)


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
