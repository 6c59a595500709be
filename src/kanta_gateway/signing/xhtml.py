"""The display form: a document tree as an XHTML fragment for people.

* Every value stands after its label, one paragraph each; groups are headings, repeated groups are numbered.
* Free text stands character for character, markup in it as text; line breaks are `br`.
* Dates are d.m.yyyy, numbers have a decimal comma, codings show their display, identity codes their date.
* The root carries `lang`, never `xml:lang`: inherited xml attributes break inclusive canonical forms.

Source: facts of the display form (fixed class set, free nesting).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Header, Node, Tree, ValueKind
from kanta_gateway.signing.markup import attribute, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kanta_gateway.signing.display import Display

IDENTITY_CODE_KEY = "henkilotunnus"
"""THL key of an identity code."""
_IDENTITY_CODE_LENGTH = 11
_DEEPEST_HEADING = 6


def render(tree: Tree, header: Header, display: Display) -> bytes:
    """The display form of one document."""
    words = display.words(header.language)
    out: list[str] = []
    _open(out, header)
    _children(out, tree.root, header.language, words, 2)
    _close(out, header, words)
    return "".join(out).encode()


def day(value: date) -> str:
    """A date as people read it."""
    return f"{value.day}.{value.month}.{value.year}"


def footer(header: Header, words: Mapping[str, str]) -> tuple[str, str, str]:
    """The three lines of the footer: unit, its provider, document."""
    producer = f"{words['producer']}: {header.producers[0].name}" if header.producers else ""
    return (
        f"{words['unit']}: {header.unit.name}",
        producer,
        f"{words['document']}: {header.oid}, {words['version']} {header.version_number}",
    )


def _open(out: list[str], header: Header) -> None:
    out.append(
        f'<div class="soc-document" id="OID{attribute(header.oid)}" lang="{attribute(header.language)}"'
        ' xmlns="http://www.w3.org/1999/xhtml">\n<div class="soc-header">\n'
        f'<div class="soc-hdr1">{text(header.controller.name)}</div>\n'
        f'<div class="soc-hdr2">{text(header.general_type.display)}</div>\n'
        f'<div class="soc-hdr3">{day(header.made_at)}</div>\n</div>\n'
        f'<div class="soc-main-wrapper">\n<h1 class="soc-fulltitle">{text(header.title)}</h1>\n'
    )


def _close(out: list[str], header: Header, words: Mapping[str, str]) -> None:
    lines = "".join(
        f'<div class="soc-ftr{number}">{text(line)}</div>\n'
        for number, line in enumerate(footer(header, words), start=1)
    )
    out.append(f'</div>\n<div class="soc-footer">\n{lines}</div>\n</div>\n')


def _children(out: list[str], group: Node, language: str, words: Mapping[str, str], level: int) -> None:
    """The values of a group, and its groups as a list of items, in the order of the tree."""
    for is_group, nodes in groupby(group.children, key=lambda node: node.kind is None):
        if is_group:
            out.append('<div class="soc-list">\n')
            for _, same in groupby(nodes, key=lambda node: node.key):
                _groups(out, list(same), language, words, level)
            out.append("</div>\n")
        else:
            out.append('<div class="soc-content">\n')
            out += [f"<p><b>{text(_label(node, language))}:</b> {_shown(node, words)}</p>\n" for node in nodes]
            out.append("</div>\n")


def _groups(out: list[str], nodes: list[Node], language: str, words: Mapping[str, str], level: int) -> None:
    for number, node in enumerate(nodes, start=1):
        heading = text(_label(node, language)) + (f" {number}" if len(nodes) > 1 else "")
        out.append(f'<div class="soc-item">\n<h{level} class="soc-title">{heading}</h{level}>\n')
        _children(out, node, language, words, min(level + 1, _DEEPEST_HEADING))
        out.append("</div>\n")


def _label(node: Node, language: str) -> str:
    return node.label.get(language) or node.label["fi"]


def _shown(node: Node, words: Mapping[str, str]) -> str:
    shown = text(_FORMS[node.kind or ValueKind.STRING](node.value, words))
    if node.key == IDENTITY_CODE_KEY and len(shown) == _IDENTITY_CODE_LENGTH:
        return shown[:6] + "*****"
    return shown.replace("&#xD;\n", "<br/>").replace("&#xD;", "<br/>").replace("\n", "<br/>")


def _moment(value: Any, words: Mapping[str, str]) -> str:
    if not isinstance(value, datetime):
        return str(value)
    return f"{day(value)} {words['at']} {value.hour:02}.{value.minute:02}"


def _number(value: Any, _: Mapping[str, str]) -> str:
    digits = format(Decimal(str(value)), "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits).replace(".", ",")


_FORMS: Mapping[ValueKind, Callable[[Any, Mapping[str, str]], str]] = {
    ValueKind.BOOLEAN: lambda value, words: words["true" if value else "false"],
    ValueKind.CODING: lambda value, _: value.display,
    ValueKind.DATE: lambda value, _: day(value) if isinstance(value, date) else str(value),
    ValueKind.DATETIME: _moment,
    ValueKind.IDENTIFIER: lambda value, _: value.value,
    ValueKind.NUMBER: _number,
    ValueKind.STRING: lambda value, _: str(value),
}
