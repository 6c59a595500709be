"""Reads the statements of one mapping file against its structure, and gathers every mistake."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.formats import FORMATS
from kanta_gateway.mapping.paths import ROOTS, roots_of
from kanta_gateway.mapping.statements import Clause, DocumentMapping, FieldRule, Repeat, Rule, VariantRule
from kanta_gateway.model import ValueKind
from kanta_gateway.stated import Lined, nearest

if TYPE_CHECKING:
    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.structures import FieldDef, Structure
    from kanta_gateway.stated import Mistakes

LANGUAGES = ("fi", "sv")
MADE_BY: Mapping[str, frozenset[str]] = MappingProxyType({
    "path": frozenset(), "constant": frozenset(),
    "code": frozenset({"of", "row"}), "format": frozenset({"of"}),
    "fixed": frozenset(), "organisation": frozenset(), "text": frozenset(), "group": frozenset(), "use": frozenset(),
})  # fmt: skip
"""The words that make a value, and the words that belong to each."""

ANYWHERE = frozenset({"when", "unless", "repeat"})
FIELD_WORDS = ANYWHERE | {"contact"}
LINE_WORDS = ANYWHERE | {"label"}

_CONSTANTS: Mapping[ValueKind | None, type] = MappingProxyType(
    {ValueKind.BOOLEAN: bool, ValueKind.NUMBER: int, ValueKind.STRING: Mapping}
)
_KINDS: Mapping[str, frozenset[ValueKind | None]] = MappingProxyType({
    "path": frozenset(set(ValueKind) - {ValueKind.CODING}),
    "constant": frozenset(_CONSTANTS),
    "code": frozenset({ValueKind.CODING}),
    "fixed": frozenset({ValueKind.STRING}),
    "organisation": frozenset({ValueKind.CODING}),
    "text": frozenset({ValueKind.STRING}),
    "group": frozenset({None}),
    "use": frozenset({None}),
})  # fmt: skip
"""Which kinds of field each word can fill; a format says its own."""


class Reader:
    """Reads one file; `mistakes` must be empty afterwards."""

    def __init__(self, mistakes: Mistakes, codes: Codes, groups: Lined, types: Mapping[str, Collection[str]]) -> None:
        self.mistakes: list[str] = list(mistakes.told)
        self._codes, self._groups, self._types = codes, groups, types
        self._own = self._file = mistakes.file
        self._at = 0
        self._records: tuple[str, ...] = ()
        """Types of the variant that is being read."""

    def document(self, stated: Lined, structure: Structure) -> DocumentMapping:
        """The whole file."""
        self._known(stated, {"structure", "valid_from", "variants"})
        variants, begins = stated.get("variants"), stated.get("valid_from")
        if begins is not None and type(begins) is not date:
            self._at = stated.lines["valid_from"]
            self._wrong("`valid_from` expected a day; write 2027-01-01")
        if not isinstance(variants, Lined) or not variants:
            self._wrong("`variants` expected at least one; write a name with its records and fields")
            return DocumentMapping(structure, ())
        day = begins.isoformat() if isinstance(begins, date) else ""
        return DocumentMapping(structure, tuple(self._variants(variants, structure)), day)

    def _variants(self, variants: Lined, structure: Structure) -> Iterator[VariantRule]:
        for name, stated in variants.items():
            self._at = variants.lines[name]
            if (
                not isinstance(stated, Lined)
                or not stated.get("records")
                or not isinstance(stated.get("fields"), Lined)
            ):
                self._wrong(f"variant {name} expected `records` and `fields`; add them")
                continue
            self._known(stated, {"records", "fields", "when", "unless"})
            tests = self._tests(stated, {"product": ""})
            if not isinstance(stated["records"], list):
                self._wrong(f"variant {name}: `records` expected a list; write [diary_entry]")
                continue
            self._records = tuple(map(str, stated["records"]))
            for one in (one for one in self._records if self._types and one not in self._types):
                self._wrong(f"variant {name}: there is no record type {one}{nearest(one, self._types)}")
            yield VariantRule(
                name, self._records, tests,
                self._fields(stated["fields"], structure.root, "", dict.fromkeys(ROOTS, "")),
            )  # fmt: skip

    def _fields(self, stated: Lined, group: FieldDef, place: str, names: Mapping[str, str]) -> tuple[FieldRule, ...]:
        known = {child.key: child for child in group.children}
        for key in stated:
            if key not in known:
                self._at = stated.lines[key]
                self._wrong(f"the structure has no field {place}{key}; correct its name{nearest(key, known)}")
        for child in group.children:
            if child.min and child.key not in stated:
                self._wrong(f"the structure needs {place}{child.key}; add a rule for it")
        return tuple(
            FieldRule(child, place + child.key, tuple(self._rules(stated, child, place + child.key, names)))
            for child in group.children
            if child.key in stated
        )

    def _rules(self, stated: Lined, field: FieldDef, place: str, names: Mapping[str, str]) -> Iterator[Rule]:
        line = stated.lines[field.key]
        value = stated[field.key]
        for one in value if isinstance(value, list) else [value]:
            self._at = min(one.lines.values(), default=line) if isinstance(one, Lined) else line
            rule = self._rule(one, place, names, FIELD_WORDS, field)
            if rule is not None:
                yield rule

    def _rule(
        self, one: Any, place: str, names: Mapping[str, str], extra: frozenset[str], field: FieldDef | None
    ) -> Rule | None:
        if isinstance(one, str):
            one = _stated("path", one, self._at)
        words = [word for word in MADE_BY if isinstance(one, Lined) and word in one]
        if len(words) != 1:
            self._wrong(f"{place} expected one of {', '.join(MADE_BY)}; write exactly one")
            return None
        word = words[0]
        self._known(one, {word, *MADE_BY[word], *extra})
        line = f"{self._file}:{self._at}"
        repeat, within = self._repeat(one, place, names, field)
        tests = self._tests(one, within)
        label = one.get("label")
        if label is not None and not _is_text(label):
            self._wrong(f"{place}: `label` expected a text in fi and sv; add both")
        made = getattr(self, f"_by_{word}")(one, place, within, field)
        if field is not None:
            self._fits(word, made, place, field)
        return Rule(
            {"use": "group", "fixed": "constant"}.get(word, word), line, tests=tests, repeat=repeat,
            is_contact=bool(one.get("contact")), label=label, **made,
        )  # fmt: skip

    def _fits(self, word: str, made: Mapping[str, Any], place: str, field: FieldDef) -> None:
        given = FORMATS.get(made.get("name", "")) if word == "format" else None
        kinds = frozenset({given.kind}) if given else _KINDS.get(word, frozenset(ValueKind))
        if field.kind not in kinds:
            self._wrong(f"{place} is {field.kind or 'a group'}, which `{word}` cannot make; choose another word")
        elif word == "constant" and not isinstance(made["constant"], _CONSTANTS[field.kind]):
            self._wrong(f"{place}: `constant` does not fit a field that is {field.kind}; correct it")
        elif word == "code" and made["name"] and self._codes.code_list(made["name"]).oid != field.code_system:
            self._wrong(f"{place} takes codes of {field.code_system}, not of list {made['name']}; correct the list")

    def _by_path(self, one: Lined, place: str, names: Mapping[str, str], _: FieldDef | None) -> dict[str, Any]:
        return {"paths": self._paths(one["path"], place, names)}

    def _by_constant(self, one: Lined, place: str, _: Mapping[str, str], __: FieldDef | None) -> dict[str, Any]:
        constant = one["constant"]
        if not isinstance(constant, bool | int) and not _is_text(constant):
            self._wrong(f"{place}: `constant` expected a truth value, a number, or a text in fi and sv")
        return {"constant": constant}

    def _by_code(self, one: Lined, place: str, names: Mapping[str, str], _: FieldDef | None) -> dict[str, Any]:
        name, row = str(one["code"]), str(one.get("row", ""))
        if ("row" in one) is ("of" in one):
            self._wrong(f"{place}: `code` expected either `row` or `of`; write one of them")
        try:
            known = self._codes.code_list(name).rows
        except MisconfiguredError as error:
            self._wrong(f"{place}: {error}")
            return {"name": "", "row": row}
        if row and row not in known:
            told = nearest(row, known)
            self._wrong(f"{place}: code list {name} has no row {row}; add it there, or correct the name{told}")
        return {"name": name, "row": row, "paths": self._paths(one.get("of", []), place, names)}

    def _by_format(self, one: Lined, place: str, names: Mapping[str, str], _: FieldDef | None) -> dict[str, Any]:
        name, paths = str(one["format"]), self._paths(one.get("of", []), place, names)
        wanted = FORMATS.get(name)
        if wanted is None:
            told = nearest(name, FORMATS)
            self._wrong(f"{place}: there is no format {name}; choose one of {', '.join(FORMATS)}{told}")
        elif len(paths) != wanted.values:
            self._wrong(f"{place}: format {name} expected {wanted.values} paths in `of`; correct their number")
        return {"name": name, "paths": paths}

    def _by_fixed(self, _: Lined, place: str, __: Mapping[str, str], field: FieldDef | None) -> dict[str, Any]:
        if field is None or len(field.allowed) != 1:
            self._wrong(f"{place}: `fixed` expected a field whose structure allows one text only; choose another word")
            return {"constant": ""}
        return {"constant": dict.fromkeys(LANGUAGES, field.allowed[0])}

    def _by_organisation(self, one: Lined, place: str, names: Mapping[str, str], _: FieldDef | None) -> dict[str, Any]:
        return {"paths": self._paths(one["organisation"], place, names)}

    def _by_text(self, one: Lined, place: str, names: Mapping[str, str], _: FieldDef | None) -> dict[str, Any]:
        lines: list[Rule] = []
        for line in one["text"] if isinstance(one["text"], list) else [None]:
            self._at = min(line.lines.values(), default=self._at) if isinstance(line, Lined) else self._at
            rule = self._rule(line, f"{place}, line {len(lines) + 1}", names, LINE_WORDS, None)
            if rule is not None and rule.word in {"group", "organisation"}:
                self._wrong(f"{place}: `{rule.word}` makes no line of a text; choose another word")
            elif rule is not None:
                lines.append(rule)
        return {"lines": tuple(lines)}

    def _by_group(self, one: Lined, place: str, names: Mapping[str, str], field: FieldDef | None) -> dict[str, Any]:
        inner = one["group"]
        if field is None or field.kind is not None or not isinstance(inner, Lined):
            self._wrong(f"{place}: `group` expected fields of a group; correct it")
            return {}
        return {"fields": self._fields(inner, field, place + "/", names)}

    def _by_use(self, one: Lined, place: str, names: Mapping[str, str], field: FieldDef | None) -> dict[str, Any]:
        shared = self._groups.get(str(one["use"]))
        if not isinstance(shared, Lined) or field is None or field.kind is not None:
            told = nearest(one["use"], self._groups)
            self._wrong(f"{place}: there is no shared group {one['use']}; add it, or correct the name{told}")
            return {}
        known = {child.key for child in field.children}
        fitting = Lined()
        for key in (key for key in shared if key in known):
            fitting[key], fitting.lines[key] = shared[key], shared.lines[key]
        file, at, self._file = self._file, self._at, "documents/groups.yaml"
        made = self._fields(fitting, field, place + "/", names)
        self._file, self._at = file, at
        return {"fields": made}

    def _repeat(
        self, one: Lined, place: str, names: Mapping[str, str], field: FieldDef | None
    ) -> tuple[Repeat | None, Mapping[str, str]]:
        stated = one.get("repeat")
        if stated is None:
            return None, names
        if field is not None and not field.is_list:
            self._wrong(f"{place} is not repeatable; remove `repeat`, or use it within a text")
        if not isinstance(stated, Lined) or len(stated) != 1 or set(stated) & ROOTS:
            self._wrong(f"{place}: `repeat` expected one new name and its path; write {{goal: record.goals}}")
            return None, names
        ((name, path),) = stated.items()
        self._paths(path, place, names)
        return Repeat(name, str(path)), {**names, name: f"{path}[]"}

    def _tests(self, one: Lined, names: Mapping[str, str]) -> tuple[Clause, ...]:
        made: list[Clause] = []
        for word in ("when", "unless"):
            stated = one.get(word, Lined())
            if not isinstance(stated, Lined):
                self._wrong(f"`{word}` expected paths with words; write {{record.mode: [remote]}}")
                continue
            for path, values in stated.items():
                self._paths(path, word, names)
                made.append(Clause(path, tuple(values) if isinstance(values, list) else (values,), word == "when"))
        return tuple(made)

    def _paths(self, stated: Any, place: str, names: Iterable[str]) -> tuple[str, ...]:
        paths = tuple(map(str, stated)) if isinstance(stated, list) else (str(stated),)
        known = set(names)
        for path in paths:
            roots = roots_of(path)
            if roots is None:
                self._wrong(f"{place}: {path!r} is no path; write names separated by full stops")
            elif unknown := [root for root in roots if root not in known]:
                told = f"{', '.join(sorted(known))}{nearest(unknown[0], known)}"
                self._wrong(f"{place}: nothing is called {unknown[0]} here; begin with {told}")
            else:
                self._check_field(path, place)
        return paths

    def _check_field(self, path: str, place: str) -> None:
        """A path of the file's own into a record or client names a field that one of its types has."""
        root, _, rest = path.partition(".")
        types = {"record": self._records, "client": ("client",)}.get(root, ())
        known = {field for one in types for field in self._types.get(one, ())}
        field = re.split(r"[.\[]", rest, maxsplit=1)[0]
        if self._file == self._own and field and known and field not in known:
            self._wrong(f"{place}: {' or '.join(types)} has no field {field}{nearest(field, known)}")

    def _known(self, one: Lined, words: Iterable[str]) -> None:
        known = set(words)
        for word in sorted(set(one) - known):
            at, self._at = self._at, one.at(word) or self._at
            self._wrong(f"{word} is no word here; remove it, or correct its spelling{nearest(word, known)}")
            self._at = at

    def _wrong(self, what: str) -> None:
        self.mistakes.append(f"{self._file}:{self._at}: {what}")


def _stated(word: str, value: Any, line: int) -> Lined:
    made = Lined()
    made[word], made.lines[word] = value, line
    return made


def _is_text(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(one), str) and value[one] for one in LANGUAGES)
