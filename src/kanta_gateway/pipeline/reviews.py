"""Reviews of break-glass: a queue with a day for each, an outcome by another person, and a case where it was unfounded.

* The user's own organisation, the register's controller and the gateway's own people review; never the user, under no
  other name and from no same account of the machine (`twopersons`).
* A line of the queue tells who looked, when, by which sub-item and why, and no client.
* What a review finds unfounded has an owner and a day, and is told until somebody has closed it (703/2023 §78).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import grants
from kanta_gateway.errors import ConflictError, NotFoundError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.grantdesk import GrantDesk, wrong, wrong_all
from kanta_gateway.pipeline.partybook import HELSINKI

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.grants import Grant

STATES = ("to-review", "overdue", "case", "case-overdue", "reviewed", "destroyed")
NOTE_CHARACTERS = 10
"""Shortest note of a review or of what was done about a case."""


class Reviews(GrantDesk):
    """Lists and reviews grants for a caller, and closes their cases."""

    def queue(self, caller: Caller, state: str = "") -> dict[str, Any]:
        """Grants that the caller may review, oldest first: who, when, by which ground, until when, and the outcome.

        Args:
            caller: who asks.
            state: only these: to-review, overdue, case, case-overdue, reviewed, destroyed; empty for all.

        Raises:
            ParameterError: there is no such state.
        """
        if state and state not in STATES:
            raise wrong("state", ", ".join(STATES))
        decision = self._office.permit(caller, Event.ACCESS_READ, provider=None)
        with self._parts.database.transaction() as tx:
            seen = [one for one in grants.every(tx) if self._may_see(caller, one)]
            found = [one for one in seen if state in {"", one.state(self.today)}]
            self._office.note(tx, [self._office.event(
                caller, Event.ACCESS_READ, subject="queue", provider="", decision=decision,
                details={"count": len(found), "state": state},
            )])  # fmt: skip
        return {"grants": [self._row(one) for one in found]}

    def review(self, grant_id: str, outcome: str, note: str, caller: Caller, owner: str = "") -> dict[str, Any]:
        """Write down what a review said; what it found unfounded becomes a case of somebody's.

        Args:
            grant_id: of the grant.
            outcome: one of the outcomes of the terms.
            note: why, in words.
            caller: who reviews; another person than the one who looked.
            owner: who handles the case, where the outcome leads to one.

        Raises:
            NotFoundError: there is no such grant that the caller may review.
            NotPermittedError: the caller looked by it, or acts from the same account of the machine.
            ConflictError: it was reviewed already, or it holds still.
            ParameterError: outcome, note or owner is lacking.
        """
        leads_to_case = self._terms.outcomes.get(outcome)
        faults = [] if leads_to_case is not None else [("outcome", ", ".join(self._terms.outcomes))]
        faults += [("note", f"at least {NOTE_CHARACTERS} characters")] if len(note.strip()) < NOTE_CHARACTERS else []
        faults += [("owner", "who handles the case")] if leads_to_case and not owner.strip() else []
        if faults:
            raise wrong_all(faults)
        decision = self._office.permit(caller, Event.ACCESS_REVIEW, provider=None)
        self._check_other(grant_id, caller, Event.ACCESS_REVIEW)
        now = self._parts.now()
        with self._parts.database.alone() as tx:
            grant = self._reviewable(tx, grant_id, caller)
            due = self._day_after(self._terms.case_days) if leads_to_case else None
            review = self._seal({"person_id": caller.person_id, "name": caller.person_name, "note": note.strip()})
            sealed_owner = self._seal({"owner": owner.strip()}) if leads_to_case else None
            if not grants.reviewed(tx, grant_id, outcome, review, now, due, sealed_owner):
                raise ConflictError("the grant was reviewed already")
            told = {"outcome": outcome, "days_late": max(0, self._days_late(grant)), "case_due_on": due or ""}
            self._note(tx, caller, Event.ACCESS_REVIEW, grant, told, decision)
            grant = grants.get(tx, grant_id) or grant
        return self._row(grant)

    def close_case(self, grant_id: str, note: str, caller: Caller) -> dict[str, Any]:
        """Close the case of a grant.

        Raises:
            NotFoundError: there is no such grant that the caller may see.
            NotPermittedError: the caller looked by it, or acts from the same account of the machine.
            ConflictError: it has no open case.
            ParameterError: what was done is not told.
        """
        if len(note.strip()) < NOTE_CHARACTERS:
            raise wrong("note", f"at least {NOTE_CHARACTERS} characters")
        decision = self._office.permit(caller, Event.ACCESS_REVIEW, provider=None)
        self._check_other(grant_id, caller, Event.ACCESS_REVIEW)
        with self._parts.database.alone() as tx:
            grant = grants.get(tx, grant_id)
            if grant is None or not self._may_see(caller, grant):
                raise NotFoundError
            _check_there(grant)
            if not grants.closed(tx, grant_id, self._parts.now()):
                raise ConflictError("the grant has no open case")
            digest = self._parts.keyring.digest(note.strip().encode())
            self._note(tx, caller, Event.ACCESS_REVIEW, grant, {"case": "closed", "note": digest}, decision)
            grant = grants.get(tx, grant_id) or grant
        return self._row(grant)

    def counts(self, caller: Caller, month: str) -> dict[str, Any]:
        """How often the glass was broken in a month, by sub-item, organisation and outcome.

        Args:
            caller: who asks.
            month: YYYY-MM.
        """
        decision = self._office.permit(caller, Event.ACCESS_READ, provider=None)
        with self._parts.database.transaction() as tx:
            seen = [one for one in grants.every(tx) if self._may_see(caller, one) and self._month(one) == month]
            self._office.note(tx, [self._office.event(
                caller, Event.ACCESS_READ, subject="counts", provider="", decision=decision,
                details={"count": len(seen), "month": month},
            )])  # fmt: skip
        return {
            "month": month, "grants": len(seen), "documents": sum(one.uses for one in seen),
            "by_item": dict(Counter(one.item for one in seen)),
            "by_organisation": dict(Counter(one.organisation for one in seen)),
            "by_outcome": dict(Counter(one.outcome or one.state(self.today) for one in seen)),
        }  # fmt: skip

    def _reviewable(self, tx: Connection, grant_id: str, caller: Caller) -> Grant:
        grant = grants.get(tx, grant_id)
        if grant is None or not self._may_see(caller, grant):
            raise NotFoundError
        _check_there(grant)
        if grant.is_open(self._parts.now()):
            raise ConflictError("the grant holds still; end it, or review it when it has ended")
        return grant

    def _days_late(self, grant: Grant) -> int:
        return (date.fromisoformat(self.today) - date.fromisoformat(grant.due_on)).days

    def _month(self, grant: Grant) -> str:
        """The month in which it was given, in Finland."""
        return datetime.fromisoformat(grant.given_at).astimezone(HELSINKI).strftime("%Y-%m")


def _check_there(grant: Grant) -> None:
    """Whether who looked and why is still known.

    Raises:
        ConflictError: it was destroyed, with the log that tells of it or after a handover.
    """
    if not grant.sealed:
        raise ConflictError("who looked and why has been destroyed; there is nothing to review any more")
