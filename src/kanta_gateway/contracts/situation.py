"""One client's case as rules see it: what stands, indexed by type, day, week and period.

* Only records that stand and are neither held nor refused count in limits, shares and figures.
* The index is built once for a judgement and answers every rule from tables.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import week
from kanta_gateway.contracts.case import units
from kanta_gateway.contracts.periods import Period, number, period_of, periods
from kanta_gateway.contracts.versions import Resolution, newest, resolve
from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from kanta_gateway.contracts.case import Case, Entry
    from kanta_gateway.contracts.products import Product
    from kanta_gateway.contracts.rules import Contract, Rule

ATTENDED = "diary_entry"
"""The record type that tells of an attended day."""


@dataclass(slots=True)
class Subject:
    """One standing record with the decision it falls under."""

    entry: Entry
    facts: Mapping[str, Any]
    day: str
    period: Period | None
    product: str
    """Code of the product, empty if there is none."""
    hours: Decimal | None
    blocking: tuple[Finding, ...] = ()
    """What holds or refuses it, with what was found in the same checks."""
    stands: bool = False
    """Whether it is neither held nor refused."""
    counts: bool = False
    """Whether it is neither held nor refused, and no word makes it none."""

    @property
    def order(self) -> tuple[str, str, str]:
        """Place among the records of one day."""
        return (str(self.facts.get("start_time") or ""), self.entry.id, self.day)


class Situation:
    """A case with its indexes.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        as_of: the day that every clock is read at.
        holidays: public holidays of the years in question.
        before: the same client's situation of an earlier judgement. Its attended days are taken over as they were
            judged if nothing is different but attended days: what can hold a day does not look at other days.
    """

    def __init__(
        self, contract: Contract, case: Case, as_of: date, holidays: Collection[date], before: Situation | None = None
    ) -> None:
        self.contract = contract
        self.case = case
        self.as_of = as_of.isoformat()
        self.holidays = holidays
        self.resolution: Resolution = resolve(case.entries, contract.makes)
        self.by_type: dict[str, list[Entry]] = {}
        for entry in self.resolution.live:
            self.by_type.setdefault(entry.type, []).append(entry)
        self._surroundings = (
            *case.shared, *(entry for entry in self.resolution.live if entry.type != ATTENDED)
        )  # fmt: skip
        self.subjects: dict[int, Subject] = {}
        self.staff: Mapping[str, Entry]
        self.periods: Sequence[Period]
        """Those of a rule's time, where it has one (`in_time_of`)."""
        self.granted: Sequence[Period]
        """Every one: what a record falls under does not depend on a rule."""
        if before is not None and self._has_surroundings_of(before):
            self.staff, self.granted = before.staff, before.granted
            known = ((entry, before.subjects.get(entry.row)) for entry in self.by_type.get(ATTENDED, ()))
            self.subjects = {entry.row: one for entry, one in known if one is not None and one.entry is entry}
        else:
            self.staff = newest(case.shared, "staff")
            live = [entry for entry in self.resolution.live if entry.kind.grants]
            self.granted = periods(contract, [*live, *self.resolution.earlier])
        self.periods = self.granted
        self.kept: dict[object, Any] = {}
        """What rules gather once for a judgement, under keys of their own."""
        self.judged = frozenset(self.subjects)
        """Rows of attended days whose `blocking` is known from before."""

    def in_time_of(self, rule: Rule) -> Situation:
        """The same client, with those periods only that begin while a rule about the client is in force."""
        periods = [one for one in self.periods if rule.covers(one.start)]
        if len(periods) == len(self.periods):
            return self
        part = copy(self)
        part.periods, part.kept = periods, {}
        return part

    def _has_surroundings_of(self, before: Situation) -> bool:
        """Whether everything but the attended days is the very same."""
        mine, other = self._surroundings, before._surroundings
        return (
            (self.contract, self.as_of, self.holidays) == (before.contract, before.as_of, before.holidays)
            and self.case.is_contract_known == before.case.is_contract_known
            and self.case.delivery_has_staff == before.case.delivery_has_staff
            and len(mine) == len(other)
            and all(one is same for one, same in zip(mine, other, strict=True))
        )

    @cached_property
    def client(self) -> Entry | None:
        """The standing client record."""
        found = self.by_type.get("client", ())
        return next((one for one in found if one.id == self.case.client_id), found[0] if found else None)

    @cached_property
    def provider(self) -> Mapping[str, Any]:
        """Facts of the provider; empty if it is not known."""
        found = newest(self.case.shared, "provider")
        return next((found[name].facts for name in sorted(found)), {})

    @cached_property
    def units(self) -> Sequence[Mapping[str, Any]]:
        """Facts of the provider's units."""
        own = sorted(newest(self.case.shared, "unit").items())
        return units(self.provider, ({**one.facts, "id": name} for name, one in own))

    @cached_property
    def absent(self) -> frozenset[str]:
        """Attended days on which an absence stands that a decision granted; an absence that is none has no day."""
        spans = [
            (entry.day, entry.last_day)
            for entry in self.by_type.get("absence", ())
            if entry.day and (period_of(entry, self.granted) is not None or not self.granted)
            and self.contract.not_absent.isdisjoint(entry.facts.get("words") or ())
        ]  # fmt: skip
        return frozenset(one.day for one in self.by_type.get(ATTENDED, ()) if _is_within(one.day, spans))

    def is_absence(self, entry: Entry) -> bool:
        """Whether an absence record tells of one: no word says otherwise, and no reason that is none by law.

        On an attended day the latter contradicts the entry all the same (`absent`).
        """
        if not self.contract.not_absent.isdisjoint(entry.facts.get("words") or ()):
            return False
        reason = self.contract.law.reason(entry.facts.get("reason_category"), entry.day)
        return reason is None or reason.is_absence

    @cached_property
    def _spread(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Record type and day -> word lists found on the client's other records of that day."""
        found: dict[tuple[str, str], set[str]] = {}
        for words in self.contract.words:
            for target in words.marks:
                spans = [
                    (entry.day, entry.last_day)
                    for kind in sorted(words.fields.keys() - {target})
                    for entry in self.by_type.get(kind, ())
                    if entry.day and words.name in (entry.facts.get("words") or ())
                ]
                for one in self.by_type.get(target, ()):
                    if _is_within(one.day, spans):
                        found.setdefault((target, one.day), set()).add(words.name)
        return {key: frozenset(names) for key, names in found.items()}

    def marks(self, subject: Subject) -> frozenset[str]:
        """Word lists found on a record, or on another of its day that marks it."""
        own = frozenset(subject.facts.get("words") or ())
        return own | self._spread.get((subject.entry.type, subject.day), frozenset()) if self._spread else own

    def is_realised(self, subject: Subject) -> bool:
        """Whether no word makes an attended day none."""
        none = self.contract.not_realised
        return not none or none.isdisjoint(self.marks(subject))

    def subject(self, entry: Entry) -> Subject:
        """A standing record with its decision, made once."""
        if (have := self.subjects.get(entry.row)) is None:
            day = entry.day
            period = period_of(entry, self.granted)
            product: Product | None = None if period is None else period.product
            have = self.subjects[entry.row] = Subject(
                entry=entry,
                facts=entry.facts,
                day=day,
                period=period,
                product="" if product is None else product.code,
                hours=number(entry.facts.get("hours")),
            )
        return have

    def standing(self, *record_types: str) -> Iterable[Subject]:
        """Standing records of some types, with their decisions."""
        return (self.subject(entry) for kind in record_types for entry in self.by_type.get(kind, ()))

    def under(self, period: Period, *record_types: str) -> list[Subject]:
        """Standing records of some types that fall under one decision."""
        return [one for one in self.standing(*record_types) if one.period is period]

    @cached_property
    def days(self) -> Sequence[Subject]:
        """Every attended day that stands, whether it counts or not."""
        return [self.subject(entry) for entry in self.by_type.get(ATTENDED, ())]

    @cached_property
    def counted(self) -> Sequence[Subject]:
        """Attended days that count, in order of time. Needs `blocking` to have been judged."""
        return sorted((one for one in self.days if one.counts), key=lambda one: (one.day, *one.order))

    @cached_property
    def by_day(self) -> Mapping[str, Sequence[Subject]]:
        """What counts, by day."""
        found: dict[str, list[Subject]] = {}
        for one in self.counted:
            found.setdefault(one.day, []).append(one)
        return found

    @cached_property
    def by_week(self) -> Mapping[tuple[str, int], Sequence[str]]:
        """Days that count, by Monday and decision, in order."""
        found: dict[tuple[str, int], list[str]] = {}
        for one in self.counted:
            if one.period is not None:
                days = found.setdefault((week(one.day), one.period.entry.row), [])
                if not days or days[-1] != one.day:
                    days.append(one.day)
        return found

    def attended(self, period: Period) -> list[Subject]:
        """What counts under one decision."""
        return [one for one in self.counted if one.period is period]

    def author_from(self, entry: Entry) -> Entry | None:
        """The record whose author another one takes, since it names none itself: of its day, else the latest before."""
        types = self.contract.author_from.get(entry.type, ())
        if not types or entry.facts.get("author") is not None:
            return None
        found = (one for kind in types for one in self.by_type.get(kind, ()) if "" < one.day <= entry.day)
        authored = (one for one in found if one.facts.get("author") is not None)
        return max(authored, key=lambda one: (one.day, str(one.facts.get("start_time") or ""), one.id), default=None)

    def author(self, subject: Subject) -> str | None:
        """Who made a record; where the source names nobody, the client's responsible worker."""
        named = (self.author_from(subject.entry) or subject.entry).facts.get("author")
        if named is None and self.client is not None:
            named = self.client.facts.get("responsible_worker")
        return named

    def is_author_named(self, subject: Subject) -> bool:
        """Whether the author's name is known although no staff list has it."""
        if (other := self.author_from(subject.entry)) is not None:
            return bool(other.facts.get("author_named"))
        if subject.facts.get("author") is None and self.client is not None:
            name: Mapping[str, Any] = self.client.facts.get("responsible_worker_name") or {}
            return bool(name.get("surname")) and bool(name.get("given_names"))
        return bool(subject.facts.get("author_named"))

    def unit(self, period: Period) -> Mapping[str, Any] | None:
        """The unit of a decision: its own, else the one that the agreement's place names, else the first."""
        known = self.units
        oid = period.entry.facts.get("unit")
        places = [str(one.facts.get("place") or "") for one in self.under(period, "agreement")]
        own = (one for one in known if one.get("oid") == oid)
        named = (one for one in known if any(place.startswith(str(one.get("name"))) for place in places))
        return next(own, None) if oid else next(named, known[0] if known else None)


def _is_within(day: str, spans: Iterable[tuple[str, str]]) -> bool:
    return any(start <= day <= end for start, end in spans)


def waits(findings: Iterable[Finding]) -> bool:
    """Whether findings hold or refuse a record."""
    return any(one.severity >= Severity.HOLD for one in findings)
