"""Proposing a change: the approved content beside the content in place, and what the difference would do.

* Who may propose or decide is asked of the approved content, never of what is proposed.
* The proposed content must hold as a whole before it can be proposed.
* Nothing is used and nothing is stored but the proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kanta_gateway import content, loading
from kanta_gateway.access.parties import agreements
from kanta_gateway.app import build, own_decider
from kanta_gateway.contracts.preview import in_force, last_turn
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller
from kanta_gateway.pipeline import effect
from kanta_gateway.pipeline.approved import approved_content
from kanta_gateway.pipeline.preview import Apart, Preview
from kanta_gateway.pipeline.proposal import Proposal
from kanta_gateway.settings import Settings

MADE = ("comes", "goes", "weighs")


def approved_gateway(settings: Settings) -> Gateway:
    """The gateway on its approved content, whatever lies in place."""
    return build(settings, only_approved=True)


def propose(
    gateway: Gateway, caller: Caller, candidate: Settings, policy: Path | None, reason: str, *, is_at_once: bool
) -> dict[str, Any]:
    """Propose the content that settings name in the place of the approved.

    Args:
        gateway: the gateway on its approved content.
        caller: who proposes.
        candidate: settings that name the content.
        policy: folder of the policies; in the data folder by default.
        reason: why.
        is_at_once: it takes effect now, since it only narrows, and another person reviews it.

    Raises:
        MisconfiguredError: the content does not hold; all mistakes at once.
    """
    with gateway.parts.database.reading() as tx:
        before = approved_content(tx, gateway.parts.keyring)
    after = content.pieces(candidate, policy)
    preview = _preview(gateway, caller, before, after, candidate, policy)
    what = Proposal(before, after, reason, preview)
    return gateway.changes.propose(
        caller, what, is_at_once=is_at_once, review_days=content.Terms.load().review_days
    )  # fmt: skip


def _preview(
    gateway: Gateway, caller: Caller, before: Mapping[str, bytes], after: Mapping[str, bytes], candidate: Settings,
    policy: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """What the change would do to decisions, to findings on last year's records, and to thresholds."""
    known = loading.load(candidate.own, candidate.data, "sv" if candidate.lang == "sv" else "fi")
    decider = own_decider(policy or content.policy_folder(candidate), candidate)
    differing = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    told: dict[str, Any] = {
        "thresholds": effect.thresholds({path: (content.text(before, path), content.text(after, path))
                                         for path in differing}),
    }  # fmt: skip
    if any(path.startswith((content.POLICY, content.KNOWLEDGE + "mappings/policy")) for path in differing):
        sides = effect.Side(gateway.policy, gateway.parts.decider), effect.Side(known.policy, decider)
        told["decisions"] = effect.decisions(*sides)
    folder = "mappings/contracts"
    if content.texts(before, folder) != content.texts(after, folder):
        told["contracts"] = dict(_contracts(gateway, caller, known))
    return told


def _contracts(gateway: Gateway, caller: Caller, known: loading.Library) -> Any:
    """Contract -> controller -> which findings on last year's records would come, go or weigh otherwise, by rule."""
    since = gateway.office.today - timedelta(days=365)
    reader = replace(caller, purpose=content.Terms.load().preview_purpose)
    with gateway.parts.database.reading() as tx:
        have = agreements(tx, is_named=False)
    for name, one in known.contracts.items():
        day = max(last_turn(one), gateway.office.today.isoformat())
        make = partial(Preview, gateway.parts, name, gateway.parts.contracts.get(name), in_force(one, day), None, since)
        whose = {str(each.provider.oid): str(each.organiser.oid) for each in have if each.purchaser == name}
        told = gateway.office.preview(reader, Apart(make, whose))
        if counts := {controller: found for controller, each in told.items() if (found := _counts(each, since))}:
            yield name, counts


def _counts(told: Mapping[str, Any], since: date) -> dict[str, Any]:
    """What differs in one register, as numbers; nothing where nothing does."""
    rules = {rule: {word: len(change[word]) for word in MADE if change[word]}
             for rule, change in told["rules"].items()}  # fmt: skip
    outcomes = [{"from": one["from"], "to": one["to"], "count": len(one["records"])} for one in told["outcomes"]]
    if not (rules or outcomes):
        return {}
    return {"records": told["records"], "since": since.isoformat(), "rules": rules, "outcomes": outcomes}
