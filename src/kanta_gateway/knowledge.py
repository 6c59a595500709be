"""The knowledge files (`mappings/`, `schemas/`, `certs/`): from the wheel, or from a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from kanta_gateway.errors import MisconfiguredError

_PACKAGE = Path(__file__).resolve().parent


@cache
def root() -> Path:
    """The folder that holds the knowledge folders.

    Raises:
        MisconfiguredError: the installation lacks them.
    """
    for place in (_PACKAGE / "knowledge", _PACKAGE.parents[1]):
        if (place / "mappings").is_dir() and (place / "schemas").is_dir():
            return place
    raise MisconfiguredError("the installation lacks its mappings/ and schemas/; install the package again")


def texts(folder: str, *, suffix: str = ".yaml") -> Mapping[str, str]:
    """Text of every file of one knowledge folder, by file name without its ending.

    Args:
        folder: such as `mappings/documents`.
        suffix: ending of the files.
    """
    place = root() / folder
    return {one.stem: one.read_text("utf-8") for one in sorted(place.glob(f"*{suffix}"))}


def of_source(name: str) -> dict[str, bytes]:
    """What a source brings for those who deliver in it: `templates/…` and `samples/…` -> content.

    Args:
        name: of the source.
    """
    place = root() / "mappings/sources"
    kinds = [place / "templates", place / "samples"]
    found = [path for kind in kinds for path in sorted((*kind.glob(f"{name}.*"), *(kind / name).glob("*")))]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in found if path.is_file()}


def text(path: str) -> str:
    """Text of one knowledge file.

    Args:
        path: such as `schemas/cda.yaml`.
    """
    return (root() / path).read_text("utf-8")


def verifier() -> str:
    """Text of the stand-alone verifier of the audit log."""
    return (_PACKAGE / "audit" / "verifier.py").read_text("utf-8")
