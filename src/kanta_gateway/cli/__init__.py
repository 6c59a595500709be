"""The command line: thin commands over the built gateway (`app`), a module for each group of them.

Every command takes `--data DIR` (before or after its name, or `KANTA_DATA`) and writes nothing elsewhere.
A command exits 0 only when what it says holds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli import (
    access,
    audit,
    auditors,
    changes,
    daily,
    documents,
    files,
    handover,
    notices,
    papers,
    parties,
    requests,
    retention,
)
from kanta_gateway.cli.common import state
from kanta_gateway.errors import GatewayError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Provider records in, signed THL-structured documents archived. Kanta-style, not certified.",
)
app.registered_commands += daily.commands.registered_commands
for _module in (
    documents, notices, audit, auditors, files, parties, access, changes, papers, handover, requests, retention,
):  # fmt: skip
    for _name, _group in _module.GROUPS.items():
        app.add_typer(_group, name=_name)


@app.callback()
def _common(data: Annotated[Path | None, typer.Option("--data", help="Data folder.")] = None) -> None:
    state["data"] = data
    state.pop("gateway", None)  # of a command before, in the same process


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
    messages = Messages.load(knowledge.texts("mappings/messages", own=state.get("own")))
    told = [messages.finding(finding, state.get("lang", "fi")) for finding in error.findings]
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
