"""How a provider's format becomes canonical records: a source file, compiled once, applied record by record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.fhirpaths import parsed
from kanta_gateway.intake.kinds import SHAPES, Field, Kind, Problem
from kanta_gateway.intake.objects import read_record
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.sourceshape import SOURCE, TAKES, check_targets
from kanta_gateway.intake.tables import Table, compile_table
from kanta_gateway.intake.valuekinds import KINDS
from kanta_gateway.intake.values import Unreadable, folded
from kanta_gateway.model import Record
from kanta_gateway.shapes import shaped
from kanta_gateway.stated import Lined, Mistakes, nearest, read


@dataclass(frozen=True, slots=True)
class Source:
    """One provider format, compiled."""

    name: str
    format: str
    header: Mapping[str, str]
    header_inside: Mapping[str, str]
    kind_field: str
    client_field: str
    top: Mapping[str, str]
    dropped: frozenset[str]
    """Parts of a document that hold no records."""
    kinds: Mapping[str, Kind]
    tables: tuple[Table, ...]
    resources: Mapping[str, tuple[Kind, ...]]
    """FHIR: resource type -> kinds, of which the first that holds counts."""
    followed: tuple[str, ...]
    """FHIR: types of the resources that paths lead into by reference."""
    unmodelled: frozenset[str]
    """FHIR: types of R4 that R4B has not: valid, and of no use here."""
    as_of: tuple[str, ...]
    """Canonical fields whose newest date is the delivery's own day, where it tells none."""
    take: str
    """`good-rows`; `all-or-nothing`: a delivery with a row that cannot be read is not taken at all."""
    purchasers: frozenset[str]
    """Contracts that deliveries of this format can be for; empty for any."""
    contract: str
    """The contract that its deliveries are judged by when none is named; empty where one must be named."""
    schemas: RecordSchemas

    @classmethod
    def load(cls, text: str, name: str, schemas: RecordSchemas, others: Mapping[str, str] | None = None) -> Source:
        """Compile a source file.

        Args:
            text: YAML of the file.
            name: of the source, for messages.
            schemas: of the canonical records.
            others: all source files by name, for `like`.

        Raises:
            MisconfiguredError: the file does not hold; all mistakes at once.
        """
        mistakes = Mistakes(f"sources/{name}.yaml")
        stated = _stated(text, others or {}, mistakes)
        records = stated.get("records", Lined())
        kinds = {key: _kind(key, one, stated, schemas, mistakes) for key, one in records.items()}
        tables = [compile_table(key, one, kinds, mistakes) for key, one in stated.get("tables", {}).items()]
        inside = stated.get("inside", {})
        _check_places(stated, kinds, mistakes)
        _check_days(stated, kinds, schemas, mistakes)
        resources = _resources(kinds, stated, mistakes)
        mistakes.end()
        return cls(
            name=name, format=stated["format"], header=stated.get("header", {}),
            header_inside=inside.get("header", {}), kind_field=stated.get("kind", ""),
            client_field=stated.get("client", ""), top=stated.get("top", {}),
            dropped=frozenset(stated.get("dropped", ())), kinds=kinds, tables=tuple(filter(None, tables)),
            resources=resources, followed=tuple(stated.get("followed", ())),
            unmodelled=frozenset(stated.get("unmodelled", ())),
            as_of=tuple(stated.get("as_of", ())), take=stated.get("take", TAKES[0]),
            purchasers=frozenset(stated.get("purchasers", ())), contract=stated.get("contract", ""),
            schemas=schemas,
        )  # fmt: skip

    def read_object(
        self, kind: Kind, value: Any, pointer: str, client: str | None, envelope: frozenset[str] = frozenset()
    ) -> Iterator[Record | Problem]:
        """The record that an object is, then those that stand inside it.

        Args:
            kind: what it should be.
            value: the JSON value.
            pointer: where it stands.
            client: id of the record that it stands in: the client's number, or what `within` says.
            envelope: fields around the record that are none of its own.
        """
        if not isinstance(value, Mapping):
            rule = value.rule if isinstance(value, Unreadable) else "SRC-TYPE"
            yield Problem(unreadable(rule, pointer, {"expected": "object"}))
            return
        made = read_record(kind, value, pointer, client, envelope)
        if not (isinstance(made, Record) and kind.only_carries(value)):
            yield made
        owner = made.id if isinstance(made, Record) else None
        for key, inner in kind.inside.items():
            if value.get(key) is not None:
                yield from self.read_part(self.kinds[inner], value[key], f"{pointer}/{key}", owner)

    def read_part(self, kind: Kind, value: Any, pointer: str, client: str | None) -> Iterator[Record | Problem]:
        """One record, or each of a list of them; an object without fields holds none."""
        if isinstance(value, list):
            for position, one in enumerate(value):
                yield from self.read_object(kind, one, f"{pointer}/{position}", client)
        elif value not in ({}, ""):
            yield from self.read_object(kind, value, pointer, client)


def load_sources(texts: Mapping[str, str], schemas: RecordSchemas) -> dict[str, Source]:
    """Compile every source file: name -> source.

    Raises:
        MisconfiguredError: some do not hold; all mistakes of all files at once.
    """
    loaded: dict[str, Source] = {}
    mistakes: list[str] = []
    for name, text in texts.items():
        try:
            loaded[name] = Source.load(text, name, schemas, texts)
        except MisconfiguredError as error:
            mistakes += error.mistakes
    if mistakes:
        raise MisconfiguredError(mistakes=mistakes)
    return loaded


def _check_places(stated: Lined, kinds: Mapping[str, Kind], mistakes: Mistakes) -> None:
    """Where records stand names records."""
    inside: Mapping[str, Lined] = stated.get("inside", {})
    for words in (stated.get("top", Lined()), *inside.values()):
        for key, place in words.items():
            if place not in kinds:
                mistakes.say(words.at(key), f"{key}: {place} is no record of this source{nearest(place, kinds)}")


def _check_days(stated: Lined, kinds: Mapping[str, Kind], schemas: RecordSchemas, mistakes: Mistakes) -> None:
    """The delivery's own day is read from fields that its records have."""
    types = {one for kind in kinds.values() for one in (kind.type, *kind.types.values())}
    known = {word for one in types for word in schemas.schemas.get(one, {}).get("properties", {})}
    for one in stated.get("as_of", ()):
        if known and one not in known:
            mistakes.say(stated.at("as_of"), f"as_of: no record here has a field {one}{nearest(one, known)}")


def _resources(kinds: Mapping[str, Kind], stated: Lined, mistakes: Mistakes) -> dict[str, tuple[Kind, ...]]:
    """Resource type -> its kinds in the order of the file; every path must be one."""
    found: dict[str, tuple[Kind, ...]] = {}
    for key, kind in kinds.items():
        if not kind.resource:
            continue
        found[kind.resource] = (*found.get(kind.resource, ()), kind)
        told = (kind.client, kind.version, kind.status, kind.replaces)
        for path in filter(None, (*_paths(kind.fields), *kind.when, *kind.unless, *told)):
            try:
                parsed(path)
            except ValueError as error:
                mistakes.say(stated["records"].at(key), f"records {key}: {error}")
    return {name: tuple(_with_siblings(kinds)) for name, kinds in found.items()}


def _with_siblings(kinds: tuple[Kind, ...]) -> Iterator[Kind]:
    """The kinds of one resource, those of documents with the types that the others have."""
    types = dict.fromkeys(one.type for one in kinds if not one.is_reference)
    for one in kinds:
        yield one if one.is_reference else replace(one, siblings=tuple(kind for kind in types if kind != one.type))


def _paths(fields: Mapping[str, tuple[Field, ...]]) -> Iterator[str]:
    """Every path that fields are read from, those of list items too."""
    for path, parts in fields.items():
        yield path
        for one in parts:
            yield from _paths(one.fields)


def _stated(text: str, others: Mapping[str, str], mistakes: Mistakes) -> Lined:
    """What a file says, over what the one says that it is like."""
    stated: Lined = shaped(read(text, mistakes), SOURCE, mistakes)
    like = stated.get("like", "")
    if like and like not in others:
        mistakes.say(stated.at("like"), f"like: there is no source {like}{nearest(like, others)}")
    if like in others:
        beside = Mistakes(f"sources/{like}.yaml")  # tells its own mistakes when it is read for itself
        base: Lined = shaped(read(others[like], beside), SOURCE, beside)
        for key, value in base.items():
            if key not in stated:
                stated[key], stated.lines[key] = value, stated.at("like")
    for word in ("format", "records"):
        if word not in stated.lines and not (word == "records" and stated.get("format") == "records"):
            mistakes.say(stated.line, f"{word} is missing")
    return stated


def _kind(key: str, stated: Lined, source: Lined, schemas: RecordSchemas, mistakes: Mistakes) -> Kind:
    inside: Mapping[str, str] = source.get("inside", {}).get(key, {})
    told = stated["type"]
    by, types = ("", {}) if isinstance(told, str) else (told["field"], told["of"])
    status = stated.get("status", {})
    if not {"id", "constant_id", "key"} & stated.keys():
        mistakes.say(stated.line, f"records {key}: has neither id nor constant_id nor key, which tell records apart")
    types_ = [told] if isinstance(told, str) else list(types.values()) or [""]
    for one in types_:
        if one not in schemas.schemas:
            known = schemas.schemas
            mistakes.say(stated.at("type"), f"records {key}: there is no record type {one}{nearest(one, known)}")
    if all(one in schemas.schemas for one in types_):
        check_targets(key, stated, {one: schemas.schemas[one] for one in types_}, mistakes)
    described = [schemas.schemas.get(one, {}) for one in types_]
    return Kind(
        type=types_[0], by=by, types=types,
        id=stated.get("id", ""), constant_id=stated.get("constant_id", ""), version=stated.get("version", ""),
        status=status.get("field", ""), statuses=status.get("of", {}), client=stated.get("client", ""),
        key=tuple(stated.get("key", ())), constants=stated.get("constants", {}),
        forms=frozenset(source.get("forms", ())),
        fields=_fields(f"records {key}", stated.get("fields", Lined()), mistakes),
        dropped=frozenset(stated.get("dropped", ())),
        own=frozenset(stated.get("own", ())), is_row=stated.get("is_row", True),
        is_whole=stated.get("is_whole", False), within=stated.get("within", ""), inside=inside,
        is_of_client=any(one.get("x-about") == "client" and not one.get("x-subject") for one in described),
        is_subject=any(one.get("x-subject") for one in described),
        is_reference=any(one.get("x-reference") for one in described), resource=stated.get("resource", ""),
        when=_words(stated.get("when", {})), unless=_words(stated.get("unless", {})),
        client_types=tuple(stated.get("client_types", ())), some_of=tuple(stated.get("some_of", ())),
        replaces=stated.get("replaces", ""), siblings=(),
    )  # fmt: skip


def _words(stated: Mapping[str, list[Any]]) -> dict[str, tuple[str, ...]]:
    return {path: tuple(folded(str(word)) for word in words) for path, words in stated.items()}


def _fields(place: str, stated: Lined, mistakes: Mistakes) -> dict[str, tuple[Field, ...]]:
    """Field of the format -> the canonical fields that are read from it, mostly one."""
    return {
        key: tuple(_field(f"{place} {key}", key, told if isinstance(told, list) else [told], stated.at(key), mistakes))
        for key, told in stated.items()
    }


def _field(place: str, key: str, stated: list[Lined], line: int, mistakes: Mistakes) -> Iterator[Field]:
    for one in stated:
        shapes = [word for word in one if word in KINDS or word in SHAPES]
        if not shapes and one.lines.keys() - one.keys():  # what is left out may be the misspelt kind: told already
            continue
        if len(shapes) != 1:
            told = f"names {' and '.join(shapes)}" if shapes else "names no kind of value"
            mistakes.say(one.line or line, f"{place}: {told}; write one, such as {{text: description}}")
            continue
        shape = shapes[0]
        needed = {"choice": "of", "mentions": "of", "sections": "titles"}.get(shape, "")
        if needed and needed not in one:
            mistakes.say(one.line, f"{place}: {shape} needs {needed}")
            continue
        yield Field(
            name=key, shape=shape, target=one[shape], read=KINDS.get(shape), options=one,
            is_needed=bool(one.get("needed")), is_beside=one.get("sameness") is False,
            fields=_fields(place, one.get("fields", Lined()), mistakes), types=tuple(one.get("to", ())),
        )  # fmt: skip
