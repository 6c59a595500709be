"""Logs that other installations handed over: each sealed in a file of its own, apart from this installation's log.

A log that comes is a draft until the transaction that takes its package in is about to end; one that is here stays.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from kanta_gateway.errors import ConflictError, NotFoundError
from kanta_gateway.handover import package
from kanta_gateway.handover.sealed import Opener, Sealer, for_itself

if TYPE_CHECKING:
    from types import TracebackType

FOLDER = "handed"
"""Of the logs within a package whose controller came from elsewhere itself."""


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

    def members_of(self, controller: str) -> Iterator[tuple[str, bytes]]:
        """Every member of the logs of one controller, under names by which they can be handed on."""
        for id_ in self.ids():
            if self.about(id_)["controller"] == controller:
                with self.read(id_) as reader:
                    yield from ((f"{FOLDER}/{id_}/{name}", data) for name, data in reader.members())

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
            one.file.close()
        self._open.clear()
        for id_, path in list(self._made.items()):
            self._settled.append(path.replace(self._shelf.path(id_)))
            del self._made[id_]
