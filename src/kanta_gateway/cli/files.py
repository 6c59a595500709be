"""Knowledge files: structures, codes, mappings, contracts, formats."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import AsOf, Json, Lang, Name, Person, Purpose, open_gateway, say, shown
from kanta_gateway.errors import NotFoundError

schemas = typer.Typer(no_args_is_help=True, help="THL structures: list, import official ones.")
codes = typer.Typer(no_args_is_help=True, help="Code lists: import exports of the code server.")
mapping = typer.Typer(no_args_is_help=True, help="Mapping files: try one on a record.")
contracts = typer.Typer(no_args_is_help=True, help="Contract files: what a changed one would say.")
sources = typer.Typer(no_args_is_help=True, help="Formats that providers may deliver in.")
GROUPS = {"schemas": schemas, "codes": codes, "mapping": mapping, "contracts": contracts, "sources": sources}
"""Groups of commands by their names."""


@schemas.command("list")
def list_schemas(*, as_json: Json = False) -> None:
    """Every usable structure."""
    every = open_gateway().parts.structures.all()
    if as_json:
        say({"structures": [
            {"oid": one.oid, "number": one.number, "title": dict(one.title), "document_type": one.document_type}
            for one in every
        ]}, as_json=True)  # fmt: skip
        return
    for one in every:
        print(f"{one.oid:<42} {one.title['fi']}")


@schemas.command("import")
def import_schemas(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Load official Sosmeta JSON Schemas beside our own statements."""
    gateway = open_gateway()
    told = gateway.administration.import_schemas(gateway.actor(person, name, purpose), folder)
    say(told, as_json=as_json)
    raise typer.Exit(0 if not told["mistakes"] else 1)


@codes.command("import")
def import_codes(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    of: Annotated[str, typer.Option("--list", help="Name, number or OID of the list, if the file does not tell.")] = "",
    version: Annotated[str, typer.Option(help="Version of the list, if the file's name does not tell.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take rows of a code list, verified and dated, from an export of the code server (CSV, XML or JSON)."""
    gateway = open_gateway()
    told = gateway.administration.import_codes(gateway.actor(person, name, purpose), file, of, version)
    say(told, as_json=as_json)
    raise typer.Exit(0 if told["rows"] and not told["mistakes"] else 1)


@mapping.command("try")
def try_mapping(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The mapping file.")],
    record: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A record; a made-up one if it is left out.")
    ] = None,
    source: Annotated[str, typer.Option(help="Format of the record's file, if it is a provider's.")] = "",
    contract: Annotated[str, typer.Option(help="Contract whose product the record is under.")] = "",
    lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What a mapping file makes of a record: the document, what was used, masked and left over; nothing is stored."""
    from kanta_gateway import drafting  # noqa: PLC0415 — only for those who write files

    told = drafting.try_mapping(open_gateway(lang=lang), file, record, source=source, contract=contract)
    if as_json:
        say(told, as_json=True)
    else:
        print("\n".join(drafting.trial_lines(told)))


@mapping.command("path")
def mapping_path(number: str) -> None:
    """Where the mapping file of a structure is, to be read, copied or tried."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    print(knowledge.path_of(f"mappings/documents/{number}.yaml", open_gateway().settings.own))


@contracts.command("preview")
def preview_contract(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The changed contract file.")],
    against: Annotated[
        list[Path] | None, typer.Option(exists=True, help="A provider's file, or a folder; else what is held.")
    ] = None,
    source: Annotated[str, typer.Option(help="Format of those files.")] = "",
    on: Annotated[str | None, typer.Option(help="As in force on this day (YYYY-MM-DD).")] = None,
    as_of: AsOf = None, person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
    *, as_dated: Annotated[bool, typer.Option("--as-dated", help="By the rules of each record's own day.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """What a changed contract file would have said about records, before it is used; nothing is stored."""
    from kanta_gateway import drafting  # noqa: PLC0415 — only for those who write files

    gateway = open_gateway(lang=lang)
    told = drafting.preview_contract(
        gateway, file, gateway.actor(person, name, purpose), against=against or (), source=source,
        on=date.fromisoformat(on) if on else None, is_as_dated=as_dated,
        as_of=date.fromisoformat(as_of) if as_of else None,
    )  # fmt: skip
    if as_json:
        say(told, as_json=True)
    else:
        print("\n".join(drafting.preview_lines(shown(told))))


@sources.command("list")
def list_sources(*, as_json: Json = False) -> None:
    """Every format: its name, what kind of file it is, and whose it is where it is one purchaser's."""
    found = [
        {"name": one.name, "format": one.format, "purchasers": sorted(one.purchasers)}
        for one in open_gateway().sources.values()
    ]
    say({"sources": found}, as_json=as_json)


@sources.command("files")
def write_source_files(name: str, folder: Path, *, as_json: Json = False) -> None:
    """Write a format's template and sample into FOLDER, to be filled in or compared with."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    gateway = open_gateway()
    found = knowledge.of_source(name, gateway.settings.own) if name in gateway.sources else {}
    if not found:
        raise NotFoundError(f"there is no template or sample of a source {name}; see `kanta-gateway sources list`")
    for path, content in found.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    say({"files": [str(folder / path) for path in found]}, as_json=as_json)
