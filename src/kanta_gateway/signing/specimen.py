"""Whether a document tree can be shown in every language so that its display form says what its JSON says.

What stands around the tree is made up: no part of it goes anywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Coding, Finding, Header, Oid, Organisation, Person, Tree
from kanta_gateway.signing.agree import FRAME, Frame, disagreements
from kanta_gateway.signing.xhtml import day, footer, render

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kanta_gateway.signing.display import Display

LANGUAGES = ("fi", "sv")
_NOBODY = Person("", "", "")
_MADE = datetime(2026, 3, 19, tzinfo=UTC)


def disagreements_of(
    tree: Tree, value: Mapping[str, Any], labels: Collection[str], display: Display
) -> tuple[Finding, ...]:
    """What the display forms of a tree show wrongly, in any language.

    Args:
        tree: the document.
        value: the JSON that it means.
        labels: every label and title of its structure.
        display: words of the display form.
    """
    found: list[Finding] = []
    for language in LANGUAGES:
        header, words = _header(tree, language), display.words(language)
        lines = (header.controller.name, header.general_type.display, day(header.made_at),
                 *footer(header, words))  # fmt: skip
        frame = Frame(header.oid, dict(zip(FRAME, lines, strict=True)))
        found += disagreements(value, render(tree, header, display), labels, words, frame)
    return tuple(found)


def _header(tree: Tree, language: str) -> Header:
    nobody, none = Organisation(Oid("2.999"), "-"), Coding("2.999", "1", "-")
    title = tree.root.label.get(language) or tree.root.label["fi"]
    return Header(
        oid=Oid("2.999.1"), set_oid=Oid("2.999.1"), version_number=1, replaces=None, structure=tree.structure,
        title=title, general_type=none, specific_type=none, service_task=None, service_process=None, codes={},
        language=language, made_at=_MADE, created_at=_MADE, client=_NOBODY, author=_NOBODY, controller=nobody,
        organiser=nobody, producers=(nobody,), unit=nobody, software={},
    )  # fmt: skip
