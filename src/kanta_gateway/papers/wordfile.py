"""A paper as a Word document, for who writes on: headings, paragraphs and tables with repeated header rows.

* The stamp stands in the document's own properties, the digests of the parts in its last table.
* The library is loaded when a paper is made or read: nothing else needs it.

Office Open XML: ECMA-376; library: python-docx (MIT).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from kanta_gateway.papers.paper import Paper, Stamp, Table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.shared import Emu

_MARK = "kanta-gateway-paper"
_BY_PARTS = ";"
_LANGUAGES = {"fi": "fi-FI", "sv": "sv-FI", "en": "en-GB"}
_MARGIN_CM = 1.8
_POINTS = 8.5
"""Size of a table's text: the widest has eight columns across a landscape page."""
_LONGEST = 40
"""Characters: a longer text is broken into lines."""
_EDGE = 4
"""Characters that a cell's edges and a bold header take."""


def write(paper: Paper) -> bytes:
    """The document."""
    import docx  # noqa: PLC0415 — only papers need it
    from docx.enum.section import WD_ORIENT  # noqa: PLC0415
    from docx.shared import Cm  # noqa: PLC0415

    document = docx.Document()
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, page.page_height, page.page_width
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(_MARGIN_CM)
    _language(document, _LANGUAGES[paper.language])
    _properties(document, paper)
    document.add_heading(paper.title, level=0)
    for label, value in paper.head:
        line = document.add_paragraph()
        line.add_run(f"{label}: ").bold = True
        line.add_run(value)
    for one in paper.intro:
        document.add_paragraph(one)
    for part in paper.parts:
        document.add_heading(part.title, level=1)
        for one in part.paragraphs:
            document.add_paragraph(one)
        if part.table is not None:
            _table(document, part.table)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def read(content: bytes) -> Stamp | None:
    """The stamp of a document; None if it has none."""
    import docx  # noqa: PLC0415 — only papers need it
    from docx.opc.exceptions import OpcError  # noqa: PLC0415

    try:
        document = docx.Document(io.BytesIO(content))
    except (BadZipFile, KeyError, ValueError, OpcError):
        return None
    mark, *told = document.core_properties.identifier.split(_BY_PARTS)
    if mark != _MARK or len(told) != 4 or not document.tables:
        return None
    names = document.core_properties.keywords.split(_BY_PARTS)
    cells = [row.cells[1].text for row in document.tables[-1].rows[1:]]
    return Stamp(told[0], told[1], told[2], told[3], dict(zip(names, cells, strict=False)))


def _properties(document: Document, paper: Paper) -> None:
    """Title and language for readers, the stamp for `read`; no author, since no person wrote it."""
    stamp, told = paper.stamp, document.core_properties
    told.title, told.language, told.author, told.comments = paper.title, paper.language, "", ""
    told.identifier = _BY_PARTS.join((_MARK, stamp.paper, stamp.of, stamp.language, stamp.digest))
    told.keywords = _BY_PARTS.join(stamp.parts)


def _language(document: Document, name: str) -> None:
    """What a screen reader pronounces it by."""
    from docx.oxml import OxmlElement  # noqa: PLC0415 — only papers need it
    from docx.oxml.ns import qn  # noqa: PLC0415

    properties: Any = document.styles["Normal"].element.get_or_add_rPr()
    lang: Any = OxmlElement("w:lang")
    lang.set(qn("w:val"), name)
    properties.append(lang)


def _widths(table: Table, whole: int) -> list[Emu]:
    """Of the columns: by the mean length of their texts, and at least as wide as their longest word.

    Args:
        table: whose columns.
        whole: width of the page's text.
    """
    from docx.shared import Emu  # noqa: PLC0415 — only papers need it

    asked: list[float] = []
    for texts in zip(table.head, *table.rows, strict=True):
        word = max(len(one) for text in texts for one in text.split() or [""])
        mean = sum(map(len, texts)) / len(texts)
        asked.append(min(max(word, mean), _LONGEST) + _EDGE)
    return [Emu(int(whole * one / sum(asked))) for one in asked]


def _table(document: Document, table: Table) -> None:
    from docx.oxml import OxmlElement  # noqa: PLC0415 — only papers need it
    from docx.shared import Pt  # noqa: PLC0415

    made = document.add_table(rows=1, cols=len(table.head), style="Table Grid")
    made.autofit = False
    header: Any = made.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001 — the library has no word for it
    header.append(OxmlElement("w:tblHeader"))
    lines = [(made.rows[0].cells, table.head), *((made.add_row().cells, row) for row in table.rows)]
    page = document.sections[0]
    widths = _widths(table, int(page.page_width or 0) - int(page.left_margin or 0) - int(page.right_margin or 0))
    for column, width in zip(made.columns, widths, strict=True):
        column.width = width
    for place, (cells, texts) in enumerate(lines):
        for cell, text, width in zip(cells, texts, widths, strict=True):
            cell.width = width
            run = cell.paragraphs[0].add_run(text)
            run.font.size = Pt(_POINTS)
            run.bold = place == 0
