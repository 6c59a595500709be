"""What a client sees without a request: the log by organisation, and receipts of what was recorded.

* The view names no professional (703/2023 §74.2, C-579/21); who used the data is told on written request.
* A citizen portal acts for the client that its assertion names as relation, and for no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import report
from kanta_gateway.contracts.calendar import HELSINKI, add_months
from kanta_gateway.errors import NotFoundError
from kanta_gateway.model import Caller, Decision, Event, instant
from kanta_gateway.pipeline import clientlog, receipts
from kanta_gateway.pipeline.clientlog import ClientLog, shown_day
from kanta_gateway.pipeline.replies import Reply
from kanta_gateway.pipeline.whose import Clients, Whose
from kanta_gateway.rights.pages import EASY

if TYPE_CHECKING:
    from kanta_gateway.audit.log import AuditEvent
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

CITIZEN_PORTAL = "citizen-portal"


class OwnView:
    """The client's own view and receipts, for callers under the policy."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._clients = Clients(parts, office)

    def view(self, caller: Caller, client: str, language: str, provider: str = "", purchaser: str = "") -> Reply:
        """When the client's data was used or disclosed, by which organisation, for what, in the last two years.

        Raises:
            NotFoundError: there is no such client, or the caller stands for another one.
        """
        whose, decision = self._seen(caller, Event.RIGHT_VIEW, client, provider, purchaser)
        now, words = self._parts.now(), self._parts.rights
        since = report.window_start(now)
        with self._parts.database.transaction() as tx:
            rows = ClientLog(self._parts, tx, whose.person, language).rows(since, now, names=False)
            self._office.note(tx, [self._event(caller, Event.RIGHT_VIEW, "citizen-view", whose, decision, {})])
        table = clientlog.table(self._parts, rows, language, clientlog.WITHOUT_NAMES)
        organiser = whose.agreement.organiser
        told = {
            "language": language, "controller": {"oid": organiser.oid, "name": organiser.name},
            "since": instant(since), "until": instant(now), "rows": rows,
            "note": words.word("other", "own-use", language),
        }  # fmt: skip
        values = {"controller": organiser.name, "since": _day(since), "until": _day(now),
                  "none": "" if rows else words.word("other", "none", language)}  # fmt: skip
        return Reply(told, "citizen-view", language, values, {"rows": [table]})

    def receipt(
        self, caller: Caller, client: str, language: str, *, first: date | None = None, last: date | None = None,
        document: str = "", provider: str = "", purchaser: str = "",
    ) -> Reply:  # fmt: skip
        """What was recorded about the client, by whom, and how to object.

        Args:
            caller: who makes it.
            client: the provider's client number.
            language: fi, sv, en or selko.
            first: first day of the time that it is about; a month back by default.
            last: last day; today by default.
            document: OID, for one document alone.
            provider: OID of the provider; may be left out where only one has the client.
            purchaser: name of the contract; likewise.

        Raises:
            NotFoundError: there is no such client or document that the caller may see.
        """
        whose, decision = self._seen(caller, Event.RECEIPT_READ, client, provider, purchaser)
        last = last or self._clients.today()
        first = first or (date.min if document else date.fromisoformat(add_months(last.isoformat(), -1)))
        with self._parts.database.transaction() as tx:
            found = receipts.documents(self._parts, tx, whose.person, language, (first, last), document)
            if document and not found:
                raise NotFoundError
            told = {"count": len(found), "language": language}
            self._office.note(tx, [
                self._event(caller, Event.RECEIPT_READ, document or "receipt", whose, decision, told)
            ])  # fmt: skip
        return self._receipt(whose, found, language, None if document else (first, last))

    def page(self, reply: Reply) -> str:
        """The readable form of a reply."""
        return reply.html(self._parts)

    def _receipt(
        self, whose: Whose, found: Sequence[Mapping[str, Any]], language: str, days: tuple[date, date] | None
    ) -> Reply:
        provider, organiser = whose.agreement.provider, whose.agreement.organiser
        first, last = (days[0].isoformat(), days[1].isoformat()) if days else ("", "")
        told = {
            "language": language, "first": first, "last": last, "documents": list(found), "provider": provider.name,
            "controller": {"oid": organiser.oid, "name": organiser.name},
        }  # fmt: skip
        none = self._parts.rights.word("other", "no-documents", "fi" if language == EASY else language)
        values = {
            "today": shown_day(self._clients.today().isoformat()), "provider": provider.name,
            "controller": organiser.name, "since": shown_day(first), "until": shown_day(last),
            "none": "" if found else none,
        }  # fmt: skip
        return Reply(told, "receipt", language, values, {"documents": receipts.parts_of(self._parts, found, language)})

    def _seen(self, caller: Caller, event: Event, client: str, provider: str, purchaser: str) -> tuple[Whose, Decision]:
        if caller.role == CITIZEN_PORTAL and caller.relation != client:
            self._office.conceal(caller, event, None)
            raise NotFoundError
        whose = self._clients.find(caller, event, client, provider, purchaser)
        return whose, self._clients.permit(caller, event, whose)

    def _event(
        self, caller: Caller, event: Event, subject: str, whose: Whose, decision: Decision, details: Mapping[str, Any]
    ) -> AuditEvent:
        return self._office.event(
            caller, event, subject=subject, provider=whose.person.provider, controller=whose.person.controller,
            client_ref=whose.client_ref, details=details, decision=decision,
        )  # fmt: skip


def _day(moment: datetime) -> str:
    return shown_day(moment.astimezone(HELSINKI).date().isoformat())
