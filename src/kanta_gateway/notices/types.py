"""Notice types: what each notice is about, to whom, on which basis, and the fields that it may carry.

* One file of `mappings/notices` each; a new notice type needs no Python.
* Every mistake of all files is told at once, before the process starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.notices.lists import Lists, read_list
from kanta_gateway.notices.typereader import Field, Group, NoticeType, Recipient, Within, read_type
from kanta_gateway.recordtypes import RecordTypes
from kanta_gateway.stated import Mistakes, read

__all__ = ["Field", "Group", "NoticeType", "NoticeTypes", "Recipient", "Within"]

LABELS = "labels"


@dataclass(frozen=True, slots=True)
class NoticeTypes:
    """Every notice type, the lists they tell words of, and the labels of their fields."""

    types: Mapping[str, NoticeType]
    lists: Lists
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Name of a field or group -> language -> label."""

    @classmethod
    def load(cls, files: Mapping[str, str], lists: Mapping[str, str], types: RecordTypes) -> NoticeTypes:
        """Read all files.

        Args:
            files: name -> YAML text of each notice type.
            lists: name -> YAML text of each list; `labels` are those of the fields.
            types: every record type.

        Raises:
            MisconfiguredError: a file is wrong; every mistake of all files.
        """
        mistakes: list[str] = []
        stated = {name: _stated(f"lists/{name}", text, mistakes) for name, text in lists.items()}
        labels: Mapping[str, Mapping[str, str]] = stated.pop(LABELS, None) or {}
        known = Lists({name: read_list(name, data, mistakes) for name, data in stated.items()})
        made = {
            name: read_type(name, _stated(name, text, mistakes), types, known, mistakes) for name, text in files.items()
        }
        found = {name: one for name, one in made.items() if one is not None}
        unlabelled = sorted({label for one in found.values() for label in one.names} - labels.keys())
        mistakes.extend(f"lists/{LABELS}: {name} has no label" for name in unlabelled)
        if mistakes:
            raise MisconfiguredError(mistakes=[_in_file(one) for one in mistakes])
        return cls(found, known, labels)

    def mistakes(self, contract: str, terms: Iterable[Any]) -> list[str]:
        """What is wrong with the notices that a contract asks for.

        Args:
            contract: its name.
            terms: its `notices`.
        """
        told: list[str] = []
        for one in terms:
            where = f"contracts/{contract}.yaml: notice {one.notice}"
            if one.notice not in self.types:
                told.append(f"{where}: there is no such file in mappings/notices")
            elif one.is_made and self.types[one.notice].is_outside:
                if one.given_by == "provider":
                    told.append(f"{where}: given_by: the provider tells outsiders on behalf of the organiser only")
                if one.given_by == "provider-for-organiser" and one.standing_request is None:
                    told.append(f"{where}: standing_request is missing: the outsider's request or agreement")
        return told


def _stated(file: str, text: str, mistakes: list[str]) -> Any:
    """What a file says; nothing where it is no YAML, which is told with its line."""
    told = Mistakes(f"notices/{file}.yaml")
    try:
        return read(text, told)
    except MisconfiguredError:
        return None
    finally:
        mistakes.extend(told.told)


def _in_file(told: str) -> str:
    """A mistake that begins with its file's path."""
    if told.startswith("notices/"):
        return told
    name, rest = re.split(r"(?=[ :])", told, maxsplit=1)
    return f"notices/{name}.yaml: {rest.lstrip(': ')}"
