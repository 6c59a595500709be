"""A made-up document for any structure: what proves that a structure can be written, checked and shown.

* Every value is invented; an identity code has an individual number that is given to nobody.
* A choice is asked of the caller as a number below another: the same choices make the same document.
* A document satisfies the schema and the conditions that stand in prose only.

Source: the structure itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kanta_gateway.mapping.conformance import groups_at, holds, is_there

if TYPE_CHECKING:
    from collections.abc import Callable

    from kanta_gateway.mapping.definitions import Condition, FieldDef, Structure

    Pick = Callable[[int], int]

_TWICE_DOWN_TO = 4
"""Levels of groups within which a repeatable field may stand twice."""
_ROUNDS = 20
"""How often a document is mended: a condition may upset another, never in a circle of this length."""
_PHRASES = (
    "Näyte: ensimmäinen rivi.\nToinen rivi <b>ilman</b> merkintöjä & muuta.",
    "Näyte",
    'Å, ä ja ö - sekä "lainaus".',
)
_DATES = ("2026-03-19", "2026-03", "2026")
_MOMENTS = ("2026-03-19T13:33:30+02:00", "2026-03-19T11:33:30.5Z", "2026-03-19", "2026")
_NUMBERS = (12, 0, 4.5, 7)
_IDENTITY_CODE, _IDENTITY_KEY = "010190-999C", "henkilotunnus"
"""Individual number 999: temporary codes only (government decree 128/2010)."""
_ANY_SYSTEM = "2.999"
"""Arc for examples (ITU-T X.660), where a field names no code system."""


def whole(structure: Structure) -> dict[str, Any]:
    """A document with every field, each repeatable one twice, as far as the conditions allow."""
    return sample(structure, lambda choices: choices - 1)


def least(structure: Structure) -> dict[str, Any]:
    """A document with as little as the structure allows."""
    return sample(structure, lambda _: 0)


def sample(structure: Structure, pick: Pick) -> dict[str, Any]:
    """A valid document.

    Args:
        structure: any.
        pick: gives a whole number from 0 up to, not including, the one it is asked with; 0 is the least.
    """
    maker = _Maker(pick, structure)
    root = maker.group(structure.root)
    for _ in range(_ROUNDS):
        if not [None for one in structure.conditions if maker.mend(structure, one, root)]:
            break
    return {structure.root.key: _ordered(structure.root, root)}


class _Maker:
    """Makes values by the choices it is given."""

    def __init__(self, pick: Pick, structure: Structure) -> None:
        self._pick = pick
        self._depth = 0
        self._asked: dict[str, list[tuple[str, str]]] = {}
        """Key of a coded field -> codes and displays that conditions ask for."""
        for when in (one.when for one in structure.conditions if one.when is not None):
            asked = self._asked.setdefault(when.field.rpartition("/")[2], [])
            asked += ((code, f"Näyteluokka {code}") for code in when.code)
            asked += (("1", str(display)) for display in when.equals)

    def group(self, one: FieldDef) -> dict[str, Any]:
        """The fields that must be there, and of the others those that were chosen; never nothing at all."""
        chosen = {child.key: child.min or self._pick(2) for child in one.children}
        if one.children and not any(chosen.values()):
            chosen[one.children[0].key] = 1
        self._depth += 1
        made = {child.key: self.value(child) for child in one.children if chosen[child.key]}
        self._depth -= 1
        return made

    def value(self, one: FieldDef) -> Any:
        """A value of a field, in a list where it is repeatable."""
        if one.is_list:
            # Two of everything at every depth would double the document with each level.
            return [self._one(one) for _ in range(1 + (self._pick(2) if self._depth <= _TWICE_DOWN_TO else 0))]
        return self._one(one)

    def mend(self, structure: Structure, condition: Condition, root: dict[str, Any]) -> bool:
        """Make one condition hold; whether anything had to be changed."""
        changed = False
        places: list[tuple[str, Any]] = list(groups_at(root, condition.group, ""))
        for _, group in places:
            for path in self._surplus(condition, group, root):
                _remove(group, path.split("/"))
                changed = True
            for path in self._lacking(condition, group, root):
                self._add(structure, (*condition.group, *path.split("/")), group, path.split("/"))
                changed = True
        return changed

    def _surplus(self, condition: Condition, group: dict[str, Any], root: dict[str, Any]) -> list[str]:
        if condition.rule != "only-when" or holds(condition.when, group, root):
            return []
        return [path for path in condition.fields if is_there(path, group, root)]

    def _lacking(self, condition: Condition, group: dict[str, Any], root: dict[str, Any]) -> list[str]:
        lacking = [path for path in condition.fields if not is_there(path, group, root)]
        if condition.rule == "one-of":
            return lacking[:1] if len(lacking) == len(condition.fields) else []
        if condition.rule == "required-when" and holds(condition.when, group, root):
            return lacking
        return []

    def _add(self, structure: Structure, place: tuple[str, ...], group: dict[str, Any], path: list[str]) -> None:
        first = place[: len(place) - len(path) + 1]
        one = structure.field("/".join(first))
        if len(path) == 1:
            group[one.key] = self.value(one)
            return
        if one.key not in group:
            group[one.key] = self.value(one)
        for inner in group[one.key] if one.is_list else [group[one.key]]:
            if path[1] not in inner:
                self._add(structure, place, inner, path[1:])

    def _one(self, one: FieldDef) -> Any:
        return self.group(one) if one.kind is None else getattr(self, f"_{one.kind.value}")(one)

    def _boolean(self, _: FieldDef) -> bool:
        return bool(self._pick(2))

    def _coding(self, one: FieldDef) -> dict[str, str]:
        system = one.code_system or _ANY_SYSTEM
        known = [(code, f"Näyteluokka {code}") for code in one.allowed] or [
            ("1", "Näyteluokka 1"), *self._asked.get(one.key, ())
        ]  # fmt: skip
        code, display = known[self._pick(len(known))]
        written = system if "/" in system else f"urn:oid:{system}"
        return {"system": written, "code": code, "display": display}

    def _date(self, _: FieldDef) -> str:
        return _DATES[self._pick(len(_DATES))]

    def _datetime(self, _: FieldDef) -> str:
        return _MOMENTS[self._pick(len(_MOMENTS))]

    def _identifier(self, one: FieldDef) -> dict[str, str]:
        value = _IDENTITY_CODE if one.key == _IDENTITY_KEY else "2.999.7"
        system = one.identifier_system or _ANY_SYSTEM
        return {"value": value} if self._pick(2) else {"system": f"urn:oid:{system}", "value": value}

    def _number(self, _: FieldDef) -> float:
        return _NUMBERS[self._pick(len(_NUMBERS))]

    def _string(self, one: FieldDef) -> str:
        phrases = one.allowed or _PHRASES
        return phrases[self._pick(len(phrases))]


def _ordered(one: FieldDef, value: Any) -> Any:
    """The value with its fields in the order of the structure."""
    if one.kind is not None:
        return value
    if isinstance(value, list):
        return [_ordered(one, inner) for inner in value]
    return {child.key: _ordered(child, value[child.key]) for child in one.children if child.key in value}


def _remove(group: dict[str, Any], path: list[str]) -> None:
    """Take a field out wherever it stands, and with it a group that would be left empty."""
    head, *rest = path
    if head not in group:
        return
    if not rest:
        del group[head]
        return
    inner = group[head] if isinstance(group[head], list) else [group[head]]
    for one in inner:
        _remove(one, rest)
    left = [one for one in inner if one]
    if not left:
        del group[head]
    elif isinstance(group[head], list):
        group[head] = left
