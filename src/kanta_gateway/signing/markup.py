"""Escaping of text for XML, and a parser that is safe with documents from elsewhere.

* Text and attribute values are escaped so that the bytes are already in canonical form.
* The parser reads no DTD, resolves no entity, opens nothing, and refuses what is too large or too deep.

Source: XML 1.0 §2.2 (characters), Canonical XML 1.0 §2.3 (escaping), CVE classes XXE and billion laughs.
"""

from __future__ import annotations

import re

from lxml import etree

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry; intake refuses them, here they could only stand as U+FFFD."""

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""The largest record is 10 MB; its display form and JSON in Base64 stay under 40 MB."""


def text(value: str) -> str:
    """The value as character data."""
    value = FORBIDDEN.sub("\ufffd", value)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def attribute(value: str) -> str:
    """The value between the double quotes of an attribute."""
    value = FORBIDDEN.sub("\ufffd", value)
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return value.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def parse(xml: bytes) -> etree._Element | None:
    """The root of the document; None when it is not well-formed, too large, or has a document type."""
    if len(xml) > MAX_DOCUMENT_BYTES:
        return None
    is_large = len(xml) > 8 * 1024 * 1024  # libxml2 refuses text nodes above 10 MB otherwise
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=is_large
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.internalDTD is not None else root
