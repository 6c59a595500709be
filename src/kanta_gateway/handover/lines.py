"""Lines of a log that is given out or kept apart: an entry, or in its place no more than its leaf hash."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256


def closed(idx: int, line: bytes) -> bytes:
    """The line that stands for an entry which stays closed: the proofs of the whole log hold with it (RFC 9162 §2.1.1).

    Args:
        idx: the entry's place.
        line: the entry.
    """
    return b'{"idx":%d,"leaf":"%b"}' % (idx, b64encode(sha256(b"\0" + line).digest()))
