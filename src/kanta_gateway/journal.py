"""A copy of the journal at a third place: one file that only grows, each line bound to the line before it.

* A database and a key store that are both restored to the same yesterday agree with each other; this file does not.
* A line follows when the journal has the entry. What the copy lacks is added with the next entry, or at the start.
* The code of a line is keyed by a secret that lies with the keys: who can only write the file destroys nothing by it.
* It tells ids, moments and provisions, as the journal does: nothing of any content, and no name.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.forgotten import Forgotten

MOST = 500
"""Entries that are asked for at once."""
_LONGEST = 1 << 16
"""Bytes of a line, and far more than one has."""


class Entry(NamedTuple):
    """One entry of the journal."""

    number: int
    deed: Forgotten


NOTHING = Entry(0, Forgotten("", "", "", origin=""))
Since = Callable[[int, int], Sequence[Entry]]
"""Gives the entries behind a number, in order, and so many at most."""


class Copy:
    """The file.

    Args:
        path: where it is.
        key: keys the codes.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key

    def last(self) -> Entry:
        """The newest entry that the copy has; `NOTHING` while it has none.

        Raises:
            MisconfiguredError: it cannot be read.
            UntrustedError: its last line is not this installation's.
        """
        try:
            if not self._path.exists():
                return NOTHING
            with self._path.open("rb") as file:
                return self._tail(file)[0]
        except OSError as error:
            raise MisconfiguredError(
                f"the copy of the journal at {self._path.name} cannot be read; see KANTA_JOURNAL_COPY"
            ) from error

    def follow(self, since: Since) -> int:
        """Add what the journal has and the copy lacks; how many entries.

        Raises:
            OSError: it cannot be written.
            UntrustedError: its last line is not this installation's.
        """
        count = 0
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # API and worker may both have something to add
            os.fchmod(file.fileno(), 0o600)
            newest, code, end = self._tail(file)
            file.truncate(end)  # a line that a crash has cut off is written again
            after = newest.number
            while entries := since(after, MOST):
                for one in entries:
                    line, code = self._line(one, code)
                    file.write(line)
                after, count = entries[-1].number, count + len(entries)
            file.flush()
            os.fsync(file.fileno())
        return count

    def since(self, number: int) -> Iterator[Entry]:
        """Entries from a number on, in order; every line of the file is checked on the way.

        Raises:
            UntrustedError: a line was changed, taken out or put in.
        """
        code = ""
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                before = code
                found, after, code = self._read(line)
                if after != before:
                    raise _wrong(found.number)
                if found.number >= number:
                    yield found

    def _tail(self, file: BinaryIO) -> tuple[Entry, str, int]:
        """The newest entry, its code, and where its line ends."""
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - _LONGEST))
        whole, newline, _ = file.read().rpartition(b"\n")
        if not newline:
            if start:
                raise _wrong(0)
            return NOTHING, "", 0
        found, _, code = self._read(whole.rpartition(b"\n")[2] + newline)
        return found, code, start + len(whole) + 1

    def _line(self, one: Entry, after: str) -> tuple[bytes, str]:
        told = {"number": one.number, **asdict(one.deed), "details": dict(one.deed.details), "after": after}
        code = self._code(told)
        return orjson.dumps({**told, "code": code}) + b"\n", code

    def _read(self, line: bytes) -> tuple[Entry, str, str]:
        """An entry, the code of the line before it, and its own."""
        try:
            told = orjson.loads(line)
            code = told.pop("code")
        except (ValueError, KeyError, AttributeError) as error:
            raise _wrong(0) from error
        if not hmac.compare_digest(str(code), self._code(told)):
            raise _wrong(told.get("number", 0))
        number, after = told.pop("number"), told.pop("after")
        return Entry(number, Forgotten(**told)), after, code

    def _code(self, told: Mapping[str, Any]) -> str:
        return hmac.new(self._key, orjson.dumps(told, option=orjson.OPT_SORT_KEYS), sha256).hexdigest()


def _wrong(number: int) -> UntrustedError:
    return UntrustedError(
        f"the copy of the journal was changed at entry {number}, or is another installation's; find out who could "
        "write KANTA_JOURNAL_COPY, and put a backup of it in its place"
    )
