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
    from kanta_gateway.spool.records import StoredRecord
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
        days: first and last day that they are about.
        oid: only this one.
    """
    rows = {one.row: one for one in records.of_file(tx, person.provider, person.purchaser, person.refs)}
    newest: dict[str, StoredDocument] = {}
    for ref in person.refs:
        for one in store.of_client(tx, ref):
            if one.record_row in rows and one.state not in NEVER_SENT:
                newest[one.set_oid] = max(newest.get(one.set_oid, one), one, key=lambda known: known.version_number)
    told = []
    for one in sorted(newest.values(), key=lambda one: one.sequence):
        day = _day(parts, one, rows[one.record_row])
        if days[0].isoformat() <= day <= days[1].isoformat() and oid in {"", one.oid} and one.state not in TAKEN_BACK:
            told.append(_told(parts, tx, one, rows[one.record_row].type, day, language))
    return sorted(told, key=lambda one: str(one["day"]))


def _day(parts: Parts, one: StoredDocument, record: StoredRecord) -> str:
    """The day that the record is about; that on which the document was made where it tells none."""
    facts = parts.keyring.open_facts(record.facts)["facts"]
    told = str(facts.get(parts.types[record.type].day) or "")
    made = datetime.fromisoformat(one.made_at).astimezone(HELSINKI).date().isoformat()
    return told[:10] if len(told) >= len(made) else made


def _told(
    parts: Parts, tx: Connection, one: StoredDocument, record_type: str, day: str, language: str
) -> dict[str, Any]:
    structure = parts.structures.get(one.structure)
    easy = parts.rights.easy.structures
    plain = easy.get(structure.number, easy["other"])
    name = plain["name"] if language == EASY else title_of(parts, one.structure, record_type, language)
    told: dict[str, Any] = {"oid": one.oid, "name": name, "day": day}
    whole = store.get(tx, one.oid)
    root = parse(content_of(parts, whole)) if whole is not None and whole.payload is not None else None
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
    """The documents of a receipt as parts of its page; those of which the same is told stand together."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for one in told:
        alike.setdefault((one["name"], one["author"], one["tells"], tuple(one["items"])), []).append(one["day"])
    word = {name: by_language[language] for name, by_language in parts.rights.easy.labels.items()}
    return [_part(one, days, word, is_easy=language == EASY) for one, days in alike.items()]


def _part(one: tuple[Any, ...], days: Sequence[str], word: Mapping[str, str], *, is_easy: bool) -> Part:
    name, author, tells, items = one
    heading = name[:1].upper() + name[1:]
    when = word["when" if len(days) == 1 else "when-many"]
    shown = ", ".join(dict.fromkeys(map(shown_day, days)))
    if is_easy:
        return Part(heading, [tells, f"{when} {shown}.", f"{word['who']} {author}." if author else ""])
    lines = [f"{when}: {shown}"]
    lines += [f"{word['who']}: {author}"] if author else []
    lines += [f"{word['what']}: {', '.join(one[:1].lower() + one[1:] for one in items)}"] if items else []
    return Part(heading, [lines])
