"""Made-up Sosmeta schemas: any structure written as THL publishes it, and one that has every feature seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from kanta_gateway.mapping.definitions import FieldDef, Structure, json_schema, key_of
from kanta_gateway.model import Oid, ValueKind

if TYPE_CHECKING:
    from collections.abc import Mapping

REPRESENTATION: Mapping[ValueKind | None, str] = {
    ValueKind.BOOLEAN: "Kytkin",
    ValueKind.CODING: "Koodi",
    ValueKind.DATE: "Pvm",
    ValueKind.DATETIME: "Hetki",
    ValueKind.IDENTIFIER: "Tunnus",
    ValueKind.NUMBER: "Lkm",
    ValueKind.STRING: "Teksti",
    None: "Otsikko",
}
NAMES = st.text("abcåäöé 0123456789-_,./()§\u00a0", min_size=1, max_size=20).filter(
    lambda one: bool(key_of(one)) and one == one.strip()
)


def structure(root: FieldDef, number: str = "90001", dated: str = "2027.1.1") -> Structure:
    """A structure with this root."""
    return Structure(Oid(f"2.999.1506.{number}.{dated}"), number, root.label, "Arvio", root)


def leaf(name: str, kind: ValueKind | None, least: int = 0, most: int | None = 1, **other: Any) -> FieldDef:
    """A field of this Finnish name; its Swedish name is made of it."""
    return FieldDef(key_of(name), {"fi": name, "sv": f"{name} (sv)"}, kind, least, most, **other)


def schema_of(one: Structure, representations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The structure as a published schema: with labels, prose and everything else that annotates one."""
    schema = json_schema(one)
    annotated = {"sosmeta": {"title": "JSON schema", "status": "Valmis", "oid": one.oid,
                             "documentType": one.document_type}}  # fmt: skip
    _annotate(schema["properties"][one.root.key], one.root, representations or {})
    return {"$schema": schema["$schema"], **annotated, **{k: v for k, v in schema.items() if k != "$schema"}}


def _annotate(schema: dict[str, Any], one: FieldDef, representations: Mapping[str, str]) -> None:
    inner = schema["items"] if schema["type"] == "array" else schema
    inner["sosmeta"] = {
        "name": [{"lang": language, "value": text} for language, text in one.label.items()],
        "description": [{"lang": "fi", "value": "Made up."}],
        "representation": [{"lang": "fi", "value": representations.get(one.key, REPRESENTATION[one.kind])}],
        "repeatable": one.is_list,
        **({"systemUri": [{"value": f"urn:oid:{one.identifier_system} "}]} if one.identifier_system else {}),
    }
    for child in one.children:
        _annotate(inner["properties"][child.key], child, representations)


def deep(levels: int) -> FieldDef:
    """Groups within groups, each repeatable."""
    one = leaf("Pohja", ValueKind.STRING, 1)
    for level in range(levels):
        one = leaf(f"Taso {level}", None, 1, None, children=(one, leaf("Muu", ValueKind.BOOLEAN)))
    return one


def every_feature(dated: str = "2027.1.1", number: str = "90001") -> Structure:
    """A structure with every kind of field, cardinality, code system and slug that has been seen."""
    kinds = tuple(
        leaf(f"{REPRESENTATION[kind]} {least}{'' if most else ' monta'}", kind, least, most)
        for kind in ValueKind for least in (0, 1) for most in (1, None)
    )  # fmt: skip
    others = (
        leaf("Hoito- ja 18-vuotias, työ (muu)", ValueKind.STRING),
        leaf("Sisäinen luokitus", ValueKind.CODING, 1, None, code_system="koe/sisainen", allowed=("1", "99")),
        leaf("Kansallinen luokitus", ValueKind.CODING, code_system="2.999.1222", allowed=("a", "b")),
        leaf("Henkilötunnus", ValueKind.IDENTIFIER, identifier_system="2.999.21"),
        leaf("Fraasi", ValueKind.STRING, 1, allowed=("Sanasta sanaan.\n\nToinen kappale.",)),
        leaf("Allekirjoitus", ValueKind.STRING),
        leaf("Nimi\u00a0é", ValueKind.STRING),
        deep(12),
    )
    return structure(FieldDef("koe", {"fi": "Koe", "sv": "Prov"}, None, 1, 1, children=(*kinds, *others)),
                     number, dated)  # fmt: skip


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    """Any structure that a published schema could have."""
    return structure(leaf("Koe", None, 1, children=draw(_fields(3))))


@st.composite
def _fields(draw: st.DrawFn, depth: int) -> tuple[FieldDef, ...]:
    found: dict[str, FieldDef] = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=5)):
        kind = draw(st.sampled_from([*ValueKind, *([None] if depth else [])]))
        least, most = draw(st.integers(0, 1)), draw(st.sampled_from([1, None]))
        other: dict[str, Any] = {"children": draw(_fields(depth - 1))} if kind is None else {}
        if kind is ValueKind.CODING:
            other["code_system"] = draw(st.sampled_from([None, "2.999.5", "koe/oma"]))
        if kind in {ValueKind.CODING, ValueKind.STRING}:
            other["allowed"] = tuple(draw(st.lists(st.sampled_from("abc"), unique=True, max_size=2)))
        one = leaf(name, kind, least, most, **other)
        found.setdefault(one.key, one)
    return tuple(found.values())
