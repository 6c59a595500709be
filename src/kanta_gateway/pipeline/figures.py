"""Derived numbers of clients and reviews, from facts only: no content is opened for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.figures import Ground, Told, derive, totals
from kanta_gateway.contracts.figures import explain as explained
from kanta_gateway.pipeline.filing import files
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool.deliveries import labels

if TYPE_CHECKING:
    from sqlalchemy import Connection


def of_clients(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], *,
    closed: Collection[str] = (), as_of: date | None = None, explain: bool = False,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Figures by the provider's own client number.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        as_of: the day as of which they are counted; the newest delivery's own day by default.
        explain: give `{"value": …, "records": […], "clause": …}` instead of the number.
    """
    found: dict[str, dict[str, Mapping[str, Told]]] = {}
    wanted = list(clients)
    for case in files(parts, tx, provider, wanted, closed):
        for subject in case.subjects:
            contract = parts.contracts[subject.purchaser]
            whole, judgement, day = judged(parts, case, subject.purchaser, as_of)
            found.setdefault(subject.purchaser, {})[subject.id] = explained(contract, whole, judgement, day, subject.id)
    told: dict[str, dict[str, Any]] = {}
    for purchaser, of_client in found.items():
        told |= {name: _shown(one, explain=explain) for name, one in sorted(of_client.items())}
        summed = totals(parts.contracts[purchaser], of_client)
        told |= {name: _shown(one, explain=explain) for name, one in summed.items()}
        if group := parts.contracts[purchaser].delivered:
            told[group] = _shown(_delivered(tx, provider, purchaser, {"", *wanted}), explain=explain)
    return told


def totals_of(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str], least: int
) -> dict[str, dict[str, Any]]:
    """The contract's totals, and no client; those of fewer clients than `least` are left out.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        least: how many clients a total has at least.
    """
    found: dict[str, dict[str, Mapping[str, Told]]] = {}
    for case in files(parts, tx, provider, clients, closed):
        for subject in case.subjects:
            if parts.types[subject.type].about == "client":
                contract = parts.contracts[subject.purchaser]
                whole, judgement, day = judged(parts, case, subject.purchaser, None)
                found.setdefault(subject.purchaser, {})[subject.id] = explained(
                    contract, whole, judgement, day, subject.id
                )
    return {
        f"{purchaser}/{name}": _shown(one, explain=False)
        for purchaser, of_client in sorted(found.items()) if len(of_client) >= least
        for name, one in totals(parts.contracts[purchaser], of_client).items()
    }  # fmt: skip


def of_law(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], *,
    closed: Collection[str] = (), as_of: date | None = None, explain: bool = False,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Figures of the law that the purchasers' contracts inherit, for the clients whom it concerns.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        as_of: the day as of which they are counted; the newest delivery's own day by default.
        explain: give `{"value": …, "records": […], "clause": …}` instead of the number.
    """
    told: dict[str, dict[str, Any]] = {}
    for case in files(parts, tx, provider, clients, closed):
        for subject in case.subjects:
            contract = parts.contracts[subject.purchaser]
            if contract.law.figures:
                whole, judgement, day = judged(parts, case, subject.purchaser, as_of)
                if found := derive(Ground(contract, whole, judgement, day), contract.law.figures):
                    told[subject.id] = _shown(found, explain=explain)
    return dict(sorted(told.items()))


def _delivered(tx: Connection, provider: str, purchaser: str, clients: Collection[str]) -> dict[str, Told]:
    """How many resources of each type were delivered (`Type/id`), each once, about some clients or about none."""
    found: dict[str, set[str]] = {}
    for label, client in labels(tx, provider, purchaser):
        kind, slash, _ = label.partition("/")
        if slash and client in clients:
            found.setdefault(kind, set()).add(label)
    return {kind: Told(len(one), tuple(sorted(one)), "") for kind, one in sorted(found.items())}


def _shown(figures: Mapping[str, Told], *, explain: bool) -> dict[str, Any]:
    if not explain:
        return {name: one.value for name, one in figures.items()}
    return {
        name: {"value": one.value, "records": list(one.records), "clause": one.clause} for name, one in figures.items()
    }
