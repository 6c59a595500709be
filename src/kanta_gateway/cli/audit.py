"""The audit log: verify, prove, export, report, witness."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import Json, Lang, Name, Person, Provider, Purpose, check_content, open_gateway, say

audit = typer.Typer(no_args_is_help=True, help="The audit log: verify, export, report.")
GROUPS = {"audit": audit}
"""Groups of commands by their names."""


@audit.command("verify")
def verify_audit(
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint kept outside the gateway.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its verifier key (name+hash+key).")] = None, lang: Lang = None,
    *, reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Also match the log with what is stored, both ways.")
    ] = False,
    person: Person = None, name: Name = None, purpose: Purpose = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check the whole log offline; with --checkpoint and --key trust only what is given."""
    gateway = open_gateway(lang=lang)
    told = gateway.trail.verify(checkpoint, key, reconcile=reconcile, caller=gateway.actor(person, name, purpose))
    say(told, as_json=as_json)
    raise typer.Exit(0 if told["holds"] else 1)


@audit.command("checkpoint")
def sign_checkpoint() -> None:
    """Sign the log as it stands and print the checkpoint; exit 1 if too few witnesses cosigned it."""
    gateway = open_gateway()
    note = gateway.office.checkpoint(None)
    print(note, end="")
    witnesses = gateway.parts.witnesses
    if (count := witnesses.count(note)) < witnesses.quorum:
        print(f"kanta-gateway: {count} witnesses cosigned, expected {witnesses.quorum}; the last audit:cosign entry "
              "tells what each answered", file=sys.stderr)  # fmt: skip
        raise typer.Exit(1)


@audit.command("witness")
def run_witness(
    folder: Annotated[Path, typer.Argument(help="What the witness keeps: key, last checkpoints, evidence.")],
    log_key: Annotated[Path, typer.Option(help="Verifier keys of the logs it watches.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name of the witness: one word.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="Gets the address once it listens.")] = None,
) -> None:
    """Run a witness, which cosigns what continues the last checkpoint; for others than the operator, no data folder."""
    from kanta_gateway.audit.witness import run as serve_witness  # noqa: PLC0415 — only this command needs it

    serve_witness(folder, name, log_key.read_text("utf-8"), host, port, ready_file)


@audit.command("export")
def export_audit(
    form: Annotated[str, typer.Option("--format", help="fhir, csv or jsonl.")] = "jsonl",
    client: Annotated[str | None, typer.Option(help="Open this client's entries only (client number).")] = None,
    provider: Provider = "",
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Print every entry of the log; with --client others stay closed, as leaf hashes in jsonl."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    check_content()
    for line in gateway.trail.export(form, actor, client, provider):
        sys.stdout.write(line)


@audit.command("proof")
def prove_audit(
    entry: Annotated[int | None, typer.Option(min=0, help="Prove that this entry is in the log.")] = None,
    first: Annotated[int | None, typer.Option(min=1, help="Prove that the log of this size is its beginning.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Of the log; now, if not given.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Print one inclusion proof (--entry) or consistency proof (--first), as the API answers it."""
    if (entry is None) == (first is None):
        raise typer.BadParameter("--entry or --first: ask for one proof at a time")
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    told = (
        gateway.office.inclusion(actor, entry, size)
        if entry is not None
        else gateway.office.consistency(actor, first or 1, size)
    )
    say(told, as_json=True)


@audit.command("verifier")
def print_verifier() -> None:
    """Print the stand-alone verifier: one Python file that needs neither the gateway nor a network."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    sys.stdout.write(knowledge.verifier())


@audit.command("report")
def report_audit(
    client: Annotated[str, typer.Option(help="The provider's client number.")],
    provider: Provider = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Who used or was given one client's data, and on which basis (703/2023 §11)."""
    gateway = open_gateway()
    say(gateway.office.access_report(gateway.actor(person, name, purpose), client, provider), as_json=as_json)


@audit.command("client")
def resolve_entry(
    entry: Annotated[int, typer.Argument(min=0, help="Place of the entry in the log.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Which client an entry is about, by the provider's number: an act of its own, with an entry and its purpose."""
    gateway = open_gateway()
    say(gateway.resolver.client_of(gateway.actor(person, name, purpose), entry), as_json=as_json)
