"""What auditors ask, reviews of the log, cases and incidents, and tests of backups."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanta_gateway.cli.audit import audit
from kanta_gateway.cli.common import Json, Lang, Name, Person, Provider, Purpose, check_content, open_gateway, say

if TYPE_CHECKING:
    from datetime import datetime

cases = typer.Typer(no_args_is_help=True, help="Cases of supervision: what alerts and incidents opened.")
incidents = typer.Typer(no_args_is_help=True, help="Incidents and who must be told of them by when.")
backup = typer.Typer(no_args_is_help=True, help="Backups: test that one can be restored.")
GROUPS = {"cases": cases, "incidents": incidents, "backup": backup}
"""Groups of commands by their names."""

First = Annotated[str, typer.Option("--from", help="First day (YYYY-MM-DD).")]
Last = Annotated[str, typer.Option("--until", help="Last day (YYYY-MM-DD).")]
Owner = Annotated[str, typer.Option(help="Who works on it: a person's identifier, or a post.")]
Note = Annotated[str, typer.Option(help="A note, kept in the case only.")]


@audit.command("questions")
def list_questions(lang: Lang = None, *, as_json: Json = False) -> None:
    """What auditors can ask, with the parameters of each question."""
    gateway = open_gateway(lang=lang)
    told = gateway.auditors.answers.listed(gateway.settings.lang)
    if as_json:
        say(told, as_json=True)
        return
    for one in told["questions"]:
        options = [f"--{name}" if how == "needed" else f"[--{name}]" for name, how in one["parameters"].items()]
        print(f"{one['number'] or '':>2}  {one['id']} {' '.join(options)}\n    {one['text']}")


@audit.command("ask")
def ask_question(
    question: Annotated[str, typer.Argument(help="Id or number, as `audit questions` tells it.")],
    client: Annotated[str, typer.Option(help="Client number, or keyed reference.")] = "",
    provider: Provider = "",
    user: Annotated[str, typer.Option("--person", help="Identifier of a user, or keyed reference.")] = "",
    organisation: Annotated[str, typer.Option(help="OID.")] = "",
    recipient: Annotated[str, typer.Option(help="As the log names it.")] = "",
    first: First = "", last: Last = "", on: Annotated[str, typer.Option(help="The day (YYYY-MM-DD).")] = "",
    form: Annotated[str, typer.Option("--format", help="csv, fhir, json or jsonl.")] = "csv",
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
) -> None:  # fmt: skip
    """Print the answer to one question; asking is itself an entry of the log."""
    gateway = open_gateway(lang=lang)
    given = {"client": client, "provider": provider, "person": user, "organisation": organisation,
             "recipient": recipient, "from": first, "until": last, "on": on}  # fmt: skip
    actor = gateway.actor(person, name, purpose)
    check_content()
    for line in gateway.auditors.answers.ask(actor, question, given, form, gateway.settings.lang):
        sys.stdout.write(line)


@audit.command("review")
def review_log(
    first: First = "", last: Last = "", owner: Owner = "", person: Person = None, name: Name = None,
    purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Look for unusual access and open a case for each finding; by default in what is new until yesterday."""
    gateway = open_gateway()
    told = gateway.auditors.cases.review(gateway.actor(person, name, purpose), _day(first), _day(last), owner)
    say(told, as_json=as_json)


@cases.command("list")
def list_cases(
    kind: Annotated[str, typer.Option(help="alert, incident or request.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None,
    *, every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Open cases by due date."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    told = gateway.auditors.cases.listed(actor, kind=kind, is_open=None if every else True)
    if as_json:
        say(told, as_json=True)
        return
    for one in told["cases"]:
        print(f"{one['due_on']}  {one['id']}  {one['state']:<6}  {one['kind']:<8}  {one['rule']:<20}  {one['owner']}")


@cases.command("show")
def show_case(
    case: str, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """One case with its steps."""
    gateway = open_gateway()
    say(gateway.auditors.cases.shown(gateway.actor(person, name, purpose), case), as_json=as_json)


@cases.command("work")
def work_on_case(
    case: str, note: Note = "", owner: Owner = "",
    due_on: Annotated[str, typer.Option(help="Another due date (YYYY-MM-DD).")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Note something on a case, or give it another owner or due date."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    say(gateway.auditors.cases.work(actor, case, note=note, owner=owner, due_on=_day(due_on)), as_json=as_json)


@cases.command("close")
def close_case(
    case: str, outcome: Annotated[str, typer.Option(help="lawful, unlawful, wrong-record or unclear.")],
    note: Annotated[str, typer.Option(help="Why it ends so; kept in the case only.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """End a case with an outcome and the reason for it."""
    gateway = open_gateway()
    say(gateway.auditors.cases.close(gateway.actor(person, name, purpose), case, outcome, note), as_json=as_json)


@incidents.command("open")
def open_incident(
    trigger: Annotated[str, typer.Argument(help="A trigger of mappings/audit/incidents.yaml.")],
    known_at: Annotated[str, typer.Option(help="When it was known (YYYY-MM-DDTHH:MM, Finnish time without a zone).")],
    note: Note = "", owner: Owner = "",
    controller: Annotated[str, typer.Option(help="OID of whose register it concerns: that controller sees it.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Open a case about an incident; its clocks run from when it was known."""
    gateway = open_gateway()
    actor, at = gateway.actor(person, name, purpose), _moment(known_at)
    told = gateway.auditors.cases.open_incident(actor, trigger, at, note=note, owner=owner, controller=controller)
    say(told, as_json=as_json)


@incidents.command("told")
def tell_incident(
    case: str, clock: Annotated[str, typer.Argument(help="A clock of the trigger, such as follow-up.")],
    told_at: Annotated[str, typer.Option(help="When; now by default.")] = "", note: Note = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write down that somebody who must be told was told."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    at = _moment(told_at) if told_at else None
    say(gateway.auditors.cases.told(actor, case, clock, at, note), as_json=as_json)


@backup.command("verify")
def verify_backup(
    file: Annotated[
        Path | None, typer.Argument(help="A backup; a copy of the database by default.", exists=True, dir_okay=False)
    ] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Restore a copy in a temporary folder and verify it; the figures are an entry of the log. Exit 1 if it fails."""
    gateway = open_gateway()
    told = gateway.auditors.backups.verify(gateway.actor(person, name, purpose), file)
    say(told, as_json=as_json)
    raise typer.Exit(0 if told["holds"] else 1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise typer.BadParameter("expected a day, YYYY-MM-DD") from error


def _moment(text: str) -> datetime:
    from kanta_gateway.pipeline.partybook import moment  # noqa: PLC0415 — only these commands need it

    try:
        return moment(text)
    except ValueError as error:
        raise typer.BadParameter("expected a moment, YYYY-MM-DDTHH:MM") from error
