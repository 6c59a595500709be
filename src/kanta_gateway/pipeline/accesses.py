"""Everything about data that goes from one register to another, as command line and routes use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.purposes import Purpose
from kanta_gateway.access.wills import CONTROLLER
from kanta_gateway.errors import NotFoundError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.across import STATED, Asked
from kanta_gateway.pipeline.breakglass import BreakGlass
from kanta_gateway.pipeline.disclosing import Disclosing
from kanta_gateway.pipeline.grantdesk import wrong
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.known import check_one
from kanta_gateway.pipeline.reviews import Reviews
from kanta_gateway.pipeline.willbook import told, wills_of
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts


@dataclass(frozen=True, slots=True)
class About:
    """A question about a client of another register, in words."""

    provider: str
    client: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is stated: ground, necessity, representative, request, via_kanta, reason, grant."""
    controller: str = ""
    document: str = ""
    day: str = ""
    """Day of the document."""
    by_consent: bool = False
    to_kind: str = ""
    to_name: str = ""


class Accesses:
    """Disclosures, break-glass and statements of will for a caller."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self.rules = parts.disclosures
        self.disclosing = Disclosing(parts, office)
        self.break_glass = BreakGlass(parts, office)
        self.reviews = Reviews(parts, office)

    def purposes(self, language: str, role: str = "") -> list[dict[str, Any]]:
        """The purposes of use, those of a role where one is named.

        Args:
            language: of the texts.
            role: a role of the policy; empty for all.
        """
        known: Sequence[Purpose] = list(self._parts.decider.purposes.known.values())
        return [
            {"purpose": one.name, "text": one.text[language], "rows": sorted(one.rows), "roles": sorted(one.roles)}
            for one in known
            if not role or role in one.roles
        ]

    def wills(self, client: str, caller: Caller, provider: str = "") -> dict[str, Any]:
        """A client's permits, prohibitions and consents, as they are known now.

        Args:
            client: the provider's client number.
            caller: who asks; its own organisation's client, or any for those who see all.
            provider: OID of the provider; may be empty where only one has the number.

        Raises:
            NotFoundError: there is no such client that the caller may see.
            ConflictError: several providers have the number, and none is named.
        """
        own = caller.organisation if self._office.is_own_only(caller) else None
        decision = self._office.permit(caller, Event.RECORD_READ, provider=own)
        closed = self._office.guard.closed(caller, by_contract_file=True)
        now, found = self._parts.now(), []
        with self._parts.database.transaction() as tx:
            sphere = self._office.guard.sphere_in(tx, caller)
            known = [
                (owner, purchaser, ref) for owner, purchaser, ref in records.subjects(tx, ["client"])
                if own in {None, owner} and provider in {"", owner} and purchaser not in closed
                and ref == self._parts.keyring.client(owner, client)
                and sphere.holds(owner, purchaser=purchaser, client_ref=ref)
            ]  # fmt: skip
            check_one({owner for owner, _, _ in known})
            for owner, purchaser, ref in known:
                wills = wills_of(self._parts, tx, owner, purchaser, ref)
                if own is not None:  # that another producer serves the person too is not told to a producer
                    wills = [one for one in wills if one.stated_at in {own, CONTROLLER}]
                found.append({"provider": owner, "purchaser": purchaser, "wills": told(wills, now)})
                self._office.note(tx, [self._office.event(
                    caller, Event.RECORD_READ, subject="wills", provider=owner, client_ref=ref, decision=decision,
                )])  # fmt: skip
        if not found:
            raise NotFoundError
        return {"client": client, "registers": found}

    def thing(self, about: About, caller: Caller) -> Thing:
        """What a question about another register is about, for `policy explain`; looking is an entry.

        Args:
            about: in words.
            caller: who wants the explanation, not whom it is about.

        Raises:
            NotFoundError: there is no such client in one register.
        """
        decision = self._office.permit(caller, Event.RECORD_READ, provider=about.provider)
        ref = str(self._parts.keyring.client(about.provider, about.client))
        with self._parts.database.transaction() as tx:
            found = [
                one for one in agreements(tx, about.provider)
                if one.purchaser in records.purchasers(tx, about.provider, ref)
                and about.controller in {"", one.organiser.oid}
            ]  # fmt: skip
            if len(found) != 1:
                raise NotFoundError("no client, or the client of more than one register; name the controller")
            self._office.note(tx, [self._office.event(
                caller, Event.RECORD_READ, subject="wills", provider=about.provider, client_ref=ref,
                controller=found[0].organiser.oid, decision=decision,
            )])  # fmt: skip
        asked = Asked(
            about.facts, about.by_consent, about.to_kind, about.to_name,
            frozenset({about.document} if about.document else {"any"}), about.day,
        )  # fmt: skip
        return Thing(about.provider, found[0].organiser.oid, found[0].purchaser, ref, asked)


def stated(words: Iterable[str]) -> dict[str, str]:
    """What is stated, from words `fact=value`.

    Raises:
        ParameterError: a word names no fact that anybody may state.
    """
    found = dict(one.partition("=")[::2] for one in words)
    if found.keys() - set(STATED):
        raise wrong("state", ", ".join(f"{name}=…" for name in STATED))
    return found
