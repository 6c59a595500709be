"""What a package brought, with the events that its sender's log tells of each thing: for the entries about it here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit.reconcile import Claim
from kanta_gateway.pipeline import grantclaims, requestclaims
from kanta_gateway.pipeline.claims import DISCLOSURES, of_disclosures
from kanta_gateway.pipeline.reconciling import (
    DOCUMENTS,
    NOTICES,
    RECORDS,
    of_documents,
    of_notices,
    of_records,
)
from kanta_gateway.pipeline.requestclaims import REQUESTS
from kanta_gateway.tables import access_grant, client_request, disclosure, document, notice, record

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something that a package brought."""

    table: str
    subject: str
    client: str | None
    provider: str
    events: tuple[str, ...]


def arrived(tx: Connection, after: Mapping[str, int], clients: Collection[str]) -> Iterator[Arrived]:
    """What stands behind some numbers of the tables.

    Args:
        tx: the transaction that wrote it.
        after: the highest number of each table before.
        clients: record types that are about a client.
    """
    c = record.c
    for row in _paged(tx, RECORDS.add_columns(c.id, c.type, c.client_ref, c.provider), c.id, after["record"]):
        client = row["client_ref"] if row["type"] in clients else None
        claims = of_records([(row["ticket"], row["outcome"], row["received_at"], row["settled_at"])])
        yield Arrived("record", row["ticket"], client, row["provider"], _events(claims))
    d = document.c
    made = DOCUMENTS.order_by(None).add_columns(d.sequence, d.client_ref, d.provider)
    for row in _paged(tx, made, d.sequence, after["document"]):
        claims = of_documents([{**row, "keyless": row["gone"]}])
        yield Arrived("document", row["oid"], row["client_ref"], row["provider"], _events(claims))
    n = notice.c
    told = NOTICES.order_by(None).add_columns(n.sequence, n.client_ref, n.is_client, n.provider)
    for row in _paged(tx, told, n.sequence, after["notice"]):
        client = row["client_ref"] if row["is_client"] else None
        claims = of_notices([{**row, "keyless": row["gone"]}])
        yield Arrived("notice", row["id"], client, row["provider"], _events(claims))
    s = disclosure.c
    sent = DISCLOSURES.order_by(None).add_columns(s.sequence, s.client_ref, s.provider)
    for row in _paged(tx, sent, s.sequence, after["disclosure"]):
        claims = of_disclosures([{**row, "keyless": row["gone"]}])
        yield Arrived("disclosure", row["id"], row["client_ref"], row["provider"], _events(claims))
    q = client_request.c
    asked = REQUESTS.order_by(None).add_columns(q.sequence, q.client_ref, q.provider)
    for row in _paged(tx, asked, q.sequence, after["client_request"]):
        claims = requestclaims.claims([{**row, "keyless": row["gone"]}])
        yield Arrived("client_request", row["id"], row["client_ref"], row["provider"], _events(claims))


def arrived_grants(tx: Connection, ids: Collection[str]) -> Iterator[Arrived]:
    """Grants by break-glass that a package brought, which have no numbers."""
    c = access_grant.c
    for row in tx.execute(
        grantclaims.GRANTS.add_columns(c.client_ref, c.provider).where(c.id.in_(sorted(ids)))
    ).mappings():
        yield Arrived("access_grant", row["id"], row["client_ref"], row["provider"], _events(grantclaims.claims([row])))


def _paged(tx: Connection, query: Any, number: Any, after: int) -> Iterator[RowMapping]:
    while page := tx.execute(query.where(number > after).order_by(number).limit(_PAGE)).mappings().all():
        yield from page
        after = page[-1][number.name]


def _events(claims: Iterable[Claim]) -> tuple[str, ...]:
    return tuple(sorted({str(one.event) for one in claims}))
