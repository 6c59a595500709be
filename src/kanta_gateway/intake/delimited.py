"""A delimited text file as rows of cells with their line numbers, encoding and delimiter found out and said.

* UTF-8 (with or without a byte order mark) and UTF-16 with one are what their bytes say. Other bytes are read in
  the one of a few old encodings, and the delimiter is the one, under which most of the known column names appear.
* A byte that its encoding does not know becomes a character that no text may have: told, never guessed.
* A quote opens a cell only at its beginning and closes it only at its end. One that does not is told at its line,
  and reading goes on behind that line: it does not swallow the rest of the file.
* Memory is that of one row, however long the file is.

Source: RFC 4180 §2, and what spreadsheets in Finnish write (semicolons, decimal commas).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import BinaryIO

from kanta_gateway.intake.lines import MAX_ROW_CHARACTERS, Dialect, Left, Lines

DELIMITERS = (";", "\t", ",", "|")
OLD_ENCODINGS = ("cp1252", "iso8859-15", "cp850", "mac_roman")
"""Of Windows, of older Unix systems, of DOS, of older Macs; the first also where none fits better."""
LOOKED_AT = 40
"""Rows looked at for the header: above it stand titles and blank rows."""
MAX_ROW_LINES = 500
"""A quote that is still open after so many was never meant to open."""
QUOTE = "SRC-QUOTE"
_CHUNK = 1024 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    number: int
    """Of its first line in the file, as an editor counts."""
    cells: Sequence[str]
    text: str = ""
    """As it stands in the file, line ends included."""

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing."""
        return not any(cell.strip() for cell in self.cells)


Score = Callable[[Sequence[str]], int]
"""How many of the known column names a row holds."""


def dialect(stream: BinaryIO, score: Score) -> Dialect:
    """Find out how a file is written; leaves the stream at its beginning.

    Args:
        stream: the file's bytes.
        score: knows the column names.
    """
    encodings = _encodings(stream)
    best, found = 0, Dialect(encodings[0], DELIMITERS[0])
    for encoding in encodings:
        for delimiter in DELIMITERS:
            tried = Dialect(encoding, delimiter)
            rows = islice(rows_of(stream, tried), LOOKED_AT)
            names = max((score(row.cells) for row in rows if isinstance(row, Row)), default=0)
            if names > best:
                best, found = names, tried
    stream.seek(0)
    return found


def _encodings(stream: BinaryIO) -> tuple[str, ...]:
    """The encodings that the bytes allow, the likeliest first."""
    stream.seek(0)
    start = stream.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return (name,)
    right, wrong = _letters(stream)
    if not wrong:
        return ("utf-8",)
    return ("utf-8", *OLD_ENCODINGS) if right > wrong else OLD_ENCODINGS


def _letters(stream: BinaryIO) -> tuple[int, int]:
    """How many characters beyond ASCII a file has as UTF-8, and how many bytes do not fit."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    right = wrong = 0
    is_last = False
    while not is_last:
        chunk = stream.read(_CHUNK)
        is_last = not chunk
        text = decoder.decode(chunk, final=is_last)
        if not text.isascii():
            beyond = [one for one in text if one > "\x7f"]
            bad = sum("\udc80" <= one <= "\udcff" for one in beyond)
            right, wrong = right + len(beyond) - bad, wrong + bad
    return right, wrong


def rows_of(stream: BinaryIO, written: Dialect) -> Iterator[Row | Left]:
    """Every row of a file that holds something, and every line that is left out.

    Args:
        stream: the file's bytes.
        written: how.
    """
    for one in parts_of(stream, written):
        if one.is_last if isinstance(one, Left) else not one.is_blank:
            yield one


def parts_of(stream: BinaryIO, written: Dialect) -> Iterator[Row | Left]:
    """Everything that a file holds, blank rows too; the texts one after another are the whole file.

    Args:
        stream: the file's bytes.
        written: how.
    """
    stream.seek(0)
    lines = Lines(stream, written)
    try:
        while (line := lines.take()) is not None:
            if isinstance(line, Left):
                yield line
            else:
                yield _row(lines, lines.number, line, written.delimiter)
    finally:
        lines.release()


def _row(lines: Lines, number: int, line: str, delimiter: str) -> Row | Left:
    """The row that begins with a line."""
    if '"' not in line:  # most rows
        return Row(number, line.rstrip("\r\n").split(delimiter), line)
    cells = _Cells(delimiter)
    more: list[str] = []
    size = len(line)
    state = cells.feed(line)
    while state is _State.OPEN and len(more) < MAX_ROW_LINES and size < MAX_ROW_CHARACTERS:
        following = lines.take_short()
        if following is None:
            break
        more.append(following)
        size += len(following)
        state = cells.feed(following)
    if state is _State.CLOSED:
        return Row(number, cells.cells, "".join([line, *more]))
    lines.give_back(number, more)
    return Left(number, QUOTE, line)


class _State(Enum):
    CLOSED = auto()
    """The row ends with its line."""
    OPEN = auto()
    """A quoted cell goes on in the next line."""
    BROKEN = auto()
    """Something stands behind the end of a quoted cell."""


class _Cells:
    """The cells of one row, fed line by line; a line end inside quotes stays."""

    def __init__(self, delimiter: str) -> None:
        self.cells: list[str] = []
        self._delimiter = delimiter
        self._quoted: list[str] = []
        self._is_open = False

    def feed(self, line: str) -> _State:
        """Take the next line in."""
        end, at = len(line.rstrip("\r\n")), 0
        while True:
            if not self._is_open and line.startswith('"', at, end):
                self._is_open, at = True, at + 1
            if self._is_open:
                at = self._quote(line, at)
                if at < 0:
                    return _State.OPEN
                if at < end and not line.startswith(self._delimiter, at):
                    return _State.BROKEN
                stop = at if at < end else -1
            else:
                stop = line.find(self._delimiter, at, end)
                self.cells.append(line[at : stop if stop >= 0 else end])
            if stop < 0:
                return _State.CLOSED
            at = stop + len(self._delimiter)

    def _quote(self, line: str, at: int) -> int:
        """Read inside quotes; gives the place behind the closing one, or -1 where the line has none."""
        while (stop := line.find('"', at)) >= 0:
            self._quoted.append(line[at:stop])
            if not line.startswith('"', stop + 1):
                self.cells.append("".join(self._quoted))
                self._quoted.clear()
                self._is_open = False
                return stop + 1
            self._quoted.append('"')
            at = stop + 2
        self._quoted.append(line[at:])
        return -1
