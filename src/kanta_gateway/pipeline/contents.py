"""Stored content against the hashes that stand for it: what lies there is what its entry told of.

* Records and notices: the newest entry that tells of their content tells of the sealed bytes that are there now.
* Documents and disclosure notices: what opens is what their digest is of; that the digest is the log's, claims say.
* Content that is gone, or whose key is, has nothing left to compare.
* What came in a package is told by the log that came with it, by the hashes of where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kanta_gateway.audit.reconcile import Claim
from kanta_gateway.errors import GatewayError
from kanta_gateway.model import Event
from kanta_gateway.pipeline.outlet import CONTEXT
from kanta_gateway.privacy.envelope import Vault, open_sealed, sealed_hash
from kanta_gateway.tables import disclosure, document, notice, record

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

CONTENT = "content"
"""What entries of several kinds tell of the same content, as one event: the newest counts."""
_TELLING = frozenset({Event.DOCUMENT_DROP, Event.NOTICE_MAKE, Event.RECORD_SUBMIT})
_PAGE = 200
"""Contents in memory at a time."""
_KEPT = (
    ("record", select(record.c.ticket, record.c.payload, record.c.received_at).where(record.c.payload.is_not(None))),
    ("notice", select(notice.c.id, notice.c.payload, notice.c.made_at).where(notice.c.payload.is_not(None))),
)
_SIGNED = (
    ("document", b"document", select(document.c.oid, document.c.key_id, document.c.payload, document.c.digest)
     .where(document.c.payload.is_not(None))),
    ("disclosure", CONTEXT, select(disclosure.c.id, disclosure.c.key_id, disclosure.c.payload, disclosure.c.digest)
     .where(disclosure.c.payload.is_not(None))),
)  # fmt: skip


def told(event: str, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an entry tells of the content that it left; None: nothing."""
    return {"after": details["after"]} if event in _TELLING and "after" in details else None


def claims(tx: Connection) -> Iterator[Claim]:
    """What the sealed content that is there claims of the log."""
    for table, query in _KEPT:
        for page in _pages(tx, query):
            for id_, sealed, since in page:
                yield Claim(table, id_, CONTENT, id_, {"after": sealed_hash(bytes(sealed))}, since, is_newest=True)


def swapped(tx: Connection, vault: Vault) -> Iterator[tuple[str, str]]:
    """Table and place of signed content that is not what its digest is of."""
    for table, context, query in _SIGNED:
        for page in _pages(tx, query):
            keys = vault.keys({key_id for _, key_id, _, _ in page})
            for id_, key_id, sealed, digest in page:
                if key_id in keys and _digest(keys[key_id], bytes(sealed), context) != digest:
                    yield table, id_


def _digest(key: bytes, sealed: bytes, context: bytes) -> str:
    try:
        return sha256(open_sealed(key, sealed, context)).hexdigest()
    except GatewayError:
        return ""


def _pages(tx: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    return tx.execute(query, execution_options={"yield_per": _PAGE}).partitions()
