"""Rules about a joint service of several parties: its period, the client's consent, and who wrote the plan.

* The consent governs the exchange of data between the parties; it is never the ground of archiving.
* A consent was withdrawn on the day that it tells; one that is only marked withdrawn, on the day of the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
NOTHING: Found = ()
CONSENT = "consent"
_NEVER = "9999"


def withdrawn_on(consent: Entry) -> str:
    """The day from which a consent no longer holds, empty while it does.

    Args:
        consent: an entry of that record type.
    """
    told = str(consent.facts.get("withdrawn_on") or "")
    return told or (consent.day if consent.facts.get("status") == "withdrawn" else "")


def consent_stands(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The consent has not been withdrawn."""
    day = withdrawn_on(subject.entry)
    return (rule.finding("text", "/withdrawn_on", date=day),) if day else NOTHING


def before_withdrawal(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The record is of no day on which the client had withdrawn the consent to exchange data, and not given it anew."""
    given = [one for one in situation.by_type.get(CONSENT, ()) if one.facts.get("kind") == "exchange"]
    gone = [day for day in map(withdrawn_on, given) if "" < day <= subject.day]
    if not gone or any(one.day <= subject.day < (withdrawn_on(one) or _NEVER) for one in given):
        return NOTHING
    return (rule.finding("text", "/date", date=subject.day, limit=max(gone)),)


def after_start(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The day is not before the period."""
    if subject.period is None or not subject.day or subject.day >= subject.period.start:
        return NOTHING
    return (rule.finding("text", "/date", date=subject.day, start=subject.period.start),)


def made_with(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The author, or someone who took part, has the title of the rule; without titles there is nothing to judge."""
    titles = list(_titles(subject, situation))
    stem = rule.params["title"].casefold()
    if not titles or any(stem in one for one in titles):
        return NOTHING
    return (rule.finding("text", "/contributors", title=rule.params["title"]),)


def _titles(subject: Subject, situation: Situation) -> Iterator[str]:
    named = (situation.author(subject), *(subject.facts.get("contributors") or ()))
    for one in named:
        known = situation.staff.get(str(one))
        if known is not None and known.facts.get("title"):
            yield str(known.facts["title"]).casefold()


JOINT_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "after-start": after_start,
    "before-withdrawal": before_withdrawal,
    "consent-stands": consent_stands,
    "made-with": made_with,
}
