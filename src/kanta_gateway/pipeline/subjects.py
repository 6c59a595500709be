"""What a paper can be about, and what the register of parties tells of it: never a person, never another's contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import register
from kanta_gateway.access.statements import CONTRACT_CONTENTS, EVER, Statement, newest, of_kind
from kanta_gateway.papers.paper import Coded, Row
from kanta_gateway.papers.template import CONTRACT, CONTROLLER, INSTALLATION, PROCESSOR

if TYPE_CHECKING:
    from sqlalchemy import Connection

ARTICLES = dict(zip(
    CONTRACT_CONTENTS,
    [*["28(3)"] * 6, *(f"28(3)({letter})" for letter in "abcdefgh")],
    strict=True,
))  # fmt: skip
"""Where GDPR 28(3) asks for each of the contents of a contract."""
PUBLIC_KINDS = ("approval", "contract", "organisation", "register-use", "unit")
"""Statements that hold nothing about a person."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a paper can be about."""

    scope: str
    id: str
    """OID, or the number of a contract; empty for the installation."""
    name: str
    contracts: tuple[Statement, ...]

    @property
    def parties(self) -> frozenset[str]:
        """Organisations that it concerns."""
        return frozenset(str(one.body[side]) for one in self.contracts for side in ("controller", "processor"))


def subjects(tx: Connection) -> list[Subject]:
    """Everything that there can be papers about, as it is registered."""
    stated = newest(register.stated(tx, PUBLIC_KINDS))
    names = names_of(stated)
    contracts = of_kind(stated, "contract")
    found = [Subject(INSTALLATION, "", "", tuple(contracts))]
    for scope in (CONTROLLER, PROCESSOR):
        for oid in sorted({str(one.body[scope]) for one in contracts}):
            own = tuple(one for one in contracts if one.body[scope] == oid)
            found += [Subject(scope, oid, names.get(oid, ""), own)]
    numbers = [str(one.body["number"]) for one in contracts]
    for one in contracts:
        number, parties = str(one.body["number"]), f"{one.body['processor']}/{one.body['controller']}"
        id_ = number if numbers.count(number) == 1 else f"{number} {parties} {one.body['purchaser']} {one.valid_from}"
        found.append(Subject(CONTRACT, id_, number, (one,)))
    return found


def names_of(stated: Iterable[Statement]) -> dict[str, str]:
    """OID of an organisation -> its name."""
    return {str(one.body["oid"]): str(one.body["name"]) for one in of_kind(stated, "organisation")}


def values_of(subject: Subject, names: Mapping[str, str], software: Mapping[str, str], day: str) -> dict[str, str]:
    """What texts of a paper may name in braces.

    Args:
        subject: what the paper is about.
        names: OID of an organisation -> its name.
        software: `product` and `version`.
        day: on which it is made.
    """
    first = subject.contracts[0].body if len(subject.contracts) == 1 else {}
    return {
        "name": subject.name, "oid": subject.id, "day": day, "contract": str(first.get("number", "")),
        "processor": names.get(str(first.get("processor", "")), ""),
        "controller": names.get(str(first.get("controller", "")), ""),
        "version": f"{software['product']} {software['version']}",
    }  # fmt: skip


def concerns(one: Statement, subject: Subject) -> bool:
    """Whether a statement is about the subject's own contracts or their parties."""
    body = one.body
    if one.kind == "contract":
        return one in subject.contracts
    if one.kind in {"approval", "register-use"}:
        of = (body["processor"], body["controller"], body["contract"])
        return of in {(own.body["processor"], own.body["controller"], own.body["number"]) for own in subject.contracts}
    return str(body["organisation" if one.kind == "unit" else "oid"]) in subject.parties


def of_parties(own: Sequence[Statement], subject: Subject, names: Mapping[str, str]) -> dict[str, Sequence[Row]]:
    """Tables of the register."""

    def named(oid: str) -> str:
        return f"{names[oid]} ({oid})" if names.get(oid) else oid

    contracts = sorted(subject.contracts, key=lambda one: one.names)
    parties = sorted(of_kind(own, "organisation"), key=lambda one: one.names)
    return {
        "organisations": [
            {"name": one.body["name"], "oid": one.body["oid"], "party": Coded("party", str(one.body["role"]))}
            for one in parties
        ],
        "contracts": [
            {
                "contract": one.body["number"], "contract_file": one.body["purchaser"],
                "controller": named(one.body["controller"]), "processor": named(one.body["processor"]), **_days(one),
                "services": sorted(one.body.get("services") or ()) or Coded("services", "all"),
                "relationships": Coded("relationships", str(one.body.get("relationships") or "delivered")),
            }
            for one in contracts
        ],
        "contents": [
            {"contract": one.body["number"], "article": f"GDPR {ARTICLES[name]}", "subject": Coded("content", name),
             "text": str(one.body.get(name) or "") or Coded("content", "not-told")} for one in contracts
            for name in CONTRACT_CONTENTS
        ],
        "sub_processors": [
            {"contract": one.body["contract"], "name": one.body["name"], "oid": one.body["sub_processor"], **_days(one),
             "approved_on": str(one.body.get("approved_on") or "")}
            for one in sorted(of_kind(own, "approval"), key=lambda one: one.names)
        ],
        "register_use": [{"contract": one.body["contract"], "processor": named(one.body["processor"]), **_days(one)}
            for one in sorted(of_kind(own, "register-use"), key=lambda one: one.names)
        ],
        "units": [
            {**one.body, "organisation": named(one.body["organisation"]), **_days(one)}
            for one in sorted(of_kind(own, "unit"), key=lambda one: one.names)
        ],
    }  # fmt: skip


def _days(one: Statement) -> dict[str, Any]:
    return {"valid_from": Coded("day", "no-start") if one.valid_from == EVER else one.valid_from,
            "valid_to": one.valid_to or Coded("day", "open")}  # fmt: skip
