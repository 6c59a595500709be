"""Break-glass: opened by one person for one client by a statutory sub-item and a reason, and reviewed by somebody else.

1. Who opens it names a sub-item of the list (rows D4, D5, D6, D9), a reason in words, and has read the warning.
2. The policy decides as of a disclosure by such a grant; what is denied opens nothing and is written down.
3. The grant holds for hours, for that person and client only, and ends by itself.
4. Every disclosure by it carries the mark BTG, and is decided anew.
5. Each grant waits in the queue for its review until a day; a review is by another person.
6. What a review finds unfounded is a case with an owner and a day (703/2023 §78).

Source: 703/2023 §§53, 55, 56, 78; terms: `mappings/policy/disclosures.yaml`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway import forgotten
from kanta_gateway.access import grants
from kanta_gateway.access.grants import Grant
from kanta_gateway.access.parties import agreements
from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Finding, instant
from kanta_gateway.pipeline.across import STATED, Asked
from kanta_gateway.pipeline.disclosing import BTG
from kanta_gateway.pipeline.grantdesk import GrantDesk, wrong_all
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.spool import records, store

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody states who breaks the glass."""

    item: str
    """Sub-item: a name of `grounds`."""
    reason: str
    is_warned: bool
    """Whether the person was shown the warning."""
    necessity: str
    route: str = ""
    """Why not through Kanta; needed by D4 and D5."""
    representative: str = "unknown"
    hours: int = 0
    """0: as long as the terms allow."""
    provider: str = ""
    client: str = ""
    """The provider's client number; or a document tells the client."""
    controller: str = ""
    document: str = ""


class BreakGlass(GrantDesk):
    """Opens, ends, lists and reviews grants for a caller."""

    def open(self, asked: Opening, caller: Caller) -> dict[str, Any]:
        """Open one client's data to the caller for a time.

        Raises:
            ParameterError: what was stated is not enough; all of it at once. Nothing was opened.
            NotPermittedError: the policy does not allow it.
            NotFoundError: there is no such client.
        """
        self._check(asked)
        facts = self._facts(asked)
        with self._parts.database.alone() as tx:
            thing = self._thing(tx, asked, facts)
            decision = self._office.guard.decide(caller, Event.ACCESS_BREAK, thing, tx=tx)
            is_known = self._office.guard.seen(tx, caller, thing).facts.get("relationship") == "open"
            if decision.allowed and thing.client_ref is not None:
                grant = self._grant(asked, facts, thing, caller, decision.row)
                grants.add(tx, grant)
                self._office.note(tx, [self._office.event(
                    caller, Event.ACCESS_BREAK, subject=grant.id, provider=grant.provider,
                    controller=grant.controller, client_ref=grant.client_ref, decision=decision,
                    details={"item": grant.item, "until": grant.until, "review_by": grant.due_on, "flag": BTG,
                             "reason": self._parts.keyring.digest(asked.reason.encode()), **grant.facts},
                )])  # fmt: skip
                return self._told(grant)
        self._office.deny(caller, Event.ACCESS_BREAK, thing.provider or "", decision.reasons, decision)
        if decision.allowed:
            raise NotFoundError
        findings = decision.findings if is_known else tuple(_of_what_was_stated(decision.findings))
        raise NotPermittedError(f"access:break is not allowed: {'; '.join(decision.reasons)}", findings=findings)

    def end(self, grant_id: str, caller: Caller) -> dict[str, Any]:
        """End a grant before its time: by the person whose it is, or by who may review it.

        Raises:
            NotFoundError: there is no such grant that the caller may end.
            ConflictError: it has ended already.
        """
        decision = self._office.permit(caller, Event.ACCESS_END, provider=None)
        with self._parts.database.alone() as tx:
            grant = grants.get(tx, grant_id)
            if grant is None or not (grant.person_ref == self._person(caller) or self._may_see(caller, grant)):
                raise NotFoundError
            if not grants.end(tx, grant_id, self._parts.now()):
                raise ConflictError("the grant has ended already")
            self._note(tx, caller, Event.ACCESS_END, grant, {}, decision)
            forgotten.note(tx, [Forgotten(forgotten.GRANT, grant_id, instant(self._parts.now()))])
        return {"grant": grant_id, "state": "ended"}

    def status(self) -> dict[str, int]:
        """How many hold, wait for review, are overdue, and have an open case; nothing of any client."""
        with self._parts.database.reading() as tx:
            return grants.counts(tx, self.today, self._parts.now())

    def warning(self, language: str) -> dict[str, Any]:
        """What a person must be shown before breaking the glass: the warning, the sub-items and the routes."""
        return {
            "warning": self._terms.warning[language], "hours": self._terms.hours,
            "reason_characters": self._terms.reason_characters,
            "items": {name: one.text[language] for name, one in self._rules.grounds.items()},
            "routes": {name: one[language] for name, one in self._rules.routes.items()},
        }  # fmt: skip

    def _check(self, asked: Opening) -> None:
        """Whether enough is stated; all that lacks at once.

        Raises:
            ParameterError: it is not.
        """
        faults: list[tuple[str, str]] = []
        if asked.item not in self._rules.grounds:
            faults.append(("item", ", ".join(self._rules.grounds)))
        if not self._terms.is_reason(asked.reason):
            length, words = self._terms.reason_characters, self._terms.reason_words
            faults.append(("reason", f"at least {length} characters and {words} different words"))
        if not asked.is_warned:
            faults.append(("warned", "true, once the person has been shown the warning"))
        if not 0 <= asked.hours <= self._terms.hours:
            faults.append(("hours", f"1 to {self._terms.hours}"))
        if asked.route and asked.route not in self._rules.routes:
            faults.append(("reasonCode", ", ".join(self._rules.routes)))
        if bool(asked.document) == bool(asked.client and asked.provider):
            faults.append(("client", "provider and client, or document"))
        if faults:
            raise wrong_all(faults)

    def _facts(self, asked: Opening) -> dict[str, str]:
        return {
            "ground": self._rules.grounds[asked.item].ground, "necessity": asked.necessity,
            "representative": asked.representative, "reason": "told",
            "via_kanta": "no" if asked.route else "unknown",
        }  # fmt: skip

    def _thing(self, tx: Connection, asked: Opening, facts: Mapping[str, str]) -> Thing:
        """Whose data is asked for; a client or document that there is not has no reference."""
        stated = Asked({**facts, "grant": "open"}, documents=frozenset({"any"}))
        if asked.document:
            found = store.get(tx, asked.document)
            if found is None:
                return Thing(None, asked=stated)
            purchaser = records.by_rows(tx, [found.record_row])[0].purchaser
            return Thing(found.provider, found.organiser, purchaser, found.client_ref, stated)
        ref = str(self._parts.keyring.client(asked.provider, asked.client))
        known = records.purchasers(tx, asked.provider, ref)
        have = [
            one for one in agreements(tx, asked.provider)
            if one.purchaser in known and asked.controller in {"", one.organiser.oid}
        ]  # fmt: skip
        if len({one.organiser.oid for one in have}) != 1:
            return Thing(None, asked=stated)
        return Thing(asked.provider, have[0].organiser.oid, have[0].purchaser, ref, stated)

    def _grant(self, asked: Opening, facts: Mapping[str, str], thing: Thing, caller: Caller, row: str) -> Grant:
        now = self._parts.now()
        return Grant(
            id=str(uuid.uuid4()), provider=str(thing.provider), controller=str(thing.controller),
            purchaser=str(thing.purchaser), client_ref=str(thing.client_ref), organisation=caller.organisation,
            person_ref=self._person(caller), role=caller.role, purpose=caller.purpose, item=asked.item, row=row,
            facts=facts, sealed=self._seal({
                "person_id": caller.person_id, "name": caller.person_name, "reason": asked.reason.strip(),
                "account": caller.account,
            }),
            given_at=instant(now), until=instant(now + timedelta(hours=asked.hours or self._terms.hours)),
            due_on=self._day_after(self._terms.review_days),
        )  # fmt: skip


def _of_what_was_stated(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What a caller is told who may not know of the client: nothing of what the registers say, not even that."""
    return (one for one in findings if one.kind != "policy-condition" or one.params["fact"] in STATED)
