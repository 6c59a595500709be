"""Data between registers: break-glass and its reviews, statements of will, purposes of use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanta_gateway.cli.common import Json, Lang, Name, Person, Provider, Purpose, open_gateway, say

if TYPE_CHECKING:
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.model import Caller

access = typer.Typer(no_args_is_help=True, help="Data between registers: break-glass, reviews, wills, purposes.")
GROUPS = {"access": access}
"""Groups of commands by their names."""

Grant = Annotated[str, typer.Argument(help="Id of the grant, as `access queue` tells it.")]
Organisation = Annotated[str, typer.Option(help="OID of the person's organisation.")]
Role = Annotated[str, typer.Option(help="Role of the person, such as receiving-official.")]


def _acting(
    gateway: Gateway, person: str | None, name: str | None, purpose: str | None, organisation: str, role: str
) -> Caller:
    """The person for whom the glass is broken, by what was given."""
    from kanta_gateway.model import Oid  # noqa: PLC0415 — only these commands need it

    return replace(gateway.actor(person, name, purpose), organisation=Oid(organisation), role=role)


@access.command("purposes")
def list_purposes(
    role: Annotated[str, typer.Option(help="Only those of this role.")] = "",
    lang: Lang = None,
    *,
    as_json: Json = False,
) -> None:
    """The purposes of use, with the rows and roles that each goes with."""
    gateway = open_gateway(lang=lang)
    told = gateway.accesses.purposes(gateway.settings.lang, role)
    if as_json:
        say({"purposes": told}, as_json=True)
    else:
        for one in told:
            print(f"{one['purpose']}: {one['text']} ({', '.join(one['rows'])}; {', '.join(one['roles'])})")


@access.command("wills")
def list_wills(
    client: Annotated[str, typer.Option(help="The provider's client number.")],
    provider: Provider = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """A client's permits, prohibitions and consents, as they are known now."""
    gateway = open_gateway()
    say(gateway.accesses.wills(client, gateway.actor(person, name, purpose), provider), as_json=as_json)


Register = Annotated[str, typer.Option(help="Name of the contract, likewise.")]


@access.command("state")
def state_will(
    kind: Annotated[str, typer.Argument(help="disclosure_permit, prohibition or consent.")],
    client: Annotated[str, typer.Option(help="The provider's client number.")],
    fields: Annotated[str, typer.Option("--fields", help="Fields of the record type, as a JSON object.")] = "{}",
    provider: Provider = "", purchaser: Register = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write down what a client permits, prohibits or consents to: it holds at once, for all of the controller's."""
    from kanta_gateway.intake.bodies import any_fields  # noqa: PLC0415 — only this command needs it

    gateway, told = open_gateway(), any_fields(fields.encode())
    actor = gateway.actor(person, name, purpose)
    stated = gateway.will_desk.state(actor, client, kind, told, provider=provider, purchaser=purchaser)
    say(stated, as_json=as_json)


@access.command("withdraw")
def withdraw_will(
    statement: Annotated[str, typer.Argument(help="Id of the statement, as `access state` told it.")],
    client: Annotated[str, typer.Option(help="The provider's client number.")],
    provider: Provider = "", purchaser: Register = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take back what was stated to the controller; it does not hold from now on."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    told = gateway.will_desk.withdraw(actor, client, statement, provider=provider, purchaser=purchaser)
    say(told, as_json=as_json)


@access.command("warning")
def show_warning(lang: Lang = None, *, as_json: Json = False) -> None:
    """What a person is shown before breaking the glass: the warning, the sub-items, the limits."""
    gateway = open_gateway(lang=lang)
    say(gateway.accesses.break_glass.warning(gateway.settings.lang), as_json=as_json)


@access.command("break")
def break_glass(
    item: Annotated[str, typer.Option(help="Statutory sub-item, as `access warning` tells them.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    organisation: Organisation, role: Role,
    provider: Annotated[str, typer.Option(help="OID of the provider whose client it is.")] = "",
    client: Annotated[str, typer.Option(help="The provider's client number.")] = "",
    document: Annotated[str, typer.Option(help="OID of a document of the client, instead of both.")] = "",
    controller: Annotated[str, typer.Option(help="OID of the register's controller, where there are several.")] = "",
    necessity: Annotated[str, typer.Option(help="indispensable or immediate-care.")] = "indispensable",
    route: Annotated[str, typer.Option(help="Why not through Kanta, as `access warning` tells the codes.")] = "",
    representative: Annotated[
        str, typer.Option(help="Whether the client has a legal representative: yes, no or unknown.")
    ] = "unknown",
    hours: Annotated[int, typer.Option(help="For how long; as long as the terms allow by default.")] = 0,
    person: Person = None, name: Name = None, purpose: Purpose = None,
    *, warned: Annotated[bool, typer.Option("--warned", help="The person was shown the warning.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Open one client's data to one person for a time, by a statutory sub-item and a reason."""
    from kanta_gateway.pipeline.breakglass import Opening  # noqa: PLC0415 — only this command needs it

    gateway = open_gateway()
    asked = Opening(
        item, reason, warned, necessity, route, representative, hours, provider, client, controller, document
    )  # fmt: skip
    acting = _acting(gateway, person, name, purpose, organisation, role)
    say(gateway.accesses.break_glass.open(asked, acting), as_json=as_json)


@access.command("documents")
def list_documents(
    grant: Grant, organisation: Organisation, role: Role,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Documents of the client that a grant is about, for its person and as long as it holds."""
    from kanta_gateway.pipeline.across import Asked  # noqa: PLC0415 — only this command needs them
    from kanta_gateway.pipeline.disclosing import Wanted  # noqa: PLC0415

    gateway = open_gateway()
    acting = _acting(gateway, person, name, purpose, organisation, role)
    say(gateway.accesses.disclosing.documents(Wanted(Asked(), grant), acting), as_json=as_json)


@access.command("disclose")
def disclose(
    document: Annotated[str, typer.Argument(help="OID of the document.")],
    to: Annotated[Path, typer.Option("--to", help="File to write it to.", dir_okay=False)],
    grant: Annotated[str, typer.Option(help="Id of the grant by which it is disclosed.")],
    organisation: Organisation, role: Role,
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Write one document to a file, by a grant; a disclosure with its entry."""
    from kanta_gateway.pipeline.across import Asked  # noqa: PLC0415 — only this command needs them
    from kanta_gateway.pipeline.disclosing import Wanted  # noqa: PLC0415

    gateway = open_gateway()
    acting = _acting(gateway, person, name, purpose, organisation, role)
    to.write_bytes(gateway.accesses.disclosing.document(document, Wanted(Asked(), grant, {"under": "grant"}), acting))


@access.command("end")
def end_grant(
    grant: Grant, person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False
) -> None:
    """End a grant before its time."""
    gateway = open_gateway()
    say(gateway.accesses.break_glass.end(grant, gateway.actor(person, name, purpose)), as_json=as_json)


@access.command("queue")
def review_queue(
    state: Annotated[str, typer.Option(help="to-review, overdue, case, case-overdue, reviewed or destroyed.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Who broke the glass, when and why, until when the review is due, and its outcome."""
    gateway = open_gateway()
    told = gateway.accesses.reviews.queue(gateway.actor(person, name, purpose), state)
    if as_json:
        say(told, as_json=True)
    for one in () if as_json else told["grants"]:
        print(
            f"{one['grant']} {one['state']} by {one['review_by']}: {one['name']} ({one['person_id']}, "
            f"{one['organisation']}) {one['given_at'][:16]} {one['item']}, {one['documents']} documents; "
            f"{one['outcome'] or 'not reviewed'}"
        )


@access.command("review")
def review_grant(
    grant: Grant,
    outcome: Annotated[str, typer.Option(help="founded, partly-unfounded or unfounded.")],
    note: Annotated[str, typer.Option(help="Why, in words.")],
    owner: Annotated[str, typer.Option(help="Who handles the case, where the outcome leads to one.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write a review down, by another person than the one who broke the glass."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    say(gateway.accesses.reviews.review(grant, outcome, note, actor, owner), as_json=as_json)


@access.command("close")
def close_case(
    grant: Grant, note: Annotated[str, typer.Option(help="What was done, in words.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Close the case of a grant that was found unfounded."""
    gateway = open_gateway()
    say(gateway.accesses.reviews.close_case(grant, note, gateway.actor(person, name, purpose)), as_json=as_json)


@access.command("counts")
def monthly_counts(
    month: Annotated[str, typer.Option(help="YYYY-MM.")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """How often the glass was broken in a month, by sub-item, organisation and outcome."""
    gateway = open_gateway()
    say(gateway.accesses.reviews.counts(gateway.actor(person, name, purpose), month), as_json=as_json)
