"""The same diary entry as a finished document: display form and header worked by hand from the sources."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree
from tests.documents import mapper

from kanta_gateway import knowledge
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.mapping.tree import to_json
from kanta_gateway.model import Oid, SignedDocument
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.signing.display import Display
from kanta_gateway.signing.keys import UnsafeDevSigner, make_development_keys
from kanta_gateway.signing.profile import Profile
from kanta_gateway.signing.seal import Sealer

FOLDER = Path(__file__).parent / "diary"
SOURCE = json.loads((FOLDER / "source.json").read_text("utf-8"))
OID = Oid("1.2.246.10.94001230.95.2025.1.2")
DERIVED = {"codeSystemName"}
"""Names of code systems are told for people; the header's facts are systems and codes."""


@pytest.fixture(scope="module")
def document() -> SignedDocument:
    """The diary entry, sealed at a fixed moment with a throw-away key."""
    now = datetime(2025, 9, 2, 8, 0, tzinfo=ZoneInfo("Europe/Helsinki"))
    keys = make_development_keys("Organisation", "", "system", datetime.now(UTC), algorithm="p-256")
    profile = Profile.load(knowledge.text("schemas/cda.yaml"))
    display = Display.load(knowledge.text("schemas/display.yaml"))
    sealer = Sealer(profile, display, UnsafeDevSigner(keys.key, keys.certificate))
    (variant,) = mapper().variants("diary_entry", SOURCE["product"])
    tree = mapper().compose(variant, SOURCE)
    structures = Structures.load(knowledge.texts("schemas/structures"))
    header = profile.header(
        structure=structures.get(tree.structure), source=SOURCE, oid=OID, set_oid=OID, version_number=1, replaces=None,
        made_at=datetime.fromisoformat(SOURCE["record"]["recorded_at"]), created_at=now, language="fi",
        identity=identity_code(SOURCE["client"]["identity_code"]),
        software={"moderator": "moderator", "product": "product", "version": "1"},
        coding=Codes.load(knowledge.texts("mappings/codes")).coding,
    )  # fmt: skip
    return sealer.seal(tree, header, json.dumps(to_json(tree), ensure_ascii=False).encode(), now)


def shape(element: etree._Element) -> tuple[object, ...]:
    """An element without white space between elements and without what is derived."""
    attributes = sorted((key, value) for key, value in element.attrib.items() if key not in DERIVED)
    children = [shape(child) for child in element]
    return (element.tag, attributes, (element.text or "").strip(), children)


def test_display_form_is_the_one_worked_by_hand(document: SignedDocument) -> None:
    """The display form inside the document is, byte for byte, the one written by hand."""
    body = etree.fromstring(document.xml).find(".//{*}nonXMLBody/{*}text")
    assert body is not None

    assert base64.b64decode(body.text or "").decode() == (FOLDER / "display.html").read_text("utf-8")


def test_structured_form_is_the_one_worked_by_hand(document: SignedDocument) -> None:
    """The structured form inside the document is the one written by hand."""
    body = etree.fromstring(document.xml).find(".//{*}nonXMLBody/{*}json")
    assert body is not None

    assert json.loads(base64.b64decode(body.text or "")) == json.loads((FOLDER / "document.json").read_text("utf-8"))


def test_header_is_the_one_worked_by_hand(document: SignedDocument) -> None:
    """Every element of the header, in its order, is the one written by hand. [REC-02, REC-07, REC-08]"""
    made = etree.fromstring(document.xml)
    for name in ("component", "localSocialHeader/{*}signatureCollection"):
        found = made.find("{*}" + name)
        assert found is not None
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)
    made.attrib.clear()

    assert shape(made) == shape(etree.fromstring((FOLDER / "header.xml").read_bytes()))
