"""Whose register an act is of: the controller that its entry of the log names (703/2023 §10.2).

* A controller's own people act in its own register.
* What is one client's is of the register in which the provider delivered the client's records.
* A provider that works for several acts under the contract that its assertion names.
* Whoever has no contract is of the register for which it is an approved sub-processor, or of none (`APART`).
* What is nobody's in particular, done by who sees every register, is of all of them together (`EVERY`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.pipeline.sphere import APART, EVERY, UNREGISTERED
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.policy import Policy
    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.parts import Parts


FALLS_UNDER = "falls_under"
"""Field of a client's relationship that names no controller: the one that it was found to fall under."""


class Controllers:
    """Finds the controller of what is done for a caller.

    What is registered is read anew whenever something has been stated: `version` is that of the register of parties,
    as it was seen when the act was permitted.
    """

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._known: dict[str, Sequence[Agreement]] = {}
        self._version = -1

    def of(
        self, caller: Caller, provider: str = "", *, version: int, purchaser: str = "", client_ref: str | None = None
    ) -> str:  # fmt: skip
        """OID of the controller; a word where there is none yet, or it is all of them.

        Args:
            caller: who acts.
            provider: whose things are used; empty where they are nobody's in particular.
            version: of the register of parties.
            purchaser: name of the contract file that the thing falls under, where that is known.
            client_ref: whose data it is, where it is one client's.
        """
        whose = provider or (caller.organisation if self._policy.is_own_only(caller) else "")
        if whose == caller.organisation and whose in self.every(version):
            return whose  # what it asks of its own, though it delivers nothing
        known = self._contracts(whose, version)
        found = _organisers(known)
        if caller.organisation in found:
            return caller.organisation
        if len(found) > 1 and purchaser:
            found = _organisers(one for one in known if one.purchaser == purchaser) or found
        elif len(found) > 1 and client_ref is not None:
            found = [one for one in self.of_client(client_ref, version) if one in found] or found
        if len(found) > 1:
            named = _organisers(one for one in known if one.number == caller.contract)
            found = [one for one in named if one in found] or found
        if not found:
            return self._of_outsider(caller, version)
        return found[0] if whose or client_ref is not None or len(found) == 1 else EVERY

    def _of_outsider(self, caller: Caller, version: int) -> str:
        """Of who has no contract: that under which it is a sub-processor, or nobody's that a single one may read."""
        contracts = self._contracts("", version)
        approving = _organisers(
            one for one in contracts if caller.organisation in {own.organisation.oid for own in one.approvals}
        )
        return approving[0] if approving else APART if contracts else UNREGISTERED

    def of_client(self, client_ref: str, version: int) -> list[str]:
        """Controllers of every register in which a client stands."""
        with self._parts.database.reading() as tx:
            registers = records.registers(tx, client_ref)
        return _organisers(
            one for one in self._contracts("", version) if (one.provider.oid, one.purchaser) in registers
        )  # fmt: skip

    def every(self, version: int) -> list[str]:
        """Every controller of any register."""
        return _organisers(self._contracts("", version))

    def _contracts(self, provider: str, version: int) -> Sequence[Agreement]:
        if version != self._version:
            self._version, self._known = version, {}
        if provider not in self._known:
            with self._parts.database.reading() as tx:
                self._known[provider] = agreements(tx, provider or None)
        return self._known[provider]


def of_party(contracts: Sequence[Agreement], body: Mapping[str, Any]) -> list[str]:
    """Controllers whom a statement about a party concerns: its contract's, or those for whom its organisation works.

    Args:
        contracts: every registered one.
        body: the fields of the statement.
    """
    if body.get("controller"):
        return [str(body["controller"])]
    whose = body.get("provider") or body.get("organisation") or body.get("oid")
    found = _organisers(
        one for one in contracts
        if whose in {one.provider.oid, one.organiser.oid, *(own.organisation.oid for own in one.approvals)}
    )  # fmt: skip
    return found or [APART if contracts else UNREGISTERED]


def of_relationship(contracts: Sequence[Agreement], body: Mapping[str, Any]) -> str:
    """OID of the one controller under whose contract a client is served; empty where that is not known.

    It is whom the statement names, else whom it was found to fall under when it was made, else the only one for which
    the provider works.

    Args:
        contracts: every registered one.
        body: the fields of the statement.
    """
    if told := body.get("controller") or body.get(FALLS_UNDER):
        return str(told)
    return _only(one for one in contracts if one.provider.oid == body["provider"])


def falling_under(tx: Connection, contracts: Sequence[Agreement], body: Mapping[str, Any]) -> str:
    """The same when a statement is made: also the only controller in whose register the provider's client stands.

    Later records do not count: that a client came to another register too would show in what is told of this one.
    Whose number it is (`of`) tells nothing of for whom the client is served.

    Args:
        tx: a reading transaction.
        contracts: every registered one.
        body: the fields of the statement, the client by its reference.
    """
    found = of_relationship(contracts, body)
    if found or body.get("of"):
        return found
    known = records.purchasers(tx, body["provider"], body["client"])
    return _only(one for one in contracts if one.provider.oid == body["provider"] and one.purchaser in known)


def _only(contracts: Iterable[Agreement]) -> str:
    found = _organisers(contracts)
    return found[0] if len(found) == 1 else ""


def _organisers(contracts: Iterable[Agreement]) -> list[str]:
    """Organisers in the order in which the contracts were registered, each once."""
    return [str(one) for one in dict.fromkeys(one.organiser.oid for one in contracts)]
