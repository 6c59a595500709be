"""The policy: what no row allows is denied, and each decision names its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from kanta_gateway.access.policy import Policy
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Caller, Event, Oid

POLICY = Policy.load((Path(__file__).parents[3] / "mappings/policy/roles.yaml").read_text("utf-8"))


def _caller(role: str, purpose: str = "delivery", contract: str = "") -> Caller:
    return Caller("s", Oid("1.1"), "p", "n", role, purpose, contract)


def test_own_organisation_only() -> None:
    """A provider's system delivers its own organisation's records and no others."""
    allowed = POLICY.decide(_caller("provider-system"), Event.RECORD_SUBMIT, provider=Oid("1.1"))
    assert (allowed.allowed, allowed.reasons) == (True, ("provider-system/deliver",))
    for other in (Oid("2.2"), None):
        assert not POLICY.decide(_caller("provider-system"), Event.RECORD_SUBMIT, provider=other).allowed


@pytest.mark.parametrize("event", list(Event))
def test_unknown_role_and_empty_list_deny(event: Event) -> None:
    """No role, no row or no purpose: denied, whatever is asked."""
    empty = Policy.load("roles: {r: {scope: all, rules: []}}")
    assert not POLICY.decide(_caller("nobody"), event, provider=Oid("1.1")).allowed
    assert not empty.decide(_caller("r"), event, provider=None).allowed
    assert not POLICY.decide(_caller("operator", ""), event, provider=None).allowed
    assert not Policy.load("").decide(_caller("operator"), event, provider=None).allowed


def test_auditor_reads_the_log_and_no_content() -> None:
    """An auditor reads the log only."""
    assert POLICY.decide(_caller("auditor"), Event.AUDIT_READ, provider=None).allowed
    for event in (Event.DOCUMENT_READ, Event.RECORD_READ, Event.RECORD_SUBMIT, Event.AUDIT_ERASE):
        assert not POLICY.decide(_caller("auditor"), event, provider=None).allowed


def test_purchaser_needs_purpose_and_contract() -> None:
    """The purchaser's staff see figures for a listed purpose under a contract."""
    asked = Event.FIGURES_READ
    assert POLICY.decide(_caller("purchaser-it", "supervision", "C-1"), asked, provider=None).allowed
    assert POLICY.decide(_caller("purchaser-it", "supervision"), asked, provider=None, contract="C-1").allowed
    assert not POLICY.decide(_caller("purchaser-it", "supervision"), asked, provider=None).allowed
    assert not POLICY.decide(_caller("purchaser-it", "curiosity", "C-1"), asked, provider=None).allowed


def test_scope_is_told() -> None:
    """Those with scope own, and unknown roles, see their own things only."""
    assert POLICY.is_own_only(_caller("provider-system"))
    assert POLICY.is_own_only(_caller("nobody"))
    assert not POLICY.is_own_only(_caller("operator"))


def test_all_mistakes_at_once() -> None:
    """Unknown actions, scopes and words are all told."""
    with pytest.raises(MisconfiguredError) as caught:
        Policy.load("roles: {r: {scope: some, rules: [{actions: ['record:sbmit'], extra: 1}]}}")

    parts = ("scope", "did you mean record:submit?", "extra is not known", "id is missing")
    assert [] == [part for part in parts if part not in str(caught.value)]
