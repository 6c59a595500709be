"""Takes out of records and document trees what must not be stored or leave, counted by field and class.

* Every free text is masked; a field that holds a code (identity code, OID, registration number) stays.
* A person's name stays also when it is the name of the client's town or street.
* For a client under turvakielto, address, municipality and telephone fields are dropped from the document.
* The input is never changed; without anything to mask the same value comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Masked, Node, Record, Tree, ValueKind

if TYPE_CHECKING:
    from kanta_gateway.privacy.fingerprint import ClientGuard
    from kanta_gateway.privacy.scan import Scanner

Counts = Counter[tuple[str, str]]
"""(field, class) -> how many."""


def masked_record(
    scanner: Scanner, record: Record, policy: Mapping[str, str], guard: ClientGuard | None
) -> tuple[Record, tuple[Masked, ...]]:
    """The record with its free texts masked, and what was masked.

    Args:
        scanner: the installation's scanner.
        record: a canonical record.
        policy: top-level field -> `contact` or `code`, as the record's schema says.
        guard: what is known about the client; None while that is not known.
    """
    masker = _Masker(scanner, guard)
    content = {key: masker.value(value, key, key, policy.get(key, "")) for key, value in record.content.items()}
    if not masker.counts:
        return record, ()
    return replace(record, content=content), _told(masker.counts)


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


class _Masker:
    """One walk over one record."""

    def __init__(self, scanner: Scanner, guard: ClientGuard | None) -> None:
        self._scanner = scanner
        self._guard = guard
        self.counts: Counts = Counter()

    def value(self, value: Any, key: str, path: str, kind: str) -> Any:
        """The value with its texts masked; `kind` is `contact`, `code` or empty and holds for all inside."""
        if kind == "code" or key in self._scanner.words.untouched:
            return value
        if isinstance(value, str):
            guard = None if key in self._scanner.words.names else self._guard
            text, found = self._scanner.mask(value, is_contact=kind == "contact", guard=guard)
            _add(self.counts, path, found)
            return text
        if isinstance(value, Mapping):
            return {name: self.value(one, name, f"{path}.{name}", kind) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, key, f"{path}.{index}", kind) for index, one in enumerate(value)]
        return value


def _add(counts: Counts, path: str, found: Counter[str]) -> None:
    for cls, count in found.items():
        counts[path, cls] += count


def _told(counts: Counts) -> tuple[Masked, ...]:
    return tuple(Masked(path, cls, count) for (path, cls), count in counts.items())
