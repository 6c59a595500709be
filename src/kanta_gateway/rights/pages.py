"""Pages that a client can read and print: a text file with places for values, made into accessible HTML.

* `# ` and `## ` begin headings, `- ` an item of a list, `[name]` alone stands for a block; another line is a paragraph.
* A line with a `{value}` that is empty is left out, and so is a heading with nothing under it.
* Text is escaped, also within values; a page loads nothing from anywhere.
* A template names only values that its maker knows; every language of a page asks for the same.

Accessibility (WCAG 2.2, 1.3.1 and 3.1.1): one language, headings in order, tables with captions and header cells.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.messages import LANGUAGES
from kanta_gateway.shapes import TEXT, Keys, shaped
from kanta_gateway.stated import Lined, Mistakes, read

EASY = "selko"
"""Easy Finnish, beside the languages."""
HTML_LANGUAGE = {EASY: "fi"}

VALUES = frozenset({
    "asker", "controller", "decided_by", "decided_on", "decision", "due_on", "explained_by", "explained_on",
    "explanation", "extension_reason", "fee", "forwarded_on", "ground", "ground_basis", "id", "instruction",
    "left_out", "left_out_protected", "limits", "log_note", "none", "outcome", "processor", "provider", "purpose",
    "received_on", "since", "text", "title", "today", "until", "wanted",
})  # fmt: skip
"""What templates can ask for."""
BLOCKS = frozenset({"documents", "held", "rows", "sections"})

_SHAPE = Keys(dict.fromkeys(LANGUAGES, TEXT), {EASY: TEXT})
_BLOCK = re.compile(r"\[(\w+)\]")
_STYLE = (
    "body{font-family:sans-serif;line-height:1.5;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#111;"
    "background:#fff}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem}h3{font-size:1.05rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:.85rem}"
    "caption{text-align:left;font-weight:bold;padding:.3rem 0}"
    "th,td{border:1px solid #767676;padding:.25rem .4rem;text-align:left;vertical-align:top;"
    "overflow-wrap:break-word;hyphens:auto}"
    "td:first-child{white-space:nowrap}"
    "p{max-width:45rem}thead th{background:#eee}.wide{overflow-x:auto}"
    "@media print{@page{size:A4 landscape;margin:12mm}.wide{overflow:visible}table{font-size:8pt}"
    "td,th{overflow-wrap:anywhere}body{margin:0;max-width:none;font-size:10pt}thead{display:table-header-group}"
    "tr{break-inside:avoid}h2,h3{break-after:avoid}}"
)
_EASY_STYLE = "body{font-size:1.25rem;line-height:1.8;max-width:40rem}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under header cells."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and what stands under it."""

    heading: str
    content: Sequence[Any]
    """Texts (paragraphs), lists of texts, tables and parts; nothing of it where it is empty."""


class Pages:
    """Every page by its name."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Pages:
        """Read the files of `mappings/rights/pages`.

        Args:
            files: name -> YAML text.

        Raises:
            MisconfiguredError: a page lacks a language, or asks for what nobody knows; all mistakes at once.
        """
        texts: dict[str, Mapping[str, str]] = {}
        told: list[str] = []
        for name, text in files.items():
            mistakes = Mistakes(f"rights/pages/{name}.yaml")
            try:
                stated: Lined = shaped(read(text, mistakes) or Lined(), _SHAPE, mistakes)
            except MisconfiguredError as error:
                told += error.mistakes
                continue
            for language, template in stated.items():
                _check(template, stated.at(language), language, mistakes)
            told += mistakes.told
            texts[name] = dict(stated)
        if told:
            raise MisconfiguredError(mistakes=told)
        return cls(texts)

    def languages(self, name: str) -> tuple[str, ...]:
        """The languages of one page."""
        return tuple(self._texts[name])

    def text(self, name: str, language: str) -> str:
        """The template of one page."""
        return self._texts[name][language]

    def page(self, name: str, language: str, values: Mapping[str, str], blocks: Mapping[str, Sequence[Any]]) -> str:
        """One page.

        Args:
            name: of its file.
            language: fi, sv, en or (where the page has it) selko.
            values: what its places stand for.
            blocks: content of its blocks.
        """
        body = "\n".join(_body(self._texts[name][language].splitlines(), values, blocks))
        title = _TAG.sub("", body.partition("</h1>")[0])
        style = _STYLE + (_EASY_STYLE if language == EASY else "")
        return (
            f'<!DOCTYPE html>\n<html lang="{HTML_LANGUAGE.get(language, language)}">\n<head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f"<style>{style}</style></head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
        )


_TAG = re.compile(r"<[^>]+>")


def _check(template: str, line: int, language: str, mistakes: Mistakes) -> None:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        mistakes.say(line, f"{language}: a brace is not closed; write {{name}}")
        return
    unknown = sorted(names - VALUES) + sorted(set(_BLOCK.findall(template)) - BLOCKS)
    if unknown:
        mistakes.say(line, f"{language}: nobody knows {', '.join(unknown)}; known are {', '.join(sorted(VALUES))}")
    if not template.startswith("# "):
        mistakes.say(line, f"{language}: a page begins with its heading, `# `")


def _body(lines: Sequence[str], values: Mapping[str, str], blocks: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """The lines as HTML; items that follow each other are one list."""
    heading, items = "", list[str]()
    for line in [*lines, ""]:
        made = "" if _lacks(line, values) else _line(line, values, blocks)
        if items and not line.startswith("- "):
            yield f"<ul>{''.join(items)}</ul>"
            items = []
        if line.startswith("## "):
            heading = made
            continue
        if not made:
            continue
        if heading:
            yield heading
            heading = ""
        if line.startswith("- "):
            items.append(made)
        else:
            yield made


def _lacks(line: str, values: Mapping[str, str]) -> bool:
    names = [name for _, name, _, _ in string.Formatter().parse(line) if name is not None]
    return any(not values.get(name) for name in names)


def _line(line: str, values: Mapping[str, str], blocks: Mapping[str, Sequence[Any]]) -> str:
    if (block := _BLOCK.fullmatch(line.strip())) is not None:
        return "\n".join(_content(blocks.get(block[1], ()), 2))
    text = escape(line.format_map(values)) if line.strip() else ""
    for mark, tag in (("## ", "h2"), ("# ", "h1"), ("- ", "li")):
        if text.startswith(mark):
            return f"<{tag}>{text.removeprefix(mark)}</{tag}>"
    return f"<p>{text}</p>" if text else ""


def _content(content: Sequence[Any], level: int) -> Iterator[str]:
    for one in content:
        if isinstance(one, Table):
            yield from _table(one)
        elif isinstance(one, Part):
            inside = [*_content(one.content, level + 1)]
            if inside:
                yield f"<h{level}>{escape(one.heading)}</h{level}>"
                yield from inside
        elif isinstance(one, str):
            if one:
                yield f"<p>{escape(one)}</p>"
        elif one:
            yield f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in one)}</ul>"


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield f'<div class="wide"><table><caption>{escape(table.caption)}</caption>'
    yield "<thead><tr>" + "".join(f'<th scope="col">{escape(one)}</th>' for one in table.head) + "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"
