"""What became of a delivery: one row per delivered record, then totals and figures.

* The vocabulary is that of the import result (`docs/quickstart.md`); duplicates have a row too.
* Rows are read page by page, so that memory stays flat however long the delivery is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.model import Finding, Outcome, Severity
from kanta_gateway.pipeline.figures import of_clients
from kanta_gateway.pipeline.parts import Parts, Scope
from kanta_gateway.pipeline.wording import stored_finding
from kanta_gateway.spool import deliveries, records, store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from kanta_gateway.access.views import Sight
    from kanta_gateway.pipeline.preview import Preview
    from kanta_gateway.spool.deliveries import Pointer
    from kanta_gateway.spool.records import StoredRecord

PAGE = 500
Pieces = Callable[["Sight"], Iterator[bytes]]
"""Makes an answer piece by piece, given what of it is shown."""


class Result:
    """The result of one delivery, told row by row.

    Args:
        parts: the built gateway.
        scope: where it is read.
        delivery_id: the delivery.
        provider: OID of its provider.
        source: name of its format.
        told: findings on the delivery as a whole.
        language: of the texts.
    """

    def __init__(
        self, parts: Parts, scope: Scope, delivery_id: str, provider: str, source: str, told: Sequence[Finding],
        language: str, purchaser: str = "",
    ) -> None:  # fmt: skip
        self.purchaser = purchaser
        self.closed: Collection[str] = ()
        """Purchasers of whose registers no figures are told; whoever permits says so."""
        self._parts = parts
        self._scope = scope
        self.provider = provider
        self.source = source
        self._language = language
        self.id = delivery_id
        self.findings = [parts.messages.finding(one, language) for one in told]
        self.totals = Totals()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every delivered record, in the order of the delivery; counts them into `totals`."""
        self.totals = Totals()
        for told in self._told():
            self.totals.add(told)
            yield told

    def standing(self) -> Iterator[dict[str, Any]]:
        """Every delivered record in the same order, a repeated one with what stands on it now."""
        return self._told(lambda pointer: pointer if pointer.is_older else pointer._replace(is_duplicate=False))

    def _told(self, seen: Callable[[Pointer], Pointer] = lambda pointer: pointer) -> Iterator[dict[str, Any]]:
        after = -1
        while True:
            with self._scope.read() as tx:
                page = deliveries.of_delivery(tx, self.id, after, PAGE)
                documents = store.of_records(tx, [one.row for _, one in page])
            for _, parts in groupby(page, key=lambda found: found[0].position):
                yield _joined([
                    row(self._parts, one, documents.get(one.row, ()), self._language, seen(pointer))
                    for pointer, one in parts
                ])  # fmt: skip
            if not page:
                return
            after += PAGE

    def preview(self, preview: Preview) -> None:
        """Have the delivery's clients judged by a changed contract too."""
        with self._scope.read() as tx:
            preview.add(tx, self.provider, deliveries.clients_of_delivery(tx, self.id), self.closed)

    def figures(self) -> dict[str, Any]:
        """Figures of the delivery's clients."""
        with self._scope.read() as tx:
            clients = deliveries.clients_of_delivery(tx, self.id)
            return of_clients(self._parts, tx, self.provider, clients, closed=self.closed)

    def json(self, sight: Sight) -> Iterator[bytes]:
        """The whole result as JSON, piece by piece.

        Args:
            sight: what of it is shown.
        """
        head = sight.shown({"id": self.id, "findings": self.findings, "records": []})
        yield orjson.dumps(head).removesuffix(b"]}")
        of_row = sight.within("records")
        for number, told in enumerate(self.rows()):
            yield (b",\n" if number else b"\n") + orjson.dumps(of_row.shown(told))
        yield b"]"
        for name, made in (("totals", self.totals.told), ("figures", self.figures)):
            if sight.names(name):  # what is not shown is not even counted
                yield b",\n" + orjson.dumps(sight.shown({name: made()}))[1:-1]
        yield b"}\n"

    @property
    def waits(self) -> bool:
        """Whether some records, once counted, are held or refused, or could not be read at all."""
        unread = any(one["severity"] in {"hold", "refuse"} for one in self.findings)
        return unread or any(self.totals.outcomes[one] for one in (Outcome.HELD, Outcome.REFUSED))


class Totals:
    """Records by outcome, structure and rule."""

    def __init__(self) -> None:
        self.records = 0
        self.outcomes: Counter[str] = Counter()
        self.structures: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()

    def add(self, told: dict[str, Any]) -> None:
        """Count one row."""
        self.records += 1
        self.outcomes[told["outcome"]] += 1
        self.structures.update(document["structure"] for document in told["documents"])
        self.rules.update(finding["rule"] for finding in told["findings"])

    def told(self) -> dict[str, Any]:
        """The counts as they are told."""
        return {
            "records": self.records,
            "by_outcome": dict(self.outcomes),
            "by_structure": dict(self.structures),
            "by_rule": dict(sorted(self.rules.items())),
        }


def _joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several records of one delivered row are told as: the first, with what was found on all of them."""
    if len(parts) == 1:
        return parts[0]
    news = [one for one in parts if one["outcome"] != Outcome.DUPLICATE.value] or parts[:1]
    dropped: Counter[str] = Counter()
    for one in parts:
        dropped.update(one["dropped"])
    return {
        **parts[0],
        "outcome": news[0]["outcome"],
        "documents": [document for one in parts for document in one["documents"]],
        "findings": [finding for one in news for finding in one["findings"]],
        "dropped": dict(dropped),
        "masked": [masked for one in parts for masked in one["masked"]],
    }


def row(
    parts: Parts, one: StoredRecord, documents: Iterable[store.StoredDocument], language: str, pointer: Pointer
) -> dict[str, Any]:
    """One delivered record as it is told."""
    is_duplicate = pointer.is_duplicate
    outcome = Outcome.DUPLICATE if is_duplicate else one.outcome
    if is_duplicate:
        found = [Finding("GEN-01", Severity.INFO, "delivered-again", clause="703/2023 §17")]
        if pointer.is_older:
            found.append(Finding("GEN-06", Severity.INFO, "delivered-older-state", clause="703/2023 §17"))
    else:
        found = [stored_finding(value) for value in one.findings]
    stands = outcome is not None and outcome.makes_document
    return {
        "id": pointer.label or one.id,
        "version": one.told_version,
        "type": one.type,
        "outcome": outcome.value if outcome is not None else records.RECEIVED,
        "ticket": one.ticket,
        "documents": [
            {"oid": document.oid, "structure": document.structure, "state": document.state.value}
            for document in documents
            if stands and document.state is not State.WITHDRAWN
        ],
        "findings": [parts.messages.finding(finding, language) for finding in found],
        "dropped": {} if is_duplicate else one.removed["dropped"],
        "masked": [] if is_duplicate else one.removed["masked"],
        **({"allowed": one.removed["allowed"]} if one.removed.get("allowed") and not is_duplicate else {}),
    }
