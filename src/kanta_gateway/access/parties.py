"""Who may deliver for whom: providers, organisers and their contracts, and calling systems, as data.

* In production a provider, its organiser and the contract number are registered before anything is taken.
* A contract, its approvals and the right to use the register hold from a day to a day (`terms`).
* Elsewhere a fresh data folder takes them from the first delivery's own header, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from kanta_gateway.access import register as register_
from kanta_gateway.access.statements import Statement, newest, of_kind
from kanta_gateway.access.terms import Agreement, Approval, Relationship, Span
from kanta_gateway.model import Oid, Organisation, instant
from kanta_gateway.tables import calling_system

if TYPE_CHECKING:
    from sqlalchemy import Connection


__all__ = ["Agreement", "CallingSystem", "agreements", "register", "register_system", "revoke_system", "system"]


REGISTERED = "registered"
"""How a contract tells that only clients whose relationship is registered are served under it."""


@dataclass(frozen=True, slots=True)
class CallingSystem:
    """A client-record system that may call the API."""

    thumbprint: str
    certificate: str
    organisation: Oid
    name: str
    is_revoked: bool


def agreements(
    tx: Connection, provider: str | None = None, clients: Collection[str] | None = (), *, is_named: bool = True
) -> list[Agreement]:
    """Registered contracts, ended ones too, of one provider or of all, in the order in which they were registered.

    Args:
        tx: a reading transaction.
        provider: OID of the provider; None for all.
        clients: keyed references of the clients whose relationships are told, where they are registered: none by
            default, since there may be thousands; None for everyone's.
        is_named: whether names of organisations are told; a decision needs none, and every organisation's is read.
    """
    kinds = ("contract", "approval", "register-use", *(("organisation",) if is_named else ()))
    found = newest(register_.stated(tx, kinds, owner=provider))
    contracts = of_kind(found, "contract")
    names = {one.body["oid"]: one.body["name"] for one in of_kind(found, "organisation")}
    strict = {one.body["processor"] for one in contracts if one.body.get("relationships") == REGISTERED}
    served = {own: relationships(tx, own, clients) for own in sorted(strict)}
    return [_agreement(one, found, names, served) for one in contracts]


def relationships(tx: Connection, provider: str, clients: Collection[str] | None) -> tuple[Relationship, ...]:
    """Registered client relationships of one provider.

    Args:
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references of the clients; None for everyone.
    """
    if clients is None:
        stated = register_.stated(tx, ("relationship",), owner=provider)
    else:
        stated = register_.relationships(tx, provider, clients) if clients else []
    return tuple(
        Relationship(
            own.body["client"],
            _span(own),
            own.body.get("unit", ""),
            own.body.get("service", ""),
            own.body.get("controller", ""),
        )
        for own in newest(stated)
    )


def _agreement(
    one: Statement, found: Sequence[Statement], names: Mapping[str, str],
    served: Mapping[str, tuple[Relationship, ...]],
) -> Agreement:  # fmt: skip
    number, provider, organiser = one.body["number"], one.body["processor"], one.body["controller"]
    return Agreement(
        provider=Organisation(Oid(provider), names.get(provider, "")),
        organiser=Organisation(Oid(organiser), names.get(organiser, "")),
        number=number,
        purchaser=one.body["purchaser"],
        span=_span(one),
        services=frozenset(one.body.get("services") or ()),
        register_use=tuple(_span(use) for use in of_kind(found, "register-use") if _is_of(use, one)),
        approvals=tuple(
            Approval(Organisation(Oid(own.body["sub_processor"]), own.body["name"]), _span(own))
            for own in of_kind(found, "approval")
            if _is_of(own, one)
        ),
        relationships=tuple(own for own in served[provider] if own.controller in {"", organiser})
        if one.body.get("relationships") == REGISTERED
        else None,
    )


def _is_of(one: Statement, contract: Statement) -> bool:
    """Whether something is stated of a contract."""
    body = contract.body
    return (one.body["processor"], one.body["controller"], one.body["contract"]) == (
        body["processor"], body["controller"], body["number"]
    )  # fmt: skip


def _span(one: Statement) -> Span:
    return Span(date.fromisoformat(one.valid_from), date.fromisoformat(one.valid_to) if one.valid_to else None)


def statements(agreement: Agreement) -> tuple[Statement, ...]:
    """What registering a contract states: both its parties, the contract, and the use of the register as long."""
    first = agreement.span.first.isoformat()
    last = agreement.span.last.isoformat() if agreement.span.last else None
    provider, organiser = agreement.provider, agreement.organiser
    named = ((provider, "processor"), (organiser, "controller"))
    return (
        *(Statement("organisation", {"oid": one.oid, "name": one.name, "role": role}) for one, role in named),
        Statement("contract", {
            "number": agreement.number, "purchaser": agreement.purchaser, "controller": organiser.oid,
            "processor": provider.oid, "services": sorted(agreement.services),
        }, first, last),
        Statement("register-use", {
            "processor": provider.oid, "controller": organiser.oid, "contract": agreement.number
        }, first, last),
    )  # fmt: skip


def register(tx: Connection, agreement: Agreement, now: datetime) -> bool:
    """Register a contract with both its parties and the right to use the register as long as the contract holds.

    A contract that is known already is left as it is.

    Returns:
        Whether it was new.
    """
    asked = (agreement.organiser.oid, agreement.purchaser, agreement.number)
    known = agreements(tx, agreement.provider.oid)
    is_new = asked not in {(one.organiser.oid, one.purchaser, one.number) for one in known}
    if is_new:
        register_.add(tx, statements(agreement), now)
    return is_new


def unit_owners(tx: Connection) -> dict[str, Organisation]:
    """OID of a registered unit -> the organisation that it belongs to."""
    found = newest(register_.stated(tx, ("unit", "organisation"), owner=""))
    names = {one.body["oid"]: one.body["name"] for one in of_kind(found, "organisation")}
    return {
        one.body["oid"]: Organisation(Oid(one.body["organisation"]), names.get(one.body["organisation"], ""))
        for one in of_kind(found, "unit")
    }


def system(tx: Connection, thumbprint: str) -> CallingSystem | None:
    """The calling system with this certificate thumbprint (`x5t#S256`)."""
    row = tx.execute(select(calling_system).where(calling_system.c.thumbprint == thumbprint)).mappings().first()
    if row is None:
        return None
    return CallingSystem(
        row["thumbprint"],
        row["certificate"],
        Oid(row["organisation"]),
        row["name"],
        row["revoked_at"] is not None,
    )


def register_system(tx: Connection, one: CallingSystem, now: datetime) -> bool:
    """Register a calling system's certificate, unless its thumbprint is known; whether it was new."""
    is_new = system(tx, one.thumbprint) is None
    if is_new:
        tx.execute(
            calling_system.insert(),
            {
                "thumbprint": one.thumbprint,
                "certificate": one.certificate,
                "organisation": one.organisation,
                "name": one.name,
                "registered_at": instant(now),
            },
        )
    return is_new


def revoke_system(tx: Connection, thumbprint: str, now: datetime) -> bool:
    """Refuse a calling system from now on; whether there was one to refuse."""
    done = tx.execute(
        update(calling_system)
        .where(calling_system.c.thumbprint == thumbprint, calling_system.c.revoked_at.is_(None))
        .values(revoked_at=instant(now))
    )
    return done.rowcount > 0
