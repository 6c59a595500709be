"""What clients ask for by right: requests, their answers, receipts and the client's own view."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanta_gateway.cli.common import (
    AsOf,
    Json,
    Lang,
    Name,
    Person,
    Provider,
    Purpose,
    check_content,
    open_gateway,
    say,
    shown,
    state,
    tell,
)

if TYPE_CHECKING:
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.model import Caller
    from kanta_gateway.pipeline.replies import Reply

requests_ = typer.Typer(no_args_is_help=True, help="What clients ask for by right: their requests and the answers.")
receipts_ = typer.Typer(no_args_is_help=True, help="Receipts for clients, and their own view of the log.")
GROUPS = {"requests": requests_, "receipts": receipts_}

RIGHTS = "client-request"
"""Purpose of these acts, unless another one is told."""

Client = Annotated[str, typer.Argument(help="The provider's client number.")]
Id = Annotated[str, typer.Argument(help="Id of the request.")]
Purchaser = Annotated[str, typer.Option(help="Name of the contract, likewise.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write FILE.json and FILE.html there instead of printing.")]
Text = Annotated[str, typer.Option(help="In words, for the client.")]
Instruction = Annotated[str, typer.Option(help="Reference of the controller's documented instruction.")]


def _acting(
    person: str | None, name: str | None, purpose: str | None, lang: str | None = None
) -> tuple[Gateway, Caller]:
    gateway = open_gateway(lang=lang) if lang and lang != "selko" else open_gateway()
    return gateway, gateway.actor(person, name, purpose or RIGHTS)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _give(gateway: Gateway, reply: Reply, out: Path | None, *, as_json: bool) -> None:
    """Print a reply, or write it as both of its forms."""
    if out is None:
        if as_json:
            say(dict(reply.told), as_json=True)
        else:
            check_content()
            print(reply.html(gateway.parts), end="")
        return
    check_content()
    import json  # noqa: PLC0415 — only where files are written

    told = json.dumps(shown(dict(reply.told)), ensure_ascii=False, indent=1)
    for suffix, content in ((".json", told), (".html", reply.html(gateway.parts))):
        path = out.with_name(out.name + suffix)
        path.write_text(content, "utf-8")
        path.chmod(0o600)
    say({"written": [f"{out.name}.json", f"{out.name}.html"]}, as_json=as_json)


@requests_.command("register")
def register(
    client: Client, kind: Annotated[str, typer.Option(help="log-report, explanation, access, rectification, …")],
    asker_name: Annotated[str, typer.Option(help="Name of who asks.")],
    identified_by: Annotated[str, typer.Option(help="strong-authentication, identity-document, known or none.")],
    asker: Annotated[str, typer.Option(help="client, custodian, guardian or proxy.")] = "client",
    received: Annotated[str | None, typer.Option(help="Day of receipt (YYYY-MM-DD); today by default.")] = None,
    contact: Annotated[str, typer.Option(help="Where the answer is sent.")] = "",
    power: Annotated[str, typer.Option(help="Document that gives a guardian or proxy the power.")] = "",
    minor_prohibits: Annotated[str, typer.Option(help="What a minor client says: yes, no or not-able.")] = "",
    what_for: Annotated[str, typer.Option(help="What for, or what is suspected.")] = "",
    wanted: Annotated[str, typer.Option(help="What is to be rectified, restricted or erased.")] = "",
    since: Annotated[str | None, typer.Option(help="First day asked about.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day asked about.")] = None,
    special_reason: Annotated[str, typer.Option(help="Why log data older than two years is needed.")] = "",
    entry: Annotated[list[int] | None, typer.Option(help="Index of a suspected entry; may be repeated.")] = None,
    provider: Provider = "", purchaser: Purchaser = "", person: Person = None, name: Name = None,
    purpose: Purpose = None, *, written: Annotated[bool, typer.Option("--written", help="It came in writing.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Take a request in; tells its id and until when it is to be answered."""
    from kanta_gateway.pipeline.pleas import RequestForm  # noqa: PLC0415 — heavy imports only when needed

    gateway, caller = _acting(person, name, purpose)
    form = RequestForm(
        kind, client, asker, asker_name, identified_by, received_on=_day(received), provider=provider,
        purchaser=purchaser, contact=contact, power=power, minor_prohibits=minor_prohibits, is_written=written,
        purpose=what_for, wanted=wanted, since=_day(since), until=_day(until), special_reason=special_reason,
        entries=tuple(entry or ()),
    )  # fmt: skip
    say(gateway.rights.register(caller, form), as_json=as_json)


@requests_.command("list")
def list_(
    clock: Annotated[list[str] | None, typer.Option(help="open, breached, done, done-late; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds; may be repeated.")] = None,
    as_of: AsOf = None, lang: Lang = None, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """Requests with their clocks, overdue first; nothing of who asks."""
    from kanta_gateway.contracts.deadlines import ClockState  # noqa: PLC0415 — heavy imports only when needed

    gateway, caller = _acting(person, name, purpose, lang)
    told = gateway.rights.list(
        caller, state["lang"], as_of=_day(as_of), kinds=kind or (), clocks=[ClockState(one) for one in clock or ()],
        limit=100_000,
    )  # fmt: skip
    told = shown(told)
    if not as_json:
        told["requests"] = [
            f"{one['due_on']}  {one['clock']:9}  {one['state']:10}  {one['kind']:13}  {one['id']}  {one['title']}"
            for one in told["requests"]
        ]
    tell(told, as_json=as_json)


@requests_.command("show")
def show(
    request: Id, lang: Lang = None, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """One request: who asks, what for, and what has been said about it."""
    gateway, caller = _acting(person, name, purpose, lang)
    say(gateway.rights.show(caller, request, state["lang"]), as_json=as_json)


@requests_.command("forward")
def forward(
    request: Id, out: Out = None, lang: Lang = None, person: Person = None, name: Name = None,
    purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Pass a request to the controller; gives the notice for it."""
    gateway, caller = _acting(person, name, purpose, lang)
    _give(gateway, gateway.rights.forward(caller, request, state["lang"]), out, as_json=as_json)


@requests_.command("explain")
def explain(
    request: Id, text: Text, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """Tell on which grounds the data was used (703/2023 §11.5)."""
    gateway, caller = _acting(person, name, purpose)
    say(gateway.rights.explain(caller, request, text), as_json=as_json)


@requests_.command("extend")
def extend(
    request: Id, reason: Annotated[str, typer.Option(help="Why, for the client.")], instruction: Instruction = "",
    out: Out = None, lang: Lang = None, person: Person = None, name: Name = None, purpose: Purpose = None,
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take more time (GDPR 12(3)); gives the notice for the client."""
    gateway, caller = _acting(person, name, purpose, lang)
    _give(gateway, gateway.rights.extend(caller, request, reason, state["lang"], instruction), out, as_json=as_json)


@requests_.command("prepare")
def prepare(
    request: Id, out: Out = None, lang: Lang = None, person: Person = None, name: Name = None,
    purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What would be given, for the controller before it decides."""
    gateway, caller = _acting(person, name, purpose, lang)
    _give(gateway, gateway.rights.prepare(caller, request, state["lang"]), out, as_json=as_json)


@requests_.command("decide")
def decide(
    request: Id, outcome: Annotated[str, typer.Option(help="granted, partly, refused, lawful or unlawful.")],
    ground: Annotated[str, typer.Option(help="Why something is refused: a word of kinds.yaml.")] = "",
    text: Text = "", fee: Annotated[str, typer.Option(help="Euros, of a repeat only.")] = "",
    left_out: Annotated[list[str] | None, typer.Option(help="Entry, ticket or OID that is not given.")] = None,
    decided_by: Annotated[str, typer.Option(help="Name of the controller's official.")] = "",
    instruction: Instruction = "",
    owner: Annotated[str, typer.Option(help="Who handles the case that an unlawful use opens.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write down what the controller decided, with its official and documented instruction."""
    from kanta_gateway.pipeline.pleas import Verdict  # noqa: PLC0415 — heavy imports only when needed

    gateway, caller = _acting(person, name, purpose)
    verdict = Verdict(outcome, ground, text, fee, tuple(left_out or ()), decided_by, instruction, owner)
    say(gateway.rights.decide(caller, request, verdict), as_json=as_json)


@requests_.command("answer")
def answer(
    request: Id, out: Out = None, lang: Lang = None, person: Person = None, name: Name = None,
    purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Give the answer on the controller's behalf: what was asked for, or the written decision."""
    gateway, caller = _acting(person, name, purpose, lang)
    _give(gateway, gateway.rights.answer(caller, request, state["lang"]), out, as_json=as_json)


@receipts_.command("make")
def make(
    client: Client, lang: Annotated[str, typer.Option(help="fi, sv, en or selko.")] = "fi",
    since: Annotated[str | None, typer.Option(help="First day; a month back by default.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day; today by default.")] = None,
    document: Annotated[str, typer.Option(help="OID, for one document alone.")] = "",
    out: Out = None, provider: Provider = "", purchaser: Purchaser = "", person: Person = None, name: Name = None,
    purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What was recorded about a client, by whom, and how to object: plain, or in easy Finnish."""
    gateway, caller = _acting(person, name, purpose)
    reply = gateway.own_view.receipt(
        caller, client, lang, first=_day(since), last=_day(until), document=document, provider=provider,
        purchaser=purchaser,
    )  # fmt: skip
    _give(gateway, reply, out, as_json=as_json)


@receipts_.command("view")
def view(
    client: Client, out: Out = None, lang: Lang = None, provider: Provider = "", purchaser: Purchaser = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """What the client sees of the log without asking: organisations, no names of staff."""
    gateway, caller = _acting(person, name, purpose, lang)
    _give(gateway, gateway.own_view.view(caller, client, state["lang"], provider, purchaser), out, as_json=as_json)
