"""A delimited text file as rows of cells with their line numbers, encoding and delimiter found out and said.

* UTF-8 (with or without a byte order mark) and UTF-16 with one are what their bytes say; anything else is read
  as Windows-1252, in which a byte without meaning becomes a character that no text may have.
* The delimiter is the one under which the table's own column names are found.
* A quote opens a cell only at its beginning. One that never closes is told at its line, and reading goes on
  behind that line: it does not swallow the rest of the file.
* Memory is that of one row, however long the file is.

Source: RFC 4180 §2, and what spreadsheets in Finnish write (semicolons, decimal commas).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

DELIMITERS = (";", "\t", ",", "|")
LOOKED_AT = 40
"""Rows looked at for the header: above it stand titles and blank rows."""
MAX_ROW_LINES = 500
MAX_ROW_CHARACTERS = 1024 * 1024
"""A quote that is still open after so much was never meant to open."""
_CHUNK = 1024 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    number: int
    """Of its first line in the file, as an editor counts."""
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Lone:
    """A line whose quote never closes."""

    number: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str


Score = Callable[[Sequence[str]], int]
"""How many of the known column names a row holds."""


def dialect(stream: BinaryIO, score: Score) -> Dialect:
    """Find out how a file is written; leaves the stream at its beginning.

    Args:
        stream: the file's bytes.
        score: knows the column names.
    """
    encoding = _encoding(stream)
    best, found = 0, DELIMITERS[0]
    for delimiter in DELIMITERS:
        rows = rows_of(stream, Dialect(encoding, delimiter))
        names = max((score(row.cells) for row, _ in zip(rows, range(LOOKED_AT), strict=False) if isinstance(row, Row)),
                    default=0)  # fmt: skip
        if names > best:
            best, found = names, delimiter
    stream.seek(0)
    return Dialect(encoding, found)


def _encoding(stream: BinaryIO) -> str:
    """The encoding by byte order mark, else UTF-8 if every byte fits, else Windows-1252."""
    stream.seek(0)
    start = stream.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def rows_of(stream: BinaryIO, written: Dialect) -> Iterator[Row | Lone]:
    """Every row of a file that holds something.

    Args:
        stream: the file's bytes.
        written: how.
    """
    stream.seek(0)
    lines = _Lines(stream, written.encoding)
    try:
        while (taken := lines.take()) is not None:
            number, text = taken
            more: list[str] = []
            while _is_open(text, written.delimiter):
                following = lines.take()
                if following is not None:
                    more.append(following[1])
                    text += following[1]
                if following is None or len(more) > MAX_ROW_LINES or len(text) > MAX_ROW_CHARACTERS:
                    break
            if _is_open(text, written.delimiter):
                lines.give_back(number + 1, more)
                yield Lone(number)
                continue
            cells = _cells(text, written.delimiter)
            if any(cell.strip() for cell in cells):
                yield Row(number, cells)
    finally:
        lines.release()


def _cells(text: str, delimiter: str) -> list[str]:
    """The cells of one row; a line end inside quotes stays."""
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=delimiter)
    return [cell for part in reader for cell in part]


def _is_open(text: str, delimiter: str) -> bool:
    """Whether a text ends inside a quoted cell."""
    if '"' not in text:
        return False
    at = 0
    while True:
        if text.startswith('"', at):
            at += 1
            while True:
                end = text.find('"', at)
                if end < 0:
                    return True
                if not text.startswith('"', end + 1):
                    at = end + 1
                    break
                at = end + 2
        at = text.find(delimiter, at)
        if at < 0:
            return False
        at += len(delimiter)


class _Lines:
    """Physical lines with their numbers; some can be given back."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(
            io.BufferedReader(_Borrowed(stream)), encoding, _ERRORS.get(encoding, "strict"), newline=""
        )  # fmt: skip
        self._waiting: deque[str] = deque()
        self._number = 0

    def take(self) -> tuple[int, str] | None:
        """The next line, or None at the end; one that is far too long comes in pieces."""
        line = self._waiting.popleft() if self._waiting else self._text.readline(MAX_ROW_CHARACTERS)
        if not line:
            return None
        self._number += 1
        return self._number, line

    def give_back(self, number: int, lines: Sequence[str]) -> None:
        """Read these lines again; the first of them has this number."""
        self._waiting.extendleft(reversed(lines))
        self._number = number - 1

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


def _as_control(error: UnicodeError) -> tuple[str, int]:
    """A byte without meaning as the control character of its number, which no text may have."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 — registered for decoding only
    return "".join(chr(one) for one in error.object[error.start : error.end]), error.end


codecs.register_error("kanta-as-control", _as_control)
_ERRORS = {"cp1252": "kanta-as-control", "utf-16": "replace"}
