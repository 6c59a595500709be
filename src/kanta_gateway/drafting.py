"""What those who write contract and mapping files try out before a file is used: nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from kanta_gateway import invented, knowledge
from kanta_gateway.contracts.library import load as load_contracts
from kanta_gateway.contracts.preview import in_force, last_turn
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.database import Database
from kanta_gateway.errors import NotFoundError, ParameterError, UnreadableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.intake.desk import Desk
from kanta_gateway.intake.front import items
from kanta_gateway.mapping.engine import Mapper
from kanta_gateway.mapping.rules import GROUPS, read_mapping
from kanta_gateway.migrate import upgrade
from kanta_gateway.model import Caller, Record
from kanta_gateway.operating.deliveries import opened
from kanta_gateway.pipeline.compose import AUTHOR_FIELDS
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.preview import Preview
from kanta_gateway.pipeline.trial import tried
from kanta_gateway.stated import nearest

_SIGNS = {"comes": "+", "goes": "-", "weighs": "~"}
MADE_UP = "made_up"
"""Key under which is told what around a record is nobody's."""
IN_MEMORY = "sqlite://"
"""A database that is gone with the process."""


def preview_contract(
    gateway: Gateway, file: Path, caller: Caller, *, against: Sequence[Path] = (), source: str = "",
    on: date | None = None, is_as_dated: bool = False, as_of: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a changed contract file would have said about records.

    Args:
        gateway: the installation.
        file: the changed file; the contract that it names is the one it would replace.
        caller: who asks.
        against: a provider's files, or folders of them; without any, the records that the gateway holds.
        source: name of their format.
        on: the file is taken as it is in force on this day; by default when the last change in it has come.
        is_as_dated: judge each record by the rules of its own day instead.
        as_of: the day that deadlines are read at.

    Raises:
        MisconfiguredError: the file does not hold.
        ParameterError: files without their format.
    """
    parts = gateway.parts
    changed = _contract(gateway, file)
    day = "" if is_as_dated else on.isoformat() if on else max(last_turn(changed), parts.now().date().isoformat())
    judging = in_force(changed, day) if day else changed
    present = parts.contracts.get(changed.name)
    made = Preview(parts, changed.name, present, judging, as_of)
    if against:
        files = [one for path in against for one in _files(path)]
        if not source or not files:
            raise ParameterError("--against names files of a provider; name their format with --source too")
        with _scratch(parts, changed.name, present or judging) as scratch:
            made.parts, desk = scratch, Desk(scratch, gateway.sources)
            with desk.dry_import(opened(files), source, changed.name, caller, "en", as_of=as_of) as result:
                result.preview(made)
            told = made.told()
    else:
        told = gateway.office.preview(caller, made)
    return {"contract": changed.name, "in_force_on": day or "each record's own day", **told}


def try_mapping(
    gateway: Gateway, file: Path, record: Path | None = None, *, source: str = "", contract: str = ""
) -> dict[str, Any]:
    """What a mapping file makes of records: the documents, what was used, masked and left over.

    Args:
        gateway: the installation.
        file: the mapping file; its structure and records are those that it names.
        record: a canonical record (JSON), one on each line (JSON Lines), or a provider's file; a made-up record of
            each type that the file maps when it is left out.
        source: name of the format of a provider's file.
        contract: whose first product the record is under; by default the first that the file accepts.

    Raises:
        MisconfiguredError: the file does not hold.
        UnreadableError: the record does not.
        ParameterError: nothing in the record file is of a type that the file maps.
    """
    parts, own = gateway.parts, gateway.settings.own
    schemas = gateway.schemas.schemas
    groups = knowledge.texts("mappings/documents", own=own).get(GROUPS, "")
    fields = {name: one.get("properties", {}) for name, one in schemas.items()}
    loaded = read_mapping(file.read_text("utf-8-sig"), file.stem, parts.structures, parts.codes, groups, fields)
    mapping = loaded.mappings[-1]
    types = list(dict.fromkeys(name for one in mapping.variants for name in one.records))
    records = _records(gateway, record, source, types) if record else [
        Record(name, "R-1", 1, "A-1", invented.content(schemas[name])) for name in types
    ]  # fmt: skip
    if not [one for one in records if one.type in types]:
        raise ParameterError(f"the file maps {', '.join(types)}; there is no such record")
    mapper = Mapper(replace(loaded, mappings=(mapping,)), parts.structures, parts.codes)
    return {"file": file.name, "structure": mapping.structure.oid, "tried": [
        _told(gateway, tried(parts, mapper, variant, mapping, one, around, of))
        for one in records
        for around, of in [_around(gateway, records, one, mapper, contract)]
        for variant in mapper.variants(one.type, around["product"])
    ]}  # fmt: skip


def _records(gateway: Gateway, path: Path, source: str, types: Sequence[str]) -> list[Record]:
    """The canonical records that a file holds."""
    if source:
        if source not in gateway.sources:
            raise NotFoundError(f"there is no source {source}{nearest(source, gateway.sources)}")
        return [one for one in items(opened([path]), gateway.sources[source]) if isinstance(one, Record)]
    content = path.read_bytes()
    read: list[Record] = []
    for one in content.splitlines() if path.suffix in {".jsonl", ".ndjson"} else [content]:
        found, findings = gateway.schemas.read(one)
        if found is None:
            kinds = f"the file maps {', '.join(types)}"
            raise UnreadableError(f"{path.name} holds no canonical record; {kinds}", findings=findings)
        read.append(found)
    return read


def _around(
    gateway: Gateway, records: Sequence[Record], record: Record, mapper: Mapper, contract: str
) -> tuple[dict[str, Any], Contract]:
    """What a mapping reads beside the record, from the same file where it is there, else made up; and whose rules."""
    types = gateway.parts.types
    staff = {**invented.STAFF, **{one.id: one.content for one in records if one.type == "staff"}}
    own = [one for one in records if record.client and record.client in {one.client, one.id}]
    client = next((one.content for one in own if types[one.type].is_subject), None)
    decision = next((one.content for one in own if types[one.type].grants), None)
    lacking = [name for name, one in (("client", client), ("decision", decision)) if one is None]
    client, decision = client or invented.CLIENT, decision or invented.DECISION
    named = [str(record.content[name]) for name in AUTHOR_FIELDS if record.content.get(name)]
    known = next(({**staff[name], "id": name} for name in named if name in staff), None)
    author = known or record.content.get("recorder_name") or next(iter(invented.STAFF.values()))
    of, product = _product(gateway, record.type, decision, mapper, contract)
    around = {
        "client": client, "decision": decision, "product": product, "author": author, "staff": staff,
        **invented.PARTIES, MADE_UP: [*lacking, *invented.PARTIES],
    }  # fmt: skip
    return around, of


def _product(
    gateway: Gateway, record_type: str, decision: Mapping[str, Any], mapper: Mapper, contract: str
) -> tuple[Contract, dict[str, str]]:
    """The product that the decision grants, else the first under which the record makes a document; its contract."""
    known = gateway.parts.contracts
    if contract and contract not in known:
        raise NotFoundError(f"there is no contract {contract}{nearest(contract, known)}")
    asked = [known[contract]] if contract else list(known.values())
    granted = [(one, one.mapping_product(decision)) for one in asked]
    sold = [(one, one.mapping_product({"service": service, "product_number": product.number}))
            for one in asked for product in one.products for service in sorted(product.services)]  # fmt: skip
    fitting = (
        (one, product) for one, product in (*granted, *sold) if product and mapper.variants(record_type, product)
    )
    return next(fitting, (asked[0], {}))


def _told(gateway: Gateway, one: dict[str, Any]) -> dict[str, Any]:
    messages, language = gateway.parts.messages, gateway.settings.lang
    return {**one, "findings": [messages.finding(finding, language) for finding in one["findings"]]}


def trial_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """A trial of a mapping for a person.

    Args:
        told: what `try_mapping` gave.
    """
    for one in told["tried"]:
        yield f"{one['type']} {one['record']} -> {one['structure']} ({one['variant']}); nothing was stored"
        yield f"made up, since the file has none: {', '.join(one[MADE_UP])}"
        for row in one["document"]:
            yield f"  {row['place']}: {row['value']}".replace("\n", "\n    ")
            yield f"      from {', '.join(row['from'])}"
        for word, rows in (
            ("used", one["used"]), ("left over", one["left_over"]),
            *((word, [f"{row['class']} in {row['field']} of the {row['in']} ({row['count']})" for row in one[key]])
              for word, key in (("masked", "masked"), ("waits for its author", "asked"))),
            ("codes that nobody has verified", one["unverified_codes"]),
            ("findings", [f"{row['rule']} {row['message']}" for row in one["findings"]]),
        ):  # fmt: skip
            yield f"{word}: {', '.join(rows) or 'nothing'}"


def _contract(gateway: Gateway, file: Path) -> Contract:
    """The contract that a file states, with the law that it inherits from the files in use."""
    text = file.read_text("utf-8-sig")
    read = Contract.load(text, file.stem, gateway.parts.types)
    beside = knowledge.texts("mappings/contracts", own=gateway.settings.own)
    return load_contracts({**beside, read.name: text}, gateway.parts.types)[read.name]


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]


@contextmanager
def _scratch(parts: Parts, name: str, contract: Contract) -> Iterator[Parts]:
    """The same parts over an empty database that is never written to a disk."""
    database = Database(IN_MEMORY)
    try:
        upgrade(database)
        yield replace(parts, database=database, contracts={**parts.contracts, name: contract})
    finally:
        database.close()


def preview_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """A preview for a person.

    Args:
        told: what `preview_contract` gave.
    """
    yield (f"contract {told['contract']}, as in force on {told['in_force_on']}: "
           f"{told['records']} records of {told['clients']} clients; nothing was stored")  # fmt: skip
    if told["content_destroyed"]:
        yield (f"{told['content_destroyed']} records have no content any more: of their texts the changed file was "
               "told what the present one had kept")  # fmt: skip
    for rule, change in told["rules"].items():
        yield f"{rule}: " + ", ".join(f"{len(change[word])} {word}" for word in _SIGNS if change[word])
        yield from (
            f"  {month}: " + ", ".join(f"{count} {word}" for word, count in counts.items())
            for month, counts in change["months"].items()
        )
        yield from (f"  {sign} {one['record']} {one['text']}" for word, sign in _SIGNS.items() for one in change[word])
    if not told["rules"]:
        yield "no finding comes or goes"
    for one in told["outcomes"]:
        yield f"{one['from']} -> {one['to']}: {', '.join(one['records'])}"
    for client, figures in told["figures"].items():
        yield f"figures of {client}: " + ", ".join(
            f"{name} {_number(one['now'])} -> {_number(one['then'])}" for name, one in figures.items()
        )


def _number(value: Any) -> str:
    return "none" if value is None else str(value)
