"""Taking files in, delivering, and how things stand."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanta_gateway.access.views import ALL
from kanta_gateway.cli.common import (
    WAITS,
    AsOf,
    Json,
    Lang,
    Name,
    Person,
    Purpose,
    open_gateway,
    say,
    shown,
    sight,
    tell,
)
from kanta_gateway.errors import MisconfiguredError, UnreadableError

if TYPE_CHECKING:
    from kanta_gateway.access.views import Sight
    from kanta_gateway.contracts.deadlines import ClockState
    from kanta_gateway.intake.result import Result

commands = typer.Typer()
"""Commands without a group."""


@commands.command()
def demo(*, keep: Annotated[bool, typer.Option(help="Keep the folder.")] = True) -> None:
    """The main job end to end in a temporary folder, on sample data that comes with the package."""
    from kanta_gateway.demo import run as run_demo  # noqa: PLC0415

    run_demo(keep=keep)


@commands.command()
def serve(
    *,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    api: Annotated[bool, typer.Option(help="Run the API.")] = True,
    worker: Annotated[bool, typer.Option(help="Run the worker.")] = True,
) -> None:
    """Run the API and the worker, as two processes."""
    from kanta_gateway.serve import run as run_serve  # noqa: PLC0415

    gateway = open_gateway(port=port)
    gateway.close()
    settings = gateway.settings
    if api:
        print(f"API on http://{settings.host}:{settings.port} (data: {settings.data}); Ctrl-C ends it", flush=True)
    raise typer.Exit(run_serve(settings, api=api, worker=worker))


@commands.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    source: Annotated[str, typer.Option(help="Name of a source (mappings/sources).")],
    purchaser: Annotated[str | None, typer.Option(help="Name of a contract (mappings/contracts).")] = None,
    as_of: AsOf = None, person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
    findings_to: Annotated[
        Path | None, typer.Option(help="Folder for the files with a column of findings, to be corrected there.")
    ] = None,
    *, dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge everything, store nothing.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Take a provider's files in; exit 0 when all stand, 3 when some are held or refused, 1 when it failed."""
    gateway = open_gateway(lang=lang)
    caller = gateway.actor(person, name, purpose)
    day = date.fromisoformat(as_of) if as_of else None
    deliveries, given = gateway.deliveries, (files, source, purchaser, caller)
    if findings_to is not None:
        deliveries.check_returnable(source)
    try:
        taken = (
            deliveries.dry_import(*given, as_of=day)
            if dry_run
            else nullcontext(deliveries.import_files(*given, as_of=day))
        )
        with taken as result:
            if as_json:
                for piece in result.json(sight() or ALL):
                    sys.stdout.buffer.write(piece)
                sys.stdout.flush()
            else:
                _tell(result, sight() or ALL)
            if findings_to is not None:
                deliveries.write_findings(files, source, result, findings_to)
            raise typer.Exit(WAITS if result.waits else 0)
    except UnreadableError:
        if findings_to is not None:
            deliveries.write_findings(files, source, None, findings_to)
        raise


def _tell(result: Result, seen: Sight) -> None:
    """An import's result for a person: what is not as it should be, then the totals."""
    of_row = seen.within("records")
    for row in map(of_row.shown, result.rows()):
        for finding in row["findings"]:
            if finding["severity"] != "info":
                print(f"{row['id']} v{row['version']} {row['outcome']}: {finding['rule']} {finding['message']}")
    for finding in result.findings:
        print(f"{finding['rule']}: {finding['message']}")
    tell(result.totals.told(), as_json=False)


@commands.command()
def deliver(
    person: Person = None, name: Name = None, purpose: Purpose = None,
    *, until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop when nothing is due any more.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Send what waits to the archive (KANTA_ARCHIVE_URL)."""
    gateway = open_gateway()
    told = gateway.dispatch.deliver(gateway.actor(person, name, purpose), until_empty=until_empty)
    say(told, as_json=as_json)
    raise typer.Exit(0 if not told["left"] else 1)


@commands.command()
def status(
    client: Annotated[str | None, typer.Option(help="The provider's client number.")] = None, as_of: AsOf = None,
    contract: Annotated[str | None, typer.Option(help="Name of a contract (mappings/contracts).")] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="open, breached, done, done-late, not-started or all; may be repeated.")
    ] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
    *, counts: Annotated[bool, typer.Option("--counts", help="Counts only: no client's data is read.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Counts by state, what is due when (overdue and open unless --state says otherwise), and what is lacking."""
    states, gateway = _states(state), open_gateway(lang=lang)
    told = gateway.overview.status()
    if counts:
        say(told, as_json=as_json)
        return
    day = date.fromisoformat(as_of) if as_of else None
    due = gateway.overview.due(gateway.actor(person, name, purpose), day, client, contract, states)
    say(told | due if as_json else told, as_json=as_json)
    for line in () if as_json else gateway.overview.board(shown(due)):
        print(line)


def _states(named: list[str] | None) -> frozenset[ClockState]:
    """The states of clocks that were asked for; what is to be done where none was."""
    from kanta_gateway.contracts.deadlines import ClockState  # noqa: PLC0415 — only this command needs it

    if not named:
        return frozenset({ClockState.BREACHED, ClockState.OPEN})
    if unknown := sorted(set(named) - {"all", *ClockState}):
        raise typer.BadParameter(f"--state: {', '.join(unknown)}: expected all, {', '.join(ClockState)}")
    return frozenset(ClockState) if "all" in named else frozenset(map(ClockState, named))


@commands.command()
def figures(
    client: Annotated[str | None, typer.Option(help="The provider's client number.")] = None, as_of: AsOf = None,
    person: Person = None, name: Name = None, purpose: Purpose = None,
    *, explain: Annotated[bool, typer.Option("--explain", help="Name the records behind each number.")] = False,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Diary against absences against invoice, day by day.")
    ] = False,
    evidence: Annotated[str | None, typer.Option(help="Client number: what each line of the invoice rests on.")] = None,
    national: Annotated[
        bool, typer.Option("--national", help="Those of the law: days in 12 months, allowance, payable absences.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Derived numbers: days, hours, shares; with --reconcile or --evidence what the invoice rests on."""
    if explain + reconcile + (evidence is not None) > 1:
        raise typer.BadParameter("--explain, --reconcile and --evidence are three questions; ask one at a time")
    if national and (reconcile or evidence is not None):
        raise typer.BadParameter("--national goes with --explain only; the law has no invoice")
    gateway = open_gateway()
    actor, day = gateway.actor(person, name, purpose), date.fromisoformat(as_of) if as_of else None
    if evidence is not None:
        told = gateway.office.evidence(actor, evidence, day)
    elif reconcile:
        told = gateway.office.reconciliation(actor, client, day, gateway.settings.lang)
    else:
        told = gateway.office.figures(actor, client, day, explain=explain, national=national)
    say(told, as_json=as_json)


@commands.command()
def check(lang: Lang = None, *, as_json: Json = False) -> None:
    """Check mappings, contracts, codes, certificates and settings; all mistakes at once."""
    try:
        told = open_gateway(lang=lang).checkup.lacking()
    except MisconfiguredError as error:
        told = {"mistakes": list(error.mistakes)}
    say(told, as_json=as_json)
    raise typer.Exit(0 if not told["mistakes"] else 1)


@commands.command("simulate-archive")
def simulate_archive(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="Gets the base URL once it listens.")] = None,
    store: Annotated[Path | None, typer.Option(help="Folder that keeps what it got.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="NAME or NAME=RATE; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Of the faults.")] = 0,
) -> None:
    """Run a process that behaves like the archive; loopback only, knows no data folder."""
    from kanta_gateway.simulate import run as simulate  # noqa: PLC0415

    simulate(port, ready_file, store, fault or [], seed)
