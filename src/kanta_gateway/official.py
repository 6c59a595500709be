"""Official structures in the data folder: Sosmeta JSON Schemas as THL publishes them, taken from any folder.

* A folder may hold anything, at any depth: what is no Sosmeta schema is counted and left alone.
* A schema is kept only if a made-up document of it holds: it fits the schema, becomes a tree and the same JSON again,
  and is shown in Finnish and Swedish as it is.
* Several dated versions of one structure stand beside each other; the same OID with other content is a mistake.
* Where our own statement has the same OID it stands, and what differs from the official one is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.samples import least, whole
from kanta_gateway.mapping.sosmeta import from_sosmeta
from kanta_gateway.mapping.structures import differences
from kanta_gateway.mapping.tree import from_json, to_json
from kanta_gateway.signing.specimen import disagreements_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kanta_gateway.mapping.structures import Structure, Structures
    from kanta_gateway.signing.display import Display

FOLDER = "sosmeta"
"""Where they lie in the data folder."""
MAX_BYTES = 50_000_000
"""The largest published schema has under half a megabyte."""
_ENDING = ".json"


@dataclass(slots=True)
class Taken:
    """What came of one folder."""

    loaded: list[str] = field(default_factory=list)
    """OIDs that were kept now."""
    known: list[str] = field(default_factory=list)
    """OIDs that were there already, with the same content."""
    skipped: list[str] = field(default_factory=list)
    """Files that are no Sosmeta schema."""
    mistakes: list[str] = field(default_factory=list)


def stored(data: Path) -> tuple[Structure, ...]:
    """Every official structure that has been imported.

    Raises:
        MisconfiguredError: a file in the data folder is none any more.
    """
    found: list[Structure] = []
    for path in sorted((data / FOLDER).glob(f"*{_ENDING}")):
        try:
            found.append(from_sosmeta(orjson.loads(path.read_bytes())))
        except (orjson.JSONDecodeError, MisconfiguredError) as error:
            raise MisconfiguredError(
                f"{FOLDER}/{path.name} in the data folder is no Sosmeta schema any more; import it again, or remove it"
            ) from error
    return tuple(found)


def take(folder: Path, data: Path, structures: Structures, display: Display) -> Taken:
    """Keep every usable schema of a folder.

    Args:
        folder: may hold anything.
        data: the data folder.
        structures: those that are known.
        display: words of the display form.
    """
    target = data / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    taken, seen = Taken(), dict[str, tuple[str, bytes]]()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        schema = _sosmeta(path)
        if schema is None:
            taken.skipped.append(name)
            continue
        try:
            structure = from_sosmeta(schema)
            _prove(structure, display)
        except MisconfiguredError as error:
            taken.mistakes.append(f"{name}: {error}")
            continue
        content = orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
        earlier, same = seen.setdefault(structure.oid, (name, content))
        if same != content:
            taken.mistakes.append(f"{name}: {structure.oid} stands in {earlier} with other content; keep one of them")
        elif earlier == name:
            taken.mistakes += _beside_ours(name, structure, structures)
            _keep(target / f"{structure.oid}{_ENDING}", orjson.dumps(schema), taken, structure.oid)
    return taken


def _sosmeta(path: Path) -> Mapping[str, Any] | None:
    """A file's JSON if it says that it is a Sosmeta schema; with or without byte order mark, UTF-16 too."""
    if path.suffix.lower() != _ENDING or path.stat().st_size > MAX_BYTES:
        return None
    content = path.read_bytes()
    try:
        text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
        read = orjson.loads(text)
    except ValueError:
        return None
    return read if isinstance(read, dict) and isinstance(read.get("sosmeta"), dict) else None


def _prove(structure: Structure, display: Display) -> None:
    """Make documents of a structure and see that they hold.

    Raises:
        MisconfiguredError: one does not; says how.
    """
    check = Conformance(structure)
    for value in (whole(structure), least(structure)):
        if found := check.check(value):
            raise MisconfiguredError(
                f"no document could be made for {structure.oid}: {found[0].rule} at {found[0].pointer}; "
                "its schema asks for something that the gateway does not know"
            )
        tree = from_json(structure, value)
        wrong = disagreements_of(tree, value, structure.labels(), display)
        if to_json(tree) != value or wrong:
            at = f"{wrong[0].rule} at {wrong[0].pointer}" if wrong else "its JSON changes on the way"
            raise MisconfiguredError(f"a document of {structure.oid} cannot be shown as it is: {at}")


def _beside_ours(name: str, structure: Structure, structures: Structures) -> Iterator[str]:
    ours = structures.own(structure.oid)
    if ours is not None:
        for path in differences(ours, structure):
            yield f"{name}: differs from our statement {ours.number}.yaml at {path}; ours stands, correct it"


def _keep(target: Path, content: bytes, taken: Taken, oid: str) -> None:
    if target.exists() and target.read_bytes() == content:
        taken.known.append(oid)
        return
    target.write_bytes(content)
    taken.loaded.append(oid)
