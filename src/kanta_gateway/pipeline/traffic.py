"""The question about contracts: does what was used and disclosed match the contracts and the approved sub-processors?

* Traffic is told by who acted, whose data, in whose register, to whom: how many entries, from when to when.
* A day is covered by a contract in force, or by the delivery window after it (CTL-14); who acts must be the provider,
  the controller or a sub-processor that was approved on that day (CTL-11), or the gateway's own people.
* Told are the contracts of the registers that the asker may read.
* A contract or an approval without traffic is told too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.terms import DELIVERY_MONTHS, Agreement, Standing, standing
from kanta_gateway.pipeline.asked import Asked
from kanta_gateway.pipeline.guard import WITHOUT_CLIENTS
from kanta_gateway.pipeline.partybook import HELSINKI

TRAFFIC = (
    "kind", "state", "organisation", "provider", "controller", "contract", "recipient", "from", "to", "entries",
    "first_day", "last_day", "days_outside", "first_outside", "last_outside",
)  # fmt: skip
MATCHES, NO_CONTRACT, IN_WINDOW, NOT_APPROVED = "matches", "no-contract", "in-window", "not-approved"
_WORST = (NO_CONTRACT, NOT_APPROVED, IN_WINDOW, MATCHES)


@dataclass(frozen=True, slots=True)
class _Way:
    """Who acted, whose data, in whose register, to whom."""

    organisation: str
    provider: str
    controller: str
    recipient: str


def traffic(asked: Asked) -> Iterator[dict[str, Any]]:
    """The actual traffic with what covers it, then every contract and approval with what went under it."""
    known = [one for one in agreements(asked.tx) if asked.sphere.oversees(controller=one.organiser.oid)]
    months = {one.purchaser: asked.parts.contracts[one.purchaser].delivery_months
              for one in known if one.purchaser in asked.parts.contracts}  # fmt: skip
    seen: dict[_Way, Counter[str]] = {}
    for entry in asked.entries():
        if entry["event"].partition(":")[0] in WITHOUT_CLIENTS or not entry["provider"]:
            continue  # of no client's data, or of no provider's in particular
        asked.tally.given += 1
        way = _Way(entry["actor"]["organisation"], entry["provider"], entry["controller"], entry.get("recipient", ""))
        day = datetime.fromisoformat(entry["at"]).astimezone(HELSINKI).date().isoformat()
        seen.setdefault(way, Counter())[day] += 1
    for way, days in sorted(seen.items(), key=lambda pair: _sorted(pair[0])):
        yield _told(way, days, [own for own in known if _is_of(own, way)], months)
    for own in known:
        yield from _of_contract(own, seen)


def _told(way: _Way, days: Counter[str], mine: Sequence[Agreement], months: dict[str, int]) -> dict[str, Any]:
    states = {day: _state(way, date.fromisoformat(day), mine, months) for day in days}
    outside = sorted(day for day, state in states.items() if state in {NO_CONTRACT, NOT_APPROVED})
    return {
        "kind": "traffic", "state": min(states.values(), key=_WORST.index), "organisation": way.organisation,
        "provider": way.provider, "controller": way.controller, "recipient": way.recipient,
        "contract": ", ".join(sorted({own.number for own in mine})), "entries": days.total(),
        "first_day": min(days), "last_day": max(days), "days_outside": len(outside),
        "first_outside": outside[0] if outside else "", "last_outside": outside[-1] if outside else "",
    }  # fmt: skip


def _state(way: _Way, day: date, mine: Sequence[Agreement], months: dict[str, int]) -> str:
    found = max(
        (standing([own], day, months.get(own.purchaser, DELIVERY_MONTHS)) for own in mine),
        key=(Standing.NONE, Standing.IN_WINDOW, Standing.IN_FORCE).index, default=Standing.NONE,
    )  # fmt: skip
    if found is Standing.NONE:
        return NO_CONTRACT
    approved = {
        one.organisation.oid for own in mine for one in own.approvals if one.span.covers(day)
    }  # fmt: skip
    if way.organisation not in {"", way.provider, way.controller, *approved}:
        return NOT_APPROVED
    return MATCHES if found is Standing.IN_FORCE else IN_WINDOW


def _of_contract(own: Agreement, seen: dict[_Way, Counter[str]]) -> Iterator[dict[str, Any]]:
    """A contract and its approvals, with how many entries there were on their days."""
    parties = {"provider": own.provider.oid, "controller": own.organiser.oid, "contract": own.number}
    spans = [("contract", "", own.span), *(("approval", one.organisation.oid, one.span) for one in own.approvals)]
    for kind, organisation, span in spans:
        days: Counter[str] = Counter()
        for way, found in seen.items():
            if _is_of(own, way) and organisation in {"", way.organisation}:
                days.update({day: count for day, count in found.items() if span.covers(date.fromisoformat(day))})
        yield {
            **parties, "kind": kind, "state": "traffic" if days else "no-traffic", "organisation": organisation,
            "from": span.first.isoformat(), "to": span.last.isoformat() if span.last else "",
            "entries": days.total(), "first_day": min(days, default=""), "last_day": max(days, default=""),
        }  # fmt: skip


def _is_of(own: Agreement, way: _Way) -> bool:
    return (own.provider.oid, own.organiser.oid) == (way.provider, way.controller)


def _sorted(way: _Way) -> tuple[str, ...]:
    return (way.provider, way.controller, way.organisation, way.recipient)
