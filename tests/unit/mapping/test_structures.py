"""Compact structures: what a file says becomes fields, and what is wrong in it is told all at once."""

from __future__ import annotations

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.structures import Structures, json_schema, key_of, load_structure
from kanta_gateway.model import ValueKind

NUMBERS = {
    "1003", "1012", "1013", "11052", "11053", "13004", "13007", "14007", "15001", "1505.1", "1505.2", "1505.8",
    "1505.9", "15020", "15021", "15023", "15024", "16009", "19001", "19002", "19003", "19004", "19005", "19006",
    "19007", "19009", "19010", "19012", "19013", "4002", "7009",
}  # fmt: skip

HEAD = 'oid: 2.999.7.2022.1.10\nnumber: "7"\ntitle: {fi: Koe, sv: Prov}\ndocument_type: Arvio\n'


def own() -> Structures:
    """The structures that the gateway carries."""
    return Structures.load(knowledge.texts("schemas/structures"))


def mistakes(text: str) -> str:
    """What reading the text complains about."""
    try:
        load_structure(text, "7")
    except MisconfiguredError as error:
        return str(error)
    return ""


def test_all_structures_load() -> None:
    """The gateway carries its thirty-one structures."""
    assert {one.number for one in own().all()} == NUMBERS


def test_slug() -> None:
    """Space and hyphen become an underscore, digits words, other signs nothing."""
    assert key_of("Hoito- ja 18-vuotias, työ") == "hoito__ja_yksikahdeksan_vuotias_tyo"


def test_path() -> None:
    """A field is found by its path below the root."""
    field = own().by_number("19007").field("asiakaskertomusmerkinta/tapahtuma/kuvaus")

    assert (field.kind, field.label) == (ValueKind.STRING, {"fi": "Kuvaus", "sv": "Beskrivning"})


def test_labels() -> None:
    """Labels hold titles and names in both languages."""
    assert {
        "Merkintä asiakkaan arjesta",
        "Anteckning om en klients vardag",
        "Asiakas",
        "Klient",
    } <= own().by_number("19007").labels()


def test_all_mistakes_at_once() -> None:
    """Every mistake of a file is told, not the first only."""
    told = mistakes(
        HEAD + "fields:\n  a: {is: text 0..1, fi: A, sv: A}\n  b: {is: string 0..1, fi: C, sv: C, colour: red}\n"
        "conditions:\n  - {rule: one-of, fields: [zz]}\n"
    )

    assert [part in told for part in ("/a", "colour", "/b: expected the slug", "no field zz")] == [True] * 4


def test_missing_words() -> None:
    """A file without its necessary words is refused by naming them."""
    assert "oid, number, title, document_type, fields" in mistakes("{}")


def test_unknown_structure() -> None:
    """An unknown OID is a mistake that says the next step."""
    with pytest.raises(MisconfiguredError, match="schemas import"):
        own().get("2.999.1")


def test_own_stands() -> None:
    """A structure of ours stands before an official one with the same OID, and others are added."""
    structures = own()
    extra = load_structure(HEAD + "fields:\n  a: {is: string 1..1, fi: A, sv: A}\n", "7")
    both = structures.beside([extra])

    assert (len(structures) + 1, extra) == (len(both), both.get(extra.oid))


def test_schema_of_required_text() -> None:
    """A required text must not be empty, an optional one may be."""
    text = HEAD + "fields:\n  a: {is: string 1..1, fi: A, sv: A}\n  b: {is: string 0..*, fi: B, sv: B}\n"
    properties = json_schema(load_structure(text, "7"))["properties"]["koe"]["properties"]

    assert properties == {
        "a": {"type": "string", "minLength": 1},
        "b": {"type": "array", "minItems": 0, "items": {"type": "string"}},
    }
