"""What opening and reviewing break-glass have in common: who is who, what is sealed, what a line of the queue tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import grants
from kanta_gateway.access.grants import Grant
from kanta_gateway.errors import NotPermittedError, ParameterError
from kanta_gateway.model import Caller, Decision, Event, Finding, Severity
from kanta_gateway.pipeline import twopersons
from kanta_gateway.pipeline.guard import LOCAL
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.privacy.envelope import open_sealed, seal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts


class GrantDesk:
    """The ground that `BreakGlass` and `Reviews` stand on."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._rules = parts.disclosures
        self._terms = parts.disclosures.break_glass

    def _check_other(self, grant_id: str, caller: Caller, event: Event) -> None:
        """Whether the caller is another person than whoever broke the glass; outside any transaction.

        Raises:
            NotPermittedError: it is the same one, which is written down.
        """
        with self._parts.database.reading() as tx:
            grant = grants.get(tx, grant_id)
        if grant is None or not self._may_see(caller, grant) or not grant.sealed:
            return  # the act itself says that there is none, or nothing of it any more
        is_same = grant.person_ref == self._person(caller)
        if told := "identifier" if is_same else twopersons.same(self._opened(grant.sealed), caller):
            self._office.deny(caller, event, grant.provider, (f"grant {grant_id}: two-persons, the same {told}",))
            raise NotPermittedError(
                f"who broke the glass neither reviews it nor closes its case, and it was under the same {told}; "
                f"another person does, {twopersons.OTHER}"
            )

    def _may_see(self, caller: Caller, grant: Grant) -> bool:
        """The user's own organisation and the register's controller review, and the gateway's own people."""
        return caller.system == LOCAL or caller.organisation in {grant.organisation, grant.controller}

    def _note(
        self, tx: Connection, caller: Caller, event: Event, grant: Grant, told: Mapping[str, Any], decision: Decision
    ) -> None:
        self._office.note(tx, [self._office.event(
            caller, event, subject=grant.id, provider=grant.provider, controller=grant.controller, decision=decision,
            details={"item": grant.item, **told},
        )])  # fmt: skip

    def _told(self, grant: Grant) -> dict[str, Any]:
        return {"grant": grant.id, "row": grant.row, "item": grant.item, "until": grant.until,
                "review_by": grant.due_on}  # fmt: skip

    def _row(self, one: Grant) -> dict[str, Any]:
        """One line of the queue: no client is told."""
        who, review = self._opened(one.sealed), self._opened(one.review) if one.review else {}
        return {
            **self._told(one), "organisation": one.organisation, "person_id": who.get("person_id", ""),
            "name": who.get("name", ""), "role": one.role, "purpose": one.purpose, "reason": who.get("reason", ""),
            "given_at": one.given_at, "ended_at": one.ended_at, "documents": one.uses, "state": one.state(self.today),
            "outcome": one.outcome, "reviewed_at": one.reviewed_at, "reviewer": review.get("name"),
            "note": review.get("note"), "case_due_on": one.case_due_on, "case_closed_at": one.case_closed_at,
            "case_owner": self._opened(one.case_owner)["owner"] if one.case_owner else None,
        }  # fmt: skip

    @property
    def today(self) -> str:
        """The day in Finland (ISO 8601)."""
        return self._day_after(0)

    def _day_after(self, days: int) -> str:
        return (self._parts.now().astimezone(HELSINKI).date() + timedelta(days=days)).isoformat()

    def _person(self, caller: Caller) -> str:
        return self._parts.log.names.reference(caller.organisation, caller.person_id)

    def _seal(self, content: Mapping[str, str]) -> bytes:
        return seal(self._parts.keyring.accesses, orjson.dumps(dict(content)), b"access")

    def _opened(self, sealed: bytes) -> dict[str, str]:
        """What was sealed; nothing once it is destroyed."""
        if not sealed:
            return {}
        return dict(orjson.loads(open_sealed(self._parts.keyring.accesses, sealed, b"access")))


def wrong(field: str, expected: str) -> ParameterError:
    """One thing that was stated is not what it should be."""
    return wrong_all([(field, expected)])


def wrong_all(faults: list[tuple[str, str]]) -> ParameterError:
    """Everything that is not what it should be: field, and what is expected."""
    return ParameterError(findings=tuple(
        Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", {"field": name, "expected": expected})
        for name, expected in faults
    ))  # fmt: skip
