"""Codes on tree heads: who can write the tables but has no key cannot write a head.

* The code is HMAC-SHA-256 over size, root and time under a key that is not in the database.
* So a log that was changed and computed anew is found although no checkpoint was signed since.
* An old head keeps its code: a log cut back to one is found by a checkpoint only.

Source: RFC 2104.
"""

from __future__ import annotations

import hmac
from hashlib import sha256


class Heads:
    """Makes and checks the codes of one installation.

    Args:
        key: the installation's key of the log; what codes use is derived from it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.new(key, b"kanta-gateway/head", sha256).digest()

    def code(self, size: int, root: bytes, at: str) -> bytes:
        """The code of one head."""
        return hmac.new(self._key, f"{size}\n{root.hex()}\n{at}".encode(), sha256).digest()

    def holds(self, size: int, root: bytes, at: str, code: bytes) -> bool:
        """Whether this installation wrote the head."""
        return hmac.compare_digest(self.code(size, root, at), code)
