"""The knowledge files (`mappings/`, `schemas/`): from the wheel or a checkout, an installation's own over them.

* An own file stands instead of the package's of the same path; any other is added.
* What nothing would read, such as a file in a misspelt folder, is a mistake and not silently left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from kanta_gateway.errors import MisconfiguredError, NotFoundError
from kanta_gateway.stated import nearest

_PACKAGE = Path(__file__).resolve().parent
_FOLDERS = ("mappings", "schemas")
"""What an installation may have files of its own in."""
_SINGLE = (*_FOLDERS, "mappings/audit", "mappings/policy", "mappings/rights")
"""Folders whose files are known one by one."""
_DELIVERED = ("mappings/sources/templates", "mappings/sources/samples")
"""Folders for those who deliver: any file may stand there, in a folder named after its source."""


@cache
def root() -> Path:
    """The folder that holds the knowledge folders of the package.

    Raises:
        MisconfiguredError: the installation lacks them.
    """
    for place in (_PACKAGE / "knowledge", _PACKAGE.parents[1]):
        if (place / "mappings").is_dir() and (place / "schemas").is_dir():
            return place
    raise MisconfiguredError("the installation lacks its mappings/ and schemas/; install the package again")


def _roots(own: Path | None) -> tuple[Path, ...]:
    return (root(),) if own is None else (root(), own)


def texts(folder: str, *, suffix: str = ".yaml", own: Path | None = None) -> Mapping[str, str]:
    """Text of every file of one knowledge folder, by file name without its ending.

    Args:
        folder: such as `mappings/documents`.
        suffix: ending of the files.
        own: folder of an installation's own files, which holds `mappings` and `schemas` as the package does.
    """
    places = [place / folder for place in _roots(own)]
    return {one.stem: _text(one) for place in places for one in sorted(place.glob(f"*{suffix}"))}


def of_source(name: str, own: Path | None = None) -> dict[str, bytes]:
    """What a source brings for those who deliver in it: `templates/…` and `samples/…` -> content.

    Args:
        name: of the source.
        own: folder of an installation's own files.
    """
    found: dict[str, bytes] = {}
    for place in (one / "mappings/sources" for one in _roots(own)):
        kinds = [place / "templates", place / "samples"]
        paths = [path for kind in kinds for path in sorted((*kind.glob(f"{name}.*"), *(kind / name).glob("*")))]
        found |= {path.relative_to(place).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    return found


def text(path: str, own: Path | None = None) -> str:
    """Text of one knowledge file.

    Args:
        path: such as `schemas/cda.yaml`.
        own: folder of an installation's own files.
    """
    return next(_text(one / path) for one in reversed(_roots(own)) if (one / path).is_file())


def verifier() -> str:
    """Text of the stand-alone verifier of the audit log."""
    return (_PACKAGE / "audit" / "verifier.py").read_text("utf-8")


def path_of(path: str, own: Path | None = None) -> Path:
    """Where a knowledge file is that is in use.

    Args:
        path: such as `mappings/documents/19007.yaml`.
        own: folder of an installation's own files.

    Raises:
        NotFoundError: there is none; the nearest is told.
    """
    for place in reversed(_roots(own)):
        if (place / path).is_file():
            return place / path
    folder = path.rpartition("/")[0]
    known = [one.stem for place in _roots(own) for one in (place / folder).glob("*.yaml")]
    raise NotFoundError(f"there is no file {path}{nearest(Path(path).stem, known)}")


def owned(own: Path | None) -> list[str]:
    """Every file of an installation's own, by its path; `(instead of the package's)` behind those that replace one."""
    return [] if own is None else [
        f"{path} (instead of the package's)" if (root() / path).is_file() else path for path in own_files(own)
    ]  # fmt: skip


def faults(own: Path | None) -> list[str]:
    """What is wrong with where an installation's own files stand, and with how they are written.

    Args:
        own: folder of the files.
    """
    if own is None:
        return []
    if not own.is_dir():
        return [f"KANTA_KNOWLEDGE: there is no folder {own}; make it, with a folder mappings in it"]
    told = [fault for path in own_files(own) if (fault := _fault(own, path))]
    if not told and not any((own / one).is_dir() for one in _FOLDERS):
        told = [f"KANTA_KNOWLEDGE: {own} holds no folder mappings and no folder schemas; nothing of it is read"]
    return told


def own_files(own: Path) -> Iterator[str]:
    """Path of every file of an installation's own folder; hidden ones are none."""
    for path in sorted(own.rglob("*")):
        relative = path.relative_to(own)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix()


def _fault(own: Path, path: str) -> str:
    """What is wrong with one own file, or nothing."""
    folder = path.rpartition("/")[0]
    if folder.startswith(_DELIVERED):
        return ""
    if not path.startswith(tuple(f"{one}/" for one in _FOLDERS)):
        # Pages and scripts may lie beside; a misspelt folder may not.
        told = nearest(path.partition("/")[0], _FOLDERS) if "/" in path else ""
        return f"{path}: is read by nothing{told}" if told else ""
    if place := _misplaced(path):
        return f"{path}: is read by nothing; {place}"
    try:
        (own / path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return f"{path}: is not UTF-8; save it with that encoding"
    return ""


def _misplaced(path: str) -> str:
    """Why nothing reads an own file of that path, or nothing."""
    ours = {one.relative_to(root()).as_posix() for top in _FOLDERS for one in (root() / top).rglob("*")}
    folder, _, name = path.rpartition("/")
    suffix = ".json" if folder == "schemas/records" else ".yaml"
    if folder not in {*ours, *_FOLDERS}:
        return f"there is no folder {folder}{nearest(folder, ours)}"
    if folder in _SINGLE and path not in ours:
        return f"only files of the package can be replaced there{nearest(path, ours)}"
    return "" if name.endswith(suffix) else f"its name must end in {suffix}"


def _text(path: Path) -> str:
    """The text of a file; what is no UTF-8 is told by `faults`."""
    return path.read_text("utf-8-sig", errors="replace")
