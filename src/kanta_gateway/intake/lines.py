"""The physical lines of a text file, with their numbers, however long they are.

* A line that is too long to be held comes in pieces, so that it can be told and still be copied.
* Lines can be given back, where a row turned out to be none.
"""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

MAX_ROW_CHARACTERS = 1024 * 1024
"""A longer line is not read."""
SIZE = "SRC-SIZE"


@dataclass(frozen=True, slots=True)
class Left:
    """A line that is left out, or a piece of one that is too long to be held."""

    number: int
    rule: str
    """Why: `SRC-QUOTE` or `SRC-SIZE`."""
    text: str = ""
    is_last: bool = True
    """Whether the line ends with this piece."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str

    @property
    def errors(self) -> str:
        """What a byte without meaning becomes: always something that no text may have."""
        return "kanta-noncharacter" if self.encoding == "utf-16" else "surrogateescape"


class Lines:
    """Physical lines with their numbers; some can be given back."""

    def __init__(self, stream: BinaryIO, written: Dialect) -> None:
        buffered = io.BufferedReader(_Borrowed(stream))
        self._text = io.TextIOWrapper(buffered, written.encoding, written.errors, newline="")
        self._waiting: deque[str] = deque()
        self._is_inside = False
        self.number = 0
        """Of the line taken last."""

    def take(self) -> str | Left | None:
        """The next line, or a piece of one that is too long; None at the end."""
        line = self._waiting.popleft() if self._waiting else self._text.readline(MAX_ROW_CHARACTERS)
        if not line:
            was_inside, self._is_inside = self._is_inside, False
            return Left(self.number, SIZE) if was_inside else None
        self.number += not self._is_inside
        is_whole = len(line) < MAX_ROW_CHARACTERS or line.endswith(("\n", "\r"))
        if is_whole and not self._is_inside:
            return line
        self._is_inside = not is_whole
        return Left(self.number, SIZE, line, is_last=is_whole)

    def take_short(self) -> str | None:
        """The next line, unless it is too long to be held, which stays; None then and at the end."""
        line = self._waiting.popleft() if self._waiting else self._text.readline(MAX_ROW_CHARACTERS)
        if line and (len(line) < MAX_ROW_CHARACTERS or line.endswith(("\n", "\r"))):
            self.number += 1
            return line
        if line:
            self._waiting.appendleft(line)
        return None

    def give_back(self, number: int, lines: Sequence[str]) -> None:
        """Read these lines again; they stand behind the line with this number."""
        self._waiting.extendleft(reversed(lines))
        self.number = number

    def release(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()


class _Borrowed(io.RawIOBase):
    """A stream that is read and not closed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """It is read only."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer."""
        given = self._stream.read(len(buffer))
        buffer[: len(given)] = given
        return len(given)


def _as_noncharacter(error: UnicodeError) -> tuple[str, int]:
    """A unit without meaning as a character that no text may have."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 — registered for decoding only
    return "\uffff", error.end


codecs.register_error("kanta-noncharacter", _as_noncharacter)
