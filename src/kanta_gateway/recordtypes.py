"""What the record schemas say about each canonical record type, as the stages need it.

The annotations of `schemas/records/<name>.json`: a new record type needs no Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATA_CLASSES = ("AST", "SUU", "PTA", "PAA", "VAL", "TOT", "SOP", "SOV", "TUR", "TER")
"""Kinds of client data of STM 457/2024, as `mappings/policy/duties.yaml` has them."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of canonical record, as the annotations of `schemas/records/<name>.json` describe it."""

    name: str
    about: str = ""
    """What it is about. Records of one `client` are judged together; what is about an `organisation` is shared by all
    clients; of any other word (`review`) everything that one party delivered is judged together."""
    is_subject: bool = False
    """Whether it tells of the subject itself, as a client record does: figures are told for each (`x-subject`)."""
    day: str = ""
    """Field that dates the record (`x-day`); empty when nothing does."""
    facts: frozenset[str] = frozenset()
    """Fields that rules and figures need later (`x-fact`)."""
    fact_lengths: Mapping[str, int] = field(default_factory=dict)
    """Of those that are free text, how many characters are kept (`x-fact-length`)."""
    privacy: Mapping[str, str] = field(default_factory=dict)
    """Field -> `code`, `contact`, `names` or `places` (`x-privacy`): what belongs there."""
    texts: frozenset[str] = frozenset()
    """Fields that hold free text, perhaps deep inside."""
    is_reference: bool = False
    """Known to the gateway, never a document of the provider (`x-reference`)."""
    grants: bool = False
    """Whether it gives a period that other records fall under, as a decision does (`x-grants`)."""
    is_open: bool = False
    """Whether records after its last day still fall under it, for rules to tell (`x-grants: open`, `wide`)."""
    is_wide: bool = False
    """Whether records before its first day do so too (`x-grants: wide`)."""
    data_class: str = "other"
    """Kind of client data (`x-data-class`), one of `DATA_CLASSES`; what nobody classed is what fewest may see."""
    way: str = "nearest"
    """Which period a record falls under (`x-period`): a way of `contracts.periods`."""

    @classmethod
    def of(cls, name: str, schema: Mapping[str, Any]) -> RecordType:
        """Read the annotations of one schema.

        Args:
            name: of the record type.
            schema: its JSON Schema.
        """
        properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
        return cls(
            name=name,
            about=schema.get("x-about", ""),
            is_subject=bool(schema.get("x-subject", False)),
            day=schema.get("x-day", ""),
            facts=frozenset(key for key, one in properties.items() if one.get("x-fact")),
            fact_lengths={key: int(one["x-fact-length"]) for key, one in properties.items() if "x-fact-length" in one},
            privacy={key: str(one["x-privacy"]) for key, one in properties.items() if "x-privacy" in one},
            texts=frozenset(key for key, one in properties.items() if _holds_text(one)),
            is_reference=bool(schema.get("x-reference", False)),
            grants=bool(schema.get("x-grants", False)),
            is_open=schema.get("x-grants") in {"open", "wide"},
            is_wide=schema.get("x-grants") == "wide",
            data_class=schema.get("x-data-class", "other"),
            way=schema.get("x-period", "nearest"),
        )


TEXT_LENGTH = 1000
"""A string that may be this long is a text; names, numbers and codes are shorter."""


def _holds_text(schema: Mapping[str, Any]) -> bool:
    """Whether a field, or what stands inside it, is free text."""
    inside = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return schema.get("maxLength", 0) >= TEXT_LENGTH or any(_holds_text(one) for one in inside)


_FIXED = re.compile(r"\^(?:(?!,\})[^*+])*\$")
"""A pattern of the whole text that repeats nothing without end."""


def is_unbounded(schema: Mapping[str, Any]) -> bool:
    """Whether a field, or what stands inside it, may be a text of any length: nothing that is kept as a fact."""
    inside = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    is_formed = bool({"enum", "const", "format"} & schema.keys() or _FIXED.fullmatch(schema.get("pattern", "")))
    is_text = schema.get("type") == "string" and not is_formed
    return (is_text and schema.get("maxLength", TEXT_LENGTH) >= TEXT_LENGTH) or any(map(is_unbounded, inside))


RecordTypes = Mapping[str, RecordType]
"""Every record type by its name."""
