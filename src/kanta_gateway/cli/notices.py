"""Notices: what somebody must be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import Json, Lang, Name, Person, Purpose, open_gateway, say, shown

notices = typer.Typer(no_args_is_help=True, help="Notices: what somebody must be told, and handing it over.")
GROUPS = {"notices": notices}
"""Groups of commands by their names."""
EVERY = 100_000
"""How many notices a list on the screen has at most."""


@notices.command("list")
def list_notices(
    state: Annotated[str | None, typer.Option(help="waiting, sending, delivered, acknowledged, withdrawn.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What waits to be told and what was told; no content."""
    gateway = open_gateway(lang=lang)
    told = gateway.notice_board.list(gateway.actor(person, name, purpose), state, "", EVERY, gateway.settings.lang)
    if as_json:
        say(told, as_json=True)
        return
    for one in shown(told)["notices"]:
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
    gateway = open_gateway(lang=lang)
    told = gateway.dispatch.export_notices(folder, gateway.actor(person, name, purpose), recipient, ids or [])
    say(told, as_json=as_json)
    raise typer.Exit(0 if not told["left"] else 1)


@notices.command("send")
def send_notices(
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:  # fmt: skip
    """Call the recipients of notices that are to be sent by now (KANTA_NOTICE_CHANNELS_FILE)."""
    gateway = open_gateway()
    say(gateway.dispatch.send_notices(gateway.actor(person, name, purpose)), as_json=as_json)
