"""Paths into a FHIR resource: the small language in which a source names its elements.

* `a.b.c` walks elements; of a list every item is walked, so a path can give several values.
* `a[0]` takes one item, `a[x=y]` the items whose element `x` is `y` (`code[text=omatyöntekijä]`).
* `a->b` follows a reference: to a contained resource, or to one of the same bundle.
* A path that leads nowhere gives nothing; it is never an error.

Source: FHIR R4 §2.3 (references), §2.26.3 (contained resources).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\[(?P<index>\d+)\]|\[(?P<key>[A-Za-z][\w.]*)=(?P<value>[^\]]*)\])?")
Follow = Callable[[str], Mapping[str, Any] | None]
"""Gives the resource that a reference names, or None."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path."""

    name: str
    """Empty: follow the reference that stands here."""
    index: int | None = None
    key: str = ""
    value: str = ""


@lru_cache(maxsize=1024)
def parsed(path: str) -> tuple[Step, ...]:
    """The steps of a path.

    Raises:
        ValueError: it is no path of this language.
    """
    steps: list[Step] = []
    for place, part in enumerate(path.split("->")):
        if place:
            steps.append(Step(""))
        for one in _parts(part):
            found = _STEP.fullmatch(one)
            if found is None:
                raise ValueError(f"{path} is no path: {one!r} is neither name, name[0] nor name[key=value]")
            index = int(found["index"]) if found["index"] is not None else None
            steps.append(Step(found["name"], index, found["key"] or "", found["value"] or ""))
    return tuple(steps)


def _parts(path: str) -> Iterator[str]:
    """The parts between dots that stand outside brackets."""
    if path:
        yield from re.split(r"\.(?![^\[]*\])", path)


def values(resource: Mapping[str, Any], path: str, follow: Follow) -> list[Any]:
    """Every value that a path leads to.

    Args:
        resource: where it begins.
        path: in the language of this module.
        follow: gives the resource that a reference names.
    """
    found: list[Any] = [resource]
    for step in parsed(path):
        found = list(_stepped(found, step, resource, follow))
    return [one for one in found if one is not None]


def _stepped(found: Iterable[Any], step: Step, root: Mapping[str, Any], follow: Follow) -> Iterator[Any]:
    for one in found:
        if not isinstance(one, Mapping):
            continue
        if not step.name:
            target = _target(one, root, follow)
            if target is not None:
                yield target
            continue
        value = one.get(step.name)
        items: Sequence[Any] = value if isinstance(value, list) else [value]
        if step.index is not None:
            items = items[step.index : step.index + 1]
        elif step.key:
            items = [item for item in items if step.value in _plain(item, step.key)]
        yield from items


def _plain(item: Any, key: str) -> list[str]:
    """What stands at a path of plain names, as text."""
    found: list[Any] = [item]
    for name in key.split("."):
        inner = [one.get(name) for one in found if isinstance(one, Mapping)]
        found = [each for one in inner for each in (one if isinstance(one, list) else [one])]
    return [str(one) for one in found if one is not None]


def _target(reference: Mapping[str, Any], root: Mapping[str, Any], follow: Follow) -> Mapping[str, Any] | None:
    """The resource that a reference names: contained, or of the bundle."""
    named = reference.get("reference")
    if not isinstance(named, str):
        return None
    if named.startswith("#"):
        contained = root.get("contained")
        items = contained if isinstance(contained, list) else []
        return next((one for one in items if isinstance(one, Mapping) and one.get("id") == named[1:]), None)
    return follow(named)


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value of a resource, list positions left out."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    elif value is not None:
        yield path


def covers(path: str) -> str:
    """The element path that a path reads from, as `leaves` names it: up to the first reference that it follows."""
    return ".".join(step.name for step in parsed(path.partition("->")[0]))
