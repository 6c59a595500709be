"""Archived documents as files, for whoever checks them with other tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.model import Event
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.spool import store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.store import StoredDocument


BATCH = 200
"""Documents read and written down in one transaction."""


def export(
    parts: Parts, office: Office, folder: Path, caller: Caller, grace_days: int, *, all_versions: bool
) -> dict[str, Any]:
    """Write archived documents as FOLDER/<OID>.xml.

    Args:
        parts: the built gateway.
        office: permits the caller.
        folder: where; made if it is not there.
        caller: who asks.
        grace_days: how long content stays after the receipt.
        all_versions: superseded and invalidated versions too.

    Returns:
        How many were written, how many are gone, and until when content stays.
    """
    office.permit(caller, Event.DOCUMENT_EXPORT, provider=None)
    folder.mkdir(parents=True, exist_ok=True)
    with parts.database.reading() as tx:
        wanted = _wanted(store.archived(tx), all_versions=all_versions)
    written, gone = 0, 0
    for batch in _batched(wanted, BATCH):
        with parts.database.transaction() as tx:
            contents = [(one, _content(parts, tx, one.oid)) for one in batch]
            there = [(one, content) for one, content in contents if content is not None]
            parts.log.append(tx, [
                office.event(caller, Event.DOCUMENT_EXPORT, subject=one.oid, provider=one.provider,
                             controller=one.organiser, client_ref=one.client_ref)
                for one, _ in there
            ])  # fmt: skip
        for one, content in there:
            (folder / f"{one.oid}.xml").write_bytes(content)
        written, gone = written + len(there), gone + len(contents) - len(there)
    first = min((one.settled_at for one in wanted if one.settled_at), default=None)
    until = datetime.fromisoformat(first) + timedelta(days=grace_days) if first else None
    return {
        "written": written, "destroyed": gone, "folder": str(folder),
        "content_stays_until": until.date().isoformat() if until else None,
    }  # fmt: skip


def _content(parts: Parts, tx: Connection, oid: str) -> bytes | None:
    """The signed bytes; None once they have been destroyed."""
    found = store.get(tx, oid)
    try:
        return content_of(parts, found) if found is not None else None
    except KeyUnavailableError:
        return None


def _batched(found: Sequence[StoredDocument], size: int) -> Iterator[Sequence[StoredDocument]]:
    """The documents in pieces: one transaction and so much content in memory at a time."""
    return (found[start : start + size] for start in range(0, len(found), size))


def _wanted(found: list[StoredDocument], *, all_versions: bool) -> list[StoredDocument]:
    """The current version of each set, or all of them."""
    if all_versions:
        return found
    newest: dict[str, StoredDocument] = {}
    for one in found:
        have = newest.get(one.set_oid)
        if have is None or one.version_number > have.version_number:
            newest[one.set_oid] = one
    return [one for one in newest.values() if one.state is State.ARCHIVED]
