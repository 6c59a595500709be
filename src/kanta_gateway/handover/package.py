"""The members of a package: a tar that streams, with digests of every member and one signed statement of them all.

* Members come in a fixed order and are written and read one by one; the lists of digests stand in pieces between them.
* The manifest tells the pieces, the counts and what the package is; the sender's key signs its digest.
* A reader takes nothing on trust: a member that was changed, is missing, stands twice or that no list tells is named.
"""

from __future__ import annotations

import io
import json
import tarfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import IO, Any

from kanta_gateway.errors import UntrustedError

FORMAT = "kanta-gateway-handover/1"
ABOUT, MANIFEST, SIGNATURE = "about.json", "manifest.json", "manifest.note"
_LIST = "lists/{:06d}.json"
PER_LIST = 1000
"""Members that one list tells: so many digests are in memory at once."""
MOST_MEMBER = 1 << 30
"""A gibibyte: far above any document or piece, so that a hostile package cannot fill the memory."""


class Writer:
    """Writes a package.

    Args:
        target: where the bytes go.
        about: what the package is: format, id, sender, controller.
    """

    def __init__(self, target: Any, about: Mapping[str, Any]) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 — ended by `end`
        self._about = dict(about)
        self._told: list[dict[str, Any]] = []
        self._lists: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.add(ABOUT, _json(self._about))

    def add(self, name: str, data: bytes, count: int = 1) -> None:
        """Add a member.

        Args:
            name: with the folder that says what it is.
            data: its bytes.
            count: how many things it holds.
        """
        self._write(name, data)
        self._told.append(_row(name, data))
        self.counts[name.partition("/")[0]] += count
        if len(self._told) == PER_LIST:
            self._flush()

    def lines(self, folder: str, rows: Iterator[Any], each: int) -> None:
        """Add rows as pieces of JSON Lines.

        Args:
            folder: of the pieces.
            rows: JSON values, or lines as bytes.
            each: rows in a piece.
        """
        place, piece = 0, bytearray()
        count = 0
        for row in rows:
            piece += (row if isinstance(row, bytes) else _json(row)) + b"\n"
            count += 1
            if count == each:
                self.add(f"{folder}/{place:06d}.jsonl", bytes(piece), count)
                place, count = place + 1, 0
                piece.clear()
        if count:
            self.add(f"{folder}/{place:06d}.jsonl", bytes(piece), count)

    def end(self, sign: Callable[[str], str]) -> str:
        """Write the manifest and its signature; gives the manifest's digest.

        Args:
            sign: signs a text that ends in a newline.
        """
        self._flush()
        manifest = _json({**self._about, "lists": self._lists, "counts": dict(sorted(self.counts.items()))})
        digest = sha256(manifest).hexdigest()
        self._write(MANIFEST, manifest)
        self._write(SIGNATURE, sign(statement(manifest)).encode())
        self._tar.close()
        return digest

    def _flush(self) -> None:
        if self._told:
            name, data = _LIST.format(len(self._lists)), _json(self._told)
            self._write(name, data)
            self._lists.append(_row(name, data))
            self._told = []

    def _write(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))
        self._tar.members.clear()  # type: ignore[attr-defined]  # it remembers each, and needs none


class Reader:
    """Reads a package member by member; `manifest` is known when all have been read and everything has held.

    Args:
        source: the bytes.
        accepts: says whether the sender signed a text, by its note.
    """

    def __init__(self, source: IO[bytes], accepts: Callable[[str, str], bool]) -> None:
        self._tar = _opened(source)
        self._accepts = accepts
        self._seen: dict[str, dict[str, Any]] = {}
        self._lists: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self.about: dict[str, Any] = {}
        self.manifest: dict[str, Any] = {}
        self.digest = ""

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each member; checked against its list when that has come, and all against the manifest.

        Raises:
            UntrustedError: something was changed, is missing or is not the sender's.
        """
        manifest = b""
        for name, data in self._each():
            if name == SIGNATURE:
                self._check(manifest, data)
                continue
            if manifest:
                raise _wrong(name, "stands behind the manifest")
            if name == MANIFEST:
                manifest = data
            elif name.startswith("lists/"):
                self._compare(name, data)
            else:
                self._remember(name, data)
                if name == ABOUT:
                    self.about = _value(name, data)
                yield name, data
        if not self.manifest:
            raise UntrustedError(f"the package is incomplete: it has no {SIGNATURE if manifest else MANIFEST}")

    def _each(self) -> Iterator[tuple[str, bytes]]:
        try:
            while (info := self._tar.next()) is not None:
                file = self._tar.extractfile(info)
                if file is None or info.size > MOST_MEMBER:
                    raise _wrong(info.name, "is no plain file, or is too large")
                yield info.name, file.read()
                self._tar.members.clear()  # type: ignore[attr-defined]  # as above
        except tarfile.TarError as error:
            raise UntrustedError("the package is incomplete or no package: its members cannot be read") from error

    def _remember(self, name: str, data: bytes) -> None:
        if name in self._seen:
            raise _wrong(name, "stands twice")
        if not self.about and name != ABOUT:
            raise _wrong(name, f"stands before {ABOUT}")
        self._seen[name] = _row(name, data)
        if len(self._seen) > PER_LIST:
            raise _wrong(name, "is told by no list")

    def _compare(self, name: str, data: bytes) -> None:
        """Check the members since the last list."""
        told = {one["name"]: one for one in _value(name, data)}
        for missing in sorted(told.keys() - self._seen.keys()):
            raise _wrong(missing, "is missing")
        for extra in sorted(self._seen.keys() - told.keys()):
            raise _wrong(extra, "is told by no list")
        for one in self._seen.values():
            if one != told[one["name"]]:
                raise _wrong(one["name"], "was changed: its digest is not that of the list")
        self._seen.clear()
        self._lists.append(_row(name, data))

    def _check(self, manifest: bytes, note: bytes) -> None:
        """Check the manifest, at the end."""
        if not manifest:
            raise _wrong(SIGNATURE, "stands before the manifest")
        if not self._accepts(statement(manifest), note.decode("utf-8", "replace")):
            raise _wrong(MANIFEST, "is not signed by a key of the sender's log: wrong key file, or not the sender's")
        value = _value(MANIFEST, manifest)
        for one in self._seen:
            raise _wrong(one, "is told by no list")
        for told, seen in zip(value["lists"], self._lists, strict=False):
            if told != seen:
                raise _wrong(seen["name"], "was changed or put in another place")
        if len(value["lists"]) != len(self._lists):
            raise UntrustedError(
                f"the package is incomplete: expected {len(value['lists'])} lists of members, found {len(self._lists)}"
            )
        if {name: value.get(name) for name in self.about} != self.about:
            raise _wrong(ABOUT, "is not what the manifest tells")
        self.manifest, self.digest = value, sha256(manifest).hexdigest()


def statement(manifest: bytes) -> str:
    """What the sender signs of a manifest: never a checkpoint, whose first line is a log's name."""
    return f"{FORMAT}\n{b64encode(sha256(manifest).digest()).decode()}\n"


def _opened(source: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=source, mode="r|")
    except tarfile.TarError as error:
        raise UntrustedError("the package is incomplete or no package: its members cannot be read") from error


def _row(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "size": len(data), "sha256": sha256(data).hexdigest()}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _value(name: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise _wrong(name, "cannot be read") from error


def _wrong(name: str, what: str) -> UntrustedError:
    return UntrustedError(f"package: {name} {what}. Nothing was taken; get the package again.")
