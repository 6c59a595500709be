"""Hostile calls of every route: texts, numbers, queries, headers and bodies that no honest system sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

MARKED = "Zq9401xw"
"""Stands in whatever is sent and must come back nowhere."""
SURROGATE = b'"\\ud800' + MARKED.encode() + b'"'
TEXTS = (
    "", f"{MARKED}\0", f"\u202e{MARKED}", f"{MARKED}\r\nX: y", f"{MARKED}\u2028'\"`;--", "%00", f"../../{MARKED}",
    "-1", "9" * 400, "1e309", "NaN", "\ufffd\uffff", MARKED * 900, f"{{{MARKED}}}{{0}}%s%n", "0001-01-01", "9999-12-31",
    "2026-02-30", "٣", "¹",
)  # fmt: skip
"""Values of a parameter, and of a part of an address."""
VALUES: tuple[bytes, ...] = (
    b"null", b"true", b"1", b"-1", b"1e400", b"-0.0", b"9" * 400, b"NaN", b"Infinity", b"[]", b"{}", b"[[]]", b"[{}]",
    b'{"a":{"a":[]}}', b'""', SURROGATE, b'"\\u0000' + MARKED.encode() + b'"', b'"' + MARKED.encode() * 900 + b'"',
    b'"\xff"', b'["' + MARKED.encode() + b'"]', b'"0001-01-01"', b'"9999-12-31"', b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:59-23:59"', '"\u202e\u0661"'.encode(), b'"' + MARKED.encode() + b'"',
)  # fmt: skip
"""Values of a field of a body, as they are written."""
BODIES: tuple[bytes, ...] = (
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", b"null", b"1", b"NaN", b'"' + MARKED.encode() + b'"', b"[]", b"[1]",
    b"{}", b"{", b"[" * 200, b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"' + MARKED.encode() + b' x":1}',
    b"9" * 5000, b'{"type":"client","type":"staff"}', b'{"' + b"x" * 100_000 + b'":0}',
    b"<a>" + MARKED.encode() + b"</a>",
    b"PK\x03\x04" + MARKED.encode() * 40, b"\x1f\x8b" + MARKED.encode(), b'a;b\n"' + MARKED.encode(),
)  # fmt: skip
"""Whole bodies."""
HEADERS: tuple[Mapping[str, str], ...] = (
    {"Accept-Language": f"{MARKED};q=x,,*;q=9e999"}, {"accept-language": "fi-" + "x" * 5000},
    {"idempotency-key": MARKED * 90}, {"idempotency-key": ""}, {"content-type": f"text/{MARKED}; charset=utf-7"},
    {"content-length": "9" * 400}, {"content-encoding": "gzip"}, {"range": "bytes=-9"}, {"host": MARKED},
    {"x-forwarded-for": MARKED},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """A route with what a call of it may have, from its description."""

    method: str
    path: str
    places: tuple[str, ...]
    queries: tuple[str, ...]
    needed: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    """A body that would fit, where it has one."""

    @property
    def name(self) -> str:
        """As the lists name it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that no honest system makes."""

    method: str
    address: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def routes(description: Mapping[str, Any], bodies: Mapping[str, Mapping[str, Any]]) -> list[Route]:
    """Every route of a description.

    Args:
        description: the OpenAPI document.
        bodies: route -> a body that would fit.
    """
    found = []
    for path, methods in sorted(description["paths"].items()):
        for method, told in methods.items():
            given = told.get("parameters", ())
            name = f"{method.upper()} {path}"
            found.append(Route(
                method.upper(), path, tuple(one["name"] for one in given if one["in"] == "path"),
                tuple(one["name"] for one in given if one["in"] == "query"),
                tuple(one["name"] for one in given if one["in"] == "query" and one.get("required")),
                bodies.get(name, {}),
            ))  # fmt: skip
    return found


def calls(route: Route, there: Mapping[str, str], fits: Mapping[str, str]) -> Iterator[Call]:
    """Hostile calls of one route.

    Args:
        route: a route.
        there: name of a place of its address -> something that there is.
        fits: name of a parameter -> a value that fits.
    """
    good = {name: fits.get(name, "x") for name in route.needed}
    whole = {name: there.get(name, "1") for name in route.places}
    body = orjson.dumps(route.fields) if route.fields else b""
    whole_address = address(route.path, whole)
    for name in route.places:
        for text in TEXTS:
            yield Call(route.method, address(route.path, {**whole, name: text}), good, body)
    for name in route.queries:
        for text in TEXTS:
            yield Call(route.method, whole_address, {**good, name: text}, body)
    for headers in HEADERS:
        yield Call(route.method, whole_address, good, body, headers)
    if route.method == "POST":
        for one in BODIES:
            yield Call(route.method, whole_address, good, one)
        for one in changed(route.fields):
            yield Call(route.method, whole_address, good, one)


def changed(fields: Mapping[str, Any]) -> Iterator[bytes]:
    """A body with one field after the other changed, doubled or left out; one field more."""
    for name in fields:
        rest = [(one, orjson.dumps(value)) for one, value in fields.items() if one != name]
        yield _object(rest)
        yield _object([*rest, (name, orjson.dumps(fields[name])), (name, b'"' + MARKED.encode() + b'"')])
        for value in VALUES:
            yield _object([*rest, (name, value)])
    if fields:
        yield _object([(f"{MARKED} x", b"1"), *((name, orjson.dumps(value)) for name, value in fields.items())])


def _object(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    return b"{" + b",".join(orjson.dumps(name) + b":" + value for name, value in pairs) + b"}"


def address(path: str, places: Mapping[str, str]) -> str:
    """A route with values in its places."""
    for name, value in places.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path
