"""Paths into a FHIR resource: the small language in which a source names its elements.

* `a.b.c` walks elements; of a list every item is walked, so a path can give several values.
* `a[0]` takes one item, `a[x=y]` the items whose element `x` is `y`, `a[x=y*]` those in which it begins so; case,
  outer spaces and diacritics do not matter.
* `a->b` follows a reference: to a contained resource, or to one of the same bundle.
* `a|b` gives what `a` leads to, and only if that is nothing, what `b` does.
* A path that ends in an extension gives its value, of whatever type; an extension without one cannot be read.
* A path that leads nowhere gives nothing; it is never an error.
* A walk remembers where it has been, so that what nothing has read can be told by its place.

Source: FHIR R4 §2.3 (references), §2.26.3 (contained resources), §2.4.0.1 (extensions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kanta_gateway.intake.values import Unreadable, folded

_STEP = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\[(?P<index>\d+)\]|\[(?P<key>[A-Za-z][\w.]*)=(?P<value>[^\]]*)\])?")
_OUTSIDE = r"(?![^\[]*\])"
"""Only where no bracket is open."""
Follow = Callable[[str], Mapping[str, Any] | None]
"""Gives the resource that a reference names, or None."""
Place = tuple[str | int, ...]
"""Where a value stands in a resource: names of elements, and numbers of list items."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path."""

    name: str
    """Empty: follow the reference that stands here."""
    index: int | None = None
    key: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A value that a path leads to."""

    value: Any
    place: Place
    """In the resource where the path began; behind a reference, the place of the reference."""
    is_outside: bool = False
    """Whether it stands in another resource of the bundle."""


@lru_cache(maxsize=1024)
def parsed(path: str) -> tuple[tuple[Step, ...], ...]:
    """The steps of each alternative of a path.

    Raises:
        ValueError: it is no path of this language.
    """
    return tuple(tuple(_steps(path, one)) for one in re.split(rf"\|{_OUTSIDE}", path))


def _steps(path: str, alternative: str) -> Iterator[Step]:
    if not alternative:
        raise ValueError(f"{path} is no path")
    for place, part in enumerate(alternative.split("->")):
        if place:
            yield Step("")
        for one in re.split(rf"\.{_OUTSIDE}", part) if part else ():
            found = _STEP.fullmatch(one)
            if found is None:
                raise ValueError(f"{path} is no path")
            index = None if found["index"] is None else int(found["index"])
            yield Step(found["name"], index, found["key"] or "", found["value"] or "")


class Walk:
    """One resource on the way of being read.

    Args:
        resource: where paths begin.
        follow: gives the resource that a reference names.
    """

    def __init__(self, resource: Mapping[str, Any], follow: Follow) -> None:
        self.resource = resource
        self._follow = follow
        self.read: set[Place] = set()
        """Places whose values have been read, or have decided what was read."""
        self.lost: list[Place] = []
        """References to contained resources that are not there."""

    def find(self, path: str, start: Found | None = None, *, is_read: bool = True) -> list[Found]:
        """Every value that a path leads to.

        Args:
            path: in the language of this module.
            start: where it begins; the resource itself by default.
            is_read: whether the values count as read; otherwise whoever asked says what of them is.
        """
        for steps in parsed(path):
            found = [start or Found(self.resource, ())]
            for step in steps:
                found = [each for one in found for each in self._stepped(one, step)]
            if steps and steps[-1].name == "extension":
                found = [_valued(one) for one in found]
            found = [one for one in found if one.value is not None]
            if found:
                if is_read:
                    self.read.update(one.place for one in found)
                return found
        return []

    def values(self, path: str) -> list[Any]:
        """The values alone."""
        return [one.value for one in self.find(path)]

    def _stepped(self, one: Found, step: Step) -> Iterator[Found]:
        if not isinstance(one.value, Mapping):
            return
        if not step.name:
            yield from self._followed(one)
            return
        value = one.value.get(step.name)
        is_list = isinstance(value, list)
        items: Sequence[Any] = value if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            place = one.place if one.is_outside else (*one.place, step.name, *((number,) if is_list else ()))
            here = Found(item, place, one.is_outside)
            if (step.index is None or step.index == number) and (not step.key or self._is_chosen(here, step)):
                yield here

    def _is_chosen(self, item: Found, step: Step) -> bool:
        """Whether an element of the item is the value that the step asks for."""
        wanted, is_start = folded(step.value.removesuffix("*")), step.value.endswith("*")
        for one in _plain(item, step.key.split(".")):
            told = folded(str(one.value))
            if told == wanted or (is_start and told.startswith(wanted)):
                if not one.is_outside:
                    self.read.add(one.place)
                return True
        return False

    def _followed(self, one: Found) -> Iterator[Found]:
        """The resource that a reference names: contained, or of the bundle."""
        named = one.value.get("reference")
        if not isinstance(named, str):
            return
        place = one.place if one.is_outside else (*one.place, "reference")
        self.read.add(place)
        if not named.startswith("#"):
            target = self._follow(named)
            if target is not None:
                yield Found(target, place, is_outside=True)
            return
        contained = self.resource.get("contained")
        for number, item in enumerate(contained if isinstance(contained, list) else ()):
            if isinstance(item, Mapping) and item.get("id") == named[1:]:
                self.read |= {("contained", number, "id"), ("contained", number, "resourceType")}
                yield Found(item, ("contained", number))
                return
        self.lost.append(place)


def _plain(item: Found, names: Sequence[str]) -> Iterator[Found]:
    """What stands at a path of plain names."""
    if not names:
        yield item
        return
    if isinstance(item.value, Mapping):
        value = item.value.get(names[0])
        place = (*item.place, names[0])
        if isinstance(value, list):
            for number, one in enumerate(value):
                yield from _plain(Found(one, (*place, number), item.is_outside), names[1:])
        elif value is not None:
            yield from _plain(Found(value, place, item.is_outside), names[1:])


def _valued(one: Found) -> Found:
    """An extension as its value."""
    told = [key for key in one.value if key.startswith("value")] if isinstance(one.value, Mapping) else []
    if len(told) != 1:
        return Found(Unreadable("SRC-MISSING"), one.place, one.is_outside)
    place = one.place if one.is_outside else (*one.place, told[0])
    return Found(one.value[told[0]], place, one.is_outside)


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every value of a resource."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*place, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, number))
    elif value is not None:
        yield place


def element(place: Place) -> str:
    """The element of a place, whichever item of a list it is."""
    return ".".join(one for one in place if isinstance(one, str))


def expression(place: Place) -> str:
    """A place as FHIRPath writes it (`OperationOutcome.issue.expression`)."""
    return "".join(f".{one}" if isinstance(one, str) else f"[{one}]" for one in place).removeprefix(".")


def likely(path: str) -> str:
    """Where a path would lead, for one that leads nowhere: its last alternative without what it filters by."""
    steps = parsed(path)[-1]
    before = steps[: next((at for at, one in enumerate(steps) if not one.name), len(steps))]
    return ".".join(one.name if one.index is None else f"{one.name}[{one.index}]" for one in before)
