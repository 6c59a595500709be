"""Where every value of a document comes from: it is composed again from the records it was made of.

The composed JSON must equal the signed one; otherwise the explanation would be of another document.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
from lxml import etree

from kanta_gateway.access.parties import agreements
from kanta_gateway.errors import ConflictError, NotFoundError
from kanta_gateway.mapping.tree import explain as explain_tree
from kanta_gateway.pipeline.compose import UNDER_TURVAKIELTO, Composer
from kanta_gateway.pipeline.filing import load
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool import records, store

if TYPE_CHECKING:
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.office import Office


def explain(parts: Parts, office: Office, oid: str, caller: Caller) -> dict[str, Any]:
    """For every value of one document: record field, mapping line, rule and source.

    Raises:
        NotFoundError: there is no such document that the caller may see.
        KeyUnavailableError: its content has been destroyed.
        ConflictError: composing again gives something else than what was signed.
    """
    signed = _json_of(office.document(oid, caller))
    with parts.database.reading() as tx:
        found = store.get(tx, oid)
        if found is None:
            raise NotFoundError
        made_of = orjson.loads(found.inputs)
        record = records.by_rows(tx, [found.record_row])[0]
        clients = made_of.get("clients")
        whole = load(parts, tx, found.provider, record.purchaser, found.client_ref, None, clients=clients)
        case = whole.as_of(made_of["own"], made_of["shared"])
        agreement = next(one for one in agreements(tx, found.provider) if one.purchaser == record.purchaser)
    judged(
        parts, case, record.purchaser
    )  # the document tells what was found on its record, and its author may be another's
    was_secret = made_of["guard"].startswith(UNDER_TURVAKIELTO)
    composer = Composer(parts, parts.contracts[record.purchaser], agreement, case, was_secret=was_secret)
    decision = made_of["decision"] or None
    day = next(one.day for one in case.entries if one.row == record.row)
    variant = next(
        one for one in parts.mapper.variants(record.type, composer.product(decision), day) if one.name == found.part
    )
    draft = composer.draft(composer.source(record, decision), variant, composer.guard(record))
    if orjson.loads(draft.json) != signed:
        raise ConflictError("composing the document again gives something else; the mapping files have changed since")
    return {
        "oid": oid, "structure": found.structure, "record": record.id, "version": record.version,
        "values": explain_tree(draft.tree),
    }  # fmt: skip


def _json_of(xml: bytes) -> Any:
    """The structured form inside a signed document."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    found = etree.fromstring(xml, parser).find(".//{*}nonXMLBody/{*}json")
    return orjson.loads(base64.b64decode(found.text or "")) if found is not None else None
