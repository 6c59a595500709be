"""What is kept how long, what goes when, and what goes because the controller says so."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from kanta_gateway.cli.common import Json, Lang, Name, Person, Purpose, open_gateway, say

retention = typer.Typer(no_args_is_help=True, help="What is kept how long, and what goes when.")
GROUPS = {"retention": retention}
"""Groups of commands by their names."""


@retention.command("table")
def table(
    begun: Annotated[str | None, typer.Option("--from", help="Day that periods are counted from (YYYY-MM-DD).")] = None,
    lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """How long each kind is kept and on which ground; with --from also when that ends."""
    gateway = open_gateway(lang=lang)
    told = gateway.retention.terms(date.fromisoformat(begun) if begun else None, gateway.settings.lang)
    say({"retention": told}, as_json=as_json)


@retention.command("waiting")
def waiting(
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:  # fmt: skip
    """Records given back that still have their content: reminders, and the day on which it goes."""
    gateway = open_gateway()
    say({"waiting": gateway.retention.keeping.listed(gateway.actor(person, name, purpose))}, as_json=as_json)


@retention.command("run")
def run(person: Person = None, name: Name = None, purpose: Purpose = None) -> None:
    """Do now what the worker does by itself: remind, and destroy whatever has had its time."""
    gateway = open_gateway()
    say(gateway.retention.run(gateway.actor(person, name, purpose)), as_json=False)


@retention.command("destroy")
def destroy(
    instruction: Annotated[str, typer.Option(help="Reference of the documented instruction, such as a case number.")],
    controller: Annotated[str, typer.Option(help="OID of the controller that instructs.")],
    asked_by: Annotated[
        str, typer.Option(help="controller, or client: that is refused with the reason.")
    ] = "controller",
    document: Annotated[list[str] | None, typer.Option(help="OID of a document; may be repeated.")] = None,
    ticket: Annotated[list[str] | None, typer.Option(help="Ticket of a record; may be repeated.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
) -> None:  # fmt: skip
    """Destroy content on the controller's documented instruction (GDPR 28(3)(g)); each is an entry of the log."""
    gateway = open_gateway(lang=lang)
    told = gateway.retention.destroyer.instructed(
        gateway.actor(person, name, purpose), asked_by, controller, instruction, documents=document or (),
        tickets=ticket or (),
    )  # fmt: skip
    say(told, as_json=False)


@retention.command("purge-log")
def purge_log(
    person: Person = None, name: Name = None, purpose: Purpose = None, *,
    clock_is_right: Annotated[
        bool, typer.Option("--clock-is-right", help="You have looked at the clock: years without entries are real.")
    ] = False,
) -> None:  # fmt: skip
    """Take the entries of the log whose twelve years are over, as the worker does by itself."""
    gateway = open_gateway()
    told = gateway.retention.aging.ask(gateway.actor(person, name, purpose), is_clock_right=clock_is_right)
    say(told, as_json=False)
