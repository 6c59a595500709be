"""A change of policy, contract or threshold: proposed by one person with its effect, decided by another.

* Whoever proposed a change never approves it: neither under the same identifier nor under the same name, nor by
  commands under the same account of the machine.
* What is pinned is the content itself: its digests stand in the entries, and the content is kept, sealed.
* One person may narrow at once: add forbids, or turn rows of the decision table off. Another one reviews that by a day.
* A controller's people see and decide what is common or their own, with counts of their own register (`concerning`).
* Each step is an entry with digests, never values, in the register of each controller whose files change.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from kanta_gateway.access import changes as store
from kanta_gateway.access.changes import OPEN, Change, State
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError
from kanta_gateway.model import Caller, Decision, Event, Oid, instant
from kanta_gateway.pipeline import concerning, twopersons
from kanta_gateway.pipeline.answers import check_reason
from kanta_gateway.pipeline.approved import approved_content, code_of, opened
from kanta_gateway.pipeline.concerning import COMMON, Concern
from kanta_gateway.pipeline.proposal import Proposal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

_T = TypeVar("_T")
START = Caller("local", Oid(""), "kanta-gateway", "kanta-gateway", "", "start")
"""Who writes down which content is used: the gateway itself."""
NEXT = "put the content in place as it was proposed, and start the gateway again"


class Changes:
    """Proposes, tells and decides for a caller, under the policy."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._code = code_of(parts.keyring)

    def propose(self, caller: Caller, what: Proposal, *, is_at_once: bool, review_days: int) -> dict[str, Any]:
        """Propose a change, or narrow at once.

        Args:
            caller: who proposes.
            what: the change, with its effect.
            is_at_once: it takes effect now, and another person reviews it.
            review_days: within how many days.

        Raises:
            ParameterError: nothing changes, the reason is none, or what should take effect at once may widen.
            ConflictError: the approved content changed meanwhile.
        """
        event = Event.CHANGE_NARROW if is_at_once else Event.CHANGE_PROPOSE
        decision = self._office.permit(caller, event, provider=None)
        check_reason(self._parts, what.reason)
        what.check(is_at_once=is_at_once)
        one = what.change(caller, self._ref(caller), self._parts, review_days if is_at_once else None)
        with self._parts.database.alone() as tx:
            if store.is_stale(one, store.every(tx, self._code)):
                raise ConflictError("the approved content changed meanwhile; propose the change again")
            made = store.add(tx, one, self._code)
            self._note(tx, caller, event, made, decision)
        preview = concerning.told(what.preview, self._office.guard.sphere(caller))
        return self._row(made) | {"preview": preview} | ({"next": NEXT} if is_at_once else {})

    def listed(self, caller: Caller) -> dict[str, Any]:
        """Every change: paths and digests, how it stands, and by when it is to be reviewed."""
        found = self._read(caller, "list")
        with self._parts.database.reading() as tx:
            approved = store.approved(store.every(tx, self._code))
            own = self._known(tx, caller, approved)
        return {"changes": [self._row(one) for one in found], "approved": own}

    def show(self, caller: Caller, number: int) -> dict[str, Any]:
        """One change with its content, who proposed it and why, and its effect.

        Raises:
            NotFoundError: there is none of this number.
        """
        one = _of(self._read(caller, str(number)), number)
        kept = self._opened(one)
        text = {path: None if told is None else b64decode(told).decode("utf-8", "replace")
                for path, told in kept["content"].items()}  # fmt: skip
        return self._row(one) | {
            "reason": kept["reason"], "proposed_by": kept["proposer"], "content": text,
            "preview": concerning.told(kept["preview"], self._office.guard.sphere(caller)),
        }  # fmt: skip

    def approve(self, caller: Caller, number: int) -> dict[str, Any]:
        """Approve what another person proposed, or confirm what another person narrowed at once.

        Raises:
            NotFoundError: there is none of this number.
            NotPermittedError: the caller proposed it.
            ConflictError: it was decided already, or other content is in force than it was made for.
        """
        decision = self._office.permit(caller, Event.CHANGE_APPROVE, provider=None)
        self._check_other(caller, number, Event.CHANGE_APPROVE)
        with self._parts.database.alone() as tx:
            known = store.every(tx, self._code)
            one = _open(_of(self._seen(tx, caller, known), number))
            if one.state is State.PROPOSED and store.is_stale(one, known):
                raise ConflictError(
                    "the content that this change was made for is not in force any more; propose the change again"
                )
            made = replace(
                one, state=State.APPROVED, decider=self._ref(caller),
                decided_at=one.decided_at or instant(self._parts.now()),
            )  # fmt: skip
            store.settle(tx, made, self._code)
            self._note(tx, caller, Event.CHANGE_APPROVE, made, decision)
        return self._row(made) | {"next": NEXT}

    def reject(self, caller: Caller, number: int) -> dict[str, Any]:
        """Reject a proposal, which its proposer may do too, or end what another person narrowed at once.

        Raises:
            NotFoundError: there is none of this number.
            NotPermittedError: the caller narrowed it at once: another person reviews that.
            ConflictError: it was decided already, or a later change builds on it.
        """
        decision = self._office.permit(caller, Event.CHANGE_REJECT, provider=None)
        with self._parts.database.reading() as tx:
            known = self._seen(tx, caller, store.every(tx, self._code))
            is_narrowed = _of(known, number).state is State.NARROWED
        if is_narrowed:
            self._check_other(caller, number, Event.CHANGE_REJECT)
        with self._parts.database.alone() as tx:
            known = store.every(tx, self._code)
            one = _open(_of(known, number))
            if one.state is State.NARROWED and store.is_covered(one, known):
                raise ConflictError("a later change builds on this one; propose a change that takes it back")
            made = replace(one, state=State.REJECTED, decider=self._ref(caller), decided_at=instant(self._parts.now()))
            store.settle(tx, made, self._code)
            self._note(tx, caller, Event.CHANGE_REJECT, made, decision)
        return self._row(made) | ({"next": "take the content out again, and start the gateway"} if is_narrowed else {})

    def content(self, caller: Caller) -> dict[str, bytes]:
        """The approved content that the caller knows of, to be written out."""
        self._read(caller, "content")
        with self._parts.database.reading() as tx:
            return self._known(tx, caller, approved_content(tx, self._parts.keyring))

    def overdue(self) -> list[int]:
        """Numbers of changes that one person narrowed at once and nobody has reviewed in time."""
        today = self._parts.now().astimezone(HELSINKI).date().isoformat()
        with self._parts.database.reading() as tx:
            found = store.every(tx, self._code)
        return [one.number for one in found if one.state is State.NARROWED and (one.review_by or "") < today]

    def note_use(self, version: str, digests: Mapping[str, str], unapproved: Mapping[str, str]) -> None:
        """Write down which content is used from now on, where it is other content than last time.

        Args:
            version: of the package, which says what is shipped.
            digests: of the installation's own content.
            unapproved: paths that nobody approved, and how they differ.
        """
        whole = sha256(canonical({"version": version, "pieces": dict(digests)})).hexdigest()
        with self._parts.database.reading() as tx:
            if store.last_use(tx) == whole:
                return
        with self._parts.database.alone() as tx:
            last = store.last_use(tx)
            if last == whole:
                return
            store.use(tx, whole, self._parts.now())
            if last is None and not digests:
                return  # a new installation with nothing of its own: what is shipped was never other content
            own = Concern(tx, self._parts.contracts).gathered({**digests, **unapproved})
            self._office.note(tx, [
                self._office.event(
                    START, Event.CHANGE_USE, subject=whole, provider="", controller=whose,
                    details={"version": version, "pieces": _some(digests, own.get(whose, ())),
                             "unapproved": sorted(_some(unapproved, own.get(whose, ())))},
                )
                for whose in {COMMON: [], **own}
            ])  # fmt: skip

    def _read(self, caller: Caller, subject: str) -> list[Change]:
        decision = self._office.permit(caller, Event.CHANGE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            found = self._seen(tx, caller, store.every(tx, self._code))
            self._office.note(tx, [self._office.event(
                caller, Event.CHANGE_READ, subject=subject, provider="", details={"count": len(found)},
                decision=decision,
            )])  # fmt: skip
        return found

    def _seen(self, tx: Connection, caller: Caller, known: list[Change]) -> list[Change]:
        """The changes that the caller knows of."""
        concern, sphere = Concern(tx, self._parts.contracts), self._office.guard.sphere_in(tx, caller)
        return [one for one in known if concern.knows(sphere, one.paths)]

    def _known(self, tx: Connection, caller: Caller, pieces: Mapping[str, _T]) -> dict[str, _T]:
        """The pieces that the caller knows of."""
        concern, sphere = Concern(tx, self._parts.contracts), self._office.guard.sphere_in(tx, caller)
        return {path: one for path, one in pieces.items() if concern.knows(sphere, [path])}

    def _check_other(self, caller: Caller, number: int, event: Event) -> None:
        """Whether the caller is another person than whoever proposed a change."""
        with self._parts.database.reading() as tx:
            one = _of(self._seen(tx, caller, store.every(tx, self._code)), number)
        kept = self._opened(one)
        by = {"person_id": kept["proposer"]["id"], "name": kept["proposer"]["name"], "account": kept.get("account", "")}
        if told := twopersons.same(by, caller):
            self._office.deny(caller, event, "", (f"change {number}: two-persons, the same {told}",))
            raise NotPermittedError(
                f"change {number} needs two persons: it was proposed under the same {told}; another one decides it, "
                f"{twopersons.OTHER}"
            )

    def _note(self, tx: Connection, caller: Caller, event: Event, one: Change, decision: Decision) -> None:
        review = {"review_by": one.review_by} if one.review_by and event is Event.CHANGE_NARROW else {}
        self._office.note(tx, [
            self._office.event(
                caller, event, subject=str(one.number), provider="", controller=whose, decision=decision,
                details={"sha256": one.digest, "pieces": {path: list(one.paths[path]) for path in own}, **review},
            )
            for whose, own in Concern(tx, self._parts.contracts).gathered(one.paths).items()
        ])  # fmt: skip

    def _ref(self, caller: Caller) -> str:
        return self._parts.log.names.reference(caller.organisation, caller.person_id)

    def _opened(self, one: Change) -> dict[str, Any]:
        return opened(one, self._parts.keyring)

    def _row(self, one: Change) -> dict[str, Any]:
        told = {
            "number": one.number, "state": one.state.value, "proposed_at": one.proposed_at,
            "decided_at": one.decided_at, "review_by": one.review_by, "sha256": one.digest,
            "pieces": {path: {"before": before, "after": after} for path, (before, after) in one.paths.items()},
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}


def _of(known: list[Change], number: int) -> Change:
    found = next((one for one in known if one.number == number), None)
    if found is None:
        raise NotFoundError("there is no change of this number; `kanta-gateway changes list` tells which there are")
    return found


def _open(one: Change) -> Change:
    if one.state not in OPEN:
        raise ConflictError(f"change {one.number} is {one.state.value} already")
    return one


def _some(pieces: Mapping[str, _T], paths: Collection[str]) -> dict[str, _T]:
    return {path: one for path, one in pieces.items() if path in paths}
