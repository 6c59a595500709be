"""The author's answer to what minimisation asked: the wording is allowed, with a reason, and written in the log.

* Only what was asked about a record that waits can be allowed, by field and class; a new version is asked anew.
* The other answer is a correction: a new version of the record, worded anew, takes the place of the one that waits.
* The reason is kept beside the record and goes with it; the log keeps who, when, what, and its keyed digest.
* A reason that holds a personal value itself is not taken.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import ConflictError, NotFoundError, ParameterError
from kanta_gateway.model import CLASSES, Decision, Event, Finding, Level, Outcome, Severity, instant
from kanta_gateway.pipeline import reach
from kanta_gateway.pipeline.minimising import ASKED
from kanta_gateway.privacy.people import NOBODY
from kanta_gateway.privacy.reading import Reading
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import StoredRecord

SHORTEST_REASON = 10
"""Letters of a reason: a word such as `ok` is none."""
LONGEST_REASON = 500

Answer = tuple[str, str]
"""(field, class)."""


def allow(
    parts: Parts, office: Office, ticket: str, answers: Collection[Answer], reason: str, caller: Caller
) -> StoredRecord:
    """Allow wordings of a record that waits for its author.

    Args:
        parts: the built gateway.
        office: permits the caller and writes entries.
        ticket: of the record.
        answers: what is allowed; empty for everything that was asked.
        reason: why the service needs it.
        caller: the author.

    Raises:
        NotFoundError: there is no such record that the caller may see.
        ConflictError: the record does not wait for such an answer.
        ParameterError: the reason is too short or too long, or holds a personal value.
    """
    office.reach.seek(caller, Event.RECORD_ALLOW, reach.ticket(ticket))
    with parts.database.reading() as tx:
        found = records.by_ticket(tx, ticket)
    if found is None:
        raise NotFoundError
    decision = office.permit(caller, Event.RECORD_ALLOW, provider=found.provider, purchaser=found.purchaser)
    check_reason(parts, reason)
    asked = _asked(found)
    chosen = sorted(set(answers) or asked)
    if found.outcome is not Outcome.HELD or not asked or not set(chosen) <= asked:
        raise ConflictError("the record does not wait for such an answer; read its ticket and answer what it asks")
    _write(parts, office, found, chosen, reason, caller, decision)
    return found


def _write(
    parts: Parts, office: Office, found: StoredRecord, chosen: Collection[Answer], reason: str, caller: Caller,
    decision: Decision,
) -> None:  # fmt: skip
    """Keep the answer beside the record, and write it down, in one transaction."""
    by, told = parts.keyring.digest(caller.person_id.encode()), parts.keyring.digest(reason.encode())
    given: dict[str, Any] = {"by": by, "at": instant(parts.now()), "reason": reason}
    answers = [{"field": name, "class": cls} for name, cls in chosen]
    with parts.database.transaction() as tx:
        stored = records.by_rows(tx, [found.row])[0]
        allowed = [*stored.removed.get("allowed", ()), *({**one, **given} for one in answers)]
        records.answer(tx, found.row, {**stored.removed, "allowed": allowed})
        office.note(tx, [office.event(
            caller, Event.RECORD_ALLOW, subject=found.ticket, provider=found.provider, client_ref=found.client_ref,
            details={"answers": answers, "reason": told}, decision=decision,
        )])  # fmt: skip


def _asked(found: StoredRecord) -> set[Answer]:
    return {
        (str(one["params"]["field"]), str(one["params"]["class"])) for one in found.findings if one["kind"] == ASKED
    }


def check_reason(parts: Parts, reason: str) -> None:
    """Whether a reason says something, and nothing about a person.

    Raises:
        ParameterError: it does not.
    """
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        limits = {"field": "reason", "expected": f"{SHORTEST_REASON}-{LONGEST_REASON}"}
        raise ParameterError(
            findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", "/reason", limits),)
        )
    everything = Reading(dict.fromkeys(CLASSES, Level.MASK), known=NOBODY)
    if parts.scanner.sift(reason, everything).masked:
        told = Finding("PRI-03", Severity.REFUSE, "reason-tells", "/reason", {})
        raise ParameterError("a reason tells why, and nothing about a person", findings=(told,))
