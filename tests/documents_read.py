"""Signed documents opened for tests: structured form, display text, header."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from lxml import etree


def structured(xml: bytes) -> Any:
    """The JSON of a document."""
    return orjson.loads(_part(xml, "json"))


def displayed(xml: bytes) -> str:
    """The text of the display form."""
    return " ".join("".join(map(str, etree.fromstring(_part(xml, "text")).itertext())).split())


def _part(xml: bytes, name: str) -> bytes:
    found = etree.fromstring(xml).find(".//{*}nonXMLBody/{*}" + name)
    assert found is not None
    return base64.b64decode(found.text or "")
