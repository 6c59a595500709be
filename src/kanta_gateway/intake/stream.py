"""Bytes of one JSON document as its stream parser can take them.

* The parser writes a question mark for half a surrogate pair: it gets a character that no text may have instead,
  so that the record is refused and its text is never another one.
* A whole number that Python does not convert ends the parser's process: it is an error before the parser sees it.
* A byte order mark is left out. However the stream is cut into chunks, the result is the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_DIGITS = 600
"""Digits of one whole number: below the least that Python may be told to convert (640, `sys.int_info`)."""
_BOM = b"\xef\xbb\xbf"
_DIGITS = b"0123456789"
_TOO_LONG = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""Any escape of a JSON text (RFC 8259 §7); the group is half a surrogate pair."""
_HIGH_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}")
_HALF_BYTES, _PAIR_BYTES = 6, 12
_NO_CHARACTER = rb"\uFFFF"
"""Stands in for half a pair: as long as it, and forbidden in every text, so that its record is refused."""


class Parsable:
    """A binary stream to read from."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_first = True
        self._held = b""
        self._digits = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes; empty only at the end.

        Raises:
            ValueError: there are more digits in a row than any number has.
        """
        if size == 0:
            return b""
        while given := self._stream.read(size):
            if self._is_first:
                self._is_first = False
                given = given.removeprefix(_BOM)
            chunk = self._held + given
            end = _whole(chunk)
            self._held = chunk[end:]
            if end:
                return self._checked(chunk[:end])
        chunk, self._held = self._held, b""
        return self._checked(chunk)

    def _checked(self, chunk: bytes) -> bytes:
        if self._digits + len(chunk) - len(chunk.lstrip(_DIGITS)) > MAX_DIGITS or _TOO_LONG.search(chunk):
            raise ValueError("more digits in a row than a number may have")
        trailing = len(chunk) - len(chunk.rstrip(_DIGITS))
        self._digits = trailing + (self._digits if trailing == len(chunk) else 0)
        if rb"\ud" in chunk or rb"\uD" in chunk:
            return _ESCAPE.sub(lambda found: _NO_CHARACTER if found[1] else found[0], chunk)
        return chunk


def _whole(chunk: bytes) -> int:
    """How much of a chunk stands before an escape that may go on in the next one."""
    start = chunk.find(b"\\", max(len(chunk) - _PAIR_BYTES, 0))
    if start < 0:
        return len(chunk)
    if _HIGH_HALF.fullmatch(chunk, max(start - _HALF_BYTES, 0), start):
        start -= _HALF_BYTES
    return len(chunk[:start].rstrip(b"\\"))
