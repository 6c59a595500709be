"""One controller's register as plain rows, given out of one installation and taken into another.

* What is keyed or sealed by an installation's own keys is given in the plain (a package is sealed as a whole) and
  sealed anew where it is taken in: content, facts, references to clients, marks of identities.
* What only another installation could compute is given up: a digest of source bytes, marks of notices that were told.
  The same version of a record is then a repeat without comparison; of a natural key the next delivery is a new state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import register
from kanta_gateway.access.statements import Statement, newest
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import ClientRef, Record, instant
from kanta_gateway.notices.due import ELSEWHERE, GONE_MARK
from kanta_gateway.pipeline.compose import filed_as
from kanta_gateway.pipeline.wording import canonical
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.spool import records, registers
from kanta_gateway.spool.registers import PAGE, Pair

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts

_USERS = frozenset({"person"})
"""Statements that give somebody rights."""
KEYED_ELSEWHERE = "elsewhere"
"""Digest of a state of a natural key that came from another installation: no delivery equals it."""
SAME = "same"
"""Mark of a document that is filed under the client's present identity."""
_JSON = ("findings", "removed", "inputs", "problem", "receipt", "items", "recipients", "header")
_CONTEXT = {"document": b"document", "notice": b"notice", "record": b"record"}
_DROPPED = ("key_id", "lease_token", "lease_until", "payload", "facts", "client_ref")
About = Mapping[str, str]
"""What a keyed reference stands for: `client` with the provider's number, `about` with another subject, or `ref`."""


@dataclass(slots=True)
class Giver:
    """Gives the rows of one controller's registers.

    Args:
        parts: the built gateway.
        tx: one reading transaction for everything.
        controller: OID of the controller.
    """

    parts: Parts
    tx: Connection
    controller: str
    pairs: tuple[Pair, ...] = ()
    _abouts: dict[str, About] = field(default_factory=dict)
    """Keyed reference -> what it stands for; one for each client."""
    _identities: dict[str, str] = field(default_factory=dict)
    """Keyed reference -> mark of the client's present identity."""

    def __post_init__(self) -> None:
        """Find the registers.

        Raises:
            ConflictError: a register is shared with another controller, so that its records cannot be told apart.
        """
        contracts = newest(register.stated(self.tx, ("contract",)))
        owners: dict[Pair, set[str]] = {}
        for one in contracts:
            pair = (str(one.body["processor"]), str(one.body["purchaser"]))
            owners.setdefault(pair, set()).add(str(one.body["controller"]))
        self.pairs = tuple(sorted(pair for pair, known in owners.items() if self.controller in known))
        if shared := [purchaser for pair in self.pairs if len(owners[pair]) > 1 for purchaser in pair[1:]]:
            raise ConflictError(
                f"contract file {shared[0]} is used by several controllers for one provider, so its records cannot be "
                "told apart; give each controller a contract file of its own first"
            )

    def statements(self, open_: Any) -> Iterator[Mapping[str, Any]]:
        """What is registered about the controller, its contracts and their parties; its clients by their numbers."""
        providers, numbers = {one[0] for one in self.pairs}, set(self.pairs)
        for one in newest(register.known(self.tx, open_)):
            body = dict(one.body)
            if one.kind == "relationship":
                about = self._abouts.get(str(body["client"]))
                if body["provider"] not in providers or about is None or "client" not in about:
                    continue
                body["client"] = about["client"]
            elif not self._is_own(one, providers, numbers):
                continue
            yield {"kind": one.kind, "from": one.valid_from, "to": one.valid_to, "body": body}

    def _is_own(self, one: Statement, providers: set[str], pairs: set[Pair]) -> bool:
        body = one.body
        if one.kind == "contract":
            return body["controller"] == self.controller and (body["processor"], body["purchaser"]) in pairs
        if one.kind in {"approval", "register-use"}:
            return bool(body["controller"] == self.controller)
        if one.kind == "person":
            return bool(body["organisation"] == self.controller)
        return body["organisation" if one.kind == "unit" else "oid"] in {*providers, self.controller}

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every record, opened; what each is about is learnt on the way."""
        parts = self.parts
        for row in self._with_content("record", pairs=self.pairs):
            content, ref = row["content"], row["client_ref"]
            if ref is not None:
                self._learn(row)
                if row["type"] == "client" and content is not None:
                    self._identities[ref] = filed_as(parts, content)
            row["about"] = self._about(ref)
            row["opened_facts"] = parts.keyring.open_facts(row["facts"])
            row["is_compared"] = bool(row.pop("digest"))
            yield _plain(row)

    def documents(self) -> Iterator[tuple[Mapping[str, Any], bytes | None]]:
        """Every document with its signed bytes, as far as they are there."""
        for row in self._with_content("document", organiser=self.controller):
            made_of = orjson.loads(row["inputs"])
            present = self._identities.get(row["client_ref"], "")
            made_of["whose"] = SAME if made_of.get("whose") and made_of["whose"] == present else ""
            made_of["clients"] = [self._about(one) for one in made_of.get("clients", ())]
            row["inputs"] = orjson.dumps(made_of).decode()
            row["about"] = self._about(row["client_ref"])
            content = row.pop("content")
            yield {**_plain(row), "has_content": content is not None}, content

    def notices(self) -> Iterator[Mapping[str, Any]]:
        """Every notice, opened as far as its content is there."""
        for row in self._with_content("notice", organiser=self.controller):
            row["about"] = self._about(row["client_ref"])
            yield _plain(row)

    def deliveries(self) -> Iterator[Mapping[str, Any]]:
        """Every delivery."""
        return (_plain(row) for row in registers.deliveries(self.tx, self.pairs))

    def pointers(self) -> Iterator[Mapping[str, Any]]:
        """Where each delivered row is stored."""
        return (one for row in registers.deliveries(self.tx, self.pairs)
                for one in registers.pointers(self.tx, row["id"]))  # fmt: skip

    def moves(self) -> Iterator[Mapping[str, Any]]:
        """Records that were delivered for more than one client."""
        for row in registers.moves(self.tx, self.pairs):
            yield {**row, "client_ref": None, "about": self._about(row["client_ref"])}

    def links(self) -> Iterator[Mapping[str, Any]]:
        """Client numbers that are one person's."""
        for row in registers.rows(self.tx, "person_link", pairs=self.pairs):
            yield {**row, "client_ref": None, "primary_ref": None,
                   "abouts": [self._about(row["client_ref"]), self._about(row["primary_ref"])]}  # fmt: skip

    def references(self) -> Iterator[Mapping[str, str]]:
        """What each keyed reference of the log stands for, so that a client can still be answered."""
        for ref, about in self._abouts.items():
            yield {"ref": ref, **about}

    def _with_content(self, name: str, **whose: Any) -> Iterator[dict[str, Any]]:
        """Rows with their content opened; None where it has been destroyed."""
        page: list[dict[str, Any]] = []
        for row in registers.rows(self.tx, name, **whose):
            page.append(row)
            if len(page) == PAGE:
                yield from self._opened(name, page)
                page = []
        yield from self._opened(name, page)

    def _opened(self, name: str, page: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        keys = records.wrapped_keys(self.tx, [one["key_id"] for one in page if one["key_id"] is not None])
        for row in page:
            wrapped, payload = keys.get(row["key_id"]), row["payload"]
            content: Any = None
            if wrapped is not None and payload is not None:
                content = open_sealed(self.parts.vault.unwrap(wrapped), payload, _CONTEXT[name])
                content = content if name == "document" else orjson.loads(content)
            yield {**row, "content": content}

    def _learn(self, row: Mapping[str, Any]) -> None:
        """What a reference stands for, as a record of it tells."""
        kind, ref = self.parts.types[row["type"]], row["client_ref"]
        if kind.about != "client":
            self._abouts.setdefault(ref, {"provider": row["provider"], "about": kind.about})
        elif kind.is_subject:
            self._abouts[ref] = {"provider": row["provider"], "client": row["record_id"]}
        elif ref not in self._abouts and row["content"] is not None and row["content"].get("_client"):
            self._abouts[ref] = {"provider": row["provider"], "client": str(row["content"]["_client"])}

    def _about(self, ref: str | None) -> About | None:
        return None if ref is None else self._abouts.get(ref, {"ref": ref})


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
            one["facts"] = parts.keyring.seal_facts(row["opened_facts"])
            one["digest"] = KEYED_ELSEWHERE if row["is_keyed"] and row["is_compared"] else ""
            made.append(one)
        self._store("record", made, [None if row["content"] is None else canonical(row["content"]) for row in rows])

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
        self._store("document", made, [contents.get(row["oid"]) for row in rows])

    def notices(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take notices in."""
        made = []
        self._refuse_known("notice", "id", rows)
        for row in rows:
            items = [{**one, "mark": one["mark"] if one["mark"] == GONE_MARK else ELSEWHERE} for one in row["items"]]
            one = self._numbered("notice", "sequence", row)
            made.append({**one, "client_ref": self._reference(row["about"]), "items": orjson.dumps(items).decode()})
        self._store("notice", made, [None if row["content"] is None else canonical(row["content"]) for row in rows])

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

    def _store(self, name: str, made: Sequence[dict[str, Any]], contents: Sequence[bytes | None]) -> None:
        keys = [None if content is None else self.parts.vault.new_key() for content in contents]
        ids = registers.new_keys(
            self.tx, [None if key is None else key.wrapped for key in keys], instant(self.parts.now())
        )
        for one, content, key, id_ in zip(made, contents, keys, ids, strict=True):
            one["key_id"] = id_
            one["payload"] = None if content is None or key is None else seal(key.key, content, _CONTEXT[name])
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


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what is sealed or a lease, its JSON texts as values."""
    return {
        name: orjson.loads(value) if name in _JSON and isinstance(value, str) else value
        for name, value in row.items()
        if name not in _DROPPED
    }


def _texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its values as the JSON texts of the table."""
    return {
        name: orjson.dumps(value).decode() if name in _JSON and value is not None else value
        for name, value in row.items()
    }
