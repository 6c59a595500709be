"""Who may deliver for whom: providers, organisers and their contracts, and calling systems, as data.

* In production a provider, its organiser and the contract number are registered before anything is taken.
* Elsewhere a fresh data folder takes them from the first delivery's own header, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from kanta_gateway.database import calling_system, party
from kanta_gateway.model import Oid, Organisation, instant

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Agreement:
    """A registered contract between an organiser (controller) and a provider (processor)."""

    provider: Organisation
    organiser: Organisation
    number: str
    """Contract number, as both parties write it."""
    purchaser: str
    """Name of the contract file that states its rules."""


@dataclass(frozen=True, slots=True)
class CallingSystem:
    """A client-record system that may call the API."""

    thumbprint: str
    certificate: str
    organisation: Oid
    name: str
    is_revoked: bool


def agreements(tx: Connection, provider: str | None = None) -> list[Agreement]:
    """Registered contracts, of one provider or of all."""
    query = select(party).where(party.c.role == "provider")
    if provider is not None:
        query = query.where(party.c.oid == provider)
    found: list[Agreement] = []
    for row in tx.execute(query.order_by(party.c.id)).mappings():
        organiser = (
            tx.execute(
                select(party).where(
                    party.c.role == "organiser",
                    party.c.contract == row["contract"],
                    party.c.purchaser == row["purchaser"],
                )
            )
            .mappings()
            .first()
        )
        if organiser is not None:
            found.append(
                Agreement(
                    Organisation(Oid(row["oid"]), row["name"]),
                    Organisation(Oid(organiser["oid"]), organiser["name"]),
                    row["contract"],
                    row["purchaser"],
                )
            )
    return found


def register(tx: Connection, agreement: Agreement, now: datetime) -> bool:
    """Register a contract with both its parties, unless it is known already; whether anything was new."""
    is_new = False
    for role, organisation in (("provider", agreement.provider), ("organiser", agreement.organiser)):
        known = tx.execute(
            select(party.c.id).where(
                party.c.role == role,
                party.c.oid == organisation.oid,
                party.c.contract == agreement.number,
                party.c.purchaser == agreement.purchaser,
            )
        ).first()
        if known is None:
            is_new = True
            tx.execute(
                party.insert(),
                {
                    "role": role,
                    "oid": organisation.oid,
                    "name": organisation.name,
                    "contract": agreement.number,
                    "purchaser": agreement.purchaser,
                    "registered_at": instant(now),
                },
            )
    return is_new


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
