"""Values as FHIR resources have them: moments, narratives, attachments and identifiers.

Source: FHIR R4 §2.4 (narrative), §2.24 (data types); RFC 3061 (OIDs as URNs).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html.entities import html5
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from kanta_gateway.intake.values import (
    ABSENT,
    MAX_TEXT,
    Reading,
    day,
    failed,
    folded,
    is_day,
    is_moment,
    name,
    text,
)

_HELSINKI = ZoneInfo("Europe/Helsinki")
_BLOCKS = frozenset(
    {"address", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li",
     "ol", "p", "pre", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)  # fmt: skip
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({"head", "script", "style", "title"})
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_XML_NAMES = frozenset({"amp", "apos", "gt", "lt", "quot"})
_TITLE_MARKS = re.compile(r"^[#\s\d.)\-]+|[\s:.]+$")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:\-]+)", re.IGNORECASE)
_TEXTS = ("text/plain", "text/html")
_ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8-sig", "us-ascii": "ascii", "iso-8859-1": "latin-1", "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252", "utf-16": "utf-16",
}  # fmt: skip
"""Names of RFC 2978 that Finnish systems write; what they are to Python."""
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+", re.ASCII)


def day_of(value: Any, options: Mapping[str, Any]) -> Reading:
    """The day of a moment as the wall shows it in Finland; a plain day stays what it is."""
    if isinstance(value, str) and is_moment(value):
        return Reading(_on_the_wall(value).date().isoformat())
    return day(value, options)


def time_of(value: Any, _: Mapping[str, Any]) -> Reading:
    """The time of day of a moment as the wall shows it in Finland; a plain day has none."""
    if isinstance(value, str) and is_moment(value):
        return Reading(_on_the_wall(value).strftime("%H:%M"))
    return ABSENT if isinstance(value, str) and is_day(value) else failed("SRC-MOMENT")


def _on_the_wall(value: str) -> datetime:
    told = datetime.fromisoformat(value)
    return told.astimezone(_HELSINKI) if told.tzinfo else told


def presence(value: Any, _: Mapping[str, Any]) -> Reading:
    """That something is there at all, such as a label."""
    return ABSENT if value in (None, "", [], {}) else Reading(True)  # noqa: FBT003 — it is there


def mentions(value: Any, options: Mapping[str, Any]) -> Reading:
    """What the first word of a closed list means that stands in a text as a word; no word, no meaning."""
    if not isinstance(value, str):
        return failed("SRC-TYPE", expected="text")
    told = set(re.split(r"[^\w]+", folded(value)))
    return next((Reading(meant) for word, meant in options["of"].items() if folded(word) in told), ABSENT)


def narrative(value: Any, options: Mapping[str, Any]) -> Reading:
    """The text of an XHTML narrative: blocks and cells become lines and words, marks of form are left out.

    Names of HTML characters (`&nbsp;`) are read although XML does not know them; declared entities are not, and nothing
    of scripts and styles is text (FHIR R4 §2.4.0).
    """
    if not isinstance(value, str) or len(value) > MAX_TEXT * 4:
        return failed("SRC-TYPE", expected="narrative")
    if "<!DOCTYPE" in value.upper():
        return failed("SRC-ENTITY")
    try:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
        )
        root = etree.fromstring(_ENTITY.sub(_character, value).encode(), parser)
    except (etree.LxmlError, ValueError):
        return failed("SRC-TYPE", expected="narrative")
    lines = (" ".join(line.split()) for line in "".join(_texts(root)).split("\n"))
    return text("\n".join(line for line in lines if line), options)


def _character(found: re.Match[str]) -> str:
    """The character that HTML calls so; what XML itself knows stays as it is."""
    return found[0] if found[1] in _XML_NAMES else html5.get(f"{found[1]};", found[0])


def _texts(root: etree._Element) -> Iterator[str]:
    """Every piece of text, with a line end around each block."""
    silent = 0
    for event, one in etree.iterwalk(root, events=("start", "end")):
        name = etree.QName(one).localname.lower() if isinstance(one.tag, str) else ""
        around = "\n" if name in _BLOCKS else " " if name in _CELLS else ""
        silent += (name in _SILENT) * (1 if event == "start" else -1)
        yield around
        own = one.text if event == "start" else one.tail if one is not root else ""
        if own and not silent and (event == "end" or name):
            yield re.sub(r"\s+", " ", own)


def sections(value: Any, options: Mapping[str, Any]) -> Reading:
    """The sections of an attached text: canonical field -> what stands beneath its title, up to the next of `titles`.

    Lines above the first title are none of them: under the empty name stands how many.
    """
    plain = _attached(value)
    if plain.rule:
        return plain
    titles = {_title(title): target for target, title in options["titles"].items()}
    found: dict[str, list[str]] = {}
    above, target = 0, ""
    for line in plain.value.split("\n"):
        if _title(line) in titles:
            target = titles[_title(line)]
            found.setdefault(target, [])
        elif target:
            found[target].append(line)
        else:
            above += bool(line.strip())
    if not found:
        return failed("SRC-SECTIONS", expected=", ".join(options["titles"].values()))
    made: dict[str, Any] = {"": above} if above else {}
    for name_, lines in found.items():
        read = text("\n".join(lines).strip(), options)
        if read.rule:
            return read
        if read.value is not None:
            made[name_] = read.value
    return Reading(made)


def _title(line: str) -> str:
    """A line as a title is compared: without numbers and marks around it."""
    return _TITLE_MARKS.sub("", folded(line))


def _attached(value: Any) -> Reading:
    """The text of an attachment, whatever its encoding; only what stands in the bundle itself."""
    told: Mapping[str, Any] = value if isinstance(value, Mapping) else {"data": value}
    kind, _, more = str(told.get("contentType") or "text/plain").partition(";")
    if not told.get("data"):
        return failed("SRC-ATTACHMENT", expected="data")
    if (kind := kind.strip().lower()) not in _TEXTS:
        return failed("SRC-ATTACHMENT", expected=" | ".join(_TEXTS))
    charset = _CHARSET.search(more)
    encoding = charset[1].lower() if charset is not None else "utf-8"
    if encoding not in _ENCODINGS:
        return failed("SRC-ATTACHMENT", expected=", ".join(_ENCODINGS))
    try:
        plain = base64.b64decode("".join(str(told["data"]).split()), validate=True).decode(_ENCODINGS[encoding])
    except (ValueError, UnicodeDecodeError):
        return failed("SRC-ATTACHMENT", expected=f"Base64, {encoding}")
    if kind == _TEXTS[1]:
        return narrative(plain, {})
    return text(plain, {}) if plain.strip() else failed("SRC-ATTACHMENT", expected="data")


def oid(value: Any, options: Mapping[str, Any]) -> Reading:
    """An object identifier, bare or as a URN (RFC 3061); a URN of another kind tells none."""
    read = name(value, options)
    if not isinstance(read.value, str):
        return read
    bare = read.value.removeprefix("urn:oid:")
    if bare.startswith("urn:"):
        return ABSENT
    return Reading(bare, read.normalised) if _OID.fullmatch(bare) else failed("SRC-TYPE", expected="OID")
