"""The closed set of rule kinds that a contract file may use: their scope, parameters and texts.

* `case` is judged once and holds for every record, `record` on one, `client` and `decision` on a whole.
* A rule of a kind needs exactly the texts named here, and every parameter.
* A new kind is a new line here and one function beside the others of its scope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scope(StrEnum):
    """What a rule looks at, and where its findings stand."""

    CASE = "case"
    CLIENT = "client"
    DECISION = "decision"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule."""

    scope: Scope
    texts: tuple[str, ...]
    params: Mapping[str, type] = field(default_factory=dict)
    """Name -> type; every one is needed."""
    optional: Mapping[str, type] = field(default_factory=dict)
    """Name -> type; what may be there beside."""
    asks: tuple[str, ...] = ()
    """Parameters that name fields of which only is kept that they are filled."""
    may_hold: bool = False
    """Whether a finding can weigh *hold* although the rule's own severity is less."""
    is_wide: bool = False
    """Whether it looks further than the record's own day and week (sums since the beginning, for instance)."""
    months_ahead: int = 0
    """How many months after a record's day what it tells can change the findings of later ones."""


_ONE = ("text",)

KINDS: Mapping[str, Kind] = {
    # every record of the case
    "client-known": Kind(Scope.CASE, _ONE),
    "decision-known": Kind(Scope.CASE, _ONE),
    "non-disclosure-known": Kind(Scope.CASE, _ONE),
    # one record
    "after-ending": Kind(Scope.RECORD, _ONE),
    "after-start": Kind(Scope.RECORD, _ONE),
    "before-end": Kind(Scope.RECORD, _ONE),
    "begun-within": Kind(
        Scope.RECORD,
        ("late", "untold"),
        {"days": int, "since": str, "excused_by": str, "told": str},
        {"workdays": bool},
        asks=("excused_by",),
    ),
    "content": Kind(Scope.RECORD, _ONE, {"fields": list}, {"where": dict}),
    "contract-known": Kind(Scope.RECORD, _ONE),
    "days-a-week": Kind(Scope.RECORD, _ONE),
    "days-granted": Kind(Scope.RECORD, _ONE),
    "days-ordered": Kind(Scope.RECORD, _ONE),
    "delivered-before-closing": Kind(Scope.RECORD, ("late", "missing"), {"closing_from_percent": int}),
    "delivered-before-end": Kind(Scope.RECORD, ("late", "missing"), {"days": int}, {"as_planned": bool}),
    "delivered-within": Kind(Scope.RECORD, ("late", "missing"), {"days": int}),
    "done-within": Kind(
        Scope.RECORD, ("late", "missing"), {"days": int, "field": str, "since": str}, {"workdays": bool}
    ),
    "forbidden-minutes": Kind(Scope.RECORD, _ONE, {"field": str}),
    "goes-with": Kind(Scope.RECORD, _ONE, {"field": str, "needs": list}, {"values": list}, asks=("field", "needs")),
    "group-led": Kind(Scope.RECORD, ("charge", "leaders"), {"leaders": int}),
    "group-planned": Kind(Scope.RECORD, _ONE),
    "group-size": Kind(Scope.RECORD, ("above", "below")),
    "hours-a-day": Kind(Scope.RECORD, ("above", "below")),
    "hours-granted": Kind(Scope.RECORD, _ONE),
    "hours-known": Kind(Scope.RECORD, _ONE),
    "needed-only": Kind(Scope.RECORD, _ONE),
    "made-within": Kind(Scope.RECORD, _ONE, {"days": int}),
    "marked": Kind(Scope.RECORD, _ONE, {"word": str}),
    "no-absence": Kind(Scope.RECORD, _ONE),
    "not-in-future": Kind(Scope.RECORD, _ONE),
    "position": Kind(Scope.RECORD, _ONE, {"from_percent": int, "to_percent": int}),
    "presence-marked": Kind(Scope.RECORD, _ONE),
    "price-valid": Kind(Scope.RECORD, _ONE),
    "product-known": Kind(Scope.RECORD, _ONE),
    "remote-planned": Kind(Scope.RECORD, _ONE),
    "reported-by": Kind(Scope.RECORD, ("late", "missing"), {"day_of_month": int, "field": str}),
    "staff-known": Kind(Scope.RECORD, ("named", "unnamed"), may_hold=True),
    "times-ordered": Kind(Scope.RECORD, _ONE),
    "told-within": Kind(
        Scope.RECORD,
        ("late", "missing"),
        {"days": int, "field": str},
        {"where": dict, "where_recorded": bool, "workdays": bool},
    ),
    "told-yearly": Kind(Scope.RECORD, ("late", "missing"), {"field": str, "until": str}, {"where": dict}),
    "value-allowed": Kind(Scope.RECORD, _ONE, {"field": str, "values": list}, {"where": dict}),
    "voucher-granted": Kind(Scope.RECORD, ("missing", "other")),
    "weekdays": Kind(Scope.RECORD, ("holiday", "weekend")),
    "within-decision": Kind(Scope.RECORD, _ONE),
    "within-period": Kind(Scope.RECORD, _ONE),
    # what the parties agree on together
    "agreed-by-all": Kind(Scope.RECORD, _ONE, {"field": str, "parties": list}, {"where": dict}),
    "author-qualified": Kind(Scope.RECORD, _ONE, {"field": str, "stems": list}),
    "break-agreed": Kind(Scope.RECORD, _ONE, {"from": str, "agreed": str}),
    "break-length": Kind(Scope.RECORD, _ONE, {"months": int, "from": str, "to": str}),
    "ends-when-absent": Kind(Scope.RECORD, _ONE, {"days": int}),
    "evaluated-as-planned": Kind(Scope.RECORD, _ONE, {"evaluations": list}),
    "not-after-call": Kind(Scope.RECORD, _ONE),
    # one month of attendance
    "month-days": Kind(Scope.RECORD, ("holiday", "hours", "unreadable", "weekend"), is_wide=True),
    "month-totals": Kind(Scope.RECORD, _ONE, is_wide=True),
    "month-within-decision": Kind(Scope.RECORD, _ONE, is_wide=True),
    "times-within": Kind(Scope.RECORD, _ONE, {"from": str, "to": str}),
    # days attended under services of one type
    "day-hours": Kind(Scope.RECORD, ("above", "below"), {"high": int, "low": int}),
    "rolling-days": Kind(Scope.RECORD, _ONE, {"limit": int, "months": int}, months_ahead=12),
    "week-days": Kind(Scope.RECORD, _ONE, {"limit": int}),
    "week-hours": Kind(Scope.RECORD, _ONE, {"limit": int}),
    # absences and the benefit
    "certificate-due": Kind(Scope.RECORD, _ONE, is_wide=True),
    "reason-days": Kind(Scope.RECORD, _ONE, is_wide=True),
    "reason-listed": Kind(Scope.RECORD, _ONE),
    "reason-unpaid": Kind(Scope.RECORD, _ONE),
    "told-in-vain": Kind(Scope.RECORD, _ONE, {"field": str, "reasons": list}),
    # what a service rests on
    "done-by": Kind(Scope.RECORD, _ONE, {"by": str, "days": int, "field": str}),
    "done-within-months": Kind(
        Scope.RECORD, ("late", "missing"), {"field": str, "months": int, "since": str}, {"where": dict}
    ),
    "number-within": Kind(Scope.RECORD, _ONE, {"field": str, "high": int, "low": int}),
    "reviewed-every": Kind(Scope.RECORD, _ONE, {"field": str, "months": int}, {"where": dict}),
    # a joint service of several parties
    "before-withdrawal": Kind(Scope.RECORD, _ONE),
    "consent-stands": Kind(Scope.RECORD, _ONE),
    "given-on-behalf": Kind(Scope.RECORD, _ONE, {"stated": bool}),
    "groups-answered": Kind(Scope.RECORD, _ONE, {"groups": list}),
    "made-with": Kind(Scope.RECORD, _ONE, {"title": str}),
    "paused-within": Kind(Scope.RECORD, ("above", "unended"), {"months": int}),
    # one event of coaching: sums since the beginning
    "billed-rightly": Kind(Scope.RECORD, _ONE, is_wide=True),
    "came": Kind(Scope.RECORD, _ONE),
    "cancelled-when": Kind(Scope.RECORD, ("in_time", "late"), is_wide=True),
    "hours-within-maximum": Kind(Scope.RECORD, _ONE, is_wide=True),
    "not-lapsed": Kind(Scope.RECORD, _ONE, is_wide=True),
    # one review of an organisation
    "level-stated": Kind(Scope.RECORD, _ONE),
    "review-due": Kind(
        Scope.RECORD,
        ("due", "measurement"),
        {"months": int, "months_when_good": int, "good": int, "measurement_months": int},
    ),
    "score-implied": Kind(Scope.RECORD, ("differs", "between")),
    "scores-in-scale": Kind(Scope.RECORD, _ONE),
    "scores-missing": Kind(Scope.RECORD, _ONE),
    "scores-ranged": Kind(Scope.RECORD, _ONE),
    "total-certain": Kind(Scope.RECORD, _ONE),
    "total-possible": Kind(Scope.RECORD, _ONE),
    # the client as a whole
    "evaluation-made": Kind(
        Scope.CLIENT, _ONE, {"evaluation": str}, {"as_planned": bool, "by_percent": int, "where": dict}
    ),
    "evaluations-made": Kind(
        Scope.CLIENT,
        _ONE,
        {"evaluations": list, "months": int, "tolerance_days": int},
        {"joined": bool, "where_recorded": bool},
    ),
    "guidance-hours": Kind(Scope.CLIENT, _ONE, {"field": str, "hours": int, "months": int, "tolerance_days": int}),
    "leave-balance": Kind(Scope.CLIENT, _ONE),
    "monthly-visit": Kind(Scope.CLIENT, _ONE, {"word": str}),
    "price-agrees": Kind(Scope.CLIENT, _ONE),
    "qualified": Kind(Scope.CLIENT, ("degree", "registration")),
    "repeated-unannounced": Kind(Scope.CLIENT, _ONE, {"times": int}),
    "remote-granted": Kind(Scope.CLIENT, _ONE),
    "remote-share": Kind(Scope.CLIENT, ("ended", "forecast"), {"percent": int}),
    "summary-made": Kind(Scope.CLIENT, _ONE, {"days": int}),
    # one decision
    "age": Kind(Scope.DECISION, ("above", "below")),
    "closing-held": Kind(Scope.DECISION, _ONE, {"from_percent": int}),
    "cooperation-held": Kind(Scope.DECISION, _ONE, {"months": int}),
    "days-decided": Kind(Scope.DECISION, _ONE),
    "ended-with-report": Kind(Scope.DECISION, _ONE),
    "evaluated-by-hours": Kind(Scope.DECISION, _ONE, {"hours": int}),
    "follows": Kind(Scope.DECISION, _ONE, {"after": str, "comes": str}),
    "months-reported": Kind(Scope.DECISION, _ONE),
    "exclusive": Kind(Scope.DECISION, _ONE),
    "period-length": Kind(Scope.DECISION, ("above", "below"), {}, {"tolerance_days": int}),
    "period-months": Kind(Scope.DECISION, ("above", "below"), {"high": int, "low": int, "tolerance_days": int}),
    "plan-made": Kind(Scope.DECISION, _ONE, {"days": int}, {"record": str, "where": dict, "where_recorded": bool}),
    "plan-names": Kind(Scope.DECISION, ("dates", "late", "service", "trial")),
    "plan-renewed": Kind(Scope.DECISION, _ONE, {"days": int, "since": str}, {"record": str}),
    "product-duration": Kind(
        Scope.DECISION,
        ("above", "ungrounded"),
        {"grounds": str, "months": int, "months_with_grounds": int, "tolerance_days": int},
        asks=("grounds",),
    ),
    "registered": Kind(Scope.DECISION, _ONE),
    "whole-duration": Kind(Scope.DECISION, ("above", "few"), {"days_per_week": int, "months": int, "most_months": int}),
}
