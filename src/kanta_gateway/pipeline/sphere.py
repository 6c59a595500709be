"""What a caller can know of at all: its own organisation's things, its own register, or one client of it.

* What lies outside is not there for the caller: the answer is that of something that does not exist.
* A provider's system knows of its own organisation's things; a controller's people of its register (CTL-01).
* A role for one client knows of the client that its assertion names as its client relationship, and of no other.
* A supervisor of several controllers knows of no client, and of the entries of every register.
* The operator, on the gateway's own machine, knows of everything; whoever acts there in another role knows what it
  would over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.statements import newest
from kanta_gateway.spool import persons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from kanta_gateway.access.policy import Policy
    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.parts import Parts

LOCAL = "local"
"""System of local commands: their person is on the gateway's own machine and claims nothing."""
OPERATOR = "operator"
"""Role of whoever runs the gateway; nobody has it over HTTP."""
EVERY, UNREGISTERED, NOBODYS = "every", "unregistered", ""
"""What an entry of the log names in the place of a controller: all of them together, one of a time when no contract was
registered, and none, since the log tells of itself."""
APART = "apart"
"""The same, of what no single register shows: only who sees every register may read it."""


@dataclass(frozen=True, slots=True)
class Sphere:
    """What a caller can know of; None: no limit of this kind."""

    provider: str | None = None
    """The only provider whose things it knows of."""
    controller: str | None = None
    """The only organisation whose register it knows."""
    registers: frozenset[tuple[str, str]] | None = None
    """Provider and contract file of everything that falls under that register."""
    clients: frozenset[str] | None = None
    """The only clients."""

    def holds(
        self, provider: str, *, purchaser: str = "", controller: str = "", client_ref: str | None = None
    ) -> bool:  # fmt: skip
        """Whether the caller knows of a thing.

        Args:
            provider: whose it is.
            purchaser: name of the contract file that it falls under, where that is known.
            controller: whose register it is in, where that is known.
            client_ref: whose data it is, where it is one client's.
        """
        if self.provider is not None and provider != self.provider:
            return False
        if self.clients is not None and client_ref not in self.clients:
            return False
        if self.registers is None:
            return True
        if controller and controller != self.controller:
            return False
        return any(provider == own and purchaser in {"", name} for own, name in self.registers)

    @property
    def is_whole(self) -> bool:
        """Whether every register is overseen: the operator's view, and that of a supervisor of several controllers."""
        return self.provider is None and self.controller is None

    def oversees(self, provider: str = "", purchaser: str = "", controller: str = "") -> bool:
        """Whether something falls under a register whose log the caller may read.

        Args:
            provider: whose it is; needed where the controller is not told.
            purchaser: name of the contract file that it falls under, where that is known.
            controller: whose register it is in, where that is known.
        """
        if self.is_whole:
            return True
        if controller:
            return controller == self.controller
        return any(provider == own and purchaser in {"", name} for own, name in self.registers or ())

    def covers(self, one: Agreement) -> bool:
        """Whether a contract is one of those by which the caller knows of anything."""
        if self.provider is not None and one.provider.oid != self.provider:
            return False
        return self.registers is None or (one.organiser.oid == self.controller)

    def is_open(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry of the log may be read: one of the own register, or of none in particular."""
        return self.is_whole or entry["controller"] in {EVERY, UNREGISTERED, NOBODYS, self.controller}


def is_operator(caller: Caller) -> bool:
    """Whether it is the operator, on the gateway's own machine, or the gateway itself."""
    return caller.system == LOCAL and caller.role in {OPERATOR, ""}


def parties_of(tx: Connection, sphere: Sphere) -> frozenset[str] | None:
    """Organisations of whose users the caller is told: its own, its providers, their sub-processors; None for all."""
    if sphere.is_whole:
        return None
    own = [one for one in agreements(tx) if sphere.oversees(controller=one.organiser.oid)]
    approved = (approval.organisation.oid for one in own for approval in one.approvals)
    return frozenset({str(sphere.controller), *(one.provider.oid for one in own), *approved})


def sphere_of(tx: Connection, parts: Parts, policy: Policy, caller: Caller) -> Sphere:
    """What a caller can know of."""
    if is_operator(caller):
        return Sphere()
    if policy.is_own_only(caller):
        return Sphere(provider=caller.organisation)
    if _is_supervisor(tx, caller.organisation):
        return Sphere(registers=frozenset())
    own = [one for one in agreements(tx) if one.organiser.oid == caller.organisation]
    registers = frozenset((one.provider.oid, one.purchaser) for one in own)
    clients = None
    if policy.is_for_one_client(caller):
        clients = frozenset(
            ref for provider, purchaser in registers
            for ref in persons.group(tx, provider, purchaser, parts.keyring.client(provider, caller.relation))
        ) if caller.relation else frozenset()  # fmt: skip
    return Sphere(controller=caller.organisation, registers=registers, clients=clients)


def _is_supervisor(tx: Connection, organisation: str) -> bool:
    """Whether an organisation is stated to supervise, and is nobody's controller."""
    stated = newest(register.stated(tx, ("organisation",)))
    roles = {one.body["role"] for one in stated if one.body["oid"] == organisation}
    return roles == {"supervisor"}
