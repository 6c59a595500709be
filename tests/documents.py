"""Mapping input for tests: the project's own mappings, and records filled after their schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kanta_gateway import knowledge
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.engine import Mapper
from kanta_gateway.mapping.rules import load_mappings
from kanta_gateway.mapping.structures import Structures

ROOT = Path(__file__).resolve().parents[1]
ENVELOPE = frozenset({"type", "id", "version", "cancelled", "client"})
PRODUCTS: Mapping[str, Mapping[str, str]] = {
    "KT": {"code": "KT1", "class": "KT", "service_task": "working-age", "service": "rehabilitative-work"},
    "SK": {"code": "SK1", "class": "SK", "service_task": "working-age", "service": "social-rehabilitation"},
    "VT": {"code": "VT1", "class": "VT", "service_task": "disability", "service": "disability-work-activity"},
}
STAFF = {
    "H1": {"surname": "Kurkela-Niva", "given_names": "Anneli", "title": "vastuuhenkilö"},
    "H2": {"surname": "Hallavainio", "given_names": "Mikko", "title": "työvalmentaja"},
}


@cache
def mapper() -> Mapper:
    """The mapper with the project's own files."""
    structures = Structures.load(knowledge.texts("schemas/structures"))
    codes = Codes.load(knowledge.texts("mappings/codes"))
    return Mapper(load_mappings(knowledge.texts("mappings/documents"), structures, codes), structures, codes)


@cache
def schema(record_type: str) -> Mapping[str, Any]:
    """Schema of one canonical record."""
    read: Mapping[str, Any] = json.loads((ROOT / f"schemas/records/{record_type}.json").read_text("utf-8"))
    return read


def source(content: Mapping[str, Any], record_type: str, product: str = "KT", **other: Any) -> dict[str, Any]:
    """The mapping's input for one record."""
    return {
        "record": {**content, "id": "R-1", "version": 1, "type": record_type},
        "client": {
            "surname": "Ahvenlampi",
            "given_names": "Teemu Olavi",
            "identity_code": "140388-917R",
            "responsible_worker": "H1",
            "non_disclosure": False,
        },
        "decision": {"starts_on": "2025-09-01", "ends_on": "2025-11-30"},
        "product": PRODUCTS.get(product, {}),
        "author": {**STAFF["H2"], "id": "H2"},
        "staff": STAFF,
        "unit": {"oid": "1.2.246.10.94001230.10.1", "name": "Kelorannan työpaja"},
        "provider": {"oid": "1.2.246.10.94001230.10.0", "name": "Kelorannan Toimintapaja ry"},
        "organiser": {"oid": "1.2.246.10.94002006.10.0", "name": "Pohjantunturin hyvinvointialue"},
        "language": "fi",
        **other,
    }


def full(record_type: str) -> dict[str, Any]:
    """A record with every field of its schema, each text its own."""
    return {
        key: _example(stated, key) for key, stated in schema(record_type)["properties"].items() if key not in ENVELOPE
    }


def _example(stated: Mapping[str, Any], name: str) -> Any:
    if "properties" in stated:
        return {key: _example(inner, f"{name} {key}") for key, inner in stated["properties"].items()}
    if "items" in stated:
        return [_example(stated["items"], f"{name} entry")]
    return _EXAMPLES.get(_form(stated, name), lambda _: stated.get("enum", [None])[0])(name)


def _form(stated: Mapping[str, Any], name: str) -> str:
    if "enum" in stated:
        return "enum"
    if name in {"supervisor", "responsible_worker", "author", "recorder", "contributors entry"}:
        return "staff"
    if name == "month":
        return "month"
    if str(stated.get("pattern", "")).startswith("^[0-2]("):
        return "oid"
    return str(stated.get("format") or stated.get("type"))


_EXAMPLES: Mapping[str, Any] = {
    "boolean": lambda _: True,
    "clock": lambda _: "09:30",
    "date": lambda _: "2025-10-07",
    "integer": lambda _: 25,
    "moment": lambda _: "2025-10-07T14:09:00+03:00",
    "month": lambda _: "2025-10",
    "number": lambda _: 4.5,
    "oid": lambda _: "1.2.246.10.94005128.10.7",
    "staff": lambda _: "H2",
    "string": lambda name: f"Tässä lukee omin sanoin: {re.sub('_', ' ', name)}.",
}


def texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def left_out() -> set[tuple[str, str]]:
    """The rows of `docs/left-out.md`: record (or `all`) and field."""
    page = (ROOT / "docs/left-out.md").read_text("utf-8")
    return set(re.findall(r"^\| (\w+) \| `(\w+)` \| .{20,} \|$", page, re.MULTILINE))
