"""Values as FHIR resources have them: moments, narratives, attachments and identifiers.

Source: FHIR R4 §2.4 (narrative), §2.24 (data types); RFC 3061 (OIDs as URNs).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
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
_XHTML = "{http://www.w3.org/1999/xhtml}"
_BLOCKS = tuple(f"{_XHTML}{tag}" for tag in ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"))
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+", re.ASCII)


def day_of(value: Any, options: Mapping[str, Any]) -> Reading:
    """The day of a moment as the wall shows it in Finland; a plain day stays what it is."""
    if isinstance(value, str) and is_moment(value):
        told = datetime.fromisoformat(value)
        return Reading((told.astimezone(_HELSINKI) if told.tzinfo else told).date().isoformat())
    return day(value, options)


def time_of(value: Any, _: Mapping[str, Any]) -> Reading:
    """The time of day of a moment as the wall shows it in Finland; a plain day has none."""
    if isinstance(value, str) and is_moment(value):
        told = datetime.fromisoformat(value)
        return Reading((told.astimezone(_HELSINKI) if told.tzinfo else told).strftime("%H:%M"))
    return ABSENT if isinstance(value, str) and is_day(value) else failed("SRC-MOMENT")


def presence(value: Any, _: Mapping[str, Any]) -> Reading:
    """That something is there at all, such as a label."""
    return ABSENT if value in (None, "", [], {}) else Reading(True)  # noqa: FBT003 — it is there


def narrative(value: Any, options: Mapping[str, Any]) -> Reading:
    """The text of an XHTML narrative: blocks become lines, marks of form are left out (FHIR R4 §2.4)."""
    if not isinstance(value, str) or len(value) > MAX_TEXT * 4:
        return failed("SRC-TYPE", expected="narrative")
    try:
        root = etree.fromstring(
            value.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        )
    except (etree.LxmlError, ValueError):
        return failed("SRC-TYPE", expected="narrative")
    for one in root.iter(*_BLOCKS):
        one.tail = "\n" + (one.tail or "")
    lines = (" ".join(line.split()) for line in "".join(map(str, root.itertext())).split("\n"))
    return text("\n".join(line for line in lines if line), options)


def section(value: Any, options: Mapping[str, Any]) -> Reading:
    """One section of a Base64 text: what stands between its title and the next one of `titles`."""
    if not isinstance(value, str):
        return failed("SRC-TYPE", expected="base64")
    try:
        plain = base64.b64decode(value, validate=True).decode("utf-8-sig")
    except (ValueError, UnicodeDecodeError):
        return failed("SRC-TYPE", expected="base64")
    titles = {folded(title) for title in options["titles"]}
    found: list[str] | None = None
    for line in plain.replace("\r\n", "\n").split("\n"):
        if folded(line) in titles:
            found = [] if folded(line) == folded(options["title"]) else (found or None)
            if found:
                break
        elif found is not None:
            found.append(line)
    return text("\n".join(found).strip(), options) if found else ABSENT


def oid(value: Any, options: Mapping[str, Any]) -> Reading:
    """An object identifier, bare or as a URN (RFC 3061); a URN of another kind tells none."""
    read = name(value, options)
    if not isinstance(read.value, str):
        return read
    bare = read.value.removeprefix("urn:oid:")
    if bare.startswith("urn:"):
        return ABSENT
    return Reading(bare, read.normalised) if _OID.fullmatch(bare) else failed("SRC-TYPE", expected="OID")
