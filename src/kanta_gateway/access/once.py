"""An assertion is used once: each leaves its mark in the database, which all processes of the API share.

* The mark is a digest of the certificate's thumbprint and the assertion's own number (`jti`), so a signature that was
  written in another way (ECDSA, base64url) is the same assertion.
* Marks are kept for some time after the assertion has expired, for a clock that is set back.

JWT id: RFC 7519 §4.1.7; replay: RFC 7523 §3 (7), RFC 8725.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, text, update

from kanta_gateway.model import instant
from kanta_gateway.tables import assertion_used

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEEP = timedelta(hours=1)
"""How far a clock may be set back before an expired assertion could pass as new."""

_ADD = text(
    "INSERT INTO assertion_used (mark, expires_at, is_told) VALUES (:mark, :expires_at, 0) ON CONFLICT DO NOTHING"
)


def mark_of(thumbprint: str, number: str) -> str:
    """The mark of an assertion.

    Args:
        thumbprint: of the certificate that signed it.
        number: its `jti`.
    """
    return sha256(f"{thumbprint}\0{number}".encode()).hexdigest()


def use(tx: Connection, mark: str, expires: datetime, now: datetime) -> bool:
    """Mark an assertion as used; whether it had not been used before."""
    tx.execute(delete(assertion_used).where(assertion_used.c.expires_at <= instant(now - KEEP)))
    return tx.execute(_ADD, {"mark": mark, "expires_at": instant(expires)}).rowcount == 1


def tell(tx: Connection, mark: str) -> bool:
    """Whether this is the first time that a used assertion came again: one entry is enough, whoever repeats it."""
    mine = (assertion_used.c.mark == mark, assertion_used.c.is_told == 0)
    return tx.execute(update(assertion_used).where(*mine).values(is_told=1)).rowcount == 1
