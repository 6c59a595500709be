"""Takes out of records and document trees what must not be stored or leave, counted by field and class.

* Every free text is read by the contract's levels; a field that holds a code (identity code, OID) stays.
* What waits for its author stays in the record and is told as asked; a text that is dropped leaves its field.
* A person's name stays also when it is the name of the client's town or street.
* For a client under turvakielto, address, municipality and telephone fields are dropped from the document.
* The input is never changed; without anything to mask the same value comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Masked, Node, Tree, ValueKind

if TYPE_CHECKING:
    from kanta_gateway.privacy.fingerprint import ClientGuard
    from kanta_gateway.privacy.reading import Reading
    from kanta_gateway.privacy.scan import Scanner

Counts = Counter[tuple[str, str]]
"""(field, class) -> how many."""


Read = Callable[[str], "Reading | None"]
"""Top-level field of a record -> how its texts are read; None for a field that holds codes."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """A record's content as it may stay, and what came of the rest."""

    content: Mapping[str, Any]
    masked: tuple[Masked, ...] = ()
    asked: tuple[Masked, ...] = ()
    """What is still there and waits for the author's answer."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Fields whose text was left out whole."""


def sift(scanner: Scanner, content: Mapping[str, Any], read: Read) -> Sifted:
    """A record's content without what must not stay.

    Args:
        scanner: the installation's scanner.
        content: of a canonical record.
        read: how each field is read.
    """
    masker = _Masker(scanner)
    kept = {key: masker.value(value, key, key, read(key)) for key, value in content.items()}
    if not (masker.counts or masker.asked):
        return Sifted(content)
    whole = {key: value for key, value in kept.items() if value is not _DROPPED}
    return Sifted(whole, _told(masker.counts), _told(masker.asked), masker.dropped)


def minimise(scanner: Scanner, tree: Tree, guard: ClientGuard | None) -> tuple[Tree, tuple[Masked, ...]]:
    """The tree without what must not leave, and what was taken out.

    Args:
        scanner: the installation's scanner.
        tree: a composed document.
        guard: what is known about the client.
    """
    counts: Counts = Counter()
    root = _Pruner(scanner, guard, counts).node(tree.root, "", is_client=False)
    if not counts or root is None:
        return tree, ()
    return replace(tree, root=root), _told(counts)


class _Pruner:
    """One walk over one tree."""

    def __init__(self, scanner: Scanner, guard: ClientGuard | None, counts: Counts) -> None:
        self._scanner = scanner
        self._guard = guard
        self._counts = counts
        self._is_restricted = guard is not None and guard.is_non_disclosure

    def node(self, node: Node, path: str, *, is_client: bool) -> Node | None:
        """The node without what must go; None when nothing of it may stay."""
        words = self._scanner.words
        here = f"{path}.{node.key}" if path else node.key
        if self._is_restricted:
            cls = words.anywhere_keys.get(node.key) or (words.client_keys.get(node.key) if is_client else None)
            if cls is not None:
                self._counts[here, cls] += 1
                return None
        if node.kind is None:
            return self._group(node, here, is_client=is_client or node.key in words.client_groups)
        if node.kind is not ValueKind.STRING or not isinstance(node.value, str) or node.key in words.untouched:
            return node
        guard = None if node.key in words.names else self._guard
        text, counts = self._scanner.mask(node.value, is_contact=node.is_contact, guard=guard)
        if not counts:
            return node
        _add(self._counts, here, counts)
        return replace(node, value=text)

    def _group(self, node: Node, here: str, *, is_client: bool) -> Node | None:
        children = tuple(
            kept for child in node.children if (kept := self.node(child, here, is_client=is_client)) is not None
        )
        if children == node.children:
            return node
        # a group that holds nothing any more is not written: the structures allow no empty group
        return replace(node, children=children) if children else None


_DROPPED = object()
"""Stands for a text that was left out whole."""


class _Masker:
    """One walk over one record."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self.counts: Counts = Counter()
        self.asked: Counts = Counter()
        self.dropped: dict[str, int] = {}

    def value(self, value: Any, key: str, path: str, reading: Reading | None) -> Any:
        """The value with its texts read; how holds for all inside."""
        if reading is None or key in self._scanner.words.untouched:
            return value
        if isinstance(value, str):
            return self._text(value, key, path, reading)
        if isinstance(value, Mapping):
            inside = {name: self.value(one, name, f"{path}.{name}", reading) for name, one in value.items()}
            return {name: one for name, one in inside.items() if one is not _DROPPED}
        if isinstance(value, list | tuple):
            items = (self.value(one, key, f"{path}.{index}", reading) for index, one in enumerate(value))
            return [one for one in items if one is not _DROPPED]
        return value

    def _text(self, text: str, key: str, path: str, reading: Reading) -> Any:
        is_name = key in self._scanner.words.names
        if is_name or not reading.levels:  # no free text: only what has a shape of its own
            guard = None if is_name else reading.guard
            masked, found = self._scanner.mask(text, is_contact=reading.is_contact, guard=guard)
            _add(self.counts, path, found)
            return masked
        sifted = self._scanner.sift(text, reading)
        _add(self.counts, path, sifted.masked)
        _add(self.asked, path, sifted.asked)
        if sifted.is_dropped:
            self.dropped[path] = 1
            return _DROPPED
        return sifted.text


def _add(counts: Counts, path: str, found: Counter[str]) -> None:
    for cls, count in found.items():
        counts[path, cls] += count


def _told(counts: Counts) -> tuple[Masked, ...]:
    return tuple(Masked(path, cls, count) for (path, cls), count in counts.items())
