"""Cosignatures: a witness signs only what continues what it has signed before.

* A request is `old SIZE`, the consistency proof from that size, an empty line, and the signed checkpoint.
* A cosignature is over the time and the checkpoint's text; its line is added to the checkpoint.
* The log needs no trust and the witness no data: it sees sizes and roots.

Source: C2SP tlog-witness and tlog-cosignature (`cosignature/v1`).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kanta_gateway.audit.checkpoint import COSIGNATURE, VerifierKey, read_keys
from kanta_gateway.errors import MisconfiguredError, UntrustedError

MOST_STEPS = 63
"""Hashes of a consistency proof that a witness reads (C2SP tlog-witness)."""
_DASH = "\N{EM DASH} "
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Request:
    """What a log asks a witness."""

    old: int
    proof: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Known:
    """A witness as the log knows it."""

    key: VerifierKey
    url: str


class Cosigner:
    """The key of a witness."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = VerifierKey(name, private.public_key().public_bytes_raw(), kind=COSIGNATURE)

    def line(self, note: str, at: int) -> str:
        """The line that is added to a checkpoint.

        Args:
            note: the signed checkpoint.
            at: seconds since 1970.
        """
        signature = self.key.hash + at.to_bytes(8, "big") + self._private.sign(_message(note, at))
        return f"{_DASH}{self.key.name} {b64encode(signature).decode()}\n"


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of a request."""
    steps = "".join(f"{b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{steps}\n{note}".encode()


def read_request(body: bytes) -> Request:
    """What a request asks.

    Raises:
        ValueError: it is none.
    """
    head, separator, note = body.decode("utf-8").partition("\n\n")
    first, *steps = head.split("\n")
    match = _OLD.fullmatch(first)
    if match is None or not separator or len(steps) > MOST_STEPS:
        raise ValueError("not a request")
    proof = tuple(b64decode(one, validate=True) for one in steps)
    if any(len(one) != 32 for one in proof):
        raise ValueError("a hash of the proof is none")
    return Request(int(match[1]), proof, note)


def is_cosigned(key: VerifierKey, note: str, line: str) -> bool:
    """Whether a line is the witness's cosignature of the checkpoint."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        blob = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        return False
    if not line.startswith(_DASH) or name != key.name or blob[:4] != key.hash:
        return False
    return key.accepts(blob[12:], _message(note, int.from_bytes(blob[4:12], "big")))


def read_witnesses(text: str) -> tuple[Known, ...]:
    """Witnesses, verifier key and address on a line each.

    Raises:
        MisconfiguredError: a line is something else; all such lines at once.
    """
    found, mistakes = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, url = line.strip().partition(" ")
        try:
            known = Known(read_keys(key)[0], url.strip().rstrip("/"))
        except UntrustedError:
            mistakes.append(f"line {number}: no verifier key")
            continue
        if known.key.kind != COSIGNATURE or not re.match(r"https?://[^/]", known.url):
            mistakes.append(f"line {number}: expected the key of a witness and its address")
        found.append(known)
    if len({one.key.name for one in found}) < len(found):
        mistakes.append("two witnesses have the same name")
    if len({one.key.public for one in found}) < len(found):
        mistakes.append("two witnesses have the same key")
    if mistakes:
        raise MisconfiguredError("file of witnesses: " + "; ".join(mistakes))
    return tuple(found)


def _message(note: str, at: int) -> bytes:
    text = note.rpartition("\n\n")[0] + "\n"
    return f"cosignature/v1\ntime {at}\n{text}".encode()
