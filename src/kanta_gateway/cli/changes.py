"""Changes of policy, contracts and thresholds, which need two persons; and the notices of disclosures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanta_gateway.cli.common import Json, Lang, Name, Person, Purpose, open_gateway, say, settings_of
from kanta_gateway.errors import ParameterError

if TYPE_CHECKING:
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.settings import Settings

changes = typer.Typer(no_args_is_help=True, help="Changes of policy, contracts, thresholds: they need two persons.")
disclosures = typer.Typer(no_args_is_help=True, help="Notices of disclosures to the national log register.")
GROUPS = {"changes": changes, "disclosures": disclosures}
"""Groups of commands by their names."""
Number = Annotated[int, typer.Argument(help="Number of the change, as `changes list` tells it.")]


def _approved(settings: Settings) -> Gateway:
    """The gateway on its approved content: what is proposed decides about nobody."""
    from kanta_gateway.changing import approved_gateway  # noqa: PLC0415 — heavy imports only when needed

    return approved_gateway(settings)


@changes.command("propose")
def propose_change(
    reason: Annotated[str, typer.Option(help="Why; nothing about a person.")],
    knowledge: Annotated[
        str | None, typer.Option(help="Folder of the knowledge files; the one in place by default, empty for none.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Folder of the policies; DATA/policy by default.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of a setting, such as KANTA_GRACE_DAYS=60.")
    ] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None,
    *, at_once: Annotated[bool, typer.Option("--at-once", help="Narrow now; another person reviews it.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Propose the content in place, or that of other folders, with a preview of its effect."""
    from kanta_gateway.changing import propose  # noqa: PLC0415 — heavy imports only when needed

    told = dict(one.partition("=")[::2] for one in setting or ())
    if knowledge is not None:
        told["KANTA_KNOWLEDGE"] = knowledge
    if any(not one.startswith("KANTA_") for one in told):
        raise ParameterError("--set takes the name of a setting and its value, such as KANTA_GRACE_DAYS=60")
    gateway, candidate = _approved(settings_of(lang=lang)), settings_of(told, lang=lang)
    caller = gateway.actor(person, name, purpose)
    say(propose(gateway, caller, candidate, policy, reason, is_at_once=at_once), as_json=as_json)


@changes.command("list")
def list_changes(person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False) -> None:
    """Every change: paths and digests, how it stands, and which content is approved."""
    gateway = _approved(settings_of())
    say(gateway.changes.listed(gateway.actor(person, name, purpose)), as_json=as_json)


@changes.command("show")
def show_change(
    number: Number, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """One change: its content, who proposed it and why, and its effect."""
    gateway = _approved(settings_of())
    say(gateway.changes.show(gateway.actor(person, name, purpose), number), as_json=as_json)


@changes.command("approve")
def approve_change(
    number: Number, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Approve what another person proposed, or confirm what another person narrowed at once."""
    gateway = _approved(settings_of())
    say(gateway.changes.approve(gateway.actor(person, name, purpose), number), as_json=as_json)


@changes.command("reject")
def reject_change(
    number: Number, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Reject a proposal, or end what another person narrowed at once."""
    gateway = _approved(settings_of())
    say(gateway.changes.reject(gateway.actor(person, name, purpose), number), as_json=as_json)


@changes.command("write")
def write_content(
    folder: Path, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Write the approved content out as FOLDER/<path>, to be put back in place."""
    from kanta_gateway import content  # noqa: PLC0415 — only this command needs it

    gateway = _approved(settings_of())
    found = gateway.changes.content(gateway.actor(person, name, purpose))
    say({"written": content.write(found, folder)}, as_json=as_json)


@disclosures.command("list")
def list_disclosures(
    in_state: Annotated[str | None, typer.Option("--state", help="queued, kept or refused.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Notices of disclosures: that they are, and how they stand; nothing about a client."""
    gateway = open_gateway()
    say(gateway.disclosures.listed(gateway.actor(person, name, purpose), in_state, 0, 100_000), as_json=as_json)


@disclosures.command("retry")
def retry_disclosure(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id of a refused notice, as `disclosures list` tells it.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Have a notice that the register refused made and sent again."""
    gateway = open_gateway()
    say(gateway.disclosures.retry(gateway.actor(person, name, purpose), id_), as_json=as_json)
