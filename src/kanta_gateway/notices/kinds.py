"""The closed set of value kinds of a notice: each lets through one form of value, and no other.

* A value that does not have the form of its kind is left out: a narrative text fits none of them.
* Words come from lists in files (`lists.py`); a word that stands in no list is told as the list's `otherwise`.
* A place is left out for a client under turvakielto, and where it is not known whether there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanta_gateway.notices.lists import WordList

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")
_REFERENCE = re.compile(r"(?=.*[0-9])[0-9A-Za-z./:_-]{1,64}")
"""A number of a voucher, a decision or a record: no spaces, at least one digit."""
_IDENTITY_CODE = re.compile(r"[0-9]{6}[-+ABCDEFYXWVU][0-9]{3}[0-9A-Y]")
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_LONGEST_NAME = 200

PLACE = "place"
CODE = "code"


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _identity_code(value: Any) -> Any:
    return value if isinstance(value, str) and _IDENTITY_CODE.fullmatch(value) else None


def _name(value: Any) -> Any:
    """Surname and given names of a person."""
    if not isinstance(value, Mapping):
        return None
    names = [str(value.get(part) or "").strip() for part in ("surname", "given_names")]
    return ", ".join(names)[:_LONGEST_NAME] if all(names) else None


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        value = format(value, "f")
    text = str(value) if isinstance(value, int | float | str) else ""
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _organisation(value: Any) -> Any:
    """OID and name of an organisation or a unit."""
    if not isinstance(value, Mapping) or not _OID.fullmatch(str(value.get("oid") or "")):
        return None
    return {"oid": str(value["oid"]), "name": str(value.get("name") or "")[:_LONGEST_NAME]}


def _reference(value: Any) -> Any:
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else None


def _references(value: Any) -> Any:
    """Several references, such as the clients of an incident by the gateway's ids."""
    if not isinstance(value, list) or not value or not all(map(_reference, value)):
        return None
    return list(value)


def _service(value: Any) -> Any:
    """Name of a product, as the contract file has it."""
    return value[:_LONGEST_NAME] if isinstance(value, str) and value else None


KINDS: Mapping[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    CODE: lambda value: value,  # against its list: `told`
    "day": _day,
    "identity-code": _identity_code,
    "name": _name,
    "number": _number,
    "organisation": _organisation,
    PLACE: _organisation,
    "reference": _reference,
    "references": _references,
    "service": _service,
}
_OF_RECORDS = frozenset({"boolean", CODE, "day", "number", "reference", "references"})
MAY = {
    "category": frozenset({CODE}),
    "client.identity_code": frozenset({"identity-code"}),
    "client.name": frozenset({"name"}),
    "decision": _OF_RECORDS,
    "finding": frozenset({CODE, "number", "day"}),
    "notice": frozenset({"day", "number"}),
    "organiser": frozenset({"organisation"}),
    "product.name": frozenset({"service"}),
    "provider": frozenset({PLACE, "organisation"}),
    "record": _OF_RECORDS,
    "unit": frozenset({PLACE}),
}
"""Path, or its first step, -> kinds that a value from there may be of: a record's own words fit none."""


def told(kind: str, value: Any, words: WordList | None, *, is_secret: bool) -> Any:
    """A value as a notice carries it; None for one that it does not carry.

    Args:
        kind: one of `KINDS`.
        value: what stands in the record.
        words: the list of a coded value.
        is_secret: whether the client is under turvakielto, or may be.
    """
    if kind == CODE:
        return words.key(value) if words is not None and value is not None else None
    if kind == PLACE and is_secret:
        return None
    return None if value is None else KINDS[kind](value)
