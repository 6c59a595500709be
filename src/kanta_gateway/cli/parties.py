"""Who there is and who may do what: keys, systems, parties, persons, policy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from kanta_gateway.cli.common import (
    WAITS,
    Json,
    Lang,
    Name,
    Person,
    PersonName,
    Purpose,
    check_content,
    open_gateway,
    say,
)

keys = typer.Typer(no_args_is_help=True, help="Keys and certificates of this installation.")
systems = typer.Typer(no_args_is_help=True, help="Calling systems that may use the API.")
parties = typer.Typer(no_args_is_help=True, help="Parties, contracts, users and clients, from a day to a day.")
persons = typer.Typer(no_args_is_help=True, help="Client numbers that are one person's: list, merge, unmerge.")
policy = typer.Typer(no_args_is_help=True, help="Who may do what, and why.")
GROUPS = {"keys": keys, "systems": systems, "parties": parties, "persons": persons, "policy": policy}
"""Groups of commands by their names."""


@keys.command("make")
def make_keys(
    organisation: Annotated[str, typer.Option(help="OID of the organisation that signs.")] = "",
    organisation_name: Annotated[str, typer.Option(help="Its name.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Make the keys that are missing; development certificates outside production."""
    gateway = open_gateway(may_make_keys=True)
    caller = gateway.actor(person, name, purpose)
    say(gateway.administration.make_keys(caller, organisation, organisation_name), as_json=False)


@keys.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """Which keys there are, in files and in the token, and until when their certificates hold."""
    say(open_gateway().administration.list_keys(), as_json=as_json)


@keys.command("request")
def request_certificate(
    organisation: Annotated[str, typer.Option(help="OID of the organisation that signs.")],
    organisation_name: Annotated[str, typer.Option(help="Its name.")],
    system: Annotated[str, typer.Option(help="Name of the system in the certificate.")] = "kanta-gateway",
    person: Person = None, name: Name = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Print a certificate request (PKCS #10): of a new key, which waits for its certificate, or of the token's."""
    from kanta_gateway.certifying import Subject  # noqa: PLC0415 — only this command needs it

    gateway = open_gateway(may_make_keys=True)
    caller = gateway.actor(person, name, purpose)
    asked = gateway.administration.request_certificate(caller, Subject(organisation_name, organisation, system))
    check_content()
    print(asked, end="")


@keys.command("install")
def install_certificate(
    certificate: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The issued certificate (PEM).")],
    issuer: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The issuer's certificates (PEM); those in place by default."),
    ] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Put an issued certificate in place, with the key that waited for it; processes take it when they start anew."""
    gateway = open_gateway(may_make_keys=True)
    caller = gateway.actor(person, name, purpose)
    say(gateway.administration.install_certificate(caller, certificate, issuer), as_json=as_json)


@keys.command("rotate-checkpoint")
def rotate_checkpoint_key(person: Person = None, name: Name = None, purpose: Purpose = None) -> None:
    """Replace the key that signs checkpoints; the old one holds for what it has signed only."""
    gateway = open_gateway()
    say(gateway.administration.rotate_checkpoint_key(gateway.actor(person, name, purpose)), as_json=False)


@keys.command("rotate-master")
def rotate_master_key(person: Person = None, name: Name = None, purpose: Purpose = None) -> None:
    """Replace the master key by one where the settings say, file or token; what is sealed stays as it is."""
    gateway = open_gateway()
    say(gateway.administration.rotate_master_key(gateway.actor(person, name, purpose)), as_json=False)


@systems.command("register")
def register_system(
    certificate: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    organisation: Annotated[str, typer.Option(help="OID of its organisation.")],
    name: Annotated[str, typer.Option(help="Name of the system.")],
    person: Person = None, person_name: PersonName = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Let a calling system use the API with this certificate (PEM)."""
    gateway = open_gateway()
    actor = gateway.actor(person, person_name, purpose)
    say(gateway.registration.register_system(certificate.read_text("ascii"), organisation, name, actor), as_json=False)


@systems.command("revoke")
def revoke_system(
    thumbprint: Annotated[str, typer.Argument(help="x5t#S256 of its certificate.")],
    person: Person = None, person_name: PersonName = None, purpose: Purpose = None,
) -> None:  # fmt: skip
    """Refuse a calling system from now on."""
    gateway = open_gateway()
    say(gateway.registration.revoke_system(thumbprint, gateway.actor(person, person_name, purpose)), as_json=False)


@systems.command("assertion")
def make_assertion(
    person: Person = None, name: Name = None, purpose: Purpose = None,
    role: Annotated[str, typer.Option(help="Role of the person.")] = "provider-system",
    contract: Annotated[str, typer.Option(help="Contract number.")] = "",
) -> None:  # fmt: skip
    """Print a short-lived assertion of the development system, to try the API with."""
    print(open_gateway().development.assertion(person, name, purpose, role, contract))


@persons.command("list")
def list_persons(person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False) -> None:
    """Client numbers that may be one person's, and those that were merged."""
    gateway = open_gateway()
    say(gateway.people.listed(gateway.actor(person, name, purpose)), as_json=as_json)


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
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    told = gateway.people.merge(actor, client, into, reason, provider=provider, purchaser=purchaser)
    say(told, as_json=as_json)


@persons.command("unmerge")
def unmerge_persons(
    client: Annotated[str, typer.Argument(help="The client number that was filed as another one.")],
    reason: Annotated[str, typer.Option(help="mistake or controller-decision.")],
    provider: Annotated[str, typer.Option(help="OID, where several providers have the number.")] = "",
    purchaser: Annotated[str, typer.Option(help="Name of the contract, where there are several.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a merge back: CLIENT is a person of its own again."""
    gateway = open_gateway()
    actor = gateway.actor(person, name, purpose)
    say(gateway.people.unmerge(actor, client, reason, provider=provider, purchaser=purchaser), as_json=as_json)


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
    client: Annotated[str, typer.Option(help="Client number of a disclosure across registers (with --of).")] = "",
    document: Annotated[str, typer.Option(help="OID of its document.")] = "",
    state: Annotated[
        list[str] | None, typer.Option(help="What is stated, as fact=value, such as via_kanta=no; may be repeated.")
    ] = None,
    to: Annotated[str, typer.Option(help="Whom it is given to out of the register, as kind or kind=name.")] = "",
    person: Person = None, name: Name = None, lang: Lang = None,
    *, by_consent: Annotated[bool, typer.Option("--by-consent", help="It is asked by a consent.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Why may, or may not, somebody do something on a day; exit 0 when it is allowed, 3 when it is not."""
    from kanta_gateway.model import Caller, Event, Oid  # noqa: PLC0415 — only this command needs them
    from kanta_gateway.pipeline.accesses import About, stated  # noqa: PLC0415
    from kanta_gateway.pipeline.guard import Thing  # noqa: PLC0415

    if action not in set(Event):
        raise typer.BadParameter(f"there is no action {action}; known: {', '.join(sorted(Event))}")
    caller = Caller("asked", Oid(organisation), person_id, "-", role, purpose, contract)
    day, gateway = date.fromisoformat(on) if on else None, open_gateway(lang=lang)
    if role not in gateway.policy.roles:
        _no_role(role, gateway.policy.roles)
    thing = Thing(of or organisation, controller)
    if client:
        kind, _, whom = to.partition("=")
        about = About(of or organisation, client, stated(state or ()), controller or "", document, "", by_consent,
                      kind, whom)  # fmt: skip
        thing = gateway.accesses.thing(about, gateway.actor(person, name, "supervision"))
    told = gateway.checkup.explain_policy(caller, Event(action), thing, day)
    _explain(told, as_json=as_json)
    raise typer.Exit(0 if told["allowed"] else WAITS)


def _no_role(role: str, known: Collection[str]) -> NoReturn:
    """Say which roles there are, and which of them is nearest to what was written."""
    near = get_close_matches(role, known, 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise typer.BadParameter(f"there is no role {role}{meant} Known: {', '.join(sorted(known))}", param_hint="--role")


def _explain(told: Mapping[str, Any], *, as_json: bool) -> None:
    """A decision for a person: what decided, then why."""
    if as_json:
        say(told, as_json=True)
        return
    print(told["told"])
    for one in told["why"]:
        print(f"  {one['rule']}: {one['message']}{' (' + one['clause'] + ')' if one.get('clause') else ''}")


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

    gateway = open_gateway()
    span = Span(date.fromisoformat(first), date.fromisoformat(last) if last else None)
    actor = gateway.actor(person, name, purpose)
    told = gateway.registration.register_party(
        provider, provider_name, organiser, organiser_name, contract, purchaser, actor, span
    )
    say(told, as_json=False)


@parties.command("load")
def load_parties(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """State what a file (YAML or JSON) tells about organisations, contracts, approvals, units, persons and clients."""
    gateway = open_gateway()
    say(gateway.registration.load_parties(file, gateway.actor(person, name, purpose)), as_json=as_json)


@parties.command("end")
def end_party(
    key: Annotated[str, typer.Argument(help="Key of the statement, as `parties list` tells it.")],
    on: Annotated[str, typer.Option(help="Its last day (YYYY-MM-DD), or a role's moment (YYYY-MM-DDTHH:MM).")],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """State that a contract, approval, role or relationship ends, or ended, on a day."""
    from kanta_gateway.pipeline.partybook import ending  # noqa: PLC0415 — only this command needs it

    gateway, (day, moment) = open_gateway(), ending(on)
    say(gateway.party_book.end(key, day, gateway.actor(person, name, purpose), moment), as_json=as_json)


@parties.command("list")
def list_parties(
    on: Annotated[str | None, typer.Option(help="The day (YYYY-MM-DD); today by default.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known at this day's end or moment.")] = None,
    kind: Annotated[str, typer.Option(help="Only this kind, such as person.")] = "",
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """The register of parties and users as it was on a day."""
    from kanta_gateway.pipeline.partybook import moment  # noqa: PLC0415 — only this command needs it

    gateway = open_gateway()
    day, at = date.fromisoformat(on) if on else None, moment(known_at) if known_at else None
    say(gateway.party_book.on(gateway.actor(person, name, purpose), day, at, kind), as_json=as_json)
