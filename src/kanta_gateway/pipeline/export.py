"""Archived documents as files, for whoever checks them with other tools."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.model import Event
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.spool import store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.store import StoredDocument


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
    with parts.database.transaction() as tx:
        wanted = _wanted(store.archived(tx), all_versions=all_versions)
        written, gone = 0, 0
        events = []
        for one in wanted:
            try:
                content = content_of(parts, tx, one)
            except KeyUnavailableError:
                gone += 1
                continue
            (folder / f"{one.oid}.xml").write_bytes(content)
            written += 1
            events.append(office.event(
                caller, Event.DOCUMENT_EXPORT, subject=one.oid, provider=one.provider, controller=one.organiser,
                client_ref=one.client_ref,
            ))  # fmt: skip
        parts.log.append(tx, events)
    first = min((one.settled_at for one in wanted if one.settled_at), default=None)
    until = datetime.fromisoformat(first) + timedelta(days=grace_days) if first else None
    return {
        "written": written, "destroyed": gone, "folder": str(folder),
        "content_stays_until": until.date().isoformat() if until else None,
    }  # fmt: skip


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
