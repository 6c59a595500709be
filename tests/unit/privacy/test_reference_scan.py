"""The scanner against the reference export's lists of what must go and what must stay."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.privacy.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("REFERENCE_DIR", str(ROOT.parent / "shared"))) / "inputs/lapha"
FIRST_CUT = re.compile("non-disclosure|tilinumero|puhelinnumero|henkilötunnus|kotiosoite")
SKIPPED = {"yhteystiedot", "henkilotunnus", "lahiomainen", "henkilosto", "omatyontekija", "palveluntuottaja"}
"""Fields that are contact data, codes or never mapped; `henkilosto` holds the staff's home addresses."""


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
def test_first_cut_of_the_reference_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of the first cut's categories is left in any free text, and every look-alike is still there."""
    if not (FOLDER / "export.json").is_file():
        pytest.skip("no reference inputs: set REFERENCE_DIR to the folder that holds inputs/lapha")
    export = json.loads((FOLDER / "export.json").read_text("utf-8"))
    expected = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    scanner = Scanner.load((ROOT / "mappings/privacy.yaml").read_text("utf-8"))
    prints = Fingerprints(b"k" * 32)
    masked: list[str] = []
    for client in export["asiakkaat"]:
        contact = client.get("yhteystiedot", {})
        known = prints.of_contact(
            {
                "street_address": contact.get("lahiosoite"), "postal_code": contact.get("postinumero"),
                "town": contact.get("postitoimipaikka"), "telephone": contact.get("puhelin"),
            }
        )  # fmt: skip
        guard = prints.guard(known, bool(client.get("turvakielto")))
        masked += [scanner.mask(text, is_contact=False, guard=guard)[0] for text in _texts(client)]
    whole = "\n".join(masked)
    left = [one["category"] for one in expected["must_not_appear"] if one["value"].casefold() in whole.casefold()]
    others = Counter(one["category"] for one in expected["must_not_appear"])
    with capsys.disabled():
        held = {c: n - left.count(c) for c, n in others.items() if not FIRST_CUT.search(c)}
        print(  # noqa: T201 — the issue asks for this figure
            f"\nother categories that already hold: {sum(held.values())} of {len(left) + sum(held.values())}"
        )
    assert not [category for category in left if FIRST_CUT.search(category)]
    assert not [one["record"] for one in expected["may_appear"] if one["string"] not in whole]
