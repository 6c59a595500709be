"""Replies to what clients ask for by right: the same content as JSON and as a page, in the client's language.

* A reply names the controller, who answers, and the processor that has prepared the reply on its behalf.
* A refusal is a written decision with its ground and the way to appeal (703/2023 §11.4, CLR-05).
* A page is made of a template file; the JSON holds what the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import report
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.model import instant
from kanta_gateway.pipeline import clientlog
from kanta_gateway.pipeline.clientlog import ClientLog, Person, shown_day, shown_moment
from kanta_gateway.pipeline.owncopy import ARCHIVE, BOTH, HERE, OwnCopy
from kanta_gateway.pipeline.pleas import NO_SPECIAL_REASON
from kanta_gateway.rights.kinds import GRANTED, REFUSED
from kanta_gateway.rights.pages import Part, Table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.rights.kinds import Kind
    from kanta_gateway.rights.store import StoredRequest

Matter = Mapping[str, Any]
"""What has been said about a request: who asks and why, explanation, decision."""
RECIPIENTS = "recipients"
"""Section of a copy behind whose text the recipients are listed."""
LOG_REPORT, ACCESS, EXPLANATION = "log-report", "access", "explanation"


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply."""

    told: Mapping[str, Any]
    """As JSON."""
    page: str
    """Name of the template."""
    language: str
    values: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def html(self, parts: Parts) -> str:
        """As a page."""
        return parts.pages.page(self.page, self.language, self.values, self.blocks)


@dataclass(frozen=True, slots=True)
class Case:
    """One request with everything that its reply is made of."""

    request: StoredRequest
    kind: Kind
    matter: Matter
    person: Person
    controller: str
    """Name of the controller."""
    processor: str
    """Name of the processor that answers on its behalf."""

    @property
    def decision(self) -> Mapping[str, Any]:
        """What the controller decided; empty until then."""
        found: Mapping[str, Any] = self.matter.get("decision") or {}
        return found


class Replier:
    """Makes replies in one language."""

    def __init__(self, parts: Parts, tx: Connection, language: str) -> None:
        self._parts = parts
        self._tx = tx
        self._language = language
        self._rules = parts.rights

    def reply(self, case: Case, now: datetime) -> Reply:
        """The reply that the decision asks for; before it, what would be given.

        Args:
            case: the request.
            now: the moment behind the last entry of the log that is told.
        """
        if case.request.outcome == REFUSED:
            return self._made(case, "refusal", self._refusal(case), {}, {})
        if case.kind.name == LOG_REPORT:
            return self._log_report(case, now)
        if case.kind.name == ACCESS:
            return self._access(case, now)
        if case.kind.name == EXPLANATION:
            return self._explanation(case, now)
        return self._made(case, "forwarded", {}, {}, {})

    def extension(self, case: Case) -> Reply:
        """The notice that the answer takes longer."""
        return self._made(case, "extension", {}, {}, {})

    def _made(
        self, case: Case, page: str, values: Mapping[str, str], blocks: Mapping[str, Sequence[Any]],
        told: Mapping[str, Any],
    ) -> Reply:  # fmt: skip
        request, common = case.request, self._common(case)
        whole = {
            "request": {
                "id": request.id, "kind": request.kind, "title": case.kind.title[self._language],
                "basis": case.kind.basis, "received_on": request.received_on, "due_on": request.due_on,
                "asker": request.asker,
            },
            "language": self._language,
            "controller": {"oid": case.person.controller, "name": case.controller},
            "prepared_by": {"oid": case.person.provider, "name": case.processor},
            "decision": self._decided(case), "note": self._word("own-use"), **told,
        }  # fmt: skip
        return Reply(whole, page, self._language, {**common, **values}, blocks)

    def _word(self, key: str) -> str:
        return self._rules.word("other", key, self._language)

    def _common(self, case: Case) -> dict[str, str]:
        """Values that every page may ask for."""
        request, matter, decision = case.request, case.matter, case.decision
        asker = self._rules.askers[request.asker].text[self._language]
        identified = self._rules.identified_by[matter["identified_by"]][self._language]
        outcome = self._rules.outcomes.get(request.outcome, {}).get(self._language, "")
        explained = matter.get("explanation") or {}
        return {
            "id": request.id, "title": case.kind.title[self._language], "controller": case.controller,
            "processor": case.processor, "received_on": shown_day(request.received_on),
            "due_on": shown_day(request.due_on), "asker": f"{matter['asker_name']} ({asker}; {identified})",
            "outcome": outcome, "decision": f"{outcome}." if outcome else "", "limits": self._limits(case),
            "text": decision.get("text", ""), "decided_by": decision.get("decided_by", ""),
            "decided_on": shown_day(decision.get("decided_on", "")), "instruction": decision.get("instruction", ""),
            "purpose": matter.get("purpose", ""), "wanted": matter.get("wanted", ""), "fee": self._fee(case),
            "explanation": explained.get("text", ""), "explained_by": explained.get("by", ""),
            "explained_on": shown_day(explained.get("on", "")),
            "forwarded_on": shown_day(matter.get("forwarded_on", "")),
            "extension_reason": (matter.get("extension") or {}).get("reason", ""),
        }  # fmt: skip

    def _limits(self, case: Case) -> str:
        """Why something is left out of what is given."""
        ground = self._rules.grounds.get(case.request.ground)
        if ground is None or case.request.outcome not in GRANTED:
            return ""
        return " ".join(filter(None, (ground.text[self._language], f"({ground.basis})", case.decision.get("text", ""))))

    def _fee(self, case: Case) -> str:
        if not case.kind.may_cost or case.request.outcome not in GRANTED:
            return ""
        fee = case.decision.get("fee", "")
        return self._word("fee").format(fee=fee) if fee else self._word("free")

    def _decided(self, case: Case) -> dict[str, Any] | None:
        if not case.request.outcome:
            return None
        ground = self._rules.grounds.get(case.request.ground)
        return {
            "outcome": case.request.outcome, **case.decision,
            "ground": None if ground is None else {
                "id": case.request.ground, "basis": ground.basis, "text": ground.text[self._language],
            },
            "appeal": "1050/2018 §21; GDPR 77; GDPR 79",
        }  # fmt: skip

    def _refusal(self, case: Case) -> dict[str, str]:
        ground = self._rules.grounds[case.request.ground]
        is_log = case.kind.name in {LOG_REPORT, EXPLANATION}
        return {"ground": ground.text[self._language], "ground_basis": ground.basis,
                "log_note": self._word("own-use") if is_log else ""}  # fmt: skip

    def _log_report(self, case: Case, now: datetime) -> Reply:
        since, until = window(case, now)
        rows = self._rows(case, since, until, names=True)
        table = clientlog.table(self._parts, rows, self._language, clientlog.COLUMNS)
        values = self._time(since, until) | {"none": "" if rows else self._word("none")}
        told = {"since": instant(since), "until": instant(until), "rows": rows}
        return self._made(case, "log-report", values, {"rows": [table]}, told)

    def _rows(self, case: Case, since: datetime | None, until: datetime, *, names: bool) -> list[dict[str, Any]]:
        left_out = set(case.decision.get("left_out") or ())
        found = ClientLog(self._parts, self._tx, case.person, self._language).rows(since, until, names=names)
        return [one for one in found if left_out.isdisjoint({str(one["entry"]), one["subject"]})]

    def _time(self, since: datetime, until: datetime) -> dict[str, str]:
        return {"since": shown_day(since.astimezone(HELSINKI).date().isoformat()),
                "until": shown_day(until.astimezone(HELSINKI).date().isoformat())}  # fmt: skip

    def _explanation(self, case: Case, now: datetime) -> Reply:
        wanted = {str(one) for one in case.matter["entries"]}
        rows = [one for one in self._rows(case, None, now, names=True) if str(one["entry"]) in wanted]
        table = clientlog.table(self._parts, rows, self._language, clientlog.COLUMNS)
        told = {"suspected": rows, "explanation": case.matter.get("explanation")}
        return self._made(case, "explanation", {}, {"rows": [table]}, told)

    def _access(self, case: Case, now: datetime) -> Reply:
        since, until = report.window_start(now), now
        copy = OwnCopy(self._parts, self._tx, case.person, self._language, case.decision.get("left_out") or ())
        held = copy.held() | {"log": self._rows(case, since, until, names=False)}
        words, language = self._rules.copy, self._language
        left_out = {"left_out": words.left_out[language], "log_note": self._word("own-use"),
                    "left_out_protected": words.left_out_protected[language] if copy.is_protected else ""}  # fmt: skip
        about = {name: one["text"][language] for name, one in words.sections.items()}
        recipients = sorted({str(one["recipient"]) for one in held["log"] if one["recipient"]})
        sections = [
            Part(one[language], [one["text"][language], *([recipients] if name == RECIPIENTS else ())])
            for name, one in words.sections.items()
        ]
        blocks = {"sections": sections, "held": [*self._held(held)]}
        told = {
            "about": about,
            "recipients": recipients,
            "held": held,
            **left_out,
            "log_since": instant(since),
            "log_window": self._word("older"),
        }
        return self._made(case, "access", left_out, blocks, told)

    def _held(self, held: Mapping[str, Any]) -> Iterator[Part]:
        """Everything that is held, as parts of a page."""
        titles, language = self._rules.copy.held, self._language
        for name in ("records", "documents", "notices", "relationships", "requests"):
            if held[name]:
                yield Part(titles[name][language], [Part(*self._item(name, one)) for one in held[name]])
        table = clientlog.table(self._parts, held["log"], language, clientlog.WITHOUT_NAMES)
        yield Part(titles["log"][language], [self._word("older"), table])

    def _item(self, kind: str, one: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Heading and content of one thing that is held."""
        day = one.get("received_at") or one.get("made_at") or one.get("received_on") or one.get("from") or ""
        shown = shown_moment(day) if "T" in day else shown_day(day)
        heading = " ".join(filter(None, (one.get("name", ""), shown, one.get("id") or one.get("oid") or "")))
        where = {HERE: "kept-here", BOTH: "kept-both", ARCHIVE: "destroyed"}.get(
            one.get("kept", ""), "destroyed-record"
        )
        content: list[Any] = [self._word(where)] if "kept" in one else []
        values = _opened(one.get("content") or one.get("facts") or {}) or {
            name: one[name] for name in ("to", "service", "unit", "state", "outcome", "archived_at") if one.get(name)
        }  # fmt: skip
        head = [self._rules.word("columns", name, self._language) for name in ("field", "value")]
        rows = [[" / ".join(self._field(name) for name in path), self._value(text)] for path, text in flat(values)]
        return heading, [*content, Table(one.get("name") or self._rules.copy.held[kind][self._language], head, rows)]

    def _field(self, name: str) -> str:
        """What a field of a record or a notice is called."""
        known = self._parts.notices.labels.get(name, {}).get(self._language)
        return (
            self._rules.word("fields", name, self._language) if name in self._rules.words["fields"] else known or name
        )

    def _value(self, text: str) -> str:
        """A value as a person reads it."""
        if _DAY.fullmatch(text):
            return shown_day(text)
        return shown_moment(text) if _MOMENT.fullmatch(text) else self._rules.word("values", text, self._language)


def window(case: Case, now: datetime) -> tuple[datetime, datetime]:
    """The time that a reply about the log covers: two years back, further only as asked for and granted."""
    request = case.request
    until = datetime.fromisoformat(request.until) if request.until else now
    earliest = report.window_start(now)
    if not request.since:
        return earliest, until
    asked = datetime.fromisoformat(request.since)
    is_bound = not case.matter.get("special_reason") or request.ground == NO_SPECIAL_REASON
    return (max(asked, earliest) if is_bound else asked), until


def _opened(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A notice's head and groups as if they were fields of one record."""
    if not {"head", "groups"} <= content.keys():
        return content
    return {**content["head"], **content["groups"]}


def flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value inside a value with its path; items of a list are numbered."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from flat(one, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value, 1):
            yield from flat(one, (*path, str(number)))
    elif value is not None:
        yield path, str(value)
