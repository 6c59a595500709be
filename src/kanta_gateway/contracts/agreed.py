"""Rules about what the parties agree on together: agreements and their changes, breaks, ending early, cooperation.

* Who agreed is judged where the record tells anybody: a record that tells nobody is silent, not wrong.
* A service is not given between the call to negotiate its ending and the negotiation; a client who does not come to
  it ends the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import add_months

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
NOTHING: Found = ()
NEGOTIATION, ENDING, INTERRUPTED = "negotiation", "ending", "interrupted"


def has(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether facts are those that a rule asks for: field -> value, or a list of values.

    Args:
        facts: of a record.
        wanted: `where` of a rule; empty for every record.
    """
    return all(
        facts.get(name) in value if isinstance(value, list) else facts.get(name) == value
        for name, value in wanted.items()
    )


# one record


def agreed_by_all(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Every party of the rule agreed, where the record tells who did."""
    field, facts = rule.params["field"], subject.facts
    told = facts.get(field)
    if not told or not has(facts, rule.params.get("where", {})):
        return NOTHING
    return tuple(
        rule.finding("text", f"/{field}", party=party) for party in rule.params["parties"] if party not in told
    )


def break_agreed(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """A break was agreed on by the day it began."""
    start, agreed = (subject.facts.get(rule.params[name]) for name in ("from", "agreed"))
    if not start or (agreed and agreed <= start):
        return NOTHING
    return (rule.finding("text", f"/{rule.params['agreed']}", start=start),)


def break_length(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """A break lasts no longer than it may; one without an end lasts until the as-of date."""
    start, told = (subject.facts.get(rule.params[name]) for name in ("from", "to"))
    end = told or situation.as_of
    if not start or end < add_months(start, rule.params["months"]):
        return NOTHING
    return (rule.finding("text", f"/{rule.params['to']}", start=start, end=end, limit=rule.params["months"]),)


def not_after_call(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """No service takes place between the call to a negotiation about ending early and the negotiation itself."""
    for called, held in _calls(situation):
        if called < subject.day and (not held or subject.day < held):
            return (rule.finding("text", "/date", date=subject.day, called=called),)
    return NOTHING


def _calls(situation: Situation) -> Iterator[tuple[str, str]]:
    """Days of the calls to negotiate an ending, each with the day of its negotiation, empty while none was held."""
    held = sorted((one.day, str(one.facts.get("called_on") or "")) for one in _ending(situation))
    yield from ((called, day) for day, called in held if called)
    for period in situation.periods:
        called = period.entry.facts.get("ending_called_on")
        if called:
            yield called, next((day for day, _ in held if day >= called), "")


def _ending(situation: Situation) -> Iterator[Any]:
    return (one for one in situation.by_type.get(NEGOTIATION, ()) if one.facts.get("about") == ENDING)


def author_qualified(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The author's qualification, where the staff list tells it, is one of the rule's."""
    known = situation.staff.get(str(situation.author(subject)))
    told = str((known.facts.get(rule.params["field"]) if known else "") or "").casefold()
    if not told or any(stem.casefold() in told for stem in rule.params["stems"]):
        return NOTHING
    return (rule.finding("text", "/recorder"),)


AGREED_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "agreed-by-all": agreed_by_all,
    "author-qualified": author_qualified,
    "break-agreed": break_agreed,
    "break-length": break_length,
    "not-after-call": not_after_call,
}
