"""Rules about a joint service of several parties: its period, the client's consent, and who wrote the plan.

* The consent governs the exchange of data between the parties; it is never the ground of archiving.
* A consent was withdrawn on the day that it tells; one that is only marked withdrawn, on the day of the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import add_months, later

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.periods import Period
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
    told = str(consent.facts.get("withdrawn_on") or consent.facts.get("withdrawn_at") or "")[: len("2026-01-01")]
    return told or (consent.day if consent.facts.get("status") == "withdrawn" else "")


def consent_stands(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The consent has not been withdrawn."""
    day = withdrawn_on(subject.entry)
    return (rule.finding("text", "/withdrawn_on", date=day),) if day else NOTHING


def before_withdrawal(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The record is of no day on which the client had withdrawn the consent to exchange data, and not given it anew."""
    given = [one for one in situation.by_type.get(CONSENT, ()) if one.facts.get("kind") == "exchange"]
    gone = [day for day in map(withdrawn_on, given) if "" < day <= subject.day]
    if not gone or any(max(gone) <= one.day <= subject.day < (withdrawn_on(one) or _NEVER) for one in given):
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
    """The titles of those who made a record; one who is named as a person has those of the person's roles."""
    named = {str(one) for one in (situation.author(subject), *(subject.facts.get("contributors") or ()))}
    for name, known in situation.staff.items():
        if known.facts.get("title") and (name in named or known.facts.get("person") in named):
            yield str(known.facts["title"]).casefold()


def given_on_behalf(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """What others than the controller's own units record is the controller's only where the contract says so."""
    if rule.params["stated"]:
        return NOTHING
    author = situation.staff.get(str(situation.author(subject)))
    unit = subject.facts.get("producer") or (author.facts.get("organisation") if author is not None else None)
    if any(one.get("is_controllers") and unit in {one.get("id"), one.get("oid")} for one in situation.units):
        return NOTHING
    return (rule.finding("text"),)


def groups_answered(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Each group of a list of questions has an answer; what the answers are is never judged."""
    answered = [str(one["number"]) for one in subject.facts.get("answers") or () if one.get("answer") is not None]
    left = [group for group in rule.params["groups"] if not any(one.startswith(group) for one in answered)]
    return (rule.finding("text", "/answers", groups=", ".join(left)),) if left else NOTHING


def paused_within(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Work activity pauses for a work trial no longer than so many months, and ends if the trial goes on."""
    start, end = subject.facts.get("paused_from"), subject.facts.get("paused_to")
    if not start:
        return NOTHING
    limit = later(add_months(start, rule.params["months"]), -1)
    if min(end or situation.as_of, situation.as_of) <= limit:
        return NOTHING
    ended = [one.day for one in situation.by_type.get("service_end", ())]
    if any(one <= later(limit, 1) for one in ended if one >= start):
        return NOTHING
    goes_on = (subject.facts.get("ends_on") or situation.as_of) > limit
    return (rule.finding("unended" if goes_on else "above", "/paused_to", start=start, limit=limit),)


def plan_names(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """The authority's plan was made before the coaching begins, and names it, its days and a work trial.

    Each is judged only where the plan has a field for it.
    """
    facts = period.entry.facts
    start, end = facts.get("coaching_starts_on"), facts.get("coaching_ends_on")
    made_on, begins = facts.get("made_on"), start or period.start
    if made_on and made_on > begins:
        yield rule.finding("late", "/made_on", date=made_on, start=begins)
    if facts.get("names_coaching") is False:
        yield rule.finding("service", "/names_coaching")
    elif facts.get("names_coaching") and not (start and end):
        yield rule.finding("dates", "/coaching_starts_on")
    trials = (one for one in situation.by_type.get("work_trial", ()) if period.covers(one.day))
    if facts.get("names_work_trial") is False and any(trials):
        yield rule.finding("trial", "/names_work_trial")


JOINT_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "after-start": after_start,
    "before-withdrawal": before_withdrawal,
    "consent-stands": consent_stands,
    "given-on-behalf": given_on_behalf,
    "groups-answered": groups_answered,
    "made-with": made_with,
    "paused-within": paused_within,
}
JOINT_DECISIONS: Mapping[str, Callable[[Rule, Period, Situation], Iterator[Finding]]] = {"plan-names": plan_names}
