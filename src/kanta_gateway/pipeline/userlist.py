"""Questions about users: who had which rights on a day, and when leavers' rights were removed.

* The register of users is dated statements, so any past day can be told (703/2023 §9.3, 906/2019 §16).
* Rights are those that the policy gives the role now; a change of the policy is an entry of its own.
* Told are the users of the organisations that the asker answers for, and what they did in registers that it may read.
* A right is removed when its end is stated; uses after the last day are told, those that were denied apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from kanta_gateway.access.statements import Statement
from kanta_gateway.audit import report
from kanta_gateway.audit.answers import DENIED
from kanta_gateway.pipeline.asked import PAGE, Asked
from kanta_gateway.pipeline.known import LEFT, ROLE_ENDED, entries, persons_of, recorded_persons
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import parties_of
from kanta_gateway.tables import calling_system

USERS = (
    "kind", "person_id", "person_name", "person_ref", "organisation", "role", "unit", "from", "to", "task", "actions",
    "purposes",
)  # fmt: skip
LEAVERS = (
    "person_id", "person_name", "person_ref", "organisation", "role", "last_day", "removed_at", "hours_late",
    "last_use", "uses_after", "denied_after",
)  # fmt: skip


def users(asked: Asked) -> Iterator[dict[str, Any]]:
    """Persons with their roles and rights on a day, and the systems that could call."""
    day = asked.wanted.day or asked.parts.now().astimezone(HELSINKI).date()
    is_told = _told_of(asked)
    for one in persons_of(asked.parts, asked.tx):
        if one.covers(day.isoformat()) and is_told(one.body["organisation"]):
            rules = asked.policy.rules_of(one.body["role"])
            yield _person(asked, one) | {
                "kind": "person", "unit": one.body.get("unit", ""), "from": one.valid_from, "to": one.valid_to or "",
                "task": asked.parts.decider.duties.roles.get(one.body["role"], ""),
                "actions": sorted({str(action) for rule in rules for action in rule.actions}),
                "purposes": sorted({purpose for rule in rules for purpose in rule.purposes}),
            }  # fmt: skip
    end = datetime.combine(day + timedelta(days=1), time.min, HELSINKI)
    for row in asked.tx.execute(select(calling_system).order_by(calling_system.c.registered_at)).mappings():
        since, until = row["registered_at"], row["revoked_at"]
        is_there = datetime.fromisoformat(since) < end and (until is None or datetime.fromisoformat(until) >= end)
        if is_there and is_told(row["organisation"]):
            yield {"kind": "system", "organisation": row["organisation"], "role": row["name"], "from": since,
                   "to": until or ""}  # fmt: skip


def leavers(asked: Asked) -> Iterator[dict[str, Any]]:
    """Roles that ended in the period: last day, when that was stated, and what was done with them afterwards."""
    today, is_told = asked.parts.now().astimezone(HELSINKI).date().isoformat(), _told_of(asked)
    ended = [
        (one, at) for one, at in _ended(asked)
        if one.valid_to is not None and one.valid_to < today and asked.wanted.covers(one.valid_to)
        and is_told(one.body["organisation"])
    ]  # fmt: skip
    uses = _uses(asked, [one for one, _ in ended])
    for one, at in sorted(ended, key=lambda pair: (pair[0].valid_to or "", pair[0].key)):
        over = datetime.combine(date.fromisoformat(one.valid_to or "") + timedelta(days=1), time.min, HELSINKI)
        late = (datetime.fromisoformat(at) - over).total_seconds() / 3600
        yield _person(asked, one) | {
            "last_day": one.valid_to, "removed_at": at, "hours_late": round(max(late, 0), 1), **uses[_whose(asked, one)]
        }  # fmt: skip


def _told_of(asked: Asked) -> Callable[[str], bool]:
    """Whether the asker is told of an organisation's users: it answers for them, and means them."""
    known, wanted = parties_of(asked.tx, asked.sphere), asked.wanted.organisation
    return lambda one: (known is None or one in known) and wanted in {"", one}


def _ended(asked: Asked) -> Iterator[tuple[Statement, str]]:
    """Statements that hold now, each with the moment at which its last day was stated."""
    newest: dict[str, tuple[Statement, str]] = {}
    for one, at in recorded_persons(asked.parts, asked.tx):
        known = newest.get(one.key)
        is_same = known is not None and known[0].valid_to == one.valid_to
        newest[one.key] = (one, known[1] if known is not None and is_same else at)
    going_on = {
        (one.body["person_id"], one.body["organisation"], one.body["role"], one.valid_from)
        for one, _ in newest.values()
    }
    for one, at in newest.values():
        after = date.fromisoformat(one.valid_to) + timedelta(days=1) if one.valid_to else None
        follows = (one.body["person_id"], one.body["organisation"], one.body["role"], str(after))
        if after is not None and follows not in going_on:
            yield one, at


def _uses(asked: Asked, ended: list[Statement]) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Person and role -> last use, and what came after the end, in one reading of the log."""
    found: dict[tuple[str, str], dict[str, Any]] = {
        _whose(asked, one): {"last_use": "", "uses_after": 0, "denied_after": 0} for one in ended
    }
    if not found:
        return found
    for entry in filter(asked.sphere.is_open, entries(asked.parts, asked.tx, report.Filter(limit=PAGE))):
        actor = entry["actor"]
        mine = found.get((actor.get("ref", ""), actor["role"]))
        if mine is None:
            continue
        is_denied = entry["event"] == DENIED
        if not is_denied:
            mine["last_use"] = entry["at"]
        if asked.known.standing(entry) in {LEFT, ROLE_ENDED}:
            mine["denied_after" if is_denied else "uses_after"] += 1
    return found


def _whose(asked: Asked, one: Statement) -> tuple[str, str]:
    return asked.parts.log.names.reference(one.body["organisation"], one.body["person_id"]), one.body["role"]


def _person(asked: Asked, one: Statement) -> dict[str, Any]:
    return {
        "person_id": one.body["person_id"], "person_name": one.body["name"], "person_ref": _whose(asked, one)[0],
        "organisation": one.body["organisation"], "role": one.body["role"],
    }  # fmt: skip
