"""Canonical JSON: the bytes that a leaf of the log hashes.

* One value has one text, so a hash over it means the value.
* The fast writer is used only for values on which both writers give the same bytes: keys in ASCII
  (sorting by UTF-8 and by UTF-16 is then the same) and no fractions (their notations differ).

Source: RFC 8785 §3.2.
"""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

_SAFE = 2**53 - 1
"""Largest whole number that every JSON reader keeps exact (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value.

    Raises:
        ValueError: the value is not JSON, or has a number or text that JSON cannot carry exactly.
    """
    try:
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (TypeError, UnicodeEncodeError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise ValueError("the value has no canonical JSON form; give text, whole numbers, lists and objects") from error


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_SAFE <= value <= _SAFE)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii() or not (type(item) is str or _is_plain(item)):
                return False
        return True
    return (kind is list or kind is tuple) and all(map(_is_plain, value))
