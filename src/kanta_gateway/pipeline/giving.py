"""One controller's register as plain rows, given out of this installation.

* What is keyed or sealed by an installation's own keys is given in the plain (a package is sealed as a whole) and
  sealed anew where it is taken in (`taking`): content, facts, references to clients, marks of identities.
* No key of this installation goes with it: a key opens other controllers' things too.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import changes, grants, register
from kanta_gateway.access.statements import Statement, newest
from kanta_gateway.errors import ConflictError
from kanta_gateway.pipeline import approved, willbook
from kanta_gateway.pipeline.approved import code_of
from kanta_gateway.pipeline.compose import filed_as
from kanta_gateway.pipeline.destroying import ACCESS
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import registers
from kanta_gateway.spool.registers import PAGE, Pair

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts

SAME = "same"
"""Mark of a document that is filed under the client's present identity."""
JSON_FIELDS = ("findings", "removed", "inputs", "problem", "receipt", "items", "recipients", "header")
SEALED: Mapping[str, tuple[bytes, tuple[str, ...]]] = {
    "client_request": (b"request", ("sealed",)), "disclosure": (b"disclosure", ("told", "payload")),
    "document": (b"document", ("payload",)), "notice": (b"notice", ("payload",)), "record": (b"record", ("payload",)),
}  # fmt: skip
"""Table -> context of what its key seals, and the columns."""
GRANT_TEXTS = ("sealed", "review", "case_owner")
"""Of break-glass: who looked and why, what a review said, and who handles its case."""
_DROPPED = ("key_id", "lease_token", "lease_until", "told", "payload", "sealed", "facts", "client_ref")
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
        """Every record, opened, with its reminders; what each is about is learnt on the way."""
        parts = self.parts
        for row in self._with_content("record", pairs=self.pairs):
            content, ref = _value(row["opened"]["payload"]), row["client_ref"]
            if ref is not None:
                self._learn(row, content)
                if row["type"] == "client" and content is not None:
                    self._identities[ref] = filed_as(parts, content)
            row |= {
                "about": self._about(ref), "content": content, "is_compared": bool(row.pop("digest")),
                "opened_facts": None if row["facts"] is None else parts.keyring.open_facts(row["facts"]),
            }  # fmt: skip
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
            content = row["opened"]["payload"]
            yield {**_plain(row), "has_content": content is not None}, content

    def notices(self) -> Iterator[Mapping[str, Any]]:
        """Every notice, opened as far as its content is there."""
        for row in self._with_content("notice", organiser=self.controller):
            yield _plain({**row, "about": self._about(row["client_ref"]), "content": _value(row["opened"]["payload"])})

    def disclosures(self) -> Iterator[Mapping[str, Any]]:
        """Every disclosure notice; one that was tried goes with its signed bytes, so that a repeat is the same."""
        for row in self._with_content("disclosure", organiser=self.controller):
            told, signed = (row["opened"][name] for name in ("told", "payload"))
            yield _plain({
                **row, "about": self._about(row["client_ref"]), "content": _value(told),
                "signed": None if signed is None else b64encode(signed).decode(),
            })  # fmt: skip

    def requests(self) -> Iterator[Mapping[str, Any]]:
        """Every request of a client, with its clock."""
        for row in self._with_content("client_request", organiser=self.controller):
            yield _plain({**row, "about": self._about(row["client_ref"]), "content": _value(row["opened"]["sealed"])})

    def grants(self) -> Iterator[Mapping[str, Any]]:
        """Every grant by break-glass, with who looked and why, its review and its case."""
        key = self.parts.keyring.accesses
        for one in grants.every(self.tx):
            if one.controller == self.controller:
                texts = {name: getattr(one, name) for name in GRANT_TEXTS}
                told = {name: orjson.loads(open_sealed(key, text, ACCESS)) if text else None
                        for name, text in texts.items()}  # fmt: skip
                yield {**asdict(one), "facts": dict(one.facts), "client_ref": None, "person_ref": None, **told,
                       "about": self._about(one.client_ref)}  # fmt: skip

    def changes(self) -> Iterator[Mapping[str, Any]]:
        """Which rules were proposed, approved and rejected for the controller's contracts, when and why: evidence."""
        files = {f"knowledge/mappings/contracts/{purchaser}.yaml" for _, purchaser in self.pairs}
        for one in changes.every(self.tx, code_of(self.parts.keyring)):
            if own := files & one.paths.keys():
                told = approved.opened(one, self.parts.keyring)
                yield {
                    "number": one.number, "state": one.state, "digest": one.digest, "proposed_at": one.proposed_at,
                    "decided_at": one.decided_at, "review_by": one.review_by, "reason": told["reason"],
                    "proposed_by": told["proposer"], "proposer": one.proposer, "decider": one.decider,
                    "files": {path: _text(told["content"][path]) for path in sorted(own)},
                }  # fmt: skip

    def lost_wills(self) -> int:
        """How many statements of will a restored backup has lost and nobody has delivered again."""
        lost = registers.lost_wills(self.tx, self.pairs)
        return sum(
            one.ticket in lost[client]
            for client in lost
            for one in willbook.wills_of(self.parts, self.tx, client[0], client[1], client[2])
        )

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
        """Rows with what is sealed in them opened, by column; None where it has been destroyed."""
        page: list[dict[str, Any]] = []
        for row in registers.rows(self.tx, name, **whose):
            page.append(row)
            if len(page) == PAGE:
                yield from self._opened(name, page)
                page = []
        yield from self._opened(name, page)

    def _opened(self, name: str, page: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        context, columns = SEALED[name]
        keys = self.parts.vault.keys([one["key_id"] for one in page if one["key_id"] is not None])
        reminded = registers.reminders(self.tx, [one["ticket"] for one in page]) if name == "record" else {}
        for row in page:
            key = keys.get(row["key_id"])
            opened = {
                column: None if key is None or row[column] is None else open_sealed(key, row[column], context)
                for column in columns
            }
            if name == "record":
                row["reminded"] = reminded.get(row["ticket"], [])
            yield {**row, "opened": opened}

    def _learn(self, row: Mapping[str, Any], content: Mapping[str, Any] | None) -> None:
        """What a reference stands for, as a record of it tells."""
        kind, ref = self.parts.types[row["type"]], row["client_ref"]
        if kind.about != "client":
            self._abouts.setdefault(ref, {"provider": row["provider"], "about": kind.about})
        elif kind.is_subject:
            self._abouts[ref] = {"provider": row["provider"], "client": row["record_id"]}
        elif ref not in self._abouts and content is not None and content.get("_client"):
            self._abouts[ref] = {"provider": row["provider"], "client": str(content["_client"])}

    def _about(self, ref: str | None) -> About | None:
        return None if ref is None else self._abouts.get(ref, {"ref": ref})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what is sealed or a lease, its JSON texts as values."""
    return {
        name: orjson.loads(value) if name in JSON_FIELDS and isinstance(value, str) else value
        for name, value in row.items()
        if name not in {*_DROPPED, "opened"}
    }


def _text(content: str | None) -> str | None:
    """A file as text; None where the change takes it away."""
    return None if content is None else b64decode(content).decode("utf-8", "replace")


def _value(content: bytes | None) -> Any:
    """Opened content as a value."""
    return None if content is None else orjson.loads(content)
