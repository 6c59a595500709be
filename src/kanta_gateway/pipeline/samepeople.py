"""One person at several providers of one controller: found by the identity code that their records tell.

* What is stated at one of them, or to the controller, is stated in the controller's register, for all of them.
* No code is stored or compared: a mark of it, keyed by the controller, stands beside each client (`spool.identities`).
* It is noted as a client's record comes in; at a start that finds none, and daily, what lacks is made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kanta_gateway.access.parties import agreements
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.spool import identities, records
from kanta_gateway.spool.identities import Place, Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts


def mark(parts: Parts, controller: str, content: Mapping[str, Any]) -> str:
    """Who a client is for one controller, as its record tells; empty where it tells no identity code."""
    code = identity_code(str(content.get("identity_code", "")))
    return parts.keyring.person(controller, code.text) if code is not None else ""


def complete(parts: Parts, *, is_start: bool = False) -> int:
    """Note who clients are of whom it is not known yet, and forget those whose record's content is gone.

    Args:
        parts: the built gateway.
        is_start: only where nothing is known of anybody, as after an upgrade.

    Returns:
        How many were noted or forgotten.
    """
    types = [name for name, one in parts.types.items() if one.is_subject and one.about == "client"]
    with parts.database.reading() as tx:
        if is_start and not identities.is_empty(tx):
            return 0
        lacking = identities.unknown(tx, types)
    with parts.database.transaction() as tx:
        registers = {(str(one.provider.oid), one.purchaser): one.organiser.oid for one in agreements(tx)}
        for place in lacking:
            told = _told(parts, tx, place, types, registers.get((place.provider, place.purchaser), ""))
            identities.note(tx, place.provider, place.purchaser, told)
        return len(lacking) + identities.forget(tx, types)


def _told(parts: Parts, tx: Connection, place: Place, types: Iterable[str], controller: str) -> Iterator[Told]:
    for one in records.of_file(tx, place.provider, place.purchaser, [place.client_ref]):
        if one.type in types:
            try:
                yield Told(place.client_ref, one.version, "" if one.is_cancelled else
                           mark(parts, controller, opened(parts, one)))  # fmt: skip
            except KeyUnavailableError:
                continue
