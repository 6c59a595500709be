"""Cases of supervision at rest: alerts, incidents and what clients were right about, each with its steps.

* A step is added and never changed; who owns a case and what is noted stand sealed in the steps, and go in the end.
* The same finding opens one case only, however often the log is looked at.
* A case is of one controller's register, or of none where no single register shows what it is about.
* A case names no client, and the person whose acts it is about as the log does: by keyed reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import insert, select, update

from kanta_gateway.model import instant
from kanta_gateway.tables import supervision_case, supervision_step

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

ALERT, INCIDENT, REQUEST = "alert", "incident", "request"
"""What opened a case: unusual access, an incident, or a client whose request found something unlawful."""
OPEN, WORK, NOTIFY, CLOSE = "open", "work", "notify", "close"
_CHUNK = 500
"""Values in one statement: databases limit them."""
_c, _s = supervision_case.c, supervision_step.c


@dataclass(frozen=True, slots=True)
class NewCase:
    """Something that somebody must look into."""

    id: str
    kind: str
    rule: str
    known_at: datetime
    due_on: str
    person_ref: str = ""
    finding: tuple[str, ...] = ()
    """What makes it the same finding when it is found again; empty for an incident."""
    controller: str = ""
    """Whose register it is about; empty where no single one shows it."""

    @property
    def mark(self) -> str | None:
        """The finding as a digest."""
        return sha256("\0".join(self.finding).encode()).hexdigest() if self.finding else None


class Cases:
    """Reads and writes the cases.

    Args:
        seal: turns what is about persons into bytes that only the key opens.
        open_: the opposite.
    """

    def __init__(self, seal: Callable[[bytes], bytes], open_: Callable[[bytes], bytes]) -> None:
        self._seal = seal
        self._open = open_

    def add(self, tx: Connection, new: Sequence[NewCase], now: datetime, step: Mapping[str, str]) -> list[NewCase]:
        """Open the cases that are not there yet; those that were opened."""
        marks = [one.mark for one in new if one.mark is not None]
        known = {
            mark for start in range(0, len(marks), _CHUNK)
            for (mark,) in tx.execute(select(_c.finding).where(_c.finding.in_(marks[start : start + _CHUNK])))
        }  # fmt: skip
        added = [one for one in new if one.mark is None or one.mark not in known]
        for one in added:
            tx.execute(insert(supervision_case), {
                "id": one.id, "kind": one.kind, "rule": one.rule, "controller": one.controller, "finding": one.mark,
                "person_ref": one.person_ref,
                "known_at": instant(one.known_at), "opened_at": instant(now), "due_on": one.due_on, "closed_at": None,
                "outcome": "",
            })  # fmt: skip
            self.step(tx, one.id, OPEN, now, step)
        return added

    def step(
        self, tx: Connection, case: str, step: str, now: datetime, told: Mapping[str, str], *, clock: str = "",
        told_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Add a step to a case."""
        tx.execute(insert(supervision_step), {
            "case_id": case, "at": instant(now), "step": step, "clock": clock,
            "told_at": instant(told_at) if told_at else None, "sealed": self._seal(orjson.dumps(dict(told))),
        })  # fmt: skip

    def due(self, tx: Connection, case: str, day: str) -> None:
        """Give a case another due date."""
        tx.execute(update(supervision_case).where(_c.id == case).values(due_on=day))

    def close(self, tx: Connection, case: str, now: datetime, outcome: str) -> None:
        """End a case."""
        tx.execute(update(supervision_case).where(_c.id == case).values(closed_at=instant(now), outcome=outcome))

    def get(self, tx: Connection, case: str) -> dict[str, Any] | None:
        """One case with its steps."""
        row = tx.execute(select(supervision_case).where(_c.id == case)).mappings().first()
        return None if row is None else self._case(tx, row)

    def controller_of(self, tx: Connection, case: str) -> str | None:
        """Whose register a case is of; None where there is none. No step is read and nothing is opened."""
        found: str | None = tx.execute(select(_c.controller).where(_c.id == case)).scalar_one_or_none()
        return found

    def listed(self, tx: Connection, *, kind: str = "", is_open: bool | None = None) -> Iterator[dict[str, Any]]:
        """Cases by due date, with their steps."""
        query = select(supervision_case).order_by(_c.due_on, _c.opened_at, _c.id)
        if kind:
            query = query.where(_c.kind == kind)
        if is_open is not None:
            query = query.where(_c.closed_at.is_(None) if is_open else _c.closed_at.is_not(None))
        for row in tx.execute(query).mappings():
            yield self._case(tx, row)

    def _case(self, tx: Connection, row: RowMapping) -> dict[str, Any]:
        rows = tx.execute(select(supervision_step).where(_s.case_id == row["id"]).order_by(_s.id)).mappings()
        steps = [
            {"at": one["at"], "step": one["step"]}
            | ({"clock": one["clock"], "told_at": one["told_at"]} if one["clock"] else {})
            | (orjson.loads(self._open(one["sealed"])) if one["sealed"] else {})
            for one in rows
        ]
        owner = next((one["owner"] for one in reversed(steps) if one.get("owner")), "")
        told = {name: row[name] for name in ("id", "kind", "rule", "controller", "person_ref", "known_at",
                                             "opened_at", "due_on")}  # fmt: skip
        return {
            **told, "owner": owner, "state": "closed" if row["closed_at"] else "open",
            "closed_at": row["closed_at"] or "", "outcome": row["outcome"], "steps": steps,
        }  # fmt: skip
