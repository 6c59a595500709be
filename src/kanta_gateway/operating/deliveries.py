"""A provider's files on a disk: taken in, judged without storing, given back with a column of what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import BinaryIO

from kanta_gateway.intake.desk import Desk
from kanta_gateway.intake.front import File
from kanta_gateway.intake.result import Result
from kanta_gateway.model import Caller


class Deliveries:
    """Deliveries from the disk of the machine that runs the command."""

    def __init__(self, desk: Desk, sources: Collection[str], language: str) -> None:
        self._desk = desk
        self._sources = sources
        self._language = language

    def import_files(
        self, files: Sequence[Path], source: str, purchaser: str | None, caller: Caller, *, as_of: date | None = None
    ) -> Result:
        """Take a provider's files in; what waited from before is finished first."""
        self._desk.finish(caller)
        return self._desk.import_files(opened(files), source, purchaser or "", caller, self._language, as_of=as_of)

    def dry_import(
        self, files: Sequence[Path], source: str, purchaser: str | None, caller: Caller, *, as_of: date | None = None
    ) -> AbstractContextManager[Result]:
        """Judge a provider's files and store nothing."""
        return self._desk.dry_import(opened(files), source, purchaser or "", caller, self._language, as_of=as_of)

    def check_returnable(self, source: str) -> None:
        """Whether findings can be given back in a source's own files.

        Raises:
            ParameterError: they cannot.
        """
        if source in self._sources:
            self._desk.returned([], source, None, self._language)

    def write_findings(self, files: Sequence[Path], source: str, result: Result | None, folder: Path) -> list[Path]:
        """Write each delivered file with a column of what was found on its rows; the files written.

        Args:
            files: every file of the delivery, in its order.
            source: name of their format.
            result: what became of the delivery; None where nothing of it was taken.
            folder: where to; a file is called as it was, with `.findings` before its ending.
        """
        folder.mkdir(parents=True, exist_ok=True)
        made: list[Path] = []
        for file, pieces in self._desk.returned(opened(files), source, result, self._language):
            name = Path(file.name)
            path = folder / f"{name.stem}.findings{name.suffix}"
            if path in made:
                path = folder / f"{name.stem}.findings-{len(made) + 1}{name.suffix}"
            with path.open("wb") as target:
                target.writelines(pieces)
            made.append(path)
        return made


def opened(files: Sequence[Path]) -> list[File]:
    """Files of a disk as deliveries take them."""
    return [File(path.name, _opener(path)) for path in files]


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")
