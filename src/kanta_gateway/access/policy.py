"""May this caller do this: caller, action and resource -> decision with the policy row that decided.

* What no row allows is denied; an empty list of rows denies everything.
* A role with scope `own` acts on its own organisation's things only, and must say whose they are.
* A role with scope `given` sees nothing but what is given to it across registers.
* A row may demand a contract.
* This module sees text and values only.

Source: 703/2023 §9 (use by task and relationship); rows: `mappings/policy/roles.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanta_gateway.model import Caller, Decision, Event, Oid
from kanta_gateway.shapes import FLAG, TEXT, WORD, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "*"
"""In a list of purposes: each that the list of purposes (`access.purposes`) lets the role have."""

SCOPES = ("all", "client", "given", "own")
_ACTIONS = OneOf(tuple(sorted(Event)))
_ROW = Keys({"id": TEXT}, {"actions": ListOf(_ACTIONS), "purposes": ListOf(WORD), "needs_contract": FLAG})
_POLICY = Keys({}, {"roles": Named(Keys({}, {"scope": OneOf(SCOPES), "rules": ListOf(_ROW)}))})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the policy."""

    id: str
    actions: frozenset[Event]
    purposes: frozenset[str]
    needs_contract: bool = False

    def allows(self, caller: Caller, action: Event, contract: str) -> bool:
        """Whether this row allows the action to this caller."""
        if action not in self.actions or not caller.purpose:
            return False
        if self.needs_contract and not (contract or caller.contract):
            return False
        return ANY in self.purposes or caller.purpose in self.purposes


NO_ROLE, ANOTHERS, NO_ROW = "no-role", "anothers-thing", "no-row"
"""Why a role does not allow something, behind its name; the texts are `policy-role-…`.

The policy knows no such role, the role is for things of its own organisation only, or no row of it allows the act for
the purpose.
"""


@dataclass(frozen=True, slots=True)
class Role:
    """What one role may do, and on whose things."""

    scope: str
    """`own`: the caller's own organisation's; `client`: the one client that the assertion names; `given`: what is given
    to it; `all`: any of its own register."""
    rules: tuple[Rule, ...]


class Policy:
    """The rows by role."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = roles

    @classmethod
    def load(cls, text: str) -> Policy:
        """Read the policy file.

        Raises:
            MisconfiguredError: unknown actions, scopes or forms; all mistakes at once.
        """
        mistakes = Mistakes("policy/roles.yaml")
        data: Lined = shaped(read(text, mistakes) or Lined(), _POLICY, mistakes)
        roles = {str(name): _role(value) for name, value in data.get("roles", Lined()).items()}
        mistakes.end()
        return cls(roles)

    @property
    def roles(self) -> Mapping[str, Role]:
        """Every role by its name."""
        return self._roles

    def grants(self, caller: Caller, action: Event) -> bool:
        """Whether some row of the caller's role grants an action for some purpose."""
        role = self._roles.get(caller.role)
        rules = role.rules if role is not None else ()
        return any(action in one.actions and (caller.contract or not one.needs_contract) for one in rules)

    def rules_of(self, role: str) -> tuple[Rule, ...]:
        """What a role may do; nothing for one that nobody knows."""
        known = self._roles.get(role)
        return known.rules if known is not None else ()

    def is_own_only(self, caller: Caller) -> bool:
        """Whether the caller sees its own organisation's things only; a role that nobody knows does too."""
        role = self._roles.get(caller.role)
        return role is None or role.scope in {"given", "own"}

    def is_for_one_client(self, caller: Caller) -> bool:
        """Whether the caller sees only the client that its assertion names as its client relationship."""
        role = self._roles.get(caller.role)
        return role is not None and role.scope == "client"

    def decide(self, caller: Caller, action: Event, *, provider: Oid | None, contract: str = "") -> Decision:
        """Whether the caller may do this.

        Args:
            caller: who acts.
            action: what it wants to do.
            provider: whose thing it is; None when it is nobody's in particular.
            contract: number of the contract under which it is done, where one is known.
        """
        role = self._roles.get(caller.role)
        if role is None:
            return Decision(allowed=False, reasons=(NO_ROLE,))
        if role.scope == "own" and provider != caller.organisation:
            return Decision(allowed=False, reasons=(f"{caller.role}/{ANOTHERS}",))
        for rule in role.rules:
            if rule.allows(caller, action, contract):
                return Decision(allowed=True, reasons=(f"{caller.role}/{rule.id}",))
        return Decision(allowed=False, reasons=(f"{caller.role}/{NO_ROW}",))


def _role(value: Lined) -> Role:
    return Role(value.get("scope", "own"), tuple(_rule(row) for row in value.get("rules", ())))


def _rule(row: Lined) -> Rule:
    return Rule(
        row["id"],
        frozenset(Event(one) for one in row.get("actions", ())),
        frozenset(map(str, row.get("purposes", ()))),
        bool(row.get("needs_contract", False)),
    )
