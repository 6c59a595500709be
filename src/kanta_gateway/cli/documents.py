"""Finished documents, and the author's answers about records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import WAITS, Json, Lang, Name, Person, Purpose, open_gateway, say, shown

documents = typer.Typer(no_args_is_help=True, help="Finished documents: export, explain, verify.")
records = typer.Typer(no_args_is_help=True, help="Delivered records: the author's answer to what was asked.")
GROUPS = {"documents": documents, "records": records}
"""Groups of commands by their names."""


@documents.command("export")
def export_documents(
    folder: Path, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, all_versions: Annotated[bool, typer.Option("--all-versions", help="Superseded and invalidated too.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write archived documents as FOLDER/<OID>.xml, each in its current version."""
    gateway = open_gateway()
    told = gateway.documents.export(folder, gateway.actor(person, name, purpose), all_versions=all_versions)
    say(told, as_json=as_json)


@documents.command("explain")
def explain_document(
    oid: str, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Tell for every value of a document: the record's field, the mapping line, the rule and its source."""
    gateway = open_gateway()
    told = gateway.documents.explain(oid, gateway.actor(person, name, purpose))
    if as_json:
        say(told, as_json=True)
        return
    told = shown(told)
    print(f"{told['oid']}  {told['structure']}  record {told['record']}")
    for row in told["values"]:
        print(f"  {row['pointer']}")
        for origin in row["origins"]:
            print(f"      {origin['path']:<40} {origin['line']:<32} {origin['rule']:<16} {origin['source']}")


@documents.command("verify")
def verify_documents(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)], lang: Lang = None,
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """Check finished documents: structure, JSON against the THL structure, XHTML against JSON, signature, trust."""
    told = open_gateway(lang=lang).documents.verify(files)
    if as_json:
        say(told, as_json=True)
    else:
        for row in told["documents"]:
            print(f"{row['file']}: {row['verdict']}")
            for finding in row["findings"]:
                print(f"  {finding['rule']} {finding['pointer']} {finding['message']}")
    raise typer.Exit(0 if told["holds"] else 1)


@records.command("allow")
def allow_wording(
    ticket: str, reason: Annotated[str, typer.Option(help="Why the service needs it; nothing about a person.")],
    field: Annotated[str, typer.Option(help="Field, as the finding tells it; all that was asked by default.")] = "",
    cls: Annotated[str, typer.Option("--class", help="Class, as the finding tells it.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Allow a wording that minimisation asked about; exit 0 when the record stands, 3 when it still waits."""
    if bool(field) != bool(cls):
        raise typer.BadParameter("--field and --class go together; leave both out to allow all that was asked")
    gateway = open_gateway(lang=lang)
    caller, answers = gateway.actor(person, name, purpose), [(field, cls)] if field else []
    told = gateway.desk.allow(gateway.office, ticket, answers, reason, caller, gateway.settings.lang).told
    say(told, as_json=as_json)
    raise typer.Exit(WAITS if told["outcome"] in {"held", "refused"} else 0)
