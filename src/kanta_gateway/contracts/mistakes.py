"""Collects every mistake of a contract file, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")


class Mistakes:
    """Collects what is wrong, each with its place."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, where: str, what: str) -> None:
        """Tell one mistake."""
        self.told.append(f"{where}: {what}")

    def keys(self, where: str, value: Mapping[str, Any], needed: Iterable[str], allowed: Iterable[str] = ()) -> None:
        """Tell every missing and every unknown key."""
        needed = set(needed)
        for key in sorted(needed - value.keys()):
            self.say(where, f"{key} is missing")
        for key in sorted(value.keys() - needed - set(allowed)):
            self.say(where, f"{key} is not known; remove it or correct its name")


def each(
    mistakes: Mistakes, data: Mapping[str, Any], key: str, one: Callable[[Mistakes, str, Any], T | None]
) -> Iterator[T]:
    """Read every item of a list, telling which one is wrong."""
    items = data.get(key, [])
    if not isinstance(items, list):
        mistakes.say(key, "expected a list")
        return
    for number, item in enumerate(items, 1):
        label = item.get("id") or item.get("code") or item.get("name") or "" if isinstance(item, dict) else ""
        where = f"{key} {number} {label}".strip()
        if not isinstance(item, dict):
            mistakes.say(where, "expected keys and values")
        elif (value := one(mistakes, where, item)) is not None:
            yield value
