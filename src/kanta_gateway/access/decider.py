"""Decides an access by Cedar policies: the table finds the row, Cedar permits it unless something forbids it.

1. The decision table finds the row; Cedar gets it as context, and each row has one permit.
2. The maximum of STM 457/2024 and what always holds are forbids that every installation loads.
3. What an installation adds are forbids too, so it narrows and never widens.
4. The purpose goes with the role and with the row that was found, or it is refused with the list of those that do.
5. A decision names the policies that decided by our own ids; basis and texts are looked up by id.
   A denial without a deciding forbid is explained by the table: which condition of which row failed.
6. A policy that cannot be evaluated would be left out by Cedar, a forbid too: such a request is denied.

Cedar: docs.cedarpolicy.com; policies: `mappings/policy/*.cedar`, checked against `schema.cedarschema` at the start.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cedarpy

from kanta_gateway.access.purposes import Purposes
from kanta_gateway.access.table import NO_CLIENT_DATA, OFF, Duties, Duty, Facts, Failure, Table
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Decision, Finding, Severity

CONDITIONS = ("own_task", "own_service", "own_register", "has_duty", "is_review")
"""What a duty's maximum may depend on."""
_ALL_TRUE = frozenset(CONDITIONS)
ERROR, PURPOSE, ROLE = "ERROR", "PURPOSE", "ROLE"
_ACTION = {"type": "Action", "id": "act"}
_THING = {"type": "Thing", "id": "any"}


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody of this role do this? Defaults are what allows least."""

    event: str
    role: str
    purpose: str
    facts: Facts
    kind: str = "other"
    """Kind of client data: AST, SUU, PTA, PAA, VAL, TOT, SOP, other, SOV, TUR, TER."""
    task: str = ""
    """Service task of the data: LP, TI, IA, VA, LS, PA, PO; empty where it has none."""
    person: str = "not-kept"
    """known, outsider; not-kept where the organisation keeps no users here."""
    granted: bool = False
    """Whether a row of the role's policy (roles.yaml) allows the event for the purpose."""
    grant: str = ""
    """The row of the role's policy, or why there is none."""
    claims_beyond: bool = False
    own_task: bool = False
    own_service: bool = False
    own_register: bool = False
    has_duty: bool = False
    is_review: bool = False
    is_student: bool = False
    is_supervised: bool = False


class Decider:
    """Table, duties, purposes and policies of one installation."""

    def __init__(
        self, table: Table, duties: Duties, purposes: Purposes, policies: cedarpy.PolicySet, own: frozenset[str]
    ) -> None:
        self.table = table
        self.duties = duties
        self.purposes = purposes
        self.own = own
        """Ids of the installation's own forbids."""
        self._policies = policies
        self._entities = cedarpy.Entities.from_json_str("[]")

    @classmethod
    def load(
        cls, table: Table, duties: Duties, purposes: Purposes, shipped: Sequence[str], schema: str,
        own: Mapping[str, str] | None = None,
    ) -> Decider:  # fmt: skip
        """Read the policies.

        Args:
            table: the decision table.
            duties: the duties of STM 457/2024.
            purposes: the purposes of use.
            shipped: texts of the policies that every installation loads.
            schema: text of the Cedar schema.
            own: name of a file -> text of policies that the installation adds; forbids only.

        Raises:
            MisconfiguredError: a policy cannot be read, does not fit, has no id, or would widen; all at once.
        """
        mistakes: list[str] = []
        policies: dict[str, Any] = {}
        for text in shipped:
            _add(policies, text, "shipped", schema, mistakes)
        before = set(policies)
        for name, text in (own or {}).items():
            _add(policies, text, name, schema, mistakes)
        added = policies.keys() - before
        mistakes += [f"{one}: only forbid can be added, it narrows" for one in sorted(added)
                     if policies[one]["effect"] != "forbid"]  # fmt: skip
        permits = {name for name, one in policies.items() if one["effect"] == "permit" and name in before}
        rows = {one.id for one in table.rows if one.grade != "deny"}
        mistakes += [f"{one}: a row needs one permit, and a permit its row" for one in sorted(permits ^ rows)]
        forbids = {name for name in before if policies[name]["effect"] == "forbid"}
        mistakes += [f"{one}: a forbid needs its basis in duties.yaml" for one in sorted(forbids ^ duties.basis.keys())]
        if mistakes:
            raise MisconfiguredError("policy: " + "; ".join(mistakes))
        whole = {"staticPolicies": policies, "templates": {}, "templateLinks": []}
        return cls(table, duties, purposes, cedarpy.PolicySet.from_json_str(json.dumps(whole)), frozenset(added))

    def decide(self, question: Question) -> Decision:
        """Whether it may be done, what decided, and why."""
        row = self.table.find(question.facts)
        allowed, deciding, is_faulty = self._ask(question, row.id)
        if allowed and not is_faulty:
            told = (Finding(row.id, Severity.INFO, row.text, "", {}, "; ".join(row.basis)),)
            return Decision(True, (row.id, *_named(question)), row.id, row.basis, told)  # noqa: FBT003
        if is_faulty:
            deciding = (ERROR,)
        findings = tuple(self._why(question, deciding))
        reasons = deciding or (row.id,)
        basis = tuple(dict.fromkeys(itertools.chain(*(self._basis(one) for one in reasons))))
        return Decision(False, (*reasons, *_named(question)), row.id, basis, findings)  # noqa: FBT003

    def allowed(self, questions: Sequence[Question]) -> list[bool]:
        """Whether each may be done, asked at once."""
        asked = [self._request(one, self.table.find(one.facts).id) for one in questions]
        answers = cedarpy.is_authorized_batch(asked, self._policies, self._entities)
        return [one.allowed and not one.diagnostics.errors for one in answers]

    def _request(self, question: Question, row: str) -> dict[str, Any]:
        return {
            "principal": {"type": "Duty", "id": self.duties.of_role(question.role).name},
            "action": _ACTION, "resource": _THING, "context": _context(question, row, fits=self._fits(question, row)),
        }  # fmt: skip

    def _ask(self, question: Question, row: str) -> tuple[bool, tuple[str, ...], bool]:
        """Whether Cedar allows it, the ids of what decided, and whether a policy could not be evaluated."""
        found = cedarpy.is_authorized(self._request(question, row), self._policies, self._entities)
        return found.allowed, tuple(sorted(found.diagnostics.reasons)), bool(found.diagnostics.errors)

    def _fits(self, question: Question, row: str) -> bool:
        """Whether the purpose goes with role and row; where no row was found the row is what denies."""
        return self.purposes.fits(question.purpose, question.role, "" if row == self.table.rows[-1].id else row)

    def _purposes(self, question: Question) -> Finding:
        """Which purposes the caller may tell instead: those of the row, else those of the role."""
        row = self.table.find(question.facts).id
        fitting = self.purposes.of(question.role, row) or self.purposes.of(question.role)
        return Finding(PURPOSE, Severity.INFO, "policy-purposes", "", {"expected": ", ".join(fitting) or "-"})

    def _why(self, question: Question, forbids: Sequence[str]) -> Iterator[Finding]:
        """What forbids it, each with its text; without any, the conditions that failed."""
        for one in forbids:
            text = self.duties.texts.get(one, "policy-LOCAL" if one in self.own else "policy-ERROR")
            yield Finding(one, Severity.REFUSE, text, "", {}, "; ".join(self._basis(one)))
        if PURPOSE in forbids:
            yield self._purposes(question)
        if ROLE in forbids and question.grant:
            yield Finding(ROLE, Severity.INFO, "policy-role-reason", "", {"reason": question.grant.rpartition("/")[2]})
        if not forbids:
            yield from self.failed(question.facts)

    def failed(self, facts: Facts) -> tuple[Finding, ...]:
        """Why no row allows anything with these facts: the last row, and each condition that failed."""
        last = self.table.rows[-1]
        told = Finding(last.id, Severity.REFUSE, last.text, "", {}, "; ".join(last.basis))
        return (told, *(self._failed(one) for one in self.table.why_not(facts)))

    def _failed(self, one: Failure) -> Finding:
        basis = "; ".join(self.table.by_id[one.row].basis)
        if one.fact == OFF:
            return Finding(one.row, Severity.INFO, "policy-off", "", {"row": one.row}, basis)
        if one.row == self.table.rows[-1].id:
            return Finding(one.row, Severity.INFO, "policy-no-flow", "", {"found": one.found}, basis)
        told = {"row": one.row, "fact": one.fact, "found": one.found, "expected": ", ".join(one.expected)}
        return Finding(one.row, Severity.INFO, "policy-condition", "", told, basis)

    def _basis(self, name: str) -> tuple[str, ...]:
        if name in self.table.by_id:
            return self.table.by_id[name].basis
        return self.duties.basis.get(name, self.table.rows[-1].basis)

    def differences(self) -> list[str]:
        """Every combination in which the policies allow more than the decree's table, or the shipped ones less.

        Each duty x class of client data x relationship x purpose is asked as an act that role and row would allow, so
        that only the maximum can forbid it: with every condition true, and where the row allows, with none and each
        condition that the duty knows alone.
        """
        asked = [
            (duty, one, true, of)
            for duty, one in itertools.product(self.duties.duties.values(), self.duties.classes)
            for of in itertools.product(("open", "none"), ("told", "none"))
            for true in (_ALL_TRUE, *(_truths(duty) if of == ("open", "told") else ()))
        ]
        rows = {of: self.table.find(Facts("own-register", *of)).id for _, _, _, of in asked}
        probes = {(duty.name, *one, true, rows[of]): None for duty, one, true, of in asked}
        answers = cedarpy.is_authorized_batch([_probe(*one) for one in probes], self._policies, self._entities)
        allowed = {one for one, answer in zip(probes, answers, strict=True) if answer.allowed}
        found: list[str] = []
        for duty, (kind, task), true, of in asked:
            wanted = duty.allows(kind, task, true) and rows[of] != self.table.rows[-1].id
            is_allowed = (duty.name, kind, task, true, rows[of]) in allowed
            if (is_allowed and not wanted) or (wanted and not is_allowed and not self.own):
                found.append(f"{duty.name} {kind}/{task or '-'} {'+'.join(sorted(true)) or '-'} {'/'.join(of)}")
        return found


def _truths(duty: Duty) -> list[frozenset[str]]:
    return [frozenset(), *(frozenset({one}) for one in sorted({name for part in duty.may for name in part.conditions}))]


def _probe(duty: str, kind: str, task: str, true: Iterable[str], row: str) -> dict[str, Any]:
    """A request in which nothing but the duty's maximum can forbid."""
    question = replace(
        Question("record:read", "", "x", Facts(), kind, task, granted=True), **dict.fromkeys(true, True)  # type: ignore[arg-type]
    )  # fmt: skip
    return {"principal": {"type": "Duty", "id": duty}, "action": _ACTION, "resource": _THING,
            "context": _context(question, row, fits=True)}  # fmt: skip


def _named(question: Question) -> tuple[str, ...]:
    """The role's own row, or why it has none, beside what decided."""
    return (question.grant,) if question.grant else ()


def _context(question: Question, row: str, *, fits: bool) -> dict[str, Any]:
    return {
        "row": row, "event": question.event, "role": question.role, "purpose": question.purpose,
        "relationship": question.facts.relationship, "person": question.person, "kind": question.kind,
        "task": question.task, "claims_beyond": question.claims_beyond, "granted": question.granted,
        "has_duty": question.has_duty, "is_client_data": question.facts.flow != NO_CLIENT_DATA,
        "is_review": question.is_review, "is_student": question.is_student,
        "is_supervised": question.is_supervised, "own_register": question.own_register,
        "own_service": question.own_service, "own_task": question.own_task, "purpose_fits": fits,
    }  # fmt: skip


def _add(policies: dict[str, Any], text: str, name: str, schema: str, mistakes: list[str]) -> None:
    """Read policies under their own ids, since the library names them by position only."""
    try:
        read = json.loads(cedarpy.policies_to_json_str(text))
        checked = cedarpy.validate_policies(text, schema)
    except ValueError:
        mistakes.append(f"{name}: not readable as Cedar policies")
        return
    mistakes += [f"{name}: does not fit the schema ({one.policy_id})" for one in checked.errors]
    if read["templates"]:
        mistakes.append(f"{name}: templates are not used here")
    for one in read["staticPolicies"].values():
        own = (one.get("annotations") or {}).get("id")
        if not own or own in policies:
            mistakes.append(f"{name}: every policy needs an @id of its own ({own or 'none'})")
        else:
            policies[own] = one
