"""Paths of the mapping's input: written in mapping files, compiled once, read in nanoseconds.

* `record.negotiation.place`: keys one below the other.
* `staff[record.supervisor].surname`: the entry whose key another path tells.
* Reading is total: what is not there, or empty, is None.
* A repeat walks through lists on its way, so `record.goals.subgoals` is every subgoal of every goal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Scope = Mapping[str, Any]
Read = Callable[[Scope], Any]

ROOTS = frozenset({
    "author", "client", "decision", "judged", "language", "organiser",
    "product", "provider", "record", "staff", "unit",
})  # fmt: skip
"""What the mapping's input holds; a repeat adds its own name."""

_PATH = re.compile(r"[a-z_]+(\[[a-z_.]+\])?(\.[a-z_]+)*")
_STEP = re.compile(r"([a-z_]+)(?:\[([a-z_.]+)\])?")


def roots_of(path: str) -> tuple[str, ...] | None:
    """First words of a path and of the path inside its brackets; None where it is no path."""
    if not _PATH.fullmatch(path):
        return None
    head = _STEP.match(path)
    inner = head[2].split(".")[0] if head and head[2] else None
    return (path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0], *((inner,) if inner else ()))


def field_of(path: str) -> tuple[str, str]:
    """Root of a path and the field below it; no field for a path that is its root."""
    head = _STEP.match(path)
    root = head[1] if head else path
    return root, path[head.end() :].strip(".").split(".")[0] if head else ""


def reader(path: str) -> Read:
    """What reads one path from the input."""
    head = _STEP.match(path)
    name, inner = (head[1], head[2]) if head else (path, None)
    keys = tuple(path[head.end() :].strip(".").split(".")) if head and head.end() < len(path) else ()
    if inner:
        return _lookup(name, reader(inner), keys)
    if len(keys) == 1:
        return _one_below(name, keys[0])
    return lambda scope: _down(scope.get(name), keys)


def items(path: str) -> Callable[[Scope], Iterator[Any]]:
    """What gives every entry of a list, also of lists within lists."""
    name, *keys = path.split(".")

    def read(scope: Scope) -> Iterator[Any]:
        return _flat([scope.get(name)], keys)

    return read


def _one_below(name: str, key: str) -> Read:
    def read(scope: Scope) -> Any:
        holder = scope.get(name)
        return _given(holder.get(key)) if isinstance(holder, Mapping) else None

    return read


def _lookup(name: str, inner: Read, keys: tuple[str, ...]) -> Read:
    def read(scope: Scope) -> Any:
        holder, key = scope.get(name), inner(scope)
        if not isinstance(holder, Mapping) or not isinstance(key, str):
            return None
        return _down(holder.get(key), keys)

    return read


def _down(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return _given(value)


def _given(value: Any) -> Any:
    """None for what is empty: an empty text, list or object says nothing."""
    return None if value is None or value in ("", [], {}) else value


def _flat(values: Iterator[Any] | list[Any], keys: list[str]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(list(value), keys)
        elif not keys:
            if _given(value) is not None:
                yield value
        elif isinstance(value, Mapping):
            yield from _flat([value.get(keys[0])], keys[1:])
