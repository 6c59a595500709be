"""What an operator can ask of an installation without any effect: what it lacks, and why its policy decides so."""

from __future__ import annotations

from datetime import date
from typing import Any

from kanta_gateway import certifying, keyfiles, knowledge
from kanta_gateway.contracts import library
from kanta_gateway.mapping.codes import Row
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.changes import Changes
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import PartyBook
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings

SPECIAL = {"correction-reason": ["replacements"], "service-request": ["invalidations"]}
"""Code lists that no single structure uses."""


class Checkup:
    """Questions about one installation."""

    def __init__(
        self, settings: Settings, parts: Parts, folder: KeyFolder, office: Office, changes: Changes, book: PartyBook
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._folder = folder
        self._office = office
        self._changes = changes
        self._book = book
        self.unapproved: list[str] = []
        """What of the content in place nobody approved; production does not start with any."""

    def lacking(self) -> dict[str, Any]:
        """What building did not refuse but an operator must know: unverified codes, certificates, rules."""
        parts = self._parts
        codes = [
            {"list": one.list, "key": one.key, "code": one.code, "blocks": blocked}
            for one in parts.codes.unverified()
            if (blocked := self._blocked(one))
        ]
        return {
            "mistakes": [
                *keyfiles.mistakes(self._folder, self._settings, parts.keys), *parts.mapper.unfit,
                *(f"policy: {one} is not the decree's maximum" for one in parts.decider.differences()),
            ],
            "own_files": knowledge.owned(self._settings.own),
            "unapproved": self.unapproved,
            "certificates_ending": certifying.ending(self._folder, parts.now()),
            "reviews_overdue": self._changes.overdue(),
            "unverified_codes": codes,
            "contracts_incomplete": self._book.incomplete(),
            "not_judged": {name: [one.rule for one in contract.not_judged]
                           for name, contract in parts.contracts.items()},
            "not_software": {name: [one.rule for one in contract.not_software]
                             for name, contract in parts.contracts.items()},
            "law": library.report(parts.contracts.values()),
            "production_would_refuse": bool(codes or self.unapproved),
        }  # fmt: skip

    def _blocked(self, row: Row) -> list[str]:
        """Numbers of the structures that production does not build while this code is unverified."""
        parts = self._parts
        users = parts.mapper.users(row.list, parts.codes.code_list(row.list).number)
        by_type = (one.number for one in parts.structures.all() if one.document_type == row.key)
        made = set(parts.mapper.structures())
        return sorted(users) or sorted(number for number in by_type if number in made) or SPECIAL.get(row.list, [])

    def explain_policy(self, caller: Caller, event: Event, thing: Thing, day: date | None) -> dict[str, Any]:
        """Why somebody may, or may not, do something on a day."""
        decision = self._office.guard.decide(caller, event, thing, day)
        kind = "policy-allowed" if decision.allowed else "policy-denied"
        return {
            "told": self._parts.messages.text(kind, self._settings.lang, {"decided": ", ".join(decision.reasons)}),
            "allowed": decision.allowed, "row": decision.row, "decided_by": list(decision.reasons),
            "basis": list(decision.basis),
            "why": [self._parts.messages.finding(one, self._settings.lang) for one in decision.findings],
        }  # fmt: skip
