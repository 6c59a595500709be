"""From a stored record to a document ready for signing: mapping input, tree, minimisation, structure check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.contracts.attendance import MONTH, not_accepted
from kanta_gateway.contracts.case import units
from kanta_gateway.mapping.tree import to_json
from kanta_gateway.model import Finding, Masked, Oid, Organisation, Severity, Tree
from kanta_gateway.pipeline.casefile import CaseFile
from kanta_gateway.pipeline.mandate import producers
from kanta_gateway.pipeline.minimising import Instruction, KnownToCase, asked_findings, masked_findings, names_in
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.wording import canonical
from kanta_gateway.privacy.minimise import Sifted, minimise, sift
from kanta_gateway.privacy.people import Known

if TYPE_CHECKING:
    from kanta_gateway.access.parties import Agreement
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.mapping.engine import Variant
    from kanta_gateway.privacy.fingerprint import ClientGuard
    from kanta_gateway.privacy.minimise import Read
    from kanta_gateway.spool.records import Stamp, StoredRecord

AUTHOR_FIELDS = ("author", "recorder", "responsible_worker")
"""Fields of a record that may name its author, in this order."""
OFFICIAL_FIELD = "decided_by"
"""Field that names an official of the authority, who is in no staff list of a provider."""


@dataclass(frozen=True, slots=True)
class Source:
    """The mapping's input for one record."""

    values: Mapping[str, Any]
    rows: Mapping[str, int]
    """Which stored records it was made of: for `documents explain`."""
    findings: tuple[Finding, ...]
    masked: tuple[Masked, ...] = ()
    """What was masked of the record, beside what was masked when it came."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A composed document that has not been signed."""

    source: Source
    variant: Variant
    tree: Tree
    json: bytes
    findings: tuple[Finding, ...]
    masked: tuple[Masked, ...]
    whose: str = ""
    """Mark of the identity that it is filed under."""
    guard: str = ""
    """What its masking, and what it tells of the judgement, depended on (`Composer.mark`)."""
    decision: int | None = None
    """Row of the decision that the record falls under."""

    @property
    def holds(self) -> tuple[Finding, ...]:
        """Findings because of which the record must wait."""
        return tuple(one for one in self.findings if one.severity >= Severity.HOLD)


class Composer:
    """Composes the documents of one client."""

    def __init__(
        self, parts: Parts, contract: Contract, agreement: Agreement, case: CaseFile, *, was_secret: bool | None = None
    ) -> None:
        """Look at one file.

        Args:
            parts: the built gateway.
            contract: the purchaser's.
            agreement: under which the records were delivered.
            case: the file.
            was_secret: whether turvakielto was known when a document was made; left out, it is as it is now.
        """
        self._parts = parts
        self._contract = contract
        self._agreement = agreement
        self._case = case
        self._staff = case.shared.newest("staff")
        self._provider = next(iter(case.shared.newest("provider").values()), (0, {}))
        self._units = units(
            self._provider[1], ({**one, "id": key} for key, (_, one) in case.shared.newest("unit").items())
        )
        client = case.client
        self._client_row = client.row if client else 0
        self._client: Mapping[str, Any] = case.content(client) if client else {}
        agreed = case.newest("agreement")
        facts = {one.row: one.facts for one in case.entries}
        self._place = str(facts[agreed.row].get("place", "")) if agreed else ""
        self._decisions = {
            one.row: case.content(one) for one in case.rows if parts.types[one.type].grants and not one.is_cancelled
        }
        self.whose = filed_as(parts, self._client)
        """Mark of the identity code that documents are filed under."""
        self._digests: dict[int, str] = {}
        self._products = {row: contract.mapping_product(content) for row, content in self._decisions.items()}
        self._instruction = Instruction(parts.scanner, contract)
        self._was_secret = was_secret
        self._known = self._known_to_case(agreed)
        self._sifted: dict[int, Sifted] = {}

    def _known_to_case(self, agreed: StoredRecord | None) -> KnownToCase:
        """What the client's file tells of whose names may stay, and of what must not be told."""
        parts, case, keys = self._parts, self._case, self._parts.scanner.words.names
        staff = [str(one[key]) for _, one in self._staff.values() for key in keys if one.get(key)]
        told = [*names_in(parts.types["client"], self._client, keys)] if self._client else []
        for row, content in self._decisions.items():
            kind = next(one.type for one in case.rows if one.row == row)
            told += names_in(parts.types[kind], content, keys)
        if agreed:
            told += names_in(parts.types["agreement"], self._left(agreed), keys)
        others = parts.fingerprints.guard(case.protected, False) if case.protected else None  # noqa: FBT003 — not the client's own
        return KnownToCase(None, others, Known.of([*staff, *told]), Known.of(staff))

    def read(self, one: StoredRecord, *, is_closed: bool = False) -> Read:
        """How the texts of one record are read.

        Args:
            one: the record.
            is_closed: nobody will answer what is asked about it any more.
        """
        kind = self._parts.types[one.type]
        own = Known.of([*names_in(kind, self._left(one), self._parts.scanner.words.names)])
        known = replace(self._known, guard=self.guard(one), names=Known(self._known.names.stems | own.stems))
        return self._instruction.reading(kind, known, self._case.allowed.get(one.row, ()), is_closed=is_closed)

    def _left(self, one: StoredRecord) -> Mapping[str, Any]:
        """The content of a record; nothing once it has been destroyed, since its documents are made by then."""
        return {} if one.payload is None else self._case.content(one)

    def sifted(self, one: StoredRecord) -> Sifted:
        """The content of one record without what must not leave."""
        if one.row not in self._sifted:
            self._sifted[one.row] = sift(self._parts.scanner, self._left(one), self.read(one))
        return self._sifted[one.row]

    def _granting(self, decision_row: int) -> Mapping[str, Any]:
        """What a decision tells the document of another record: nothing that anybody would be asked about."""
        found = next((one for one in self._case.rows if one.row == decision_row), None)
        if found is None or decision_row not in self._decisions:
            return {}
        return sift(self._parts.scanner, self._decisions[decision_row], self.read(found, is_closed=True)).content

    def product(self, decision_row: int | None) -> Mapping[str, Any]:
        """What the contract file says about the product of a decision."""
        return self._products.get(decision_row or 0, {})

    def source(self, one: StoredRecord, decision_row: int | None) -> Source:
        """The mapping's input for one record.

        Args:
            one: the record.
            decision_row: row of the decision that it falls under.
        """
        self._case.content(one)  # nothing is composed of content that has been destroyed
        sifted = self.sifted(one)
        content = sifted.content
        author_id, author = self._author(self._authored(one) or content)
        unit, is_assumed = self._unit(content, self._decisions.get(decision_row or 0, {}), author)
        own = self._agreement.organiser if unit.get("is_controllers") else self._agreement.provider
        provider, *further = map(_party, producers(self._case, str(unit.get("oid", "")), own))
        values = {
            "record": {**content, "id": one.id, "version": one.version, "type": one.type},
            "client": self._client,
            "decision": self._granting(decision_row or 0),
            "product": self.product(decision_row),
            "author": author,
            "staff": {key: value for key, (_, value) in self._staff.items()},
            "unit": unit,
            "provider": provider,
            "further_producers": further,
            "judged": self._judged(one),
            "organiser": _party(self._agreement.organiser),
            "language": self._parts.language,
            "day": str(content.get(self._parts.types[one.type].day) or ""),
        }
        rows = {
            "record": one.row, "client": self._client_row, "decision": decision_row or 0,
            "author": self._staff.get(author_id, (0, {}))[0],
            "provider": self._provider[0],
        }  # fmt: skip
        told = Finding("SRC-UNIT", Severity.INFO, "unit-assumed", "/unit", {}, "703/2023 §37")
        clause = self._contract.minimisation.clause
        found = (*masked_findings(sifted.masked, clause), *asked_findings(sifted.asked, clause))
        return Source(values, rows, (*((told,) if is_assumed else ()), *found), sifted.masked)

    def draft(self, source: Source, variant: Variant, guard: ClientGuard, *, is_replacement: bool = False) -> Draft:
        """Compose, minimise and check one document; in production an unverified code holds its record."""
        composed = self._parts.mapper.compose(variant, source.values)
        tree, masked = minimise(self._parts.scanner, composed, guard)
        value = to_json(tree)
        parts = self._parts
        found = parts.conformances(Oid(variant.structure)).check(value)
        document_type = parts.structures.get(variant.structure).document_type
        codes = (
            *composed.findings,
            *self._header_codes(source, variant),
            *parts.profile.unverified(document_type, parts.language, is_replacement=is_replacement),
        )
        if parts.is_production:
            codes = tuple(replace(one, severity=Severity.HOLD) for one in codes)
        return Draft(
            source, variant, tree, orjson.dumps(value), (*source.findings, *codes, *found), (*source.masked, *masked)
        )

    def guard(self, one: StoredRecord) -> ClientGuard:
        """What must not appear in the documents of a record."""
        is_secret, prints = self._case.masking(one.key)
        return self._parts.fingerprints.guard(prints, is_secret if self._was_secret is None else self._was_secret)

    def mark(self, one: StoredRecord, decision_row: int | None) -> str:
        """What a record's documents depend on beside its own content, as one short word.

        Args:
            one: the record.
            decision_row: row of the decision that it falls under.
        """
        is_secret, prints = self._case.masking(one.key)
        author = self._authored(one) or {}
        told = {**self._judged(one), **{name: author[name] for name in AUTHOR_FIELDS if author.get(name)}}
        told |= {"client": self._digest(self._client_row, self._client)}
        if decision_row in self._decisions:
            told |= {"decision": self._digest(decision_row, self._decisions[decision_row])}
        sifted = self.sifted(one)
        allowed = self._case.allowed.get(one.row)
        if sifted.masked or sifted.asked or allowed:
            counted = [[each.field, each.cls, str(each.count)] for each in (*sifted.masked, *sifted.asked)]
            told |= {"minimised": counted, "allowed": [list(each) for each in allowed or ()]}
        mark = sha256(canonical(told)).hexdigest()[:16]
        return f"{int(is_secret)}:{len(prints) if is_secret else 0}:{mark}"

    def _digest(self, row: int, content: Mapping[str, Any]) -> str:
        """A keyed digest of a reference record's content, made once."""
        if row not in self._digests:
            self._digests[row] = self._parts.keyring.digest(canonical(content))
        return self._digests[row]

    def _judged(self, one: StoredRecord) -> Mapping[str, Any]:
        """What the contract's rules found about a record that its document tells."""
        situation = self._case.situation
        if one.type != MONTH or situation is None:
            return {}
        entry = next(own for own in self._case.entries if own.row == one.row)
        return {"days_not_accepted": not_accepted(situation, entry)}

    def _authored(self, one: StoredRecord) -> Mapping[str, Any] | None:
        """The record whose author this one takes, where the contract says so."""
        situation = self._case.situation
        if one.type not in self._contract.author_from or situation is None:
            return None
        entry = next((own for own in self._case.entries if own.row == one.row), None)
        other = situation.author_from(entry) if entry is not None else None
        row = next((own for own in self._case.rows if other is not None and own.row == other.row), None)
        return None if row is None else self._case.content(row)

    def _header_codes(self, source: Source, variant: Variant) -> Iterator[Finding]:
        """Codes of the header that are not valid on the record's day."""
        parts, values = self._parts, source.values
        process = parts.structures.get(variant.structure).service_process
        for name, key in (("service_task", values["product"].get("service_task")), ("service_process", process)):
            if key and parts.codes.row(parts.profile.lists[name], key, values["day"]) is None:
                yield parts.codes.not_valid(parts.profile.lists[name], key, values["day"])

    def _author(self, content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The record's own author, else the one whose name it carries, else the client's responsible worker."""
        if isinstance(official := content.get(OFFICIAL_FIELD), Mapping):
            return "", official
        named: Sequence[Any] = [content.get(field) for field in AUTHOR_FIELDS]
        for staff_id in (*named, None if any(named) else self._client.get("responsible_worker")):
            if staff_id in self._staff:
                return str(staff_id), {**self._staff[staff_id][1], "id": staff_id}
        if any(named) or "recorder_name" in content:
            return "", content.get("recorder_name", {})
        return "", self._client.get("responsible_worker_name", {})

    def _unit(
        self, content: Mapping[str, Any], decision: Mapping[str, Any], author: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], bool]:
        """The unit of the record, its decision or its author, else that of the agreed place, else the first one."""
        for named in (
            content.get("unit"), content.get("producer"), decision.get("unit"), author.get("organisation"),
        ):  # fmt: skip
            known = next((unit for unit in self._units if named in {unit["oid"], unit.get("id", "")}), None)
            if named and known is not None:
                return known, False
        placed = next((unit for unit in self._units if self._place.startswith(unit["name"])), None)
        if placed is not None:
            return placed, False
        first = self._units[0] if self._units else {
            "oid": self._agreement.provider.oid, "name": self._agreement.provider.name
        }  # fmt: skip
        return first, True


def _party(one: Organisation) -> Mapping[str, str]:
    return {"oid": one.oid, "name": one.name}


def filed_as(parts: Parts, client: Mapping[str, Any]) -> str:
    """Keyed mark of the identity code that a client's documents are filed under; empty where it has none."""
    code = str(client.get("identity_code", ""))
    return parts.keyring.digest(f"filed as {code}".encode())[:16] if code else ""


UNDER_TURVAKIELTO = "1"
"""How the mark of a client's documents begins where the client is under turvakielto."""


def snapshot(draft: Draft, stamp: Stamp, whose: str) -> str:
    """What a document was made of, as kept beside it: enough to compose it again.

    Args:
        draft: the document.
        stamp: newest rows of the client and of what clients share when it was made.
        whose: mark of the identity that it is filed under.
    """
    told = {"rows": draft.source.rows, "guard": draft.guard, "decision": draft.decision or 0, "own": stamp.own,
            "shared": stamp.shared, "clients": stamp.clients, "whose": whose}  # fmt: skip
    return canonical(told).decode()
