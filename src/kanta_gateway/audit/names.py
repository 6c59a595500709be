"""Names of acting persons, beside the log: sealed, committed to by the entries, erasable.

* An entry carries a keyed reference (the same person is the same reference) and a commitment to one row.
* The commitment covers the row as it stands, so a changed row is found without any key.
* The salt goes with the row: nobody who guesses a name can check the guess against the log afterwards.
* A row goes with the last entry that tells of it (`purge.py`); who acts again gets a new row with a new salt.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import bindparam, delete, insert, select

from kanta_gateway.audit.canonical import canonical
from kanta_gateway.tables import audit_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from kanta_gateway.model import Caller

_SALT_BYTES = 16
_INSERT = insert(audit_name)
_OF_PERSON = (
    select(audit_name.c.commitment, audit_name.c.sealed)
    .where(audit_name.c.ref == bindparam("ref"))
    .order_by(audit_name.c.commitment)
)
_WHOLE = select(audit_name.c.ref, audit_name.c.salt, audit_name.c.sealed).where(
    audit_name.c.commitment == bindparam("commitment")
)
_BY_COMMITMENT = select(audit_name.c.sealed).where(audit_name.c.commitment == bindparam("commitment"))


def commitment(ref: str, salt: bytes, sealed: bytes) -> str:
    """What an entry says about a name row: lengths are fixed, so the parts cannot shift into each other."""
    return sha256(b"kanta-gateway/name\0" + ref.encode() + b"\0" + salt + sealed).hexdigest()


class Names:
    """The name rows of one installation.

    Args:
        key: keys the references to persons.
        seal: turns a name into bytes that only the names' key opens.
        open_: the opposite of `seal`.
    """

    def __init__(self, key: bytes, seal: Callable[[bytes], bytes], open_: Callable[[bytes], bytes]) -> None:
        self._key = key
        self._seal = seal
        self._open = open_
        self._known: dict[tuple[str, str, str], dict[str, str]] = {}

    def reference(self, organisation: str, person_id: str) -> str:
        """Keyed reference of a person within the organisation that gave the identifier."""
        return hmac.new(self._key, canonical([organisation, person_id]), sha256).hexdigest()

    def relation(self, caller: Caller) -> str:
        """Keyed reference of the client relationship that an assertion names: it may be a client's number (LOG-14)."""
        if not caller.relation:
            return ""
        return hmac.new(self._key, canonical(["relation", caller.organisation, caller.relation]), sha256).hexdigest()

    def forget(self) -> None:
        """Trust nothing remembered: the log is not as this process left it."""
        self._known.clear()

    def actor(self, tx: Connection, caller: Caller) -> dict[str, str]:
        """Reference and name commitment of the caller; makes the name row if there is none."""
        person = (caller.organisation, caller.person_id, caller.person_name)
        if person not in self._known:
            ref = self.reference(caller.organisation, caller.person_id)
            content = canonical({"id": caller.person_id, "name": caller.person_name})
            self._known[person] = {"ref": ref, "name": self._row(tx, ref, content)}
        return self._known[person]

    def delete(self, tx: Connection, commitments: Sequence[str]) -> tuple[str, ...]:
        """Delete name rows by their commitments; gives those that were there."""
        c = audit_name.c.commitment
        gone = tx.execute(delete(audit_name).where(c.in_(commitments)).returning(c)).scalars().all()
        self.forget()
        return tuple(sorted(gone))

    def read(self, connection: Connection, name: str) -> dict[str, str]:
        """Name and identifier behind a commitment; empty when erased."""
        sealed = connection.execute(_BY_COMMITMENT, {"commitment": name}).scalar_one_or_none()
        return {} if sealed is None else dict(orjson.loads(self._open(sealed)))

    def row(self, connection: Connection, name: str) -> dict[str, str]:
        """A name row as it stands, with what it says: enough for whoever takes the log over; empty when erased."""
        found = connection.execute(_WHOLE, {"commitment": name}).first()
        if found is None:
            return {}
        told = {"commitment": name, "ref": found.ref, "salt": found.salt.hex(), "sealed": found.sealed.hex()}
        return {**told, **orjson.loads(self._open(found.sealed))}

    def _row(self, tx: Connection, ref: str, content: bytes) -> str:
        for known, sealed in tx.execute(_OF_PERSON, {"ref": ref}):
            if self._open(sealed) == content:
                return str(known)
        salt, sealed = secrets.token_bytes(_SALT_BYTES), self._seal(content)
        name = commitment(ref, salt, sealed)
        tx.execute(_INSERT, {"commitment": name, "ref": ref, "salt": salt, "sealed": sealed})
        return name
