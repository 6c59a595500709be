"""Notices for people and their systems: listed, looked at, handed over, acknowledged; each permitted and logged.

* Handing over is a disclosure: its entry (recipient, basis, on whose behalf, on which request) and the change of
  state are one transaction, committed before the content leaves (703/2023 §10.3).
* Who gives a notice hands it over to its recipient; the organiser fetches what is meant for it.
* Looking at one's own notice is use, not disclosure, and leaves it waiting.
* A notice that may go to several recipients goes to the one that is named; one that is not ready goes to nobody.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.contracts.terms import ORGANISER
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, NotPermittedError
from kanta_gateway.model import Caller, Event
from kanta_gateway.notices import calls, store
from kanta_gateway.notices.form import page as readable
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.pipeline import reach
from kanta_gateway.pipeline.handing import handing, mark_told, prepared
from kanta_gateway.pipeline.notify import content_of
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.sphere import is_operator

if TYPE_CHECKING:
    from kanta_gateway.notices.store import StoredNotice
    from kanta_gateway.notices.typereader import NoticeType

DOWNLOAD = "download"


class Board:
    """Notices, for callers."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def list(self, caller: Caller, state: str | None, after: str, limit: int, language: str) -> dict[str, Any]:
        """What waits and what was handed over: no content, oldest first; `next` is the id of the last one."""
        own, organiser = self._scope(caller)
        self._office.permit(caller, Event.NOTICE_READ, provider=own)
        with self._parts.database.transaction() as tx:
            place = reach.after(tx, self._office.guard.sphere_in(tx, caller), after, reach.notice, store.place)
            found: Sequence[StoredNotice] = []
            while len(found) < limit and (page := store.listed(
                tx, provider=own, organiser=organiser, state=state, after=place, limit=limit
            )):  # fmt: skip
                place = page[-1].sequence
                found = [*found, *self._office.narrowing.kept(
                    caller, Event.NOTICE_READ, page, lambda one: (one.provider, one.told_client)
                )]  # fmt: skip
            found = found[:limit]
            troubles = calls.problems(tx, [one.sequence for one in found])
            counts = Counter(one.organiser for one in found) or {"": 0}
            self._office.note(tx, [
                self._office.event(caller, Event.NOTICE_READ, subject="list", provider=own or "", controller=controller,
                                   details={"count": count})
                for controller, count in counts.items()
            ])  # fmt: skip
        day = self._today()
        return {
            "notices": [{**self._metadata(one, day, language), "problem": troubles.get(one.sequence)} for one in found],
            "next": found[-1].id if found else after,
        }

    def get(
        self, notice_id: str, caller: Caller, *, recipient: str = "", is_look: bool = False
    ) -> tuple[dict[str, Any], NoticeType]:
        """One notice, handed over to its recipient, or only looked at by who gives it.

        Args:
            notice_id: which.
            caller: who asks.
            recipient: kind of the recipient, where it may go to several.
            is_look: look at it and leave it waiting.

        Raises:
            NotFoundError: there is none that the caller may see.
            ConflictError: it may not be handed over now.
        """
        event = Event.NOTICE_READ if is_look else Event.NOTICE_DISCLOSE
        self._permitted(notice_id, caller, event)
        with self._parts.database.alone() as tx:  # what is read is what is marked: nobody renews it between the two
            one = store.get(tx, notice_id)
            if one is None:
                raise NotFoundError
            chosen = recipient or (one.recipients[0] if is_look else "")
            hand = (prepared if is_look else handing)(self._parts, tx, one, chosen)
            content = content_of(self._parts, one)
            if is_look:
                self._office.note(tx, [self._office.event(
                    caller, event, subject=one.id, provider=one.provider, controller=one.organiser,
                    client_ref=one.told_client, details={"type": one.type},
                )])  # fmt: skip
            else:
                mark_told(self._parts, tx, hand)
                self._office.note(tx, [hand.event(caller, self._parts.now(), DOWNLOAD)])
        return hand.told(self._parts.views, content, caller.person_name, self._today()), hand.kind

    def page(self, told: Mapping[str, Any], kind: NoticeType, language: str) -> str:
        """The readable form of a notice."""
        return readable(told, kind, self._parts.notices, language)

    def acknowledge(self, notice_id: str, caller: Caller) -> dict[str, Any]:
        """Write down that the recipient has a notice.

        Raises:
            NotFoundError: there is none that the caller may see.
            ConflictError: it has not been handed over.
        """
        self._permitted(notice_id, caller, Event.NOTICE_ACKNOWLEDGE)
        with self._parts.database.alone() as tx:
            one = store.get(tx, notice_id)
            if one is None:
                raise NotFoundError
            store.acknowledge(tx, one, self._parts.now())
            self._office.note(tx, [self._office.event(
                caller, Event.NOTICE_ACKNOWLEDGE, subject=one.id, provider=one.provider, controller=one.organiser,
                client_ref=one.told_client, details={"type": one.type},
            )])  # fmt: skip
        return {"id": notice_id, "state": NoticeState.ACKNOWLEDGED.value}

    def _scope(self, caller: Caller) -> tuple[str | None, str | None]:
        """Provider and organiser whose notices the caller sees; None for every one."""
        if self._office.is_own_only(caller):
            return caller.organisation, None
        return None, None if is_operator(caller) else caller.organisation

    def _permitted(self, notice_id: str, caller: Caller, event: Event) -> None:
        """Let the caller go on with a notice that it may see.

        Raises:
            NotFoundError: there is none that the caller may see.
            NotPermittedError: it is for the organiser only to hand over.
        """
        self._office.reach.seek(caller, event, reach.notice(notice_id))
        with self._parts.database.reading() as tx:
            one = store.get(tx, notice_id)
        if one is None:
            raise NotFoundError
        own, _ = self._scope(caller)
        self._office.permit(
            caller, event, provider=one.provider, controller=one.organiser, purchaser=one.purchaser,
            client_ref=None if own is not None else one.told_client,
        )  # fmt: skip
        contract = self._parts.contracts.get(one.purchaser)
        terms = next((own_ for own_ in contract.notices if own_.notice == one.type), None) if contract else None
        if own is not None and terms is not None and terms.given_by == ORGANISER:
            reason = "the organiser itself gives this notice; its own official hands it over"
            self._office.deny(caller, event, one.provider, (reason,))
            raise NotPermittedError(reason)

    def _metadata(self, one: StoredNotice, day: str, language: str) -> dict[str, Any]:
        kind = self._parts.notices.types.get(one.type)
        is_open = one.state in {NoticeState.WAITING, NoticeState.SENDING}
        return {
            "id": one.id, "type": one.type, "title": kind.title[language] if kind is not None else one.type,
            "state": one.state.value, "recipients": list(one.recipients), "recipient": one.recipient,
            "corrects": one.corrects, "facts": len(one.items), "due_on": one.due_on, "ready_on": one.ready_on,
            "is_late": is_open and bool(one.due_on) and one.due_on < day, "provider": one.provider,
            "organiser": one.organiser, "made_at": one.made_at, "disclosed_at": one.disclosed_at,
        }  # fmt: skip

    def _today(self) -> str:
        return self._parts.now().astimezone(HELSINKI).date().isoformat()


def write_out(
    board: Board, folder: Path, caller: Caller, recipient: str, ids: Sequence[str], language: str
) -> dict[str, Any]:  # fmt: skip
    """Hand waiting notices over as files: FOLDER/<id>.json for systems, FOLDER/<id>.html for people.

    Args:
        board: the notices.
        folder: where to; made if it is not there.
        caller: who hands them over.
        recipient: kind of the recipient; empty for those that can have only one.
        ids: of the notices; empty for all that wait and may go to the recipient.
        language: of the readable form.

    Returns:
        Ids of what was written, and of what was not, with the reason.
    """
    waiting = board.list(caller, None if ids else NoticeState.WAITING, "", 1_000_000, language)["notices"]
    wanted = [one["id"] for one in waiting if not ids and (not recipient or recipient in one["recipients"])]
    folder.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    left: dict[str, str] = {}
    for one in ids or wanted:
        try:
            told, kind = board.get(one, caller, recipient=recipient)
        except (ConflictError, NotFoundError, KeyUnavailableError) as error:
            left[one] = str(error)
            continue
        (folder / f"{one}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
        (folder / f"{one}.html").write_text(board.page(told, kind, language), "utf-8")
        written.append(one)
    return {"written": written, "left": left, "folder": str(folder)}
