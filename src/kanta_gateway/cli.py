"""The command line: thin commands over the built gateway (`app`).

Every command takes `--data DIR` (before or after its name, or `KANTA_DATA`) and writes nothing elsewhere.
A command exits 0 only when what it says holds.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kanta_gateway.errors import GatewayError, MisconfiguredError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from kanta_gateway.contracts.deadlines import ClockState
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.intake.result import Result

WAITS = 3
"""Exit code of an import in which some records are held or refused."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Provider records in, signed THL-structured documents archived. Kanta-style, not certified.",
)
documents = typer.Typer(no_args_is_help=True, help="Finished documents: export, explain, verify.")
records = typer.Typer(no_args_is_help=True, help="Delivered records: the author's answer to what was asked.")
audit = typer.Typer(no_args_is_help=True, help="The audit log: verify, export, report.")
schemas = typer.Typer(no_args_is_help=True, help="THL structures: list, import official ones.")
mapping = typer.Typer(no_args_is_help=True, help="Mapping files: try one on a record.")
contracts = typer.Typer(no_args_is_help=True, help="Contract files: what a changed one would say.")
codes = typer.Typer(no_args_is_help=True, help="Code lists: import exports of the code server.")
keys = typer.Typer(no_args_is_help=True, help="Keys and certificates of this installation.")
systems = typer.Typer(no_args_is_help=True, help="Calling systems that may use the API.")
sources = typer.Typer(no_args_is_help=True, help="Formats that providers may deliver in.")
persons = typer.Typer(no_args_is_help=True, help="Client numbers that are one person's: list, merge, unmerge.")
notices = typer.Typer(no_args_is_help=True, help="Notices: what somebody must be told, and handing it over.")
policy = typer.Typer(no_args_is_help=True, help="Who may do what, and why.")
parties = typer.Typer(no_args_is_help=True, help="Parties, contracts, users and clients, from a day to a day.")
for _name, _group in (
    ("documents", documents), ("records", records), ("audit", audit), ("schemas", schemas), ("codes", codes),
    ("contracts", contracts), ("mapping", mapping),
    ("keys", keys), ("systems", systems), ("parties", parties), ("sources", sources), ("notices", notices),
    ("persons", persons),
    ("policy", policy),
):  # fmt: skip
    app.add_typer(_group, name=_name)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Person = Annotated[str | None, typer.Option("--as", help="Identifier of the person who acts.")]
Name = Annotated[str | None, typer.Option("--name", help="Name of the person who acts.")]
PersonName = Annotated[str | None, typer.Option("--person-name", help="Name of the person who acts.")]
Purpose = Annotated[str | None, typer.Option("--purpose", help="Purpose of use.")]
Lang = Annotated[str | None, typer.Option("--lang", help="fi, sv or en.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Judge as of this day (YYYY-MM-DD).")]

_state: dict[str, Any] = {}


@app.callback()
def _common(data: Annotated[Path | None, typer.Option("--data", help="Data folder.")] = None) -> None:
    _state["data"] = data


def _gateway(**given: Any) -> Gateway:
    from kanta_gateway.app import build  # noqa: PLC0415 — heavy imports only when a command needs them
    from kanta_gateway.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment(os.environ, data=_state.get("data"), **given)
    _state["lang"], _state["own"] = settings.lang, settings.own
    return build(settings)


def _say(value: Any, *, as_json: bool) -> None:
    """Print a result: JSON as it is, else one line per key."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, indent=1))
        return
    for key, one in value.items():
        if isinstance(one, dict):
            print(f"{key}:")
            for name, number in one.items():
                print(f"  {name}: {json.dumps(number, ensure_ascii=False) if isinstance(number, dict) else number}")
        elif isinstance(one, list):
            print(f"{key}:")
            for item in one:
                print(f"  {item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)}")
        else:
            print(f"{key}: {one}")


@app.command()
def demo(*, keep: Annotated[bool, typer.Option(help="Keep the folder.")] = True) -> None:
    """The main job end to end in a temporary folder, on sample data that comes with the package."""
    from kanta_gateway.demo import run as run_demo  # noqa: PLC0415

    run_demo(keep=keep)


@app.command()
def serve(
    *,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    api: Annotated[bool, typer.Option(help="Run the API.")] = True,
    worker: Annotated[bool, typer.Option(help="Run the worker.")] = True,
) -> None:
    """Run the API and the worker, as two processes."""
    from kanta_gateway.serve import run as run_serve  # noqa: PLC0415

    gateway = _gateway(port=port)
    gateway.close()
    settings = gateway.settings
    if api:
        print(f"API on http://{settings.host}:{settings.port} (data: {settings.data}); Ctrl-C ends it", flush=True)
    raise typer.Exit(run_serve(settings, api=api, worker=worker))


@app.command("import")
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
    gateway = _gateway(lang=lang)
    caller = gateway.actor(person, name, purpose)
    day = date.fromisoformat(as_of) if as_of else None
    take = gateway.dry_import if dry_run else gateway.taken
    if findings_to is not None:
        gateway.check_returnable(source)
    try:
        with take(files, source, purchaser, caller, as_of=day) as result:
            if as_json:
                for piece in result.json():
                    sys.stdout.buffer.write(piece)
                sys.stdout.flush()
            else:
                _tell(result)
            if findings_to is not None:
                gateway.write_findings(files, source, result, findings_to)
            raise typer.Exit(WAITS if result.waits else 0)
    except UnreadableError:
        if findings_to is not None:
            gateway.write_findings(files, source, None, findings_to)
        raise


def _tell(result: Result) -> None:
    """An import's result for a person: what is not as it should be, then the totals."""
    for row in result.rows():
        for finding in row["findings"]:
            if finding["severity"] != "info":
                print(f"{row['id']} v{row['version']} {row['outcome']}: {finding['rule']} {finding['message']}")
    for finding in result.findings:
        print(f"{finding['rule']}: {finding['message']}")
    _say(result.totals.told(), as_json=False)


@app.command()
def deliver(
    person: Person = None, name: Name = None, purpose: Purpose = None,
    *, until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop when nothing is due any more.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Send what waits to the archive (KANTA_ARCHIVE_URL)."""
    gateway = _gateway()
    told = gateway.deliver(gateway.actor(person, name, purpose), until_empty=until_empty)
    _say(told, as_json=as_json)
    raise typer.Exit(0 if not told["left"] else 1)


@app.command()
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
    states, gateway = _states(state), _gateway(lang=lang)
    told = gateway.status()
    if counts:
        _say(told, as_json=as_json)
        return
    day = date.fromisoformat(as_of) if as_of else None
    due = gateway.due(gateway.actor(person, name, purpose), day, client, contract, states)
    _say(told | due if as_json else told, as_json=as_json)
    for line in () if as_json else gateway.board(due):
        print(line)


def _states(named: list[str] | None) -> frozenset[ClockState]:
    """The states of clocks that were asked for; what is to be done where none was."""
    from kanta_gateway.contracts.deadlines import ClockState  # noqa: PLC0415 — only this command needs it

    if not named:
        return frozenset({ClockState.BREACHED, ClockState.OPEN})
    if unknown := sorted(set(named) - {"all", *ClockState}):
        raise typer.BadParameter(f"--state: {', '.join(unknown)}: expected all, {', '.join(ClockState)}")
    return frozenset(ClockState) if "all" in named else frozenset(map(ClockState, named))


@documents.command("export")
def export_documents(
    folder: Path, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, all_versions: Annotated[bool, typer.Option("--all-versions", help="Superseded and invalidated too.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write archived documents as FOLDER/<OID>.xml, each in its current version."""
    gateway = _gateway()
    told = gateway.export(folder, gateway.actor(person, name, purpose), all_versions=all_versions)
    _say(told, as_json=as_json)


@documents.command("explain")
def explain_document(
    oid: str, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Tell for every value of a document: the record's field, the mapping line, the rule and its source."""
    gateway = _gateway()
    told = gateway.explain(oid, gateway.actor(person, name, purpose))
    if as_json:
        _say(told, as_json=True)
        return
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
    told = _gateway(lang=lang).verify_files(files)
    if as_json:
        _say(told, as_json=True)
    else:
        for row in told["documents"]:
            print(f"{row['file']}: {row['verdict']}")
            for finding in row["findings"]:
                print(f"  {finding['rule']} {finding['pointer']} {finding['message']}")
    raise typer.Exit(0 if told["holds"] else 1)


@app.command()
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
    gateway = _gateway()
    actor, day = gateway.actor(person, name, purpose), date.fromisoformat(as_of) if as_of else None
    if evidence is not None:
        told = gateway.evidence(actor, evidence, day)
    elif reconcile:
        told = gateway.reconciliation(actor, client, day)
    else:
        told = gateway.figures(actor, client, day, explain=explain, national=national)
    _say(told, as_json=as_json)


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
    gateway = _gateway(lang=lang)
    told = gateway.allow(ticket, [(field, cls)] if field else [], reason, gateway.actor(person, name, purpose))
    _say(told, as_json=as_json)
    raise typer.Exit(WAITS if told["outcome"] in {"held", "refused"} else 0)


@notices.command("list")
def list_notices(
    state: Annotated[str | None, typer.Option(help="waiting, sending, delivered, acknowledged, withdrawn.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What waits to be told and what was told; no content."""
    gateway = _gateway(lang=lang)
    told = gateway.notices(gateway.actor(person, name, purpose), state)
    if as_json:
        _say(told, as_json=True)
        return
    for one in told["notices"]:
        late = " LATE" if one["is_late"] else ""
        recipients = one["recipient"] or "/".join(one["recipients"])
        print(f"{one['id']}  {one['state']:<12} {one['due_on']:<10}{late}  {recipients:<12} {one['title']}")


@notices.command("export")
def export_notices(
    folder: Path,
    recipient: Annotated[str, typer.Option(help="purchaser, own-worker, kela, fund, shop-steward.")] = "",
    ids: Annotated[list[str] | None, typer.Option("--id", help="Id of a notice; may be repeated.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Hand waiting notices over as FOLDER/<id>.json and FOLDER/<id>.html; each is a disclosure in the log."""
    gateway = _gateway(lang=lang)
    told = gateway.export_notices(folder, gateway.actor(person, name, purpose), recipient, ids or [])
    _say(told, as_json=as_json)
    raise typer.Exit(0 if not told["left"] else 1)


@notices.command("send")
def send_notices(
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:  # fmt: skip
    """Call the recipients of notices that are to be sent by now (KANTA_NOTICE_CHANNELS_FILE)."""
    gateway = _gateway()
    _say(gateway.send_notices(gateway.actor(person, name, purpose)), as_json=as_json)


@audit.command("verify")
def verify_audit(
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint kept outside the gateway.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its verifier key (name+hash+key).")] = None, lang: Lang = None,
    *, reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Also match the log with what is stored, both ways.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check the whole log offline; with --checkpoint and --key trust only what is given."""
    told = _gateway(lang=lang).verify_audit(checkpoint, key, reconcile=reconcile)
    _say(told, as_json=as_json)
    raise typer.Exit(0 if told["holds"] else 1)


@audit.command("checkpoint")
def sign_checkpoint() -> None:
    """Sign the log as it stands and print the checkpoint; exit 1 if too few witnesses cosigned it."""
    gateway = _gateway()
    note = gateway.checkpoint()
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
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Print every entry of the log; with --client others stay closed, as leaf hashes in jsonl."""
    gateway = _gateway()
    for line in gateway.export_audit(form, gateway.actor(person, name, purpose), client):
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
    gateway = _gateway()
    actor = gateway.actor(person, name, purpose)
    told = (
        gateway.office.inclusion(actor, entry, size)
        if entry is not None
        else gateway.office.consistency(actor, first or 1, size)
    )
    _say(told, as_json=True)


@audit.command("verifier")
def print_verifier() -> None:
    """Print the stand-alone verifier: one Python file that needs neither the gateway nor a network."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    sys.stdout.write(knowledge.verifier())


@audit.command("report")
def report_audit(
    client: Annotated[str, typer.Option(help="The provider's client number.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Who used or was given one client's data, and on which basis (703/2023 §11)."""
    gateway = _gateway()
    _say(gateway.access_report(client, gateway.actor(person, name, purpose)), as_json=as_json)


@schemas.command("list")
def list_schemas(*, as_json: Json = False) -> None:
    """Every usable structure."""
    told = _gateway().list_schemas()
    if as_json:
        _say(told, as_json=True)
        return
    for row in told["structures"]:
        print(f"{row['oid']:<42} {row['title']['fi']}")


@schemas.command("import")
def import_schemas(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)], *, as_json: Json = False
) -> None:
    """Load official Sosmeta JSON Schemas beside our own statements."""
    told = _gateway().import_schemas(folder)
    _say(told, as_json=as_json)
    raise typer.Exit(0 if not told["mistakes"] else 1)


@codes.command("import")
def import_codes(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    of: Annotated[str, typer.Option("--list", help="Name, number or OID of the list, if the file does not tell.")] = "",
    version: Annotated[str, typer.Option(help="Version of the list, if the file's name does not tell.")] = "",
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take rows of a code list, verified and dated, from an export of the code server (CSV, XML or JSON)."""
    told = _gateway().import_codes(file, of, version)
    _say(told, as_json=as_json)
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

    told = drafting.try_mapping(_gateway(lang=lang), file, record, source=source, contract=contract)
    if as_json:
        _say(told, as_json=True)
    else:
        print("\n".join(drafting.trial_lines(told)))


@mapping.command("path")
def mapping_path(number: str) -> None:
    """Where the mapping file of a structure is, to be read, copied or tried."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    print(knowledge.path_of(f"mappings/documents/{number}.yaml", _gateway().settings.own))


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

    gateway = _gateway(lang=lang)
    told = drafting.preview_contract(
        gateway, file, gateway.actor(person, name, purpose), against=against or (), source=source,
        on=date.fromisoformat(on) if on else None, is_as_dated=as_dated,
        as_of=date.fromisoformat(as_of) if as_of else None,
    )  # fmt: skip
    if as_json:
        _say(told, as_json=True)
    else:
        print("\n".join(drafting.preview_lines(told)))


@app.command()
def check(lang: Lang = None, *, as_json: Json = False) -> None:
    """Check mappings, contracts, codes, certificates and settings; all mistakes at once."""
    try:
        told = _gateway(lang=lang).check()
    except MisconfiguredError as error:
        told = {"mistakes": list(error.mistakes)}
    _say(told, as_json=as_json)
    raise typer.Exit(0 if not told["mistakes"] else 1)


@app.command("simulate-archive")
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


@keys.command("make")
def make_keys(
    organisation: Annotated[str, typer.Option(help="OID of the organisation that signs.")] = "",
    organisation_name: Annotated[str, typer.Option(help="Its name.")] = "",
) -> None:
    """Make the keys that are missing; development certificates outside production."""
    _say(_gateway().make_keys(organisation, organisation_name), as_json=False)


@keys.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """Which keys there are, and until when their certificates hold."""
    _say(_gateway().list_keys(), as_json=as_json)


@keys.command("rotate-checkpoint")
def rotate_checkpoint_key(person: Person = None, name: Name = None, purpose: Purpose = None) -> None:
    """Replace the key that signs checkpoints; the old one holds for what it has signed only."""
    gateway = _gateway()
    _say(gateway.rotate_checkpoint_key(gateway.actor(person, name, purpose)), as_json=False)


@sources.command("list")
def list_sources(*, as_json: Json = False) -> None:
    """Every format: its name, what kind of file it is, and whose it is where it is one purchaser's."""
    found = [
        {"name": one.name, "format": one.format, "purchasers": sorted(one.purchasers)}
        for one in _gateway().sources.values()
    ]
    _say({"sources": found}, as_json=as_json)


@sources.command("files")
def write_source_files(name: str, folder: Path, *, as_json: Json = False) -> None:
    """Write a format's template and sample into FOLDER, to be filled in or compared with."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only this command needs it

    gateway = _gateway()
    found = knowledge.of_source(name, gateway.settings.own) if name in gateway.sources else {}
    if not found:
        raise NotFoundError(f"there is no template or sample of a source {name}; see `kanta-gateway sources list`")
    for path, content in found.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    _say({"files": [str(folder / path) for path in found]}, as_json=as_json)


@systems.command("register")
def register_system(
    certificate: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    organisation: Annotated[str, typer.Option(help="OID of its organisation.")],
    name: Annotated[str, typer.Option(help="Name of the system.")],
    person: Person = None, person_name: PersonName = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Let a calling system use the API with this certificate (PEM)."""
    gateway = _gateway()
    actor = gateway.actor(person, person_name, purpose)
    _say(gateway.register_system(certificate.read_text("ascii"), organisation, name, actor), as_json=False)


@systems.command("revoke")
def revoke_system(
    thumbprint: Annotated[str, typer.Argument(help="x5t#S256 of its certificate.")],
    person: Person = None, person_name: PersonName = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Refuse a calling system from now on."""
    gateway = _gateway()
    _say(gateway.revoke_system(thumbprint, gateway.actor(person, person_name, purpose)), as_json=False)


@systems.command("assertion")
def make_assertion(
    person: Person = None, name: Name = None, purpose: Purpose = None,
    role: Annotated[str, typer.Option(help="Role of the person.")] = "provider-system",
    contract: Annotated[str, typer.Option(help="Contract number.")] = "",
) -> None:  # fmt: skip
    """Print a short-lived assertion of the development system, to try the API with."""
    print(_gateway().development_assertion(person, name, purpose, role, contract))


@persons.command("list")
def list_persons(person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False) -> None:
    """Client numbers that may be one person's, and those that were merged."""
    gateway = _gateway()
    _say(gateway.people.listed(gateway.actor(person, name, purpose)), as_json=as_json)


@persons.command("merge")
def merge_persons(
    client: Annotated[str, typer.Argument(help="The provider's client number.")],
    into: Annotated[str, typer.Argument(help="Number of the client that it is judged and filed as.")],
    reason: Annotated[
        str, typer.Option(help="same-identity-code, temporary-code, changed-code or controller-decision.")
    ],
    provider: Annotated[str, typer.Option(help="OID, where several providers have the number.")] = "",
    purchaser: Annotated[str, typer.Option(help="Name of the contract, where there are several.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Say that CLIENT is the same person as INTO: judged and filed as it from now on."""
    gateway = _gateway()
    actor = gateway.actor(person, name, purpose)
    told = gateway.people.merge(actor, client, into, reason, provider=provider, purchaser=purchaser)
    _say(told, as_json=as_json)


@persons.command("unmerge")
def unmerge_persons(
    client: Annotated[str, typer.Argument(help="The client number that was filed as another one.")],
    reason: Annotated[str, typer.Option(help="mistake or controller-decision.")],
    provider: Annotated[str, typer.Option(help="OID, where several providers have the number.")] = "",
    purchaser: Annotated[str, typer.Option(help="Name of the contract, where there are several.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a merge back: CLIENT is a person of its own again."""
    gateway = _gateway()
    actor = gateway.actor(person, name, purpose)
    _say(gateway.people.unmerge(actor, client, reason, provider=provider, purchaser=purchaser), as_json=as_json)


@policy.command("explain")
def explain_policy(
    action: Annotated[str, typer.Argument(help="What is done, such as document:read.")],
    role: Annotated[str, typer.Option(help="Role of the person.")],
    organisation: Annotated[str, typer.Option(help="OID of the person's organisation.")],
    of: Annotated[str | None, typer.Option(help="OID of the provider whose thing it is; its own by default.")] = None,
    controller: Annotated[str | None, typer.Option(help="OID of the controller whose register it is in.")] = None,
    person_id: Annotated[str, typer.Option(help="Identifier of the person, for the register of users.")] = "-",
    contract: Annotated[str, typer.Option(help="Contract number that the person names.")] = "",
    purpose: Annotated[str, typer.Option(help="Purpose of use.")] = "",
    on: Annotated[str | None, typer.Option(help="The day (YYYY-MM-DD); today by default.")] = None,
    lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Why may, or may not, somebody do something on a day; exit 0 when it is allowed, 3 when it is not."""
    from kanta_gateway.model import Caller, Event, Oid  # noqa: PLC0415 — only this command needs them
    from kanta_gateway.pipeline.guard import Thing  # noqa: PLC0415

    if action not in set(Event):
        raise typer.BadParameter(f"there is no action {action}; known: {', '.join(sorted(Event))}")
    caller = Caller("asked", Oid(organisation), person_id, "-", role, purpose, contract)
    day = date.fromisoformat(on) if on else None
    told = _gateway(lang=lang).explain_policy(caller, Event(action), Thing(of or organisation, controller), day)
    if as_json:
        _say(told, as_json=True)
    else:
        print(f"{'allowed' if told['allowed'] else 'not allowed'} by {', '.join(told['decided_by'])}")
        for one in told["why"]:
            print(f"  {one['rule']}: {one['message']}{' (' + one['clause'] + ')' if one.get('clause') else ''}")
    raise typer.Exit(0 if told["allowed"] else WAITS)


@parties.command("register")
def register_party(
    provider: Annotated[str, typer.Option(help="OID of the provider.")],
    provider_name: Annotated[str, typer.Option()],
    organiser: Annotated[str, typer.Option(help="OID of the organiser (controller).")],
    organiser_name: Annotated[str, typer.Option()],
    contract: Annotated[str, typer.Option(help="Contract number.")],
    purchaser: Annotated[str, typer.Option(help="Name of the contract file.")],
    first: Annotated[str, typer.Option("--from", help="First day of the contract (YYYY-MM-DD).")] = "0001-01-01",
    last: Annotated[str | None, typer.Option("--to", help="Last day of the contract.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Register a contract between an organiser and a provider, and the right to use the organiser's register."""
    from kanta_gateway.access.terms import Span  # noqa: PLC0415 — only this command needs it

    gateway = _gateway()
    span = Span(date.fromisoformat(first), date.fromisoformat(last) if last else None)
    actor = gateway.actor(person, name, purpose)
    told = gateway.register_party(provider, provider_name, organiser, organiser_name, contract, purchaser, actor, span)
    _say(told, as_json=False)


@parties.command("load")
def load_parties(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """State what a file (YAML or JSON) tells about organisations, contracts, approvals, units, persons and clients."""
    gateway = _gateway()
    _say(gateway.load_parties(file, gateway.actor(person, name, purpose)), as_json=as_json)


@parties.command("end")
def end_party(
    key: Annotated[str, typer.Argument(help="Key of the statement, as `parties list` tells it.")],
    on: Annotated[str, typer.Option(help="Its last day (YYYY-MM-DD).")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """State that a contract, approval, role or relationship ends, or ended, on a day."""
    gateway = _gateway()
    _say(gateway.party_book.end(key, date.fromisoformat(on), gateway.actor(person, name, purpose)), as_json=as_json)


@parties.command("list")
def list_parties(
    on: Annotated[str | None, typer.Option(help="The day (YYYY-MM-DD); today by default.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known at this day's end or moment.")] = None,
    kind: Annotated[str, typer.Option(help="Only this kind, such as person.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """The register of parties and users as it was on a day."""
    from kanta_gateway.pipeline.partybook import moment  # noqa: PLC0415 — only this command needs it

    gateway = _gateway()
    day, at = date.fromisoformat(on) if on else None, moment(known_at) if known_at else None
    _say(gateway.party_book.on(gateway.actor(person, name, purpose), day, at, kind), as_json=as_json)


def run() -> None:
    """Run the command line; our own errors end it with a message and exit code 1."""
    arguments = _data_first(sys.argv[1:])
    try:
        app(args=arguments, standalone_mode=True)
    except GatewayError as error:
        print(f"kanta-gateway: {error}", file=sys.stderr)
        for line in _told(error):
            print(f"  {line}", file=sys.stderr)
        sys.exit(1)


def _told(error: GatewayError) -> list[str]:
    """An error's findings in the language of the command."""
    from kanta_gateway import knowledge  # noqa: PLC0415 — only when there is something to tell
    from kanta_gateway.messages import Messages  # noqa: PLC0415

    if not error.findings:
        return []
    messages = Messages.load(knowledge.texts("mappings/messages", own=_state.get("own")))
    told = [messages.finding(finding, _state.get("lang", "fi")) for finding in error.findings]
    return [" ".join(one[part] for part in ("rule", "pointer", "message") if one[part]) for one in told]


def _data_first(arguments: list[str]) -> list[str]:
    """Move `--data DIR` to the front, so that it may stand before or after the command."""
    found: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for one in waiting:
        if one == "--data":
            found = [one, next(waiting, "")]
        elif one.startswith("--data="):
            found = [one]
        else:
            rest.append(one)
    return [*found, *rest]
