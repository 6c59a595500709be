"""Random trees agree with their JSON, and no changed byte goes unseen."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests import signed

from kanta_gateway.model import Node, Tree, ValueKind
from kanta_gateway.signing.agree import Frame, disagreements
from kanta_gateway.signing.trust import Verdict
from kanta_gateway.signing.xhtml import footer, render

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.just("\n"), min_size=1)


@cache
def document() -> bytes:
    """One signed document for all examples."""
    return signed.document()


@st.composite
def groups(draw: st.DrawFn, depth: int = 2) -> tuple[Node, dict[str, Any]]:
    """A group of texts, numbers and groups, and its JSON."""
    value: dict[str, Any] = {}
    children: list[Node] = []
    for name, text in draw(st.dictionaries(st.sampled_from(("a", "b", "c")), TEXTS, min_size=1)).items():
        children.append(signed.leaf(name, "Kuvaus", ValueKind.STRING, text))
        value[name] = text
    number = draw(st.integers(-10_000, 10_000))
    children.append(signed.leaf("n", "Kesto", ValueKind.NUMBER, number))
    value["n"] = number
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        child, inner = draw(groups(depth - 1))
        children.append(child)
        value.setdefault("g", []).append(inner)
    return signed.group("g", "Tavoite", *children), value


@given(groups())
def test_random_trees_agree_with_their_json(made: tuple[Node, dict[str, Any]]) -> None:
    """Whatever the text, its display form says what the JSON says."""
    tree = Tree(signed.diary()[0].structure, made[0])
    header, words = signed.header(), signed.DISPLAY.words("fi")
    lines = (header.controller.name, header.general_type.display, "24.11.2026", *footer(header, words))
    names = ("soc-hdr1", "soc-hdr2", "soc-hdr3", "soc-ftr1", "soc-ftr2", "soc-ftr3")
    frame = Frame(signed.OID, dict(zip(names, lines, strict=True)))

    found = disagreements({"g": made[1]}, render(tree, header, signed.DISPLAY), signed.LABELS, words, frame)

    assert found == ()


@settings(max_examples=300)
@given(st.data())
def test_one_changed_byte_is_rejected(data: st.DataObject) -> None:
    """Any other byte in body or timestamp makes the verdict FAILED; white space between attributes says nothing.

    [REC-06]
    """
    xml = document()
    regions = [(xml.index(b"<nonXMLBody"), xml.index(b"</nonXMLBody>")),
               (xml.index(b"<signatureTimestamp"), xml.index(b"</signatureTimestamp>"))]  # fmt: skip
    start, end = data.draw(st.sampled_from(regions))
    place = data.draw(st.integers(start, end - 1))
    byte = data.draw(
        st.integers(0, 255).filter(lambda one: one != xml[place] and not bytes((one, xml[place])).isspace())
    )
    changed = xml[:place] + bytes((byte,)) + xml[place + 1 :]

    assert signed.look(changed).verdict is Verdict.FAILED
