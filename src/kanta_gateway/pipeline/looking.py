"""A dry run judges records beside those that are stored, so what it tells may come from them: a use with its entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kanta_gateway.access.parties import agreements
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.sphere import UNREGISTERED

if TYPE_CHECKING:
    from kanta_gateway.pipeline.parts import Parts


def looked(parts: Parts, caller: Caller, provider: str, purchaser: str, clients: Collection[str | None]) -> None:
    """Write a dry run down, one entry for each client whose records it judged.

    Args:
        parts: the built gateway.
        caller: who tries.
        provider: OID of the provider; empty where the delivery does not tell.
        purchaser: name of the contract file.
        clients: keyed references; None before they are known.
    """
    with parts.database.transaction() as tx:
        known = agreements(tx, provider or caller.organisation or None)
        own = next((one for one in known if one.purchaser == purchaser), None)
        parts.log.append(tx, [
            AuditEvent(
                event=Event.RECORD_READ, caller=caller, at=parts.now(), client_ref=client, subject="dry-run",
                provider=own.provider.oid if own else provider,
                controller=own.organiser.oid if own else UNREGISTERED, purpose=caller.purpose, basis="703/2023 §14",
                details={"purchaser": purchaser},
            )
            for client in clients
        ])  # fmt: skip
