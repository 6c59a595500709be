"""One controller's register as plain rows, taken in from another installation.

* What was keyed or sealed by the other installation's keys comes in the plain and is keyed and sealed anew.
* What only another installation could compute is given up: a digest of source bytes, marks of notices that were told.
  The first time that a record is delivered again it is compared by what is stored of it (`sameness`).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import grants, register
from kanta_gateway.access.grants import Grant
from kanta_gateway.access.statements import Statement
from kanta_gateway.errors import ConflictError
from kanta_gateway.keystore import new_id
from kanta_gateway.model import ClientRef, Record, instant
from kanta_gateway.notices.due import ELSEWHERE as TOLD_ELSEWHERE
from kanta_gateway.notices.due import GONE_MARK
from kanta_gateway.pipeline.compose import filed_as
from kanta_gateway.pipeline.destroying import ACCESS
from kanta_gateway.pipeline.giving import GRANT_TEXTS, JSON_FIELDS, SAME, SEALED, About
from kanta_gateway.pipeline.sameness import ELSEWHERE
from kanta_gateway.pipeline.wording import canonical
from kanta_gateway.privacy.envelope import seal
from kanta_gateway.spool import registers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts

_USERS = frozenset({"person"})
"""Statements that give somebody rights."""


@dataclass(slots=True)
class Taker:
    """Takes rows in.

    Args:
        parts: the built gateway.
        tx: one writing transaction for everything.
    """

    parts: Parts
    tx: Connection
    _base: Mapping[str, int] = field(default_factory=dict)
    _identities: dict[str, str] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)
    """Keys of the content that came: destroyed where nothing of it is taken."""
    granted: list[str] = field(default_factory=list)
    """Grants by break-glass that came."""
    without_contact: set[str] = field(default_factory=set)
    """Clients under turvakielto: their contact data was never stored, so their own address is not known here."""

    def __post_init__(self) -> None:
        """Number on behind what is there."""
        self._base = registers.highest(self.tx)

    def records(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take records in."""
        parts, made = self.parts, []
        self._refuse_known("record", "ticket", rows)
        for row in rows:
            one = self._numbered("record", "id", row)
            one["client_ref"] = ref = self._reference(row["about"])
            content = row["content"]
            if row["type"] == "client" and content is not None and ref is not None:
                self._identities[ref] = filed_as(parts, content)
                if content.get("non_disclosure"):
                    self.without_contact.add(ref)
            one["facts"] = None if row["opened_facts"] is None else parts.keyring.seal_facts(row["opened_facts"])
            one["digest"] = ELSEWHERE if row["is_compared"] and content is not None else ""
            made.append(one)
        self._store("record", made, [{"payload": _bytes(row["content"])} for row in rows])
        registers.restore(self.tx, "reminder", [
            {"ticket": row["ticket"], **one} for row in rows for one in row["reminded"]
        ])  # fmt: skip

    def documents(self, rows: Sequence[Mapping[str, Any]], contents: Mapping[str, bytes]) -> None:
        """Take documents in.

        Args:
            rows: the documents.
            contents: OID -> signed bytes, of those that have some.
        """
        made = []
        self._refuse_known("document", "oid", rows)
        for row in rows:
            ref = self._reference(row["about"])
            one = self._numbered("document", "sequence", row)
            one |= {"client_ref": ref, "record_row": row["record_row"] + self._base["record"]}
            one["inputs"] = self._inputs(row["inputs"], str(ref))
            made.append(one)
        self._store("document", made, [{"payload": contents.get(row["oid"])} for row in rows])

    def notices(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take notices in."""
        made = []
        self._refuse_known("notice", "id", rows)
        for row in rows:
            items = [
                {**one, "mark": one["mark"] if one["mark"] == GONE_MARK else TOLD_ELSEWHERE} for one in row["items"]
            ]
            one = self._numbered("notice", "sequence", row)
            made.append({**one, "client_ref": self._reference(row["about"]), "items": orjson.dumps(items).decode()})
        self._store("notice", made, [{"payload": _bytes(row["content"])} for row in rows])

    def disclosures(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take disclosure notices in: what waited is sent from here, with the bytes that it was tried with."""
        self._refuse_known("disclosure", "id", rows)
        made = [
            {**self._numbered("disclosure", "sequence", row), "client_ref": self._reference(row["about"])}
            for row in rows
        ]  # fmt: skip
        self._store("disclosure", made, [
            {"told": _bytes(row["content"]), "payload": b64decode(row["signed"]) if row["signed"] else None}
            for row in rows
        ])  # fmt: skip

    def requests(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take clients' requests in: their clocks run on."""
        self._refuse_known("client_request", "id", rows)
        made = [
            {**self._numbered("client_request", "sequence", row), "client_ref": self._reference(row["about"])}
            for row in rows
        ]  # fmt: skip
        self._store("client_request", made, [{"sealed": _bytes(row["content"])} for row in rows])

    def grants(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take break-glass in: reviews fall due and cases stay open here; nobody looks by a grant from elsewhere."""
        parts, now = self.parts, self.parts.now()
        self._refuse_known("access_grant", "id", rows)
        for row in rows:
            told = {name: value for name, value in row.items() if name != "about"}
            texts = {name: row[name] and seal(parts.keyring.accesses, orjson.dumps(row[name]), ACCESS)
                     for name in GRANT_TEXTS}  # fmt: skip
            texts["sealed"] = texts["sealed"] or b""  # destroyed before it was given
            person = parts.log.names.reference(row["organisation"], row["sealed"]["person_id"]) if row["sealed"] else ""
            self.granted.append(row["id"])
            one = Grant(**{**told, **texts, "client_ref": str(self._reference(row["about"])), "person_ref": person})
            grants.add(self.tx, replace(one, ended_at=instant(now)) if one.is_open(now) else one)

    def deliveries(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take deliveries in."""
        self._refuse_known("delivery", "id", rows)
        registers.restore(self.tx, "delivery", [_texts(row) for row in rows])

    def pointers(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in where delivered rows are stored."""
        base = self._base["record"]
        registers.restore(self.tx, "delivered", [{**row, "record_row": row["record_row"] + base} for row in rows])

    def moves(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take moved records in."""
        registers.restore(self.tx, "moved", [
            {**{name: row[name] for name in ("provider", "type", "record_id")},
             "client_ref": self._reference(row["about"])}
            for row in rows
        ])  # fmt: skip

    def links(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in which client numbers are one person's."""
        registers.restore(self.tx, "person_link", [
            {**{name: value for name, value in self._numbered("person_link", "id", row).items() if name != "abouts"},
             "client_ref": self._reference(row["abouts"][0]), "primary_ref": self._reference(row["abouts"][1])}
            for row in rows
        ])  # fmt: skip

    def statements(self, rows: Sequence[Mapping[str, Any]], open_: Any) -> list[Statement]:
        """What nothing is registered about here yet; clients stand as references of this installation.

        What is stated here stays, and users bring no rights with them: both are the new owner's to say.
        """
        known = {one.names for one in register.known(self.tx, open_)}
        made = []
        for row in rows:
            body = dict(row["body"])
            if row["kind"] == "relationship":
                body["client"] = str(self.parts.keyring.client(body["provider"], body["client"]))
            one = Statement(row["kind"], body, row["from"], row["to"])
            if row["kind"] not in _USERS and one.names not in known:
                made.append(one)
        return made

    def finish(self) -> None:
        """Let the database count on."""
        registers.renumber(self.tx)

    def numbers(self) -> Mapping[str, int]:
        """Behind which numbers the rows of this package stand."""
        return self._base

    def _refuse_known(self, name: str, column: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if known := registers.held(self.tx, name, column, [row[column] for row in rows]):
            raise ConflictError(
                f"{name} {known[0]} is here already, so the package, or a part of it, was taken in before. "
                "Nothing was taken."
            )

    def _store(self, name: str, made: Sequence[dict[str, Any]], contents: Sequence[Mapping[str, bytes | None]]) -> None:
        """Write rows, what they hold sealed with a key of their own.

        Args:
            name: of the table.
            made: the rows.
            contents: of each row, by column; None for what is gone.
        """
        context = SEALED[name][0]
        keys = [self.parts.vault.new_key() if any(content.values()) else None for content in contents]
        self.keys += [key.id for key in keys if key is not None]
        ids = [new_id() if key is None else key.id for key in keys]  # content that is gone has no key, and its number
        gone = [id_ for id_, key in zip(ids, keys, strict=True) if key is None]
        registers.note_keys(self.tx, ids, gone, instant(self.parts.now()))
        for one, content, key, id_ in zip(made, contents, keys, ids, strict=True):
            one["key_id"] = id_
            for column, plain in content.items():
                one[column] = None if plain is None or key is None else seal(key.key, plain, context)
        registers.restore(self.tx, name, made)

    def _inputs(self, told: Mapping[str, Any], ref: str) -> str:
        base = self._base["record"]
        moved = {name: row + base if row else 0 for name, row in told.get("rows", {}).items()}
        numbers = {name: told[name] + base if told.get(name) else 0 for name in ("decision", "own", "shared")}
        whose = self._identities.get(ref, "") if told.get("whose") == SAME else ""
        clients = [self._reference(one) for one in told.get("clients", ())]
        return canonical({**told, **numbers, "rows": moved, "whose": whose, "clients": clients}).decode()

    def _numbered(self, table: str, column: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row for the table, numbered on."""
        columns = registers.TABLES[table].c.keys()
        return {name: value for name, value in _texts(row).items() if name in columns} | {
            column: row[column] + self._base[table]
        }

    def _reference(self, about: About | None) -> ClientRef | None:
        """The reference of this installation for what another one's stood for."""
        if about is None:
            return None
        keyring = self.parts.keyring
        if "client" in about:
            return keyring.client(about["provider"], about["client"])
        if "about" in about:
            kind = next(one for one in self.parts.types.values() if one.about == about["about"])
            found = keyring.subject(kind, Record(kind.name, "", 1, None, {}), about["provider"])
            return ClientRef(str(found))
        return keyring.client("", f"handed over: {about['ref']}")  # its number is known to nobody any more


def _bytes(content: Any) -> bytes | None:
    """Opened content as it is sealed; None for what is gone."""
    return None if content is None else canonical(content)


def _texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its values as the JSON texts of the table."""
    return {
        name: orjson.dumps(value).decode() if name in JSON_FIELDS and value is not None else value
        for name, value in row.items()
    }
