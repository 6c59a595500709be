"""Whether the display form of a finished document says what its JSON says: nothing less, nothing else.

* Every value of the JSON is shown, in the order of the JSON, each after a label of the structure.
* Beside values stand only labels, titles, and what header and footer must say; nothing is hidden in markup.
* Shares nothing with the writer: works out each value's form again from the finished bytes.
* Only white space may differ; masking marks are part of the values, in JSON and display form alike.

Source: facts of the display form, "Our rule for the display form".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree

from kanta_gateway.model import Finding, Severity
from kanta_gateway.signing.markup import FORBIDDEN, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

XHTML = "{http://www.w3.org/1999/xhtml}"
ALLOWED: Mapping[str, frozenset[str]] = {
    "div": frozenset({"class", "id", "lang"}),
    "p": frozenset(),
    "b": frozenset(),
    "br": frozenset(),
    **{f"h{level}": frozenset({"class"}) for level in range(1, 7)},
}
"""Elements and attributes that a display form has: nothing that hides, loads or runs."""
FRAME = ("soc-hdr1", "soc-hdr2", "soc-hdr3", "soc-ftr1", "soc-ftr2", "soc-ftr3")
"""Classes of header and footer lines."""
CLAUSE = "display form"
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_IDENTITY_CODE = re.compile(r"\d{6}.{5}")
_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))


@dataclass(frozen=True, slots=True)
class Frame:
    """What header and footer of a display form must say, from the envelope."""

    oid: str
    lines: Mapping[str, str]
    """Text by class (`FRAME`)."""


@dataclass(slots=True)
class _Shown:
    """What stands in a display form."""

    values: list[str]
    labels: list[str]
    headings: list[str]
    frame: dict[str, str]
    stray: int = 0
    """Pieces of text outside of any known place."""


def disagreements(
    value: Mapping[str, Any], xhtml: bytes, labels: Collection[str], words: Mapping[str, str], frame: Frame
) -> tuple[Finding, ...]:
    """Compare JSON and display form.

    Args:
        value: the JSON, numbers as int or Decimal.
        xhtml: the display form.
        labels: every label and title of the structure.
        words: of the document's language.
        frame: what header and footer must say.
    """
    root = parse(xhtml)
    if root is None or root.tag != f"{XHTML}div" or root.get("class") != "soc-document":
        return (_finding("DOC-XHTML", "display-unreadable"),)
    found = list(_markup(root, frame))
    shown = _read(root)
    found += _values(list(_leaves(value, "")), shown.values, words)
    found += _words(shown, labels)
    for name in FRAME:
        if shown.frame.get(name, "") != _flat(frame.lines.get(name, "")):
            found.append(_finding("DOC-FRAME", "display-frame", place=name))
    return tuple(found)


def _finding(rule: str, kind: str, pointer: str = "", **params: str) -> Finding:
    return Finding(rule, Severity.REFUSE, kind, pointer, params, CLAUSE)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _markup(root: etree._Element, frame: Frame) -> Iterator[Finding]:
    if root.get("id") != f"OID{frame.oid}":
        yield _finding("DOC-ID", "display-id")
    foreign = {_name(one) for one in root.iter() if not _is_allowed(one)}
    for name in sorted(foreign):
        yield _finding("DOC-MARKUP", "display-markup", element=name)


def _name(one: etree._Element) -> str:
    """Local name; comments and processing instructions have none."""
    tag: object = one.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "comment"


def _is_allowed(one: etree._Element) -> bool:
    attributes = ALLOWED.get(_name(one))
    return attributes is not None and one.tag == XHTML + _name(one) and set(map(str, one.attrib)) <= attributes


def _text(one: etree._Element) -> str:
    return _flat("".join(map(str, one.itertext())))


def _read(root: etree._Element) -> _Shown:
    shown = _Shown([], [], [], {})
    for one in root.iter(etree.Element):
        name = str(one.tag).removeprefix(XHTML)
        if name == "p":
            _read_value(one, shown)
        elif name in _HEADINGS:
            shown.headings.append(_text(one))
        elif name == "div" and one.get("class") in FRAME:
            kind = str(one.get("class"))
            shown.stray += kind in shown.frame
            shown.frame[kind] = _text(one)
        elif name == "div":
            pieces = [one.text, *(child.tail for child in one)]
            shown.stray += any((piece or "").strip() for piece in pieces)
    return shown


def _read_value(paragraph: etree._Element, shown: _Shown) -> None:
    """`<p><b>Label:</b> value</p>`, line breaks in the value."""
    first = paragraph[0] if len(paragraph) else None
    if first is None or first.tag != f"{XHTML}b" or (paragraph.text or "").strip() or len(first):
        shown.stray += 1
        return
    shown.labels.append(_flat((first.text or "").strip().removesuffix(":")))
    breaks = list(paragraph)[1:]
    shown.stray += any(child.tag != f"{XHTML}br" or bool(child.text) for child in breaks)
    shown.values.append(_flat("\n".join((first.tail or "", *(child.tail or "" for child in breaks)))))


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every value with its pointer; a coding counts as its display, an identifier as its value."""
    if isinstance(value, dict):
        if value.keys() >= {"system", "code", "display"}:
            yield pointer, value["display"]
        elif value and value.keys() <= {"system", "value"}:
            yield pointer, value.get("value", "")
        else:
            for key, child in value.items():
                yield from _leaves(child, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _leaves(child, f"{pointer}/{index}")
    else:
        yield pointer, value


def _forms(pointer: str, value: Any, words: Mapping[str, str]) -> set[str]:
    """How a value may be shown."""
    if isinstance(value, bool):
        return {words["true"] if value else words["false"]}
    if isinstance(value, int | float | Decimal):
        number = f"{Decimal(str(value)):f}"
        whole, _, decimals = number.partition(".")
        decimals = decimals.rstrip("0")
        return {f"{whole},{decimals}" if decimals else whole}
    text = FORBIDDEN.sub("\ufffd", str(value))
    if "henkilotunnus" in pointer.split("/") and _IDENTITY_CODE.fullmatch(text):
        return {f"{text[:6]}*****"}
    if date := _DATE.fullmatch(text):
        return {f"{int(date[3])}.{int(date[2])}.{date[1]}", text}
    if at := _MOMENT.fullmatch(text):
        return {f"{int(at[3])}.{int(at[2])}.{at[1]} {words['at']} {at[4]}.{at[5]}", text}
    return {_flat(text)}


def _values(leaves: list[tuple[str, Any]], shown: list[str], words: Mapping[str, str]) -> Iterator[Finding]:
    expected = [(pointer, _forms(pointer, value, words)) for pointer, value in leaves]
    if len(expected) == len(shown) and all(text in forms for (_, forms), text in zip(expected, shown, strict=True)):
        return
    left = Counter(shown)
    missing = 0
    for pointer, forms in expected:
        form = next((one for one in forms if left[one] > 0), None)
        if form is None:
            missing += 1
            yield _finding("DOC-MISSING", "display-value-missing", pointer)
        else:
            left[form] -= 1
    extra = sum(left.values())
    if extra:
        yield _finding("DOC-EXTRA", "display-value-extra", count=str(extra))
    if not missing and not extra:
        yield _finding("DOC-ORDER", "display-order")


def _words(shown: _Shown, labels: Collection[str]) -> Iterator[Finding]:
    """Labels and headings are the structure's own; a repeated group's heading may end in its number."""
    known = {_flat(one) for one in labels}
    strange = sum(one not in known for one in shown.labels)
    strange += sum(one not in known and re.sub(r" \d+$", "", one) not in known for one in shown.headings)
    if strange or shown.stray:
        yield _finding("DOC-TEXT", "display-text", count=str(strange + shown.stray))
