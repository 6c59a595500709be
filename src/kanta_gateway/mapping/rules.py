"""Mapping files: from text to immutable rules, every mistake reported at once.

* One file for each structure; a variant says for which records and products it holds.
* Every key is checked against the structure: it exists, its kind fits, required keys have a rule.
* Every code list, row, format and path root is checked too; nothing is left to be found in use.

The language itself: `docs/reference-mapping.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping import lined
from kanta_gateway.mapping.lined import Lined
from kanta_gateway.mapping.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.statements import DocumentMapping
    from kanta_gateway.mapping.structures import Structures

GROUPS = "groups"
"""Name of the file with the groups that several mappings share."""


def load_mappings(files: Mapping[str, str], structures: Structures, codes: Codes) -> tuple[DocumentMapping, ...]:
    """Read every mapping file.

    Args:
        files: name of the file without its ending -> its YAML text; `groups` holds the shared groups.
        structures: that the files name.
        codes: that the files use.

    Raises:
        MisconfiguredError: all mistakes of all files at once.
    """
    mistakes: list[str] = []
    loaded: list[DocumentMapping] = []
    for name, text in files.items():
        if name == GROUPS:
            continue
        try:
            loaded.append(load_mapping(text, name, structures, codes, files.get(GROUPS, "")))
        except MisconfiguredError as error:
            mistakes.append(str(error))
    taken: dict[tuple[str, str], str] = {}
    for mapping in loaded:
        for variant in mapping.variants:
            for record in variant.records:
                other = taken.setdefault((record, variant.name), mapping.structure.number)
                if other != mapping.structure.number:
                    mistakes.append(
                        f"mapping {mapping.structure.number}: {record} has a variant {variant.name} "
                        f"in {other} already; give it another name"
                    )
    if mistakes:
        raise MisconfiguredError("\n".join(mistakes))
    return tuple(loaded)


def load_mapping(text: str, name: str, structures: Structures, codes: Codes, groups: str = "") -> DocumentMapping:
    """Read one mapping file.

    Args:
        text: YAML.
        name: of the file, without its ending.
        structures: that the file may name.
        codes: that the file may use.
        groups: text of the file with shared groups.

    Raises:
        MisconfiguredError: all mistakes of the file at once.
    """
    try:
        stated, shared = lined.read(text), lined.read(groups)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" near line {mark.line + 1}" if mark else ""
        raise MisconfiguredError(f"mapping {name}: no readable YAML{place}; correct its layout") from error
    if not isinstance(stated, Lined) or stated.get("structure") not in structures:
        raise MisconfiguredError(f"mapping {name}: `structure` expected the OID of a known structure; correct it")
    reader = Reader(name, codes, shared if isinstance(shared, Lined) else Lined())
    mapping = reader.document(stated, structures.get(stated["structure"]))
    if reader.mistakes:
        raise MisconfiguredError("\n".join(reader.mistakes))
    return mapping
