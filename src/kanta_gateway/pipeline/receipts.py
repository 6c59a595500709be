"""A receipt for the client: what was recorded, by whom, and how to object; no content, in plain or easy language.

* Made of the documents' titles, the labels of the fields that hold something, and the author's name that every
  document shows anyway (703/2023 §38.1).
* Of each document set the newest version that stands is told; one that was taken back is not.
* Once the content is destroyed only title and day are told.
* No unit and no place is told, to nobody: under turvakielto they would say where the client goes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.mapping.tree import from_json
from kanta_gateway.pipeline.clientlog import Person, shown_day, title_of
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.rights.pages import EASY, Part
from kanta_gateway.signing.markup import parse
from kanta_gateway.spool import records, store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.model import Node
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.store import StoredDocument

NEVER_SENT = frozenset({State.WITHDRAWN, State.REJECTED})
TAKEN_BACK = frozenset({State.INVALIDATED, State.INVALIDATING})


def documents(
    parts: Parts, tx: Connection, person: Person, language: str, days: tuple[date, date], oid: str = ""
) -> list[dict[str, Any]]:
    """What a receipt tells of each document.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        person: about whom.
        language: fi, sv, en or selko.
        days: on which the first and the last of them were made.
        oid: only this one.
    """
    types = {one.row: one.type for one in records.of_file(tx, person.provider, person.purchaser, person.refs)}
    newest: dict[str, StoredDocument] = {}
    for ref in person.refs:
        for one in store.of_client(tx, ref):
            if one.record_row in types and one.state not in NEVER_SENT:
                newest[one.set_oid] = max(newest.get(one.set_oid, one), one, key=lambda known: known.version_number)
    told = []
    for one in sorted(newest.values(), key=lambda one: one.sequence):
        day = datetime.fromisoformat(one.made_at).astimezone(HELSINKI).date()
        if days[0] <= day <= days[1] and oid in {"", one.oid} and one.state not in TAKEN_BACK:
            told.append(_told(parts, tx, one, types[one.record_row], day.isoformat(), language))
    return told


def _told(
    parts: Parts, tx: Connection, one: StoredDocument, record_type: str, day: str, language: str
) -> dict[str, Any]:
    structure = parts.structures.get(one.structure)
    easy = parts.rights.easy.structures
    plain = easy.get(structure.number, easy["other"])
    name = plain["name"] if language == EASY else title_of(parts, one.structure, record_type, language)
    told: dict[str, Any] = {"oid": one.oid, "name": name, "day": day}
    whole = store.get(tx, one.oid)
    root = parse(content_of(parts, tx, whole)) if whole is not None and whole.payload is not None else None
    if root is None:
        return told | {"author": "", "items": [], "tells": plain["tells"] if language == EASY else "",
                       "is_content_here": False}  # fmt: skip
    found = root.find(".//{*}nonXMLBody/{*}json")
    value = orjson.loads(base64.b64decode(found.text or "")) if found is not None else {}
    labels = dict.fromkeys(_labels(from_json(structure, value).root, parts.rights.easy.unmentioned, language))
    return told | {
        "author": _author(root), "items": [] if language == EASY else list(labels),
        "tells": plain["tells"] if language == EASY else "", "is_content_here": True,
    }  # fmt: skip


def _labels(node: Node, unmentioned: frozenset[str], language: str) -> Iterator[str]:
    """Labels of the fields that hold something, in the order of the document."""
    for child in node.children:
        if child.key in unmentioned:
            continue
        if child.kind is None:
            yield from _labels(child, unmentioned, language)
        else:
            yield child.label.get(language) or child.label.get("fi", child.key)


def _author(root: Any) -> str:
    """The name that the document's header tells."""
    name = root.find(".//{*}author/{*}assignedAuthor/{*}assignedPerson/{*}name")
    if name is None:
        return ""
    return " ".join(one.text for one in (name.find("{*}given"), name.find("{*}family")) if one is not None and one.text)


def parts_of(parts: Parts, told: Sequence[Mapping[str, Any]], language: str) -> list[Part]:
    """The documents of a receipt as parts of its page."""
    word = {name: by_language[language] for name, by_language in parts.rights.easy.labels.items()}
    return [_part(one, word, is_easy=language == EASY) for one in told]


def _part(one: Mapping[str, Any], word: Mapping[str, str], *, is_easy: bool) -> Part:
    heading = one["name"][:1].upper() + one["name"][1:]
    if is_easy:
        lines = [f"{word['when']} {shown_day(one['day'])}.", one["tells"],
                 f"{word['who']} {one['author']}." if one["author"] else ""]  # fmt: skip
        return Part(heading, lines)
    lines = [f"{word['when']}: {shown_day(one['day'])}"]
    lines += [f"{word['who']}: {one['author']}"] if one["author"] else []
    lines += [f"{word['what']}: {', '.join(one['items'])}"] if one["items"] else []
    return Part(heading, [lines])
