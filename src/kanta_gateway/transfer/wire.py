"""`multipart/related` with two parts, the frame first, and its reading (RFC 2387; shape assumed)."""

from __future__ import annotations

import secrets

FRAME_ID = "frame"
_CRLF = b"\r\n"


def pack(frame: bytes, document: bytes, oid: str) -> tuple[str, bytes]:
    """Frame and document as one body.

    Args:
        frame: the root part.
        document: the signed document, byte for byte.
        oid: becomes the Content-ID of the document, as the frame says.

    Returns:
        The content type and the body.
    """
    boundary = secrets.token_hex(24)  # 192 random bits: not in the parts
    mark = f"--{boundary}\r\n".encode()
    body = b"".join((
        mark, _head(FRAME_ID), frame, _CRLF,
        mark, _head(oid), document, _CRLF,
        f"--{boundary}--\r\n".encode(),
    ))  # fmt: skip
    return f'multipart/related; type="text/xml"; start="<{FRAME_ID}>"; boundary="{boundary}"', body


def unpack(content_type: str, body: bytes) -> dict[str, bytes] | None:
    """Content-ID -> part; None if it is not what `pack` makes."""
    name, _, parameters = content_type.partition(";")
    given = dict(one.strip().partition("=")[::2] for one in parameters.split(";"))
    boundary = given.get("boundary", "").strip('"')
    if name.strip().lower() != "multipart/related" or not boundary:
        return None
    mark = f"--{boundary}".encode()
    pieces = (_CRLF + body).split(_CRLF + mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        return None
    parts: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(_CRLF + _CRLF)
        for line in head.split(_CRLF):
            key, _, value = line.partition(b":")
            if key.strip().lower() == b"content-id":
                parts[value.strip().strip(b"<>").decode("ascii", "replace")] = content
    return parts


def _head(content_id: str) -> bytes:
    return f"Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <{content_id}>\r\n\r\n".encode()
