"""Every THL structure that the gateway can use: our compact files, and official schemas beside them.

* A file whose key and Finnish name disagree is a mistake; the order of fields is their order in the document.
* A group that several structures share stands once in `groups.yaml` and is named by `use`.
* All mistakes of all files are told at once.

Source: `schemas/structures/*.yaml`, each of which names its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.definitions import Condition, FieldDef, Structure, When, json_schema, key_of
from kanta_gateway.model import Oid, ValueKind
from kanta_gateway.stated import Mistakes, read

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "GROUPS",
    "Condition",
    "FieldDef",
    "Structure",
    "Structures",
    "When",
    "json_schema",
    "key_of",
    "load_structure",
]

GROUPS = "groups"
"""Name of the file with the shared groups."""

_CARDINALITY = re.compile(r"(?P<word>[a-z]+) (?P<min>[01])\.\.(?P<max>[1*])")
_FIELD_WORDS = frozenset({"is", "fi", "sv", "system", "allowed", "fields", "use"})
_RULES: Mapping[str, frozenset[str]] = MappingProxyType({
    "one-of": frozenset({"rule", "in", "fields"}),
    "only-when": frozenset({"rule", "in", "fields", "when", "unless"}),
    "required-when": frozenset({"rule", "in", "fields", "when", "unless"}),
})  # fmt: skip
_WHEN_WORDS = frozenset({"field", "equals", "code"})


class Structures:
    """Every usable structure: our own compact ones, and official ones loaded beside them."""

    def __init__(self, own: Mapping[Oid, Structure], official: Mapping[Oid, Structure] | None = None) -> None:
        self._by_oid = {**(official or {}), **own}
        self._own = own
        self._by_number: dict[str, tuple[Structure, ...]] = {}
        for one in self.all():
            self._by_number[one.number] = (*self._by_number.get(one.number, ()), one)

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Structures:
        """Read our compact files.

        Args:
            files: name of the file without its ending -> its YAML text; `groups` holds the shared groups.

        Raises:
            MisconfiguredError: all mistakes of all files at once.
        """
        mistakes: list[str] = []
        loaded: dict[Oid, Structure] = {}
        groups = _stated(files.get(GROUPS, ""), GROUPS) or {}
        for name, text in files.items():
            if name == GROUPS:
                continue
            try:
                structure = load_structure(text, name, groups)
            except MisconfiguredError as error:
                mistakes += error.mistakes
                continue
            if structure.oid in loaded:
                mistakes.append(f"{name}: {structure.oid} stands in {loaded[structure.oid].number} already; remove one")
            loaded[structure.oid] = structure
        if mistakes:
            raise MisconfiguredError(mistakes=mistakes)
        return cls(loaded)

    def beside(self, official: Iterable[Structure]) -> Structures:
        """The same with official structures added; where both state one structure, ours stands."""
        return Structures(self._own, {**self._by_oid, **{one.oid: one for one in official}})

    def own(self, oid: str) -> Structure | None:
        """Our own statement of a structure, or None."""
        return self._own.get(Oid(oid))

    def get(self, oid: str) -> Structure:
        """The structure with exactly this dated OID.

        Raises:
            MisconfiguredError: no such structure is loaded.
        """
        structure = self._by_oid.get(Oid(oid))
        if structure is None:
            raise MisconfiguredError(
                f"structure {oid} is not known; load its schema with `schemas import`, or correct the OID"
            )
        return structure

    def by_number(self, number: str) -> Structure:
        """The structure with this number: ours if there is one, else the newest.

        Raises:
            MisconfiguredError: no such structure is loaded.
        """
        versions = self.versions(number)
        return next((one for one in reversed(versions) if one.oid in self._own), versions[-1])

    def versions(self, number: str) -> tuple[Structure, ...]:
        """Every dated version of the structure with this number, the oldest first.

        Raises:
            MisconfiguredError: no such structure is loaded.
        """
        if number not in self._by_number:
            raise MisconfiguredError(
                f"structure number {number} is not known; add a file for it, or correct the number"
            )
        return self._by_number[number]

    def numbers(self) -> tuple[str, ...]:
        """The number of every known structure."""
        return tuple(self._by_number)

    def has_number(self, number: str) -> bool:
        """Whether any version of the structure with this number is known."""
        return number in self._by_number

    def all(self) -> tuple[Structure, ...]:
        """Every structure, in the order of their OIDs."""
        return tuple(sorted(self._by_oid.values(), key=lambda one: _arcs(one.oid)))

    def __contains__(self, oid: object) -> bool:
        """Whether the structure with exactly this OID is known."""
        return oid in self._by_oid

    def __len__(self) -> int:
        """How many structures are known."""
        return len(self._by_oid)


def differences(one: Structure, other: Structure) -> tuple[str, ...]:
    """Paths at which two statements of a structure say different things, also about the order of fields."""
    theirs, ours = other.paths(), one.paths()
    found = [path for path in dict.fromkeys((*ours, *theirs)) if _flat(ours.get(path)) != _flat(theirs.get(path))]
    if not found and list(ours) != list(theirs):
        found = [next(path for path, there in zip(ours, theirs, strict=True) if path != there)]
    if (one.root.key, dict(one.title), one.document_type) != (other.root.key, dict(other.title), other.document_type):
        found.insert(0, "/")
    return tuple(found)


def _flat(one: FieldDef | None) -> object:
    """A field without what is below it."""
    if one is None:
        return None
    return (one.kind, one.min, one.max, dict(one.label), one.code_system, one.allowed, one.identifier_system)


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(int(arc) for arc in oid.split("."))


def load_structure(text: str, name: str, groups: Mapping[str, Any] | None = None) -> Structure:
    """Read one compact structure.

    Args:
        text: YAML.
        name: of the file, for messages.
        groups: shared groups by name.

    Raises:
        MisconfiguredError: all mistakes of the file at once.
    """
    return _Reader(name, groups or {}).structure(_stated(text, name))


def _stated(text: str, name: str) -> Any:
    mistakes = Mistakes(f"structures/{name}.yaml")
    value = read(text, mistakes)
    mistakes.end()
    return value


class _Reader:
    """Reads one file and gathers its mistakes."""

    def __init__(self, name: str, groups: Mapping[str, Any]) -> None:
        self._name, self._groups = name, groups
        self._mistakes: list[str] = []

    def structure(self, stated: Any) -> Structure:
        lacking = [
            word for word in ("oid", "number", "title", "document_type", "fields") if not (stated or {}).get(word)
        ]
        if lacking:
            raise MisconfiguredError(f"structure {self._name}: {', '.join(lacking)} is missing; add it")
        title = {language: str(stated["title"][language]) for language in ("fi", "sv")}
        root = FieldDef(key_of(title["fi"]), title, None, 1, 1, children=self._fields(stated["fields"], ""))
        structure = Structure(
            oid=Oid(stated["oid"]),
            number=str(stated["number"]),
            title=title,
            document_type=stated["document_type"],
            root=root,
            conditions=tuple(self._condition(one) for one in stated.get("conditions", ())),
            service_process=stated.get("service_process"),
        )
        self._check(structure)
        if self._mistakes:
            raise MisconfiguredError("\n".join(f"structure {self._name}: {one}" for one in self._mistakes))
        return structure

    def _fields(self, stated: Mapping[str, Any], path: str) -> tuple[FieldDef, ...]:
        return tuple(self._field(key, one or {}, f"{path}/{key}") for key, one in stated.items())

    def _field(self, key: str, stated: Mapping[str, Any], path: str) -> FieldDef:
        shape = _CARDINALITY.fullmatch(str(stated.get("is", "")))
        word = shape["word"] if shape else ""
        if not shape or word not in {"group", *ValueKind}:
            self._mistakes.append(
                f"{path}: `is` expected a type and 0..1, 1..1, 0..* or 1..*; write e.g. `string 0..1`"
            )
        if unknown := sorted(set(stated) - _FIELD_WORDS):
            self._mistakes.append(f"{path}: {', '.join(unknown)} is no word of a field; remove it")
        label = {language: str(stated.get(language, "")) for language in ("fi", "sv")}
        if key_of(label["fi"]) != key or not label["sv"]:
            self._mistakes.append(f"{path}: expected the slug of the Finnish name as key, and a Swedish name")
        kind = ValueKind(word) if word in {*ValueKind} else None
        system = stated.get("system")
        return FieldDef(
            key, label, kind,
            min=int(shape["min"]) if shape else 0,
            max=None if shape and shape["max"] == "*" else 1,
            code_system=system if kind is ValueKind.CODING else None,
            allowed=tuple(str(one) for one in stated.get("allowed", ())),
            identifier_system=system if kind is ValueKind.IDENTIFIER else None,
            children=self._children(stated, path),
        )  # fmt: skip

    def _children(self, stated: Mapping[str, Any], path: str) -> tuple[FieldDef, ...]:
        shared = stated.get("use")
        if shared is not None and shared not in self._groups:
            self._mistakes.append(
                f"{path}: group {shared} does not stand in {GROUPS}.yaml; add it there, or correct it"
            )
        return self._fields({**self._groups.get(str(shared), {}), **stated.get("fields", {})}, path)

    def _condition(self, stated: Mapping[str, Any]) -> Condition:
        if set(stated) - _RULES.get(str(stated.get("rule")), frozenset()):
            self._mistakes.append(f"condition {stated.get('rule')}: expected one of {', '.join(_RULES)} and its words")
        if "when" in stated and "unless" in stated:
            self._mistakes.append(f"condition {stated.get('rule')}: expected `when` or `unless`, not both")
        return Condition(
            rule=str(stated.get("rule")),
            group=tuple(one for one in str(stated.get("in", "")).split("/") if one),
            fields=tuple(stated.get("fields", ())),
            when=self._when(stated.get("when"), is_wanted=True) or self._when(stated.get("unless"), is_wanted=False),
        )

    def _when(self, stated: Any, *, is_wanted: bool) -> When | None:
        if stated is None:
            return None
        if not isinstance(stated, Mapping) or "field" not in stated or set(stated) - _WHEN_WORDS:
            self._mistakes.append("a condition's `when` expected `field`, and `equals` or `code` where it matters")
            return None
        equals, codes = _many(stated.get("equals")), _many(stated.get("code"))
        return When(str(stated["field"]), equals, tuple(str(one) for one in codes), is_wanted)

    def _check(self, structure: Structure) -> None:
        for condition in structure.conditions:
            named = (*condition.fields, *([condition.when.field] if condition.when else []))
            for one in named:
                path = one[1:] if one.startswith("/") else "/".join((*condition.group, one))
                known = structure.paths().get(path)
                if known is None:
                    self._mistakes.append(f"condition {condition.rule}: there is no field {path}; correct its name")
                elif condition.rule == "only-when" and known.min and one in condition.fields:
                    self._mistakes.append(f"condition only-when: {path} must always be there; take it out")
            if (condition.when is None) is not (condition.rule == "one-of"):
                self._mistakes.append(f"condition {condition.rule}: `when` belongs to all rules but one-of")


def _many(stated: Any) -> tuple[Any, ...]:
    """What a word states as one value or as a list of them."""
    if stated is None:
        return ()
    return tuple(stated) if isinstance(stated, list) else (stated,)
