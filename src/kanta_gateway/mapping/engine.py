"""Composes documents: mapping rules, compiled once, and the input of one record make one tree.

* Compiling turns every rule into a closure; composing reads no text of a mapping and looks up no structure.
* Composing is total: a record of any content makes a tree; what is lacking is told by the structure's check.
* The same input makes the same tree.
* Fields stand in the order of the structure; nothing empty is in the tree.
* A code that nobody has verified is told once for each document.
* Of several dated versions of a document the one is made that began last by the record's day; of a record from before
  the first, or without a day, the first (the last).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.mapping.paths import field_of
from kanta_gateway.mapping.statements import every_rule, paths_of
from kanta_gateway.mapping.values import Run, compile_tests, compile_value, each
from kanta_gateway.model import Node, Oid, Tree

if TYPE_CHECKING:
    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.paths import Scope
    from kanta_gateway.mapping.rules import Loaded
    from kanta_gateway.mapping.statements import FieldRule, Rule, VariantRule
    from kanta_gateway.mapping.structures import Structure, Structures

Nodes = tuple[Node, ...]
Build = Callable[[Run, "Scope"], Nodes]


@dataclass(frozen=True, slots=True)
class Variant:
    """One document that a record makes."""

    name: str
    """Unique among the documents of one record type."""
    structure: Oid
    records: tuple[str, ...]
    title: Mapping[str, str]
    accepts: Callable[[Mapping[str, Any]], bool] = field(repr=False, compare=False)
    """Whether it is made under a product."""
    build: Build = field(repr=False, compare=False)
    begins: str
    """Day from which it is used (ISO 8601): of the versions of one structure the record's day decides."""
    root: tuple[str, Mapping[str, str]] = field(repr=False, compare=False)


class Mapper:
    """Knows which documents a record makes, and composes them."""

    def __init__(self, loaded: Loaded, structures: Structures, codes: Codes) -> None:
        compiler = _Compiler(codes)
        self.unfit = loaded.unfit
        """Imported versions of structures that no mapping fits, with the reason."""
        self._by_record: dict[str, list[Variant]] = {}
        self._lists: dict[str, frozenset[str]] = {}
        self._paths: dict[str, set[str]] = {}
        for mapping in loaded.mappings:
            structure = structures.get(mapping.structure.oid)
            self._lists[structure.number] = self._lists.get(structure.number, frozenset()) | mapping.code_lists()
            for stated in mapping.variants:
                variant = compiler.variant(stated, structure, mapping.begins)
                read = {path for rule in every_rule(stated.fields) for path in paths_of(rule)}
                for record in stated.records:
                    self._by_record.setdefault(record, []).append(variant)
                    self._paths.setdefault(record, set()).update(read)
        for known in self._by_record.values():
            known.sort(key=lambda one: one.begins)

    def record_types(self) -> frozenset[str]:
        """Every record type that makes documents."""
        return frozenset(self._by_record)

    def structures(self) -> tuple[str, ...]:
        """Numbers of the structures that records become."""
        return tuple(sorted(self._lists))

    def users(self, *names: str) -> tuple[str, ...]:
        """Numbers of the structures whose documents may carry a code of a list that has one of these names."""
        return tuple(sorted(number for number, used in self._lists.items() if used & set(names)))

    def variants_of(self, record_type: str) -> tuple[Variant, ...]:
        """Every document that records of a type may make, under any product and on any day."""
        return tuple(self._by_record.get(record_type, ()))

    def fields_read(self, record_type: str, roots: frozenset[str]) -> frozenset[str]:
        """Fields of a record type that documents are made of.

        Args:
            record_type: its canonical name.
            roots: first words of the paths that lead to a record of the type; `record` stands for its own documents.
        """
        own = self._paths.get(record_type, set()) if "record" in roots else set()
        others = {path for paths in self._paths.values() for path in paths if not path.startswith("record.")}
        found = {field_of(path) for path in (*own, *others)}
        return frozenset(name for root, name in found if root in roots and name)

    def variants(self, record_type: str, product: Mapping[str, Any], day: str = "") -> tuple[Variant, ...]:
        """Which documents a record makes.

        Args:
            record_type: its canonical name.
            product: what the contract says about the product of its decision; empty where none is known.
            day: of the record (ISO 8601); empty for the newest versions.
        """
        used: dict[str, Variant] = {}
        for one in self._by_record.get(record_type, ()):  # the oldest version first
            if one.name not in used or not day or one.begins <= day:
                used[one.name] = one
        return tuple(one for one in used.values() if one.accepts(product))

    def compose(self, variant: Variant, source: Mapping[str, Any]) -> Tree:
        """The tree of one document.

        Args:
            variant: one of `variants`.
            source: the mapping's input.
        """
        day = source.get("day")
        run = Run("sv" if source.get("language") == "sv" else "fi", day if isinstance(day, str) else "")
        children = variant.build(run, source)
        key, label = variant.root
        return Tree(variant.structure, Node(key, label, children=children), tuple(run.found.values()))


class _Compiler:
    """Turns rules into closures."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes

    def variant(self, stated: VariantRule, structure: Structure, begins: str) -> Variant:
        holds = compile_tests(stated.tests)
        return Variant(
            name=stated.name,
            structure=structure.oid,
            records=stated.records,
            title=structure.title,
            accepts=lambda product: holds({"product": product}),
            build=self._group(stated.fields, structure, {}),
            begins=begins,
            root=(structure.root.key, structure.root.label),
        )

    def _group(self, fields: tuple[FieldRule, ...], structure: Structure, names: Mapping[str, str]) -> Build:
        builds = tuple(self._field(one, structure, names) for one in fields)

        def build(run: Run, scope: Scope) -> Nodes:
            nodes: list[Node] = []
            for one in builds:
                nodes += one(run, scope)
            return tuple(nodes)

        return build

    def _field(self, stated: FieldRule, structure: Structure, names: Mapping[str, str]) -> Build:
        builds = tuple(self._rule(rule, stated, structure, names) for rule in stated.rules)
        if len(builds) == 1:
            return builds[0]

        def build(run: Run, scope: Scope) -> Nodes:
            for one in builds:
                if nodes := one(run, scope):
                    return nodes
            return ()

        return build

    def _rule(self, rule: Rule, stated: FieldRule, structure: Structure, names: Mapping[str, str]) -> Build:
        if rule.repeat:
            names = {**names, rule.repeat.name: f"{_told(rule.repeat.path, names)}[]"}
        build = (
            self._nodes(rule, stated, structure, names)
            if rule.word == "group"
            else self._leaf(rule, stated, f"{structure.oid} {stated.place}", names)
        )
        if rule.tests:
            build = _guarded(build, rule)
        return _repeated(build, rule) if rule.repeat else build

    def _nodes(self, rule: Rule, stated: FieldRule, structure: Structure, names: Mapping[str, str]) -> Build:
        inner = self._group(rule.fields, structure, names)
        key, label, is_list = stated.field.key, stated.field.label, stated.field.is_list

        def build(run: Run, scope: Scope) -> Nodes:
            children = inner(run, scope)
            return (Node(key, label, None, None, children, is_list),) if children else ()

        return build

    def _leaf(self, rule: Rule, stated: FieldRule, source: str, names: Mapping[str, str]) -> Build:
        make = compile_value(rule, stated.field, self._codes, source, names)
        key, label, kind = stated.field.key, stated.field.label, stated.field.kind
        is_list, is_contact = stated.field.is_list, rule.is_contact

        def build(run: Run, scope: Scope) -> Nodes:
            made = make(run, scope)
            if made is None:
                return ()
            return (Node(key, label, kind, made[0], (), is_list, is_contact, made[1]),)

        return build


def _told(path: str, names: Mapping[str, str]) -> str:
    head, dot, rest = path.partition(".")
    return names.get(head, head) + dot + rest


def _repeated(build: Build, rule: Rule) -> Build:
    entries = each(rule)

    def repeated(run: Run, scope: Scope) -> Nodes:
        return tuple(node for inner in entries(scope) for node in build(run, inner))

    return repeated


def _guarded(build: Build, rule: Rule) -> Build:
    holds = compile_tests(rule.tests)

    def guarded(run: Run, scope: Scope) -> Nodes:
        return build(run, scope) if holds(scope) else ()

    return guarded
