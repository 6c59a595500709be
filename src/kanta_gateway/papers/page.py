"""A paper as one HTML page: readable by screen readers, printable, and loading nothing from anywhere.

* One `h1`, sections with headings and a list of contents, tables with captions and column headers (WCAG 2.1, 1.3.1).
* Printed, each table repeats its header and no row is broken; links to the sections are left out.
* The stamp stands in a `meta` element as JSON, where `read` finds it.
"""

from __future__ import annotations

import json
import re
from html import escape, unescape

from kanta_gateway.papers.paper import Paper, Part, Stamp, Table

_META = "kanta-gateway-paper"
_STAMP = re.compile(rf'<meta name="{_META}" content="([^"]*)"/>')
_STYLE = """
body{font:1rem/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:70rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.75rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2rem}
a{color:#00427a}a:focus{outline:3px solid #00427a;outline-offset:2px}
.skip{position:absolute;left:-100rem}.skip:focus{position:static}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem}dt{font-weight:bold}
dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.75rem 0;font-size:.9rem}
caption{text-align:left;font-style:italic;padding-bottom:.25rem}
th,td{border:1px solid #767676;padding:.35rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
th{background:#eef2f5}
@media print{body{max-width:none;padding:0;font-size:9pt}nav,.skip{display:none}.wide{overflow:visible}
thead{display:table-header-group}tr{break-inside:avoid}h2{break-after:avoid}a{color:inherit;text-decoration:none}}
"""


def write(paper: Paper) -> bytes:
    """The page."""
    title = escape(paper.title)
    head = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in paper.head)
    links = "\n".join(
        f'<li><a href="#part-{place}">{escape(part.title)}</a></li>' for place, part in enumerate(paper.parts, 1)
    )
    body = "\n".join(_part(place, part) for place, part in enumerate(paper.parts, 1))
    intro = "\n".join(f"<p>{escape(one)}</p>" for one in paper.intro)
    stamp = escape(json.dumps(_told(paper.stamp), sort_keys=True))
    return (
        f'<!DOCTYPE html>\n<html lang="{paper.language}">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f'<meta name="{_META}" content="{stamp}"/>\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#text">{escape(paper.labels["skip"])}</a>\n<header>\n<h1>{title}</h1>\n<dl>\n{head}\n'
        f'</dl>\n</header>\n<nav aria-labelledby="contents">\n'
        f'<h2 id="contents">{escape(paper.labels["contents"])}</h2>\n'
        f'<ol>\n{links}\n</ol>\n</nav>\n<main id="text">\n{intro}\n{body}\n</main>\n</body>\n</html>\n'
    ).encode()


def read(content: bytes) -> Stamp | None:
    """The stamp of a page; None if it has none."""
    found = _STAMP.search(content.decode("utf-8", "replace"))
    if found is None:
        return None
    try:
        told = json.loads(unescape(found[1]))
        return Stamp(told["paper"], told["of"], told["language"], told["digest"], dict(told["parts"]))
    except (ValueError, KeyError, TypeError):
        return None


def _told(stamp: Stamp) -> dict[str, object]:
    return {"paper": stamp.paper, "of": stamp.of, "language": stamp.language, "digest": stamp.digest,
            "parts": dict(stamp.parts)}  # fmt: skip


def _part(place: int, part: Part) -> str:
    paragraphs = "\n".join(f"<p>{escape(one)}</p>" for one in part.paragraphs)
    table = _table(part.title, part.table) if part.table is not None else ""
    heading = f'<h2 id="part-{place}">{escape(part.title)}</h2>'
    return f'<section aria-labelledby="part-{place}">\n{heading}\n{paragraphs}\n{table}\n</section>'


def _table(caption: str, table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in table.head)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in table.rows)
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0">\n<table>\n'
        f"<caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )
