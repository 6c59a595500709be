"""The configuration as facts for papers: contracts and parties, roles and rows, fields, levels, recipients, keys.

* Read when it is asked for, from what the gateway works with: nothing is stated a second time.
* What one controller or contract is about never tells of another's: facts are narrowed before a paper sees them.
* Persons, clients, keys and paths are never among the facts; statements about persons are not even read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import register
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.statements import lacking, newest
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.messages import LANGUAGES
from kanta_gateway.model import Level
from kanta_gateway.papers.paper import Amount, Coded, Facts, Row
from kanta_gateway.pipeline.compose import AUTHOR_FIELDS, OFFICIAL_FIELD
from kanta_gateway.pipeline.publish import MADE_FIELDS
from kanta_gateway.pipeline.subjects import PUBLIC_KINDS, Subject, concerns, names_of, of_parties, values_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.retention import Term
from kanta_gateway.pipeline.parts import Parts

_ROOTS = {"author": "staff", "client": "client", "provider": "provider", "staff": "staff", "unit": "unit"}
"""First word of a mapping's path -> record type that it reads, beside the record itself and its decision."""
_ENVELOPE = frozenset({"type", "id", "version", "cancelled"})
"""Fields that every record has: they identify it and tell nothing of its own."""
_THROUGH_HEADER = frozenset({
    *AUTHOR_FIELDS, *MADE_FIELDS, OFFICIAL_FIELD, "client", "producer", "recorder_name", "responsible_worker_name",
    "unit",
})  # fmt: skip
"""Fields that reach a document without its mapping: who it is about, author, unit and moment."""
GRACE_DAYS = 30
"""A month after the receipt: what a measure calls short."""
TOLD_APART = ("content", "reference")
"""Terms of the table that a setting and the contract file say more exactly."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What only whoever built the installation knows of it: plain words and numbers, no path and no secret."""

    settings: Mapping[str, Any]
    """Name of a setting -> value that may be told."""
    keys: Sequence[Row]
    """`key`, `place`, `algorithm`, `valid_to` of each key and certificate."""
    states: Mapping[str, bool]
    sources: Mapping[str, Sequence[str]]
    """Format -> record types that it brings."""
    fields: Mapping[str, Sequence[str]]
    """Record type -> fields of its schema."""


class Reader:
    """Reads facts out of one installation."""

    def __init__(
        self, parts: Parts, policy: Policy, configuration: Configuration, is_maximum: Callable[[], bool]
    ) -> None:
        self._parts = parts
        self._policy = policy
        self._configuration = configuration
        self._is_maximum = is_maximum

    def facts(self, tx: Connection, subject: Subject, day: str) -> Facts:
        """Facts about one subject.

        Args:
            tx: a reading transaction.
            subject: what the paper is about.
            day: on which it is made.
        """
        stated = newest(register.stated(tx, PUBLIC_KINDS))
        names = names_of(stated)
        own = [one for one in stated if concerns(one, subject)]
        files = self._files(subject)
        tables: dict[str, Sequence[Row]] = {
            **of_parties(own, subject, names),
            "roles": [*self._roles()], "decisions": [*self._decisions()],
            "narrowing": [{"policy": one} for one in sorted(self._parts.decider.own)],
            **self._of_records(),
            "levels": [*self._levels(files)], "field_levels": [*self._field_levels(files)],
            "retention": [*self._retention(files)], "recipients": [*self._recipients(files)],
            "keys": self._configuration.keys,
            "witnesses": [{"name": one.key.name, "key_id": one.key.hash.hex()}
                          for one in self._parts.witnesses.known],
            "settings": [{"setting": Coded("setting", name), "value": value}
                         for name, value in sorted(self._configuration.settings.items())],
        }  # fmt: skip
        values = values_of(subject, names, self._parts.software, day)
        return Facts(values, tables, self._states(subject, files))

    def _files(self, subject: Subject) -> list[Contract]:
        """The contract files of the subject's contracts."""
        names = sorted({str(one.body["purchaser"]) for one in subject.contracts})
        return [self._parts.contracts[name] for name in names if name in self._parts.contracts]

    def _roles(self) -> Iterator[Row]:
        duties, purposes = self._parts.decider.duties, self._parts.decider.purposes.known
        for name, role in sorted(self._policy.roles.items()):
            duty = duties.of_role(name)
            told = {one for rule in role.rules for one in rule.purposes}
            served = [one for id_, one in purposes.items() if id_ in told or ("*" in told and name in one.roles)]
            yield {
                "role": Coded("role", name), "task": self._text(duties.texts[duty.id]),
                "maximum": list(duties.basis.get(duty.id, ())), "reach": Coded("reach", role.scope),
                "actions": sorted({one.value for rule in role.rules for one in rule.actions}),
                "purposes": [dict(one.text) for one in served],
            }  # fmt: skip

    def _decisions(self) -> Iterator[Row]:
        for one in self._parts.decider.table.rows:
            yield {
                "row": one.id, "text": self._text(one.text),
                "grade": Coded("grade", one.grade), "basis": list(one.basis), "in_use": not one.is_off,
            }  # fmt: skip

    def _text(self, key: str) -> Mapping[str, str]:
        return {language: self._parts.messages.text(key, language, {}) for language in LANGUAGES}

    def _of_records(self) -> dict[str, Sequence[Row]]:
        parts = self._parts
        made: dict[str, set[str]] = {}
        for name in sorted(parts.mapper.record_types()):
            for variant in parts.mapper.variants_of(name):
                made.setdefault(variant.structure, set()).add(name)
        known = {oid: parts.structures.get(oid) for oid in made}
        types: list[Row] = []
        for name, kind in sorted(parts.types.items()):
            fields = [one for one in self._configuration.fields.get(name, ()) if one not in _ENVELOPE]
            read = self._read(name)
            types.append({
                "record_type": Coded("record_type", name), "data_subject": Coded("data_subject", kind.about),
                "data_class": Coded("data_class", kind.data_class),
                "fields": fields, "in_documents": [one for one in fields if one in read],
                "not_in_documents": [one for one in fields if one not in read],
                "documents": sorted({known[oid].number for oid, records in made.items() if name in records}),
            })  # fmt: skip
        return {
            "record_types": types,
            "structures": [
                {"number": one.number, "title": dict(one.title), "structure": oid, "record_types": _named(made[oid])}
                for oid, one in sorted(known.items(), key=lambda each: (each[1].number, each[0]))
            ],
            "sources": [{"source": name, "record_types": _named(records) or Coded("record_type", "any")}
                        for name, records in sorted(self._configuration.sources.items())],
        }  # fmt: skip

    def _read(self, name: str) -> frozenset[str]:
        """Fields of a record type that any document is made of."""
        parts = self._parts
        roots = {"record", *(root for root, kind in _ROOTS.items() if kind == name)}
        roots |= {"decision"} if parts.types[name].grants else set()
        header = _THROUGH_HEADER if name in parts.mapper.record_types() else frozenset()
        return parts.mapper.fields_read(name, frozenset(roots)) | header

    def _levels(self, files: Iterable[Contract]) -> Iterator[Row]:
        for contract in files:
            levels = {**self._parts.scanner.words.levels, **contract.minimisation.levels}
            for cls, level in levels.items():
                yield {"contract_file": contract.name, "class": Coded("class", cls),
                       "level": Coded("level", Level(level).value), "clause": contract.minimisation.clause}  # fmt: skip

    @staticmethod
    def _field_levels(files: Iterable[Contract]) -> Iterator[Row]:
        for contract in files:
            for (record_type, name), levels in sorted(contract.minimisation.fields.items()):
                for cls, level in levels.items():
                    yield {
                        "contract_file": contract.name, "record_type": Coded("record_type", record_type),
                        "field": name, "class": Coded("class", cls), "level": Coded("level", level.value),
                    }  # fmt: skip

    def _retention(self, files: Iterable[Contract]) -> Iterator[Row]:
        grace = Amount(int(self._configuration.settings["grace_days"]), "days")
        yield {"what": Coded("kept", "document"), "period": grace, "from": Coded("begins", "receipt"),
               "basis": "GDPR 5(1)(e)"}  # fmt: skip
        yield {"what": Coded("kept", "notice"), "period": grace, "from": Coded("begins", "handing-over"),
               "basis": "GDPR 5(1)(e)"}  # fmt: skip
        for contract in files:
            yield {"what": [Coded("kept", "delivery-window"), contract.name],
                   "period": Amount(contract.delivery_months, "months"),
                   "from": Coded("begins", "end-of-contract"), "basis": "GDPR 28(3)(g)"}  # fmt: skip
        terms = self._parts.terms
        for term in (*terms.own.values(), *terms.documents.values()):
            if term.id not in TOLD_APART:
                yield {"what": dict(term.names), "period": _period(term), "from": Coded("begins", term.since),
                       "basis": Coded("source", term.source)}  # fmt: skip

    def _recipients(self, files: Iterable[Contract]) -> Iterator[Row]:
        for contract in files:
            for terms in contract.notices:
                kind = self._parts.notices.types.get(terms.notice)
                if kind is None:
                    continue
                ways = [Coded("way", f"{way}: {body}") for way, body in sorted(terms.ways.items())]
                for recipient in kind.recipients:
                    yield {
                        "contract_file": contract.name, "notice": dict(kind.title), "recipient": dict(recipient.title),
                        "given_by": Coded("given_by", terms.given_by),
                        "ways": ways if terms.is_made else "",
                        "basis": kind.basis(recipient.kind, terms.organiser), "clause": terms.clause,
                    }  # fmt: skip

    def _states(self, subject: Subject, files: Sequence[Contract]) -> Mapping[str, bool]:
        decider = self._parts.decider
        levels = [{**self._parts.scanner.words.levels, **one.minimisation.levels} for one in files]
        return {
            **self._configuration.states,
            "witnesses": bool(self._parts.witnesses.known) and self._parts.witnesses.quorum > 0,
            "relationships-registered": bool(subject.contracts) and all(
                one.body.get("relationships") == "registered" for one in subject.contracts
            ),
            "contracts-complete": bool(subject.contracts) and not any(
                lacking(one.body) for one in subject.contracts
            ),
            "nothing-allowed": Level.ALLOW not in {level for one in levels for level in one.values()},
            "own-policies": bool(decider.own),
            "between-controllers-off": all(decider.table.by_id[row].is_off for row in ("D3", "D4", "D5")),
            "policy-is-maximum": self._is_maximum(),
            "grace-within-30-days": int(self._configuration.settings["grace_days"]) <= GRACE_DAYS,
        }  # fmt: skip


def _named(records: Iterable[str]) -> list[Coded]:
    return [Coded("record_type", one) for one in sorted(records)]


def _period(term: Term) -> Amount | Coded:
    """How long a term is, in the unit that its file states."""
    named = ((term.years, "years"), (term.months, "months"), (term.days, "days"))
    return next((Amount(number, unit) for number, unit in named if number), Coded("period", "at-once"))
