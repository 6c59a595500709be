"""Logs that other installations handed over: each sealed in a file of its own, apart from this installation's log.

* A log that comes is a draft until the transaction that takes its package in is about to end; one that is here stays.
* A log ages as the own one does: the file is written anew with the leaf hash in the place of each entry whose time is
  over, so that its proofs hold, without the names and clients that no younger entry tells of (703/2023 annex, §24).
* Of a file that goes the header is overwritten first: it holds the only copy of the key that the rest is sealed with.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import orjson

from kanta_gateway.audit.entry import OWN
from kanta_gateway.errors import ConflictError, NotFoundError
from kanta_gateway.handover import package
from kanta_gateway.handover.lines import closed
from kanta_gateway.handover.sealed import MAGIC, Opener, Sealer, for_itself

if TYPE_CHECKING:
    from types import TracebackType

FOLDER = "handed"
"""Of the logs within a package whose controller came from elsewhere itself."""


@dataclass(slots=True)
class Old:
    """What of a log has had its time."""

    until: str
    """Entries up to this moment have."""
    rows: int = 0
    first: str = ""
    """The oldest entry that stays; empty where none does."""
    _went: dict[str, set[str]] = field(default_factory=lambda: {"names": set(), "references": set()})
    _stay: dict[str, set[str]] = field(default_factory=lambda: {"names": set(), "references": set()})

    def is_over(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry goes; those of the log about itself stay, since later checks need them."""
        return "leaf" not in entry and entry["event"] not in OWN and entry["at"] <= self.until

    def hear(self, entry: Mapping[str, Any]) -> None:
        """Count one entry."""
        if "leaf" in entry or entry["event"] in OWN:
            return
        is_over = self.is_over(entry)
        self.rows += is_over
        if not is_over:
            self.first = min(self.first or entry["at"], entry["at"])
        told = self._went if is_over else self._stay
        told["names"].add(entry["actor"].get("name") or "")
        told["references"].add(entry.get("client") or "")

    def gone(self) -> Mapping[str, set[str]]:
        """Names and clients of whom only entries tell that go, by the members that have them."""
        return {folder: went - self._stay[folder] for folder, went in self._went.items()}


_KEYS = {"names": "commitment", "references": "ref"}
"""Members that tell what entries only refer to, and by what."""


class Shelf:
    """The folder of these logs.

    Args:
        place: the folder.
        key: seals them.
    """

    def __init__(self, place: Path, key: bytes) -> None:
        self._place = place
        self._key = key

    def ids(self) -> list[str]:
        """Ids of the packages that brought them."""
        return sorted(path.stem for path in self._place.glob("*.sealed"))

    def path(self, id_: str) -> Path:
        """Where the log of a package is.

        Raises:
            NotFoundError: the text is no id of a package.
        """
        try:
            return self._place / f"{uuid.UUID(id_)}.sealed"
        except ValueError as error:
            raise NotFoundError("the id of a package is a UUID") from error

    def mark(self, id_: str) -> int:
        """Another one whenever the file is written anew; a backup that was put back has another one too."""
        return self.path(id_).stat().st_ctime_ns

    @contextmanager
    def read(self, id_: str) -> Iterator[package.Reader]:
        """Read a log.

        Raises:
            NotFoundError: there is none of this package.
        """
        path = self.path(id_)
        if not path.is_file():
            raise NotFoundError("no package of this id was taken in; `kanta-gateway handover list` tells which were")
        with path.open("rb") as file:
            opened = io.BufferedReader(Opener(file, self._key, None))
            yield package.Reader(opened, lambda _text, _note: True)  # only this installation's key seals such a file

    def about(self, id_: str) -> Mapping[str, Any]:
        """What a log is of."""
        with self.read(id_) as reader:
            next(reader.members())
            return reader.about

    def of(self, controller: str) -> list[str]:
        """Ids of the packages that brought logs of one controller."""
        return [id_ for id_ in self.ids() if self.about(id_)["controller"] == controller]

    def members_of(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Every member of some logs, under names by which they can be handed on."""
        for id_ in ids:
            with self.read(id_) as reader:
                yield from ((f"{FOLDER}/{id_}/{name}", data) for name, data in reader.members())

    def old(self, id_: str, until: str) -> Old:
        """What of a log has had its time.

        Args:
            id_: of its package.
            until: entries up to this moment have.
        """
        found = Old(until)
        with self.read(id_) as reader:
            for name, data in reader.members():
                if name.startswith("entries/"):
                    for line in data.splitlines():
                        found.hear(orjson.loads(line))
        return found

    def copy(self, id_: str, old: Old, drafts: Drafts) -> None:
        """Write a log anew without what has had its time."""
        with self.read(id_) as reader:
            members = reader.members()
            next(members)
            writer, gone = drafts.begin(reader.about), old.gone()
            for name, data in members:
                folder, lines = name.partition("/")[0], data.splitlines()
                if folder == "entries":
                    every = [(orjson.loads(line), line) for line in lines]
                    kept = [closed(one["idx"], line) if old.is_over(one) else line for one, line in every]
                elif folder in gone:
                    kept = [line for line in lines if orjson.loads(line).get(_KEYS[folder]) not in gone[folder]]
                else:
                    writer.add(name, data)
                    continue
                if kept:
                    writer.add(name, b"".join(one + b"\n" for one in kept), len(kept))

    def destroy(self, ids: Iterable[str]) -> None:
        """Destroy logs."""
        for id_ in ids:
            with _keyless(path := self.path(id_)):
                path.unlink()

    def drafts(self, sign: Callable[[str], str]) -> Drafts:
        """Logs that come."""
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Drafts(self, self._place, self._key, sign)


@dataclass(slots=True)
class _Open:
    id: str
    file: IO[bytes]
    sealer: Sealer
    writer: package.Writer


class Drafts:
    """Logs on their way onto the shelf; whatever is not settled is taken away.

    Args:
        shelf: where they go.
        place: its folder.
        key: seals them.
        sign: signs their manifests.
    """

    def __init__(self, shelf: Shelf, place: Path, key: bytes, sign: Callable[[str], str]) -> None:
        self._shelf = shelf
        self._place = place
        self._key = key
        self._sign = sign
        self._open: dict[str, _Open] = {}
        self._made: dict[str, Path] = {}
        self._settled: list[Path] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take away what was not settled."""
        for one in self._open.values():
            one.file.close()
        for path in (*self._made.values(), *(self._settled if kind is not None else ())):
            path.unlink(missing_ok=True)

    def begin(self, about: Mapping[str, Any]) -> package.Writer:
        """Begin a log; one that is here of the same package is replaced, since its taking in did not end.

        Raises:
            ConflictError: a log of this id is here that is another's.
        """
        id_, names = str(about["package"]), ("controller", "log")
        is_known = self._shelf.path(id_).exists()
        known = self._shelf.about(id_) if is_known else about
        if id_ in self._made or [known[name] for name in names] != [about[name] for name in names]:
            raise ConflictError(f"another log is here under the id {id_}. Nothing was taken")
        self._made[id_] = path = self._place / f".{uuid.uuid4()}.part"
        file = path.open("wb")
        sealer = Sealer(file, *for_itself(self._key))
        self._open[id_] = _Open(id_, file, sealer, package.Writer(sealer, about))
        return self._open[id_].writer

    def settle(self) -> None:
        """Put every log onto the shelf."""
        for one in self._open.values():
            one.writer.end(self._sign)
            one.sealer.end()
            one.file.flush()
            os.fsync(one.file.fileno())
            one.file.close()
        self._open.clear()
        for id_, path in list(self._made.items()):
            with _keyless(self._shelf.path(id_)):
                self._settled.append(path.replace(self._shelf.path(id_)))
            del self._made[id_]


@contextmanager
def _keyless(path: Path) -> Iterator[None]:
    """Overwrite the key of the file that was here, once something else has taken its place or it is gone."""
    file = path.open("r+b") if path.is_file() else None
    yield
    if file is not None:
        with file:
            file.seek(len(MAGIC))
            length = len(file.readline())
            file.seek(len(MAGIC))
            file.write(bytes(length))
            file.flush()
            os.fsync(file.fileno())
