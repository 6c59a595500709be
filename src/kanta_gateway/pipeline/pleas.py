"""A request and its decision as people tell them, and what must hold of them before anything is kept.

* What a kind, an asker or an outcome needs is asked for at once, field by field; no text of a request is repeated.
* A custodian asks for a minor only, and what the minor says about it is recorded (703/2023 §51).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import ConflictError, ParameterError
from kanta_gateway.model import Finding, Severity
from kanta_gateway.rights.kinds import GRANTED, NOT_IDENTIFIED, REFUSED

if TYPE_CHECKING:
    from kanta_gateway.rights.kinds import Kind, Rules

NO_SPECIAL_REASON = "no-special-reason"
MINOR_ANSWERS = ("no", "yes", "not-able")
"""Whether a minor prohibits giving data to the representative; `not-able`: too young to decide (703/2023 §51)."""
LONGEST = 4000
"""Characters of a text that somebody writes."""


@dataclass(frozen=True, slots=True)
class RequestForm:
    """A request as whoever registers it tells it."""

    kind: str
    client: str
    """The provider's client number."""
    asker: str
    asker_name: str
    identified_by: str
    received_on: date | None = None
    """Today by default."""
    provider: str = ""
    purchaser: str = ""
    """Both may be left out where only one has the client."""
    contact: str = ""
    """Where the answer is sent."""
    power: str = ""
    """The document that lets a guardian or proxy act."""
    minor_prohibits: str = ""
    is_written: bool = False
    purpose: str = ""
    """What for, or what is suspected."""
    wanted: str = ""
    """What is to be rectified, restricted or erased."""
    since: date | None = None
    until: date | None = None
    """First and last day that it asks about."""
    special_reason: str = ""
    """Why log data older than the window is needed."""
    entries: tuple[int, ...] = ()
    """Entries of the log that are suspected."""

    def matter(self) -> dict[str, Any]:
        """What is kept of it, sealed."""
        left = ("kind", "asker", "provider", "purchaser", "received_on")
        told = {name: value for name, value in asdict(self).items() if name not in left}
        return told | {"since": str(self.since or ""), "until": str(self.until or ""), "entries": list(self.entries)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the controller decided."""

    outcome: str
    ground: str = ""
    text: str = ""
    """Reasons in words; of an explanation the reasoned view."""
    fee: str = ""
    """Euros, at most the direct cost; empty for none."""
    left_out: tuple[str, ...] = ()
    """Entries (index), records (ticket) and documents (OID) that are not given."""
    decided_by: str = ""
    """Name of the controller's official, where the processor writes the decision down."""
    instruction: str = ""
    """Reference of the controller's documented instruction, likewise."""
    owner: str = ""
    """Who handles the case that the outcome opens; the one of the supervision's file by default."""


def check_form(form: RequestForm, rules: Rules, today: date) -> None:
    """Whether a request tells what its kind and its asker need.

    Raises:
        ParameterError: with every field that does not.
    """
    refuse(_lacking(form, rules, today))


def check_minor(form: RequestForm, rules: Rules, *, is_minor: bool | None) -> None:
    """Whether a representative of this kind may ask for a client of this age.

    Args:
        form: the request.
        rules: of the askers.
        is_minor: None where the client's age is not known here.

    Raises:
        ConflictError: a custodian asks for an adult.
        ParameterError: what the minor says has not been asked.
    """
    asker = rules.askers[form.asker]
    if asker.of_minor and is_minor is False:
        raise ConflictError("the client is of age: a custodian represents minors only; register a guardian or a proxy")
    if asker.is_representative and is_minor and form.minor_prohibits not in MINOR_ANSWERS:
        refuse([("minor_prohibits", ", ".join(MINOR_ANSWERS))])


def check_verdict(verdict: Verdict, kind: Kind, matter: Mapping[str, Any], *, repeats: bool) -> None:
    """Whether a decision is one of its kind and tells what it needs.

    Args:
        verdict: the decision.
        kind: of the request.
        matter: what has been said about it.
        repeats: whether the same was answered before.

    Raises:
        ParameterError: with every field that does not fit.
        ConflictError: it may not be decided so.
    """
    refuse(_unfit(verdict, kind))
    if verdict.outcome == REFUSED:
        return
    if matter["identified_by"] == NOT_IDENTIFIED:
        raise ConflictError("who asks has not been identified: refuse with the ground not-identified, or register anew")
    if kind.is_explained and not matter.get("explanation"):
        raise ConflictError("those whose use it was have not explained it; see `requests explain` (703/2023 §11.5)")
    if kind.is_forwarded and not matter.get("forwarded_on"):
        raise ConflictError("the controller has not got this request yet; see `requests forward`")
    if verdict.fee and not (kind.may_cost and repeats):
        raise ConflictError("the first answer is free of charge (703/2023 §11.1, GDPR 12(5)); leave the fee out")


def _lacking(form: RequestForm, rules: Rules, today: date) -> Iterator[tuple[str, str]]:
    """Fields that do not fit, with what was expected."""
    for name, value, known in (
        ("kind", form.kind, rules.kinds), ("asker", form.asker, rules.askers),
        ("identified_by", form.identified_by, rules.identified_by),
    ):  # fmt: skip
        if value not in known:
            yield name, ", ".join(known)
    texts = ("client", "asker_name")
    yield from ((name, "a text") for name in texts if not getattr(form, name).strip())
    kept = (*texts, "contact", "power", "purpose", "wanted", "special_reason")
    yield from ((name, f"at most {LONGEST} characters") for name in kept if len(getattr(form, name)) > LONGEST)
    if form.received_on is not None and form.received_on > today:
        yield "received_on", "a day that is not in the future"
    if form.since and form.until and form.since > form.until:
        yield "since", "a day before until"
    kind, asker = rules.kinds.get(form.kind), rules.askers.get(form.asker)
    if asker is not None and asker.needs_power and form.identified_by != NOT_IDENTIFIED and not form.power.strip():
        yield "power", "the document that gives the power"
    if kind is not None:
        yield from _needed(form, kind)


def _needed(form: RequestForm, kind: Kind) -> Iterator[tuple[str, str]]:
    """What the kind needs and the request does not tell."""
    if kind.is_written and not form.is_written:
        yield "is_written", "true: 703/2023 §11 asks for a written request"
    if kind.is_forwarded and not form.wanted.strip():
        yield "wanted", "a text"
    if kind.is_explained and not form.purpose.strip():
        yield "purpose", "a text"
    if kind.is_explained and not form.entries:
        yield "entries", "at least one index of the log"


def _unfit(verdict: Verdict, kind: Kind) -> Iterator[tuple[str, str]]:
    if verdict.outcome not in kind.outcomes:
        yield "outcome", ", ".join(kind.outcomes)
        return
    needs_ground = verdict.outcome == REFUSED or (verdict.outcome == GRANTED[1] and not kind.is_forwarded)
    if (needs_ground or verdict.ground) and verdict.ground not in kind.grounds:
        yield "ground", ", ".join(kind.grounds)
    is_partly = verdict.outcome == GRANTED[1] and not kind.is_forwarded and verdict.ground != NO_SPECIAL_REASON
    if is_partly and not verdict.left_out:
        yield "left_out", "what is not given: indexes of the log, tickets or OIDs"
    if kind.is_explained and verdict.outcome != REFUSED and not verdict.text.strip():
        yield "text", "the controller's reasoned view"
    if len(verdict.text) > LONGEST:
        yield "text", f"at most {LONGEST} characters"
    if verdict.fee and not _is_money(verdict.fee):
        yield "fee", "euros, such as 5.00"


def _is_money(text: str) -> bool:
    try:
        return Decimal(text) > 0
    except InvalidOperation:
        return False


def check_text(name: str, text: str) -> None:
    """Whether a text was written.

    Raises:
        ParameterError: none, or too long a one.
    """
    if not text.strip() or len(text) > LONGEST:
        refuse([(name, f"a text of at most {LONGEST} characters")])


def refuse(lacking: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> None:
    """Refuse what does not fit, all of it at once.

    Raises:
        ParameterError: there is any.
    """
    found = tuple(
        Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", {"field": name, "expected": expected})
        for name, expected in lacking
    )
    if found:
        raise ParameterError(findings=found)
