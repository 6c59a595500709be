"""The display form, and the checker that compares it with the JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests import signed

from kanta_gateway.model import Tree, ValueKind
from kanta_gateway.signing.agree import Frame, disagreements
from kanta_gateway.signing.xhtml import footer, render

WORDS = signed.DISPLAY.words("fi")


def frame() -> Frame:
    """What header and footer of the builder's document say."""
    header = signed.header()
    texts = (header.controller.name, header.general_type.display, "24.11.2026", *footer(header, WORDS))
    names = ("soc-hdr1", "soc-hdr2", "soc-hdr3", "soc-ftr1", "soc-ftr2", "soc-ftr3")
    return Frame(signed.OID, dict(zip(names, texts, strict=True)))


def judge(value: dict[str, Any], xhtml: bytes) -> set[str]:
    """Rules that the pair breaks."""
    return {one.rule for one in disagreements(value, xhtml, signed.LABELS, WORDS, frame())}


def shown() -> tuple[dict[str, Any], bytes]:
    """JSON and display form of one document."""
    tree, value = signed.diary()
    return value, render(tree, signed.header(), signed.DISPLAY)


def test_every_kind_of_value_is_shown_as_people_write_it() -> None:
    """Dates, times, numbers, truth values, codings and identity codes have their Finnish form."""
    text = shown()[1].decode()

    for piece in (
        "<b>Päivämäärä:</b> 9.3.2026<", "<b>Aika:</b> 19.3.2026 klo 13.05<", "<b>Kesto:</b> 4,5<",
        "<b>Paikalla:</b> Kyllä<", "<b>Laji:</b> Lähityö<", "<b>Henkilötunnus:</b> 010190*****<",
    ):  # fmt: skip
        assert piece in text


def test_markup_in_free_text_appears_as_text() -> None:
    """Free text stands character for character; a line break becomes `br`."""
    text = shown()[1].decode()

    assert "Teki &lt;b&gt;pakkaustyötä&lt;/b&gt; &amp; siivosi.<br/>Hyvä päivä." in text


def test_repeated_groups_are_numbered_and_single_ones_are_not() -> None:
    """Two groups of one field are told apart by their number."""
    text = shown()[1].decode()

    assert ">Tavoite 1<" in text
    assert ">Tavoite 2<" in text
    assert ">Asiakas<" in text


def test_a_character_that_xml_cannot_carry_does_not_break_the_form() -> None:
    """A control character that slipped through intake appears as the replacement character."""
    tree, _ = signed.diary("a\x01b")

    assert "a\ufffdb" in render(tree, signed.header(), signed.DISPLAY).decode()


def test_the_finished_form_agrees_with_its_json() -> None:
    """What the renderer writes, the independent checker accepts."""
    assert judge(*shown()) == set()


@pytest.mark.parametrize(("before", "after", "rule"), [
    ("4,5", "5,5", "DOC-MISSING"),
    ("<b>Kesto:</b> 4,5", "<b>Kesto:</b> 4,5</p><p><b>Kesto:</b> 6", "DOC-EXTRA"),
    ("<b>Kesto:", "<b>Palkka:", "DOC-TEXT"),
    (">Asiakas<", ">Potilas<", "DOC-TEXT"),
    ("Hyvinvointialue", "Toinen alue", "DOC-FRAME"),
    ("versio 1", "versio 2", "DOC-FRAME"),
    ('id="OID', 'id="XID', "DOC-ID"),
    ('<div class="soc-footer">', '<!-- x --><div class="soc-footer">', "DOC-MARKUP"),
    ('<div class="soc-footer">', '<p style="display:none"><b>Kesto:</b> 4,5</p><div class="soc-footer">', "DOC-MARKUP"),
    ('<div class="soc-footer">', 'irrallinen <div class="soc-footer">', "DOC-TEXT"),
    ("</div>\n</div>\n", "</div>", "DOC-XHTML"),
])  # fmt: skip
def test_each_disagreement_is_named(before: str, after: str, rule: str) -> None:
    """A form that shows less, more or something else than the JSON is found out."""
    value, xhtml = shown()
    text = xhtml.decode()

    assert before in text
    assert rule in judge(value, text.replace(before, after, 1).encode())


def test_swapped_values_are_found() -> None:
    """Two values that changed places are a disagreement, although all are shown."""
    tree = Tree(signed.diary()[0].structure, signed.group(
        "m", "Merkintä", signed.leaf("nimi", "Nimi", ValueKind.STRING, "A"),
        signed.leaf("kuvaus", "Kuvaus", ValueKind.STRING, "B")))  # fmt: skip
    xhtml = render(tree, signed.header(), signed.DISPLAY)

    assert judge({"m": {"nimi": "A", "kuvaus": "B"}}, xhtml) == set()
    assert judge({"m": {"nimi": "B", "kuvaus": "A"}}, xhtml) == {"DOC-ORDER"}


@pytest.mark.parametrize(("number", "text"), [
    (Decimal("4.50"), "4,5"), (4, "4"), (Decimal("1E+2"), "100"), (Decimal("0.25"), "0,25"), (1200, "1200"),
])  # fmt: skip
def test_numbers_have_a_decimal_comma_and_no_separators(number: Decimal | int, text: str) -> None:
    """A number is written without trailing zeros, exponent or thousands separator."""
    tree = Tree(signed.diary()[0].structure, signed.group(
        "m", "Merkintä", signed.leaf("kesto", "Kesto", ValueKind.NUMBER, number)))  # fmt: skip

    assert f"<b>Kesto:</b> {text}<" in render(tree, signed.header(), signed.DISPLAY).decode()
