"""The scanner against the reference export's lists of what must go and what must stay."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests import corpus

from kanta_gateway.model import CLASSES, Level
from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.privacy.people import Known
from kanta_gateway.privacy.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("REFERENCE_DIR", str(ROOT.parent / "shared"))) / "inputs/lapha"
SKIPPED = {"yhteystiedot", "henkilotunnus", "lahiomainen", "henkilosto", "omatyontekija", "palveluntuottaja"}
"""Fields that are contact data, codes or never mapped; `henkilosto` holds the staff's home addresses."""
OWN = ("sukunimi", "etunimet", "kutsumanimi")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in SKIPPED:
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


@pytest.mark.reference
def test_nothing_of_the_reference_lists_is_left() -> None:
    """Nothing of any category is left in any free text of others, and every look-alike is still there."""
    if not (FOLDER / "export.json").is_file():
        pytest.skip("no reference inputs: set REFERENCE_DIR to the folder that holds inputs/lapha")
    export = json.loads((FOLDER / "export.json").read_text("utf-8"))
    expected = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    scanner, prints = corpus.scanner(), Fingerprints(b"k" * 32)
    staff = [one["nimi"] for one in export["henkilosto"]]
    masked: list[str] = []
    for client in export["asiakkaat"]:
        contact = client.get("yhteystiedot", {})
        told = prints.of_contact(
            {
                "street_address": contact.get("lahiosoite"), "postal_code": contact.get("postinumero"),
                "town": contact.get("postitoimipaikka"), "telephone": contact.get("puhelin"),
            }
        )  # fmt: skip
        reading = Reading(
            dict.fromkeys(CLASSES, Level.MASK), guard=prints.guard(told, bool(client.get("turvakielto"))),
            known=Known.of([*staff, *(str(client.get(name) or "") for name in OWN)]), staff=Known.of(staff),
        )  # fmt: skip
        masked += [scanner.sift(text, reading).text for text in _texts(client)]
    whole = "\n".join(masked)
    forbidden = [one for one in expected["must_not_appear"] if not one.get("own")]
    left = [one["category"] for one in forbidden if one["value"].casefold() in whole.casefold()]

    assert len(forbidden) > 20
    assert left == []
    assert [one["record"] for one in expected["may_appear"] if one["string"] not in whole] == []
