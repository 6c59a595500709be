"""Client numbers that are one person's: matched, merged and un-merged, each an act of somebody with a reason.

* A match is told and never acted on by itself. It is looked for within one controller's register only: client numbers
  with the same identity code, and namesakes born on the same day of whom one has a temporary code.
* Merging says that one client is judged and filed as another; un-merging takes exactly that back.
* An act and its entries, one for each client, are one transaction; whatever it changes about documents follows from
  judging, also when the process dies in between.
* No identity code is told, stored or compared outside this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import Agreement, agreements
from kanta_gateway.errors import ConflictError, NotFoundError, ParameterError
from kanta_gateway.model import Caller, Decision, Event, Finding, Severity
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.compose import filed_as
from kanta_gateway.pipeline.filing import load
from kanta_gateway.pipeline.guard import LOCAL
from kanta_gateway.pipeline.known import check_one
from kanta_gateway.pipeline.parts import Scope
from kanta_gateway.pipeline.settle import Settler
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.spool import persons, records, store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

MERGES = ("same-identity-code", "temporary-code", "changed-code", "controller-decision")
"""Why two client numbers are one person; words, since a free text could tell about the person."""
UNMERGES = ("mistake", "controller-decision")
SAME_CODE, NAMESAKE = "same-identity-code", "namesake-with-temporary-code"


@dataclass(frozen=True, slots=True)
class _Client:
    """One client number of one provider in one controller's register."""

    provider: str
    purchaser: str
    controller: str
    number: str
    ref: str
    code: str
    name: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Whom an act is about."""

    provider: str
    purchaser: str
    controller: str
    client: str
    into: str


class People:
    """Matches, merges and un-merges for a caller, under the policy."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def listed(self, caller: Caller) -> dict[str, Any]:
        """Client numbers that may be one person's, and those that were merged, in the registers the caller may see."""
        decision = self._office.permit(caller, Event.PERSON_READ, provider=None)
        with self._parts.database.transaction() as tx:
            known = list(self._clients(tx, caller))
            by_ref = {(one.provider, one.purchaser, one.ref): one for one in known}
            merged = [
                (by_ref[provider, purchaser, link.client_ref], by_ref[provider, purchaser, link.primary_ref])
                for provider, purchaser, link in persons.every(tx)
                if {(provider, purchaser, link.client_ref), (provider, purchaser, link.primary_ref)} <= by_ref.keys()
            ]
            self._office.note(tx, [
                self._office.event(caller, Event.PERSON_READ, subject="persons", provider=one.provider,
                                   controller=one.controller, client_ref=one.ref, decision=decision)
                for one in known
            ])  # fmt: skip
        filed = {(one.provider, one.purchaser, one.ref): into.number for one, into in merged}
        return {
            "matches": [
                {
                    "why": why, "purchaser": found[0].purchaser,
                    "clients": [
                        {"provider": one.provider, "client": one.number,
                         "filed_as": filed.get((one.provider, one.purchaser, one.ref), one.number)}
                        for one in found
                    ],
                }
                for why, found in _matches(known)
            ],
            "merged": [
                {"provider": one.provider, "purchaser": one.purchaser, "client": one.number, "into": into.number}
                for one, into in merged
            ],
        }  # fmt: skip

    def merge(
        self, caller: Caller, client: str, into: str, reason: str, *, provider: str = "", purchaser: str = ""
    ) -> dict[str, Any]:
        """Say that a client is the same person as another one, as whom it is judged and filed from now on.

        Args:
            caller: who says so.
            client: the provider's number of the client.
            into: number of the client whose name and identity code are the person's.
            reason: one of `MERGES`.
            provider: OID of the provider; may be left out where only one has both numbers.
            purchaser: name of the contract; likewise.

        Raises:
            NotFoundError: there is no such client that the caller may see.
            ConflictError: one of them is merged already, or both are the same number.
            ParameterError: there is no such reason.
        """
        _check_reason(reason, MERGES)
        decision = self._office.permit(caller, Event.PERSON_MERGE, provider=None)
        with self._parts.database.alone() as tx:
            pair = self._pair(tx, caller, (client, into), provider, purchaser)
            links = [*persons.links(tx, pair.provider, pair.purchaser, pair.client)]
            is_filed = any(one.client_ref == pair.into
                           for one in persons.links(tx, pair.provider, pair.purchaser, pair.into))  # fmt: skip
            if links or is_filed or pair.client == pair.into:
                raise ConflictError("one of the two is merged with a client already, or they are one; un-merge first")
            persons.add(tx, pair.provider, pair.purchaser, pair.client, pair.into, reason, self._parts.now())
            self._write_down(tx, caller, Event.PERSON_MERGE, pair, reason, decision)
        self._settle(caller, pair, [pair.into])
        return {"client": client, "filed_as": into, **self._told(pair)}

    def unmerge(
        self, caller: Caller, client: str, reason: str, *, provider: str = "", purchaser: str = ""
    ) -> dict[str, Any]:
        """Take a merge back: the client is a person of its own again.

        Args:
            caller: who says so.
            client: the provider's number of the client that was filed as another one.
            reason: one of `UNMERGES`.
            provider: OID of the provider; may be left out where only one has the number.
            purchaser: name of the contract; likewise.

        Raises:
            NotFoundError: there is no such client that the caller may see.
            ConflictError: it is not filed as another one.
            ParameterError: there is no such reason.
        """
        _check_reason(reason, UNMERGES)
        decision = self._office.permit(caller, Event.PERSON_UNMERGE, provider=None)
        with self._parts.database.alone() as tx:
            found = self._pair(tx, caller, (client, client), provider, purchaser)
            links = persons.links(tx, found.provider, found.purchaser, found.client)
            link = next((one for one in links if one.client_ref == found.client), None)
            if link is None:
                raise ConflictError("the client is not filed as another one; see `persons list`")
            pair = _Pair(found.provider, found.purchaser, found.controller, link.client_ref, link.primary_ref)
            persons.undo(tx, link, self._parts.now())
            self._write_down(tx, caller, Event.PERSON_UNMERGE, pair, reason, decision)
        self._settle(caller, pair, [pair.client, pair.into])
        return {"client": client, "filed_as": client, **self._told(pair)}

    def _registers(self, tx: Connection, caller: Caller) -> Mapping[tuple[str, str], Agreement]:
        """Provider and purchaser -> contract, of the registers that the caller answers for."""
        return {
            (one.provider.oid, one.purchaser): one
            for one in agreements(tx)
            if caller.system == LOCAL or one.organiser.oid == caller.organisation
        }

    def _clients(self, tx: Connection, caller: Caller) -> Iterator[_Client]:
        """The newest record of every client in the registers that the caller answers for."""
        registers = self._registers(tx, caller)
        for provider, purchaser, ref in records.subjects(tx, ["client"]):
            if (agreement := registers.get((provider, purchaser))) is None:
                continue
            rows = [one for one in records.of_file(tx, provider, purchaser, [ref]) if one.type == "client"]
            newest = max(rows, key=lambda one: (one.version, one.row))
            if not newest.is_cancelled:
                told = opened(self._parts, newest)
                name = (str(told.get("surname", "")).casefold(), str(told.get("given_names", "")).casefold())
                yield _Client(
                    provider, purchaser, agreement.organiser.oid, newest.id, ref, str(told.get("identity_code", "")),
                    name,
                )  # fmt: skip

    def _pair(self, tx: Connection, caller: Caller, numbers: tuple[str, str], provider: str, purchaser: str) -> _Pair:
        """The one register in which both client numbers stand."""
        found: list[_Pair] = []
        for (owner, register), agreement in sorted(self._registers(tx, caller).items()):
            refs = [self._parts.keyring.client(owner, number) for number in numbers]
            is_known = all(register in records.purchasers(tx, owner, ref) for ref in refs)
            if is_known and provider in {"", owner} and purchaser in {"", register}:
                found.append(_Pair(owner, register, agreement.organiser.oid, *refs))
        if not found:
            raise NotFoundError
        check_one([f"{one.provider} {one.purchaser}" for one in found])
        return found[0]

    def _write_down(
        self, tx: Connection, caller: Caller, event: Event, pair: _Pair, reason: str, decision: Decision
    ) -> None:
        """The entries of an act, and everything of both clients to be judged again, in the act's transaction."""
        records.judge_again(tx, pair.provider, pair.purchaser, (pair.client, pair.into))
        self._office.note(tx, [
            self._office.event(
                caller, event, subject=pair.client, provider=pair.provider, controller=pair.controller, client_ref=ref,
                details={"reason": reason, "client": pair.client, "filed_as": pair.into, "purchaser": pair.purchaser},
                decision=decision,
            )
            for ref in (pair.client, pair.into)
        ])  # fmt: skip

    def _settle(self, caller: Caller, pair: _Pair, clients: Sequence[str]) -> None:
        settler = Settler(self._parts, Scope(self._parts.database), caller)
        for ref in clients:
            settler.settle(pair.provider, pair.purchaser, ref)

    def _told(self, pair: _Pair) -> dict[str, Any]:
        """How many documents wait for the archive now, and how many stay under a former identity for good."""
        waiting = kept = 0
        with self._parts.database.reading() as tx:
            for ref in (pair.client, pair.into):
                case = load(self._parts, tx, pair.provider, pair.purchaser, ref, None)
                gone = {one.row for one in case.rows if one.payload is None}
                mark = filed_as(self._parts, case.content(case.client)) if case.client else ""
                made = store.of_client(tx, ref)
                newest = {one.set_oid: one for one in made if one.state is State.ARCHIVED}
                waiting += sum(one.state is State.QUEUED for one in made)
                kept += sum(one.record_row in gone and one.whose not in {"", mark} for one in newest.values())
        return {"documents_waiting": waiting, "documents_without_content": kept}


def _matches(known: Sequence[_Client]) -> Iterator[tuple[str, list[_Client]]]:
    """Client numbers of one register that may be one person's."""
    by_code: dict[tuple[str, str, str], list[_Client]] = {}
    by_name: dict[tuple[str, str, tuple[str, str], str], list[_Client]] = {}
    for one in sorted(known, key=lambda one: (one.provider, one.number)):
        code = identity_code(one.code)
        if code is not None:
            by_code.setdefault((one.controller, one.purchaser, code.text), []).append(one)
            born = code.birth_date.isoformat()
            by_name.setdefault((one.controller, one.purchaser, one.name, born), []).append(one)
    yield from ((SAME_CODE, found) for found in by_code.values() if len(found) > 1)
    for found in by_name.values():
        codes = {one.code for one in found}
        if len(codes) > 1 and any((code := identity_code(one)) and code.is_temporary for one in codes):
            yield NAMESAKE, found


def _check_reason(reason: str, known: Sequence[str]) -> None:
    if reason not in known:
        told = {"field": "reason", "expected": ", ".join(known)}
        raise ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", "/reason", told),))
