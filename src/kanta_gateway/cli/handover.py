"""Leaving: everything of one controller handed over, taken in elsewhere, confirmed, and destroyed here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import Json, Name, Person, Purpose, open_gateway, say

handover = typer.Typer(no_args_is_help=True, help="Hand everything of one controller over, and take such a package in.")
GROUPS = {"handover": handover}
"""Groups of commands by their names."""
Key = Annotated[Path, typer.Option("--key", exists=True, dir_okay=False, help="The recipient's private key (PEM).")]
Certificate = Annotated[
    Path, typer.Option("--certificate", exists=True, dir_okay=False, help="The recipient's certificate (PEM).")
]
Sender = Annotated[
    Path, typer.Option("--from-log", exists=True, dir_okay=False, help="Verifier keys of the sender's log.")
]


@handover.command("export")
def export_package(
    package: Annotated[Path, typer.Argument(help="The file to write.")],
    controller: Annotated[str, typer.Option(help="OID of the controller whose everything it is.")],
    certificate: Certificate, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write everything of one controller into one package that only its certificate's key opens."""
    gateway = open_gateway()
    caller = gateway.actor(person, name, purpose)
    say(gateway.leaving.export(caller, controller, certificate.read_bytes(), package), as_json=as_json)


@handover.command("import")
def import_package(
    package: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    certificate: Certificate, key: Key, sender: Sender,
    receipt: Annotated[Path | None, typer.Option(help="Where to write the receipt for the sender.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a package in, all of it or nothing; writes the receipt by which the sender knows."""
    gateway = open_gateway()
    caller = gateway.actor(person, name, purpose)
    told, note = gateway.arriving.take(
        caller, package, certificate.read_bytes(), key.read_bytes(), sender.read_text("utf-8")
    )
    if receipt is not None:
        receipt.write_text(note, "utf-8")
    say(told, as_json=as_json)


@handover.command("open")
def open_package(
    package: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], folder: Path,
    certificate: Certificate, key: Key, sender: Sender, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Check a package and write its members as files, for whoever has no gateway. What is written is not encrypted."""
    from kanta_gateway.pipeline.arriving import unpack  # noqa: PLC0415 — heavy imports only when a command needs them

    told = unpack(package, folder, certificate.read_bytes(), key.read_bytes(), sender.read_text("utf-8"))
    say(told, as_json=as_json)


@handover.command("list")
def list_packages(person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False) -> None:
    """Logs that were handed over to this installation, kept apart from its own."""
    gateway = open_gateway()
    say(gateway.arriving.listed(gateway.actor(person, name, purpose)), as_json=as_json)


@handover.command("log")
def write_log(
    package: Annotated[str, typer.Argument(help="Id of a package that was taken in.")], folder: Path,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write the log of a package with its keys, checkpoints and verifier: `python verify.py` shows that it holds."""
    gateway = open_gateway()
    say(gateway.arriving.write_log(gateway.actor(person, name, purpose), package, folder), as_json=as_json)


@handover.command("confirm")
def confirm_package(
    receipt: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What the recipient's import wrote.")],
    recipient: Annotated[
        Path, typer.Option("--recipient-log", exists=True, dir_okay=False, help="Verifier keys of its log.")
    ],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write down that the recipient has taken a package in, by its signed receipt."""
    gateway = open_gateway()
    caller = gateway.actor(person, name, purpose)
    told = gateway.leaving.confirm(caller, receipt.read_text("utf-8"), recipient.read_text("utf-8"))
    say(told, as_json=as_json)


@handover.command("destroy")
def destroy_copy(
    package: Annotated[str, typer.Argument(help="Id of a package whose taking in was confirmed.")],
    instruction: Annotated[str, typer.Option(help="Reference of the controller's written instruction.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Destroy the content that was handed over, on the controller's instruction; evidence stays."""
    gateway = open_gateway()
    caller = gateway.actor(person, name, purpose)
    say(gateway.leaving.destroy(caller, package, instruction), as_json=as_json)
