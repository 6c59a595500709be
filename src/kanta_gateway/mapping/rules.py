"""Mapping files: from text to immutable rules, every mistake reported at once.

* One file for each structure; a variant says for which records and products it holds.
* A file names its structure by number, for every version of it, or by OID, for that version alone.
* A version that was imported and that a file does not fit is not used by it, and told (`Loaded.unfit`).
* Every key is checked against the structure: it exists, its kind fits, required keys have a rule.
* Every code list, row, format and path root is checked too; nothing is left to be found in use.

The language itself: `docs/reference-mapping.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.reading import Reader
from kanta_gateway.stated import Lined, Mistakes, nearest, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.statements import DocumentMapping
    from kanta_gateway.mapping.structures import Structure, Structures

Fields = Mapping[str, Collection[str]]
"""Record type -> names of its fields."""
GROUPS = "groups"
"""Name of the file with the groups that several mappings share."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Every mapping file, once for each version of its structure that it fits."""

    mappings: tuple[DocumentMapping, ...]
    unfit: tuple[str, ...]
    """Imported versions that a file does not fit, with the reason: the version before stays in use."""


def load_mappings(
    files: Mapping[str, str], structures: Structures, codes: Codes, types: Fields | None = None
) -> Loaded:
    """Read every mapping file.

    Args:
        files: name of the file without its ending -> its YAML text; `groups` holds the shared groups.
        structures: that the files name.
        codes: that the files use.
        types: every record type with its fields, where the files' own use of them is to be checked.

    Raises:
        MisconfiguredError: all mistakes of all files at once.
    """
    mistakes: list[str] = []
    loaded: list[DocumentMapping] = []
    unfit: list[str] = []
    for name, text in files.items():
        if name == GROUPS:
            continue
        try:
            one = read_mapping(text, name, structures, codes, files.get(GROUPS, ""), types)
        except MisconfiguredError as error:
            mistakes += error.mistakes
            continue
        loaded += one.mappings
        unfit += one.unfit
    mistakes += _clashes(loaded)
    if mistakes:
        raise MisconfiguredError(mistakes=list(dict.fromkeys(mistakes)))
    return Loaded(tuple(loaded), tuple(unfit))


def _clashes(loaded: Iterable[DocumentMapping]) -> Iterator[str]:
    """A variant's name is the document's for one record type: only its versions, each of another day, share it."""
    taken: dict[tuple[str, str], DocumentMapping] = {}
    days: set[tuple[str, str, str]] = set()
    for mapping in loaded:
        for variant, record in ((one, record) for one in mapping.variants for record in one.records):
            other = taken.setdefault((record, variant.name), mapping).structure.number
            if other != mapping.structure.number:
                yield (
                    f"documents/{mapping.structure.number}.yaml: {record} has a variant {variant.name} "
                    f"in {other} already; give it another name"
                )
            elif (record, variant.name, mapping.begins) in days:
                yield (
                    f"documents/{mapping.structure.number}.yaml: {record} has a variant {variant.name} "
                    f"from {mapping.begins} twice; give one of them another `valid_from`"
                )
            days.add((record, variant.name, mapping.begins))


def load_mapping(text: str, name: str, structures: Structures, codes: Codes, groups: str = "") -> DocumentMapping:
    """One mapping file for the version of its structure that is used last; as `read_mapping`."""
    return read_mapping(text, name, structures, codes, groups).mappings[-1]


def read_mapping(
    text: str, name: str, structures: Structures, codes: Codes, groups: str = "", types: Fields | None = None
) -> Loaded:
    """Read one mapping file.

    Args:
        text: YAML.
        name: of the file, without its ending.
        structures: that the file may name.
        codes: that the file may use.
        groups: text of the file with shared groups.
        types: every record type with its fields; without them the file's use of them is not checked.

    Raises:
        MisconfiguredError: all mistakes of the file at once.
    """
    mistakes, beside = Mistakes(f"documents/{name}.yaml"), Mistakes(f"documents/{GROUPS}.yaml")
    stated, shared = read(text, mistakes, is_text_keyed=True), read(groups, beside, is_text_keyed=True)
    beside.end()
    if not isinstance(stated, Lined) or not (versions := _versions(stated.get("structure"), structures)):
        line = stated.at("structure") if isinstance(stated, Lined) else 1
        known = nearest(stated.get("structure", ""), structures.numbers()) if isinstance(stated, Lined) else ""
        mistakes.say(line, f"`structure` expected the number or the OID of a known structure; correct it{known}")
        raise MisconfiguredError(mistakes=mistakes.told)
    given = _lined(shared)
    return _fitted(stated, name, versions, structures, lambda: Reader(mistakes, codes, given, types or {}))


def _fitted(
    stated: Lined, name: str, versions: tuple[Structure, ...], structures: Structures, reader_of: Callable[[], Reader]
) -> Loaded:
    """One file against every version of its structure; a version of our own must fit."""
    fitting: list[DocumentMapping] = []
    unfit: list[str] = []
    mistakes: list[str] = []
    for version in versions:
        reader = reader_of()
        mapping = reader.document(stated, version)
        if not reader.mistakes:
            fitting.append(mapping)
        elif len(versions) > 1 and structures.own(version.oid) is None:
            unfit.append(
                f"documents/{name}.yaml does not fit {version.oid}; documents from {version.valid_from} are still made "
                f"by an earlier version, until there is a mapping for it: {'; '.join(reader.mistakes)}"
            )
        else:
            mistakes += reader.mistakes
    if mistakes or not fitting:
        raise MisconfiguredError(mistakes=mistakes or unfit)
    return Loaded(tuple(fitting), tuple(unfit))


def _lined(stated: object) -> Lined:
    return stated if isinstance(stated, Lined) else Lined()


def _versions(stated: object, structures: Structures) -> tuple[Structure, ...]:
    if isinstance(stated, str) and stated in structures:
        return (structures.get(stated),)
    return structures.versions(str(stated)) if structures.has_number(str(stated)) else ()
