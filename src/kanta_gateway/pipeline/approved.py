"""Which content was approved, and how what is in place differs from it."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import changes as store
from kanta_gateway.access.changes import Change
from kanta_gateway.errors import UntrustedError
from kanta_gateway.privacy.envelope import open_sealed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Keyring

CONTEXT = b"change"


def code_of(keyring: Keyring) -> store.Code:
    """What makes the code of a change."""
    return lambda content: hmac.new(keyring.changes, b"code\0" + content, sha256).digest()


def approved_content(tx: Connection, keyring: Keyring) -> dict[str, bytes]:
    """Path -> the approved content."""
    known = store.every(tx, code_of(keyring))
    found: dict[str, bytes] = {}
    for path, one in store.in_force(known).items():
        told = opened(one, keyring)["content"][path]
        if told is not None:
            found[path] = b64decode(told)
    return found


def differing(tx: Connection, keyring: Keyring, digests: Mapping[str, str]) -> dict[str, str]:
    """Path -> how what is in place differs from what was approved.

    Args:
        tx: a reading transaction.
        keyring: the installation's keys.
        digests: of what is in place.
    """
    wanted = store.approved(store.every(tx, code_of(keyring)))
    told: dict[str, str] = {}
    for path in sorted(wanted.keys() | digests.keys()):
        if wanted.get(path) != digests.get(path):
            told[path] = "changed" if path in wanted and path in digests else "added" if path in digests else "missing"
    return told


def opened(one: Change, keyring: Keyring) -> dict[str, Any]:
    """Why a change was proposed, by whom, its content and its effect.

    Raises:
        UntrustedError: it is not what was proposed.
    """
    body = open_sealed(keyring.changes, one.sealed, CONTEXT)
    if sha256(one.told.encode() + body).hexdigest() != one.digest:
        raise UntrustedError(f"change {one.number} has other content than was proposed; restore it from a backup")
    value: dict[str, Any] = orjson.loads(body)
    return value
