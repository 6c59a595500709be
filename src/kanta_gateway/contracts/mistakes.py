"""Collects every mistake of a contract file, each with its place and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from kanta_gateway import stated
from kanta_gateway.stated import Lined, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")
_LABELS = ("id", "code", "name", "rule")
"""Keys whose value an item of a list is called by."""


class Mistakes:
    """Collects what is wrong, each with its place; the file's own lines are found by the place."""

    def __init__(self, name: str = "", data: Any = None) -> None:
        self.file = stated.Mistakes(f"contracts/{name}.yaml")
        self.data = data

    @property
    def told(self) -> list[str]:
        """Every mistake so far."""
        return self.file.told

    def say(self, where: str, what: str) -> None:
        """Tell one mistake.

        Args:
            where: words that lead through the file: `rules 3 texts`, or the name of an item: `rule HEI-13`.
            what: is wrong; where it begins with a key and a colon, the line is that key's.
        """
        self.file.say(line_of(self.data, [*where.split(), what.partition(":")[0].partition(" ")[0]]),
                      f"{where}: {what}")  # fmt: skip

    def keys(self, where: str, value: Mapping[str, Any], needed: Iterable[str], allowed: Iterable[str] = ()) -> None:
        """Tell every missing and every unknown key."""
        needed = set(needed)
        known = sorted(needed.union(allowed), key=str)
        there = value.keys() | (value.lines.keys() if isinstance(value, Lined) else set())  # also what was left out
        for key in sorted(needed - there):
            self.say(where, f"{key} is missing")
        for key in sorted(map(str, value.keys() - set(known))):
            self.say(where, f"{key} is not known; remove it or correct its name{nearest(key, known)}")


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
        elif (value := _read(mistakes, where, item, one)) is not None:
            yield value


def _read(mistakes: Mistakes, where: str, item: Any, one: Callable[[Mistakes, str, Any], T | None]) -> T | None:
    try:
        return one(mistakes, where, item)
    except KeyError:
        if not _lacks(item):
            raise
        return None  # what is lacking was left out for its form, and has been told


def _lacks(value: Any) -> bool:
    """Whether something was left out of an object for its form."""
    if isinstance(value, list):
        return any(map(_lacks, value))
    return isinstance(value, Lined) and (bool(value.lines.keys() - value.keys()) or any(map(_lacks, value.values())))


def line_of(data: Any, words: Iterable[str]) -> int:
    """The line that words lead to through a file: keys, numbers of items from 1, and names of items.

    Args:
        data: the file's content.
        words: `rules 3 texts above`, or `rule HEI-13`, which stands for the item of `rules` that is called so. A word
            that leads nowhere is passed over.
    """
    at, line = data, 0
    for word in words:
        if isinstance(at, Lined) and word in at:
            at, line = at[word], at.at(word)
        elif isinstance(at, Lined) and isinstance(at.get(f"{word}s"), list):
            at, line = at[f"{word}s"], at.at(f"{word}s")
        elif isinstance(at, list):
            found = _item(at, word)
            at, line = (found, getattr(found, "line", line)) if found is not None else (at, line)
    return line


def _item(items: list[Any], word: str) -> Any:
    """The item of a list by its number, or by what it is called."""
    if word.isdecimal() and 0 < int(word) <= len(items):
        return items[int(word) - 1]
    called = (one for one in items if isinstance(one, Lined) and word in {str(one.get(key)) for key in _LABELS})
    return next(called, None)
