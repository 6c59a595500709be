"""Questions whose answer is computed from what is stored: the log's integrity, retention, test data, incidents, alerts.

* Integrity: the whole log is verified against the last checkpoint and matched with what is stored, both ways.
* Retention: what was destroyed, and what should have been by now and was not.
* Test data: every identity code in what is stored, counted by series; no code is told, only the tickets of others.
* Incidents: every case and every provider's incident record with its clocks.
* Told is what falls under the registers that the asker may read; that the log holds is told of the whole of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import func, select, true

from kanta_gateway.audit import report
from kanta_gateway.audit.cases import INCIDENT, NOTIFY
from kanta_gateway.audit.checkpoint import parse
from kanta_gateway.audit.incidents import timeline
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.model import Event, instant
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.pipeline import reach
from kanta_gateway.pipeline.asked import Asked
from kanta_gateway.pipeline.casefile import entry as facts_of
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.destroying import DONE
from kanta_gateway.pipeline.known import entries
from kanta_gateway.pipeline.overseeing import cases_of, detector_of
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import APART
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.spool import records
from kanta_gateway.tables import audit_name, document, notice, record

INTEGRITY = ("what", "holds", "place", "text", "size", "root")
RETENTION = ("what", "rule", "destroyed", "entries", "overdue", "oldest")
IDENTITY_CODES = (
    "environment",
    "provider",
    "type",
    "records",
    "destroyed",
    "codes",
    "test_series",
    "others",
    "tickets",
)
INCIDENTS = (
    "incident", "source", "trigger", "text", "known_at", "clock", "to", "basis", "due_at", "told_at", "hours", "state",
    "closed_at", "outcome",
)  # fmt: skip
UNUSUAL = (
    "rule", "text", "day", "person_id", "person_name", "person_ref", "organisation", "role", "controller", "entries",
    "clients", "first", "last", "first_idx", "last_idx", "provision",
)  # fmt: skip
MOST_TICKETS = 20
_CODE = re.compile(r"(?<![0-9A-Za-z])\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![0-9A-Za-z])")
_PAGE = 500
_FINDERS: Mapping[str, Callable[[str], reach.Find]] = {
    "document": reach.document, "notice": reach.notice, "record": reach.ticket,
}  # fmt: skip
"""Table -> finds the thing that a place of it names."""


def integrity(asked: Asked) -> Iterator[dict[str, Any]]:
    """Whether the log is complete and unchanged, and every fault of it."""
    told, last = asked.verify(), asked.parts.last_checkpoint()
    if last:
        known = parse(last)
        yield {"what": "checkpoint", "holds": "", "size": known.size, "root": known.root.hex()}
    yield {"what": "log", "holds": told["holds"], "size": told["size"], "root": told["root"]}
    for what in ("problems", "remarks"):
        for one in told.get(what, ()):
            yield {"what": what, "holds": what == "remarks", "place": _place(one), "text": one["what"]}
    unmatched = told.get("unmatched", ())
    own = [one for one in unmatched if asked.sphere.is_whole or _is_own(asked, one)]
    for one in own:
        yield {"what": "unmatched", "holds": False, "place": _place(one), "text": one["what"]}
    if len(own) < len(unmatched):
        yield {"what": "unmatched", "holds": False, "text": "in another register"}


def _place(one: Mapping[str, str]) -> str:
    return f"{one['table']} {one['place']}"


def _is_own(asked: Asked, one: Mapping[str, str]) -> bool:
    """Whether what does not match is an entry, a record, a document or a notice of a register that the asker reads."""
    if one["table"] == "audit_entry":
        idx = int(one["place"])
        found = entries(asked.parts, asked.tx, report.Filter(after=idx - 1, limit=1))
        return any(entry["idx"] == idx and asked.sphere.is_open(entry) for entry in islice(found, 1))
    find = _FINDERS.get(one["table"])
    thing = find(one["place"])(asked.tx) if find is not None else None
    return thing is not None and asked.sphere.oversees(
        thing.provider or "", thing.purchaser or "", thing.controller or ""
    )


def retention(asked: Asked) -> Iterator[dict[str, Any]]:
    """What was destroyed, and what should have been."""
    now, tx = asked.parts.now(), asked.tx
    told: Counter[str] = Counter()
    for entry in asked.entries():
        asked.tally.given += 1
        told["notice" if "notice" in entry["details"] else entry["event"]] += 1
        if entry["event"] == Event.AUDIT_ERASE:
            told["names"] += len(entry["details"].get("names", ()))
        if entry["event"] == "audit:purge":
            told["rows"] += sum(last - first + 1 for first, last in entry["details"]["ranges"])
            told["names"] += len(entry["details"]["names"])
    limit = instant(now - timedelta(days=asked.grace_days))
    grace = f"{asked.grace_days} days after the receipt (GDPR 5(1)(e))"
    for name, table, settled, states, event in (
        ("documents", document, document.c.settled_at, DONE, str(Event.DOCUMENT_DESTROY_KEY)),
        ("notices", notice, notice.c.disclosed_at, tuple(NoticeState), "notice"),
    ):
        own = true() if asked.sphere.is_whole else table.c.organiser == asked.sphere.controller
        late = (table.c.payload.is_not(None), table.c.state.in_(states), settled <= limit)
        overdue, oldest = tx.execute(select(func.count(), func.min(settled)).where(own, *late)).one()
        gone = tx.execute(select(func.count()).select_from(table).where(own, table.c.payload.is_(None))).scalar_one()
        yield {"what": f"content of {name}", "rule": grace, "destroyed": gone, "entries": told[event],
               "overdue": overdue, "oldest": oldest or ""}  # fmt: skip
    years = asked.parts.terms.own["log-row"].years
    end = now.replace(year=now.year - years, day=28 if (now.month, now.day) == (2, 29) else now.day)
    old = [one["at"] for one in filter(asked.sphere.is_open, entries(asked.parts, tx, report.Filter(until=end)))]
    yield {"what": "entries of the log", "rule": f"{years} years (703/2023 annex)", "destroyed": told["rows"],
           "entries": told["audit:purge"], "overdue": len(old), "oldest": min(old, default="")}  # fmt: skip
    kept = tx.execute(select(func.count()).select_from(audit_name)).scalar_one() if asked.sphere.is_whole else ""
    yield {"what": "names beside the log", "rule": f"kept: {kept}" if kept else "", "destroyed": told["names"],
           "entries": told[str(Event.AUDIT_ERASE)], "overdue": "", "oldest": ""}  # fmt: skip


def identity_codes(asked: Asked) -> Iterator[dict[str, Any]]:
    """Identity codes in what is stored, by provider and record type: of the test series (900 to 999) or not."""
    found: dict[tuple[str, str], Counter[str]] = {}
    tickets: dict[tuple[str, str], list[str]] = {}
    after = 0
    rows = select(record.c.id).order_by(record.c.id).limit(_PAGE)
    while page := list(asked.tx.execute(rows.where(record.c.id > after)).scalars()):
        after = page[-1]
        for one in records.by_rows(asked.tx, page):
            if not asked.sphere.oversees(one.provider, one.purchaser):
                continue
            key = (one.provider, one.type)
            told = found.setdefault(key, Counter())
            told["records"] += 1
            try:
                series = Counter(_series(orjson.dumps(opened(asked.parts, one), default=str).decode()))
            except KeyUnavailableError:
                told["destroyed"] += 1
                continue
            told.update(series)
            if series["others"]:
                tickets.setdefault(key, []).append(one.ticket)
    environment = "production" if asked.parts.is_production else "test"
    for (provider, kind), told in sorted(found.items()):
        yield {
            "environment": environment, "provider": provider, "type": kind, "records": told["records"],
            "destroyed": told["destroyed"], "codes": told["test_series"] + told["others"],
            "test_series": told["test_series"], "others": told["others"],
            "tickets": tickets.get((provider, kind), [])[:MOST_TICKETS],
        }  # fmt: skip


def _series(text: str) -> Iterator[str]:
    for one in _CODE.findall(text):
        code = identity_code(one)
        if code is not None:
            yield "test_series" if code.is_temporary else "others"


def incidents(asked: Asked) -> Iterator[dict[str, Any]]:
    """Every incident with its clocks: cases of this gateway, then the providers' own records."""
    known = asked.parts.supervision.incidents
    for case in cases_of(asked.parts).listed(asked.tx, kind=INCIDENT):
        if asked.sphere.oversees(controller=case["controller"] or APART) and asked.wanted.covers(case["known_at"][:10]):
            told = {one["clock"]: _moment(one["told_at"]) for one in case["steps"] if one["step"] == NOTIFY}
            head = {
                "incident": case["id"],
                "source": "case",
                "closed_at": case["closed_at"],
                "outcome": case["outcome"],
            }
            yield from _clocks(asked, case["rule"], _moment(case["known_at"]), told, head)
    for provider, purchaser, ref in records.subjects(asked.tx, ["incident"]):
        if not asked.sphere.oversees(provider, purchaser):
            continue
        for row in records.of_file(asked.tx, provider, purchaser, [ref]):
            facts = facts_of(asked.parts, row).facts
            if row.type != "incident" or row.is_cancelled or not asked.wanted.covers(facts["occurred_on"]):
                continue
            trigger, clock = known.records[facts["kind"]]
            day = facts.get("purchaser_told_on")
            told = {clock: datetime.combine(datetime.fromisoformat(day), time.max, HELSINKI)} if clock and day else {}
            clock_time = time.fromisoformat(facts.get("occurred_at") or "00:00")
            at = datetime.combine(datetime.fromisoformat(facts["occurred_on"]), clock_time, HELSINKI)
            head = {"incident": row.ticket, "source": "record", "closed_at": facts.get("closed_on", ""), "outcome": ""}
            yield from _clocks(asked, trigger, at, told, head)


def _clocks(
    asked: Asked, trigger: str, known_at: datetime, told: Mapping[str, datetime], head: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    one = asked.parts.supervision.incidents.triggers[trigger]
    named = {**head, "trigger": trigger, "text": one.texts[asked.language], "known_at": instant(known_at)}
    for row in timeline(one, known_at, told, asked.parts.now()):
        yield named | {key: instant(value) if isinstance(value, datetime) else value for key, value in row.items()}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def unusual(asked: Asked) -> Iterator[dict[str, Any]]:
    """Unusual access in the period: one row for each rule, person and day."""
    detector = detector_of(asked.parts, asked.known)
    for one in detector.run(asked.entries(detector.events)):
        person = asked.known.person({"actor": {"name": one.name}})
        asked.tally.given += one.entries
        yield {
            "rule": one.rule.id, "text": one.rule.texts[asked.language], "day": one.day,
            "person_id": person.get("id", ""), "person_name": person.get("name", ""), "person_ref": one.person,
            "organisation": one.organisation, "role": one.role, "controller": one.controller, "entries": one.entries,
            "clients": len(one.clients),
            "first": one.first, "last": one.last, "first_idx": one.first_idx, "last_idx": one.last_idx,
            "provision": "; ".join(one.rule.provision),
        }  # fmt: skip
