"""Decisions: the first row whose conditions hold, permitted by Cedar unless a forbid stands; every denial explained."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanta_gateway.access.decider import Decider, Question
from kanta_gateway.access.policy import ANOTHERS, NO_ROLE, NO_ROW
from kanta_gateway.access.purposes import Purposes
from kanta_gateway.access.table import FACTS, Duties, Facts, Table
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.messages import LANGUAGES, Messages
from kanta_gateway.model import Severity

FOLDER = Path(__file__).parents[3] / "mappings"
ROWS, DUTIES, SCHEMA, PERMITS, MAXIMUM = (
    (FOLDER / "policy" / name).read_text("utf-8")
    for name in ("rows.yaml", "duties.yaml", "schema.cedarschema", "rows.cedar", "maximum.cedar")
)
MESSAGES = Messages.load({"policy": (FOLDER / "messages" / "policy.yaml").read_text("utf-8")})
PURPOSES = Purposes.load(
    """
purposes:
  delivery:
    text: {fi: a, sv: b, en: c}
    rows: [A0, D1, D2, D3, D4, D5, D6, D6P, D7, D8, D9, D10, D11, D11B, D12, D13, D14, D15, D16]
    roles: [provider-system, purchaser-it, purchaser-official]
  narrow:
    text: {fi: a, sv: b, en: c}
    rows: [D2]
    roles: [provider-system]
""",
    Table.load(ROWS).by_id,
)
"""One purpose for everything, so that only what a test is about decides, and one for row D2."""
INSIDE = Facts(flow="own-register", relationship="open", purpose="told")
NARROW = '@id("own-1") forbid (principal, action, resource) when { context.task == "PA" };'
OFF = ("D3", "D4", "D5")
LAWFUL: dict[str, dict[str, str]] = {
    "A0": {"flow": "no-client-data", "purpose": "told"},
    "D1": {"flow": "own-register", "relationship": "open", "purpose": "told"},
    "D2": {"flow": "mandate", "mandate": "valid", "relationship": "not-asked", "purpose": "told"},
    "D3": {"flow": "social", "permission": "valid", "prohibition": "none", "relationship": "open", "via_kanta": "no",
           "reason": "told"},
    "D4": {"flow": "social", "grant": "open", "prohibition": "none", "ground": "incapacity", "representative": "no",
           "necessity": "indispensable", "via_kanta": "no", "reason": "told"},
    "D5": {"flow": "social-authority", "grant": "open", "ground": "statutory-duty", "necessity": "indispensable",
           "via_kanta": "no", "reason": "told"},
    "D6": {"flow": "social-authority", "grant": "open", "ground": "child-interest", "necessity": "indispensable",
           "reason": "told"},
    "D6P": {"flow": "social", "grant": "open", "ground": "child-interest", "necessity": "immediate-care",
            "reason": "told"},
    "D7": {"flow": "health", "permission": "itemised", "prohibition": "none"},
    "D8": {"flow": "health", "joint_service": "yes", "necessity": "indispensable"},
    "D9": {"flow": "health", "grant": "open", "prohibition": "none", "ground": "incapacity", "representative": "no",
           "necessity": "indispensable", "reason": "told"},
    "D10": {"flow": "court-or-police", "ground": "serious-crime", "reason": "told"},
    "D11": {"flow": "to-social-authority", "request": "told", "necessity": "indispensable"},
    "D11B": {"flow": "bank-to-social-authority", "request": "written", "necessity": "indispensable",
             "sources": "insufficient", "client_told": "yes"},
    "D12": {"flow": "after-death", "request": "written", "necessity": "indispensable", "reason": "told"},
    "D13": {"flow": "representative", "representative": "yes", "prohibition": "none"},
    "D14": {"flow": "consented", "consent": "valid"},
    "D15": {"flow": "payer", "necessity": "indispensable", "mandate": "valid"},
    "D16": {"flow": "outside-care", "request": "client", "forwarding": "allowed", "via_kanta": "yes"},
}  # fmt: skip
"""Row -> the fewest facts with which it decides."""


@lru_cache
def decider(own: str = "", enabled: tuple[str, ...] = ()) -> Decider:
    """The shipped policies, with what an installation adds."""
    added = {"own.cedar": own} if own else {}
    return Decider.load(Table.load(ROWS, enabled), Duties.load(DUTIES), PURPOSES, [PERMITS, MAXIMUM], SCHEMA, added)


def question(**changes: Any) -> Question:
    """A worker of a producer asks for data of its own service, and may have it."""
    base = Question(
        "record:read", "provider-system", "delivery", INSIDE, "TOT", "TI", granted=True, own_service=True,
        own_task=True, person="known",
    )  # fmt: skip
    return replace(base, **changes)


def test_what_is_allowed_names_its_row_and_provisions() -> None:
    """A permitted act tells its row, the provisions and the same in words of three languages."""
    told = decider().decide(question())

    assert (True, "D1", ("D1",), ("703/2023 §4.3", "703/2023 §9")) == (
        told.allowed, told.row, told.reasons, told.basis
    )  # fmt: skip
    assert 3 == len({MESSAGES.finding(told.findings[0], language)["message"] for language in LANGUAGES})


@pytest.mark.parametrize("row", LAWFUL)
def test_every_row_decides_by_its_own_conditions(row: str) -> None:
    """With the fewest facts of a row that row decides, and with any one of them missing it does not."""
    whole, on = Facts(**LAWFUL[row]), decider(enabled=OFF)
    told = on.decide(question(facts=whole))
    without = [
        on.decide(question(facts=Facts(**{k: v for k, v in LAWFUL[row].items() if k != name}))).row
        for name in LAWFUL[row]
    ]

    assert (True, row) == (told.allowed, told.row)
    assert row not in without
    assert "D0" in without


@pytest.mark.parametrize("row", OFF)
def test_disclosure_between_controllers_is_off(row: str) -> None:
    """D3 to D5 are refused unless the installation turns them on, and the denial says so (703/2023 §55.3). [ACC-05]"""
    told = decider().decide(question(facts=Facts(**LAWFUL[row])))

    assert not told.allowed
    assert (row, "policy-off") in {(one.rule, one.kind) for one in told.findings}


def test_rows_are_asked_in_order() -> None:
    """Of two rows that hold the first decides: a valid permit goes before an interest of the child."""
    both = Facts(**{**LAWFUL["D3"], **LAWFUL["D6"]})

    assert ("D3", "D6") == (decider(enabled=OFF).decide(question(facts=both)).row,
                            decider().decide(question(facts=both)).row)  # fmt: skip


def test_a_denial_names_the_condition_that_failed() -> None:
    """An ended contract is told as the condition of D2 that failed, with what was found and what is needed."""
    told = decider().decide(question(facts=Facts(**{**LAWFUL["D2"], "mandate": "ended"})))
    (failed,) = [one for one in told.findings if one.kind == "policy-condition"]

    assert (False, ("D0",), ("703/2023 §4",)) == (told.allowed, told.reasons, told.basis)
    assert {"row": "D2", "fact": "mandate", "found": "ended", "expected": "valid"} == failed.params
    assert "612/2021 §58.4; 703/2023 §14" == failed.clause


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"person": "outsider"}, "ACC-04"),
        ({"claims_beyond": True}, "ACC-01"),
        ({"granted": False, "grant": "no row"}, "ROLE"),
        ({"role": "nobody"}, "457-0"),
        ({"own_service": False}, "457-15-1"),
        ({"kind": "SOV", "task": "PO"}, "457-15-1"),
        ({"role": "purchaser-it"}, "457-22"),
        ({"is_student": True}, "457-21"),
        ({"role": "purchaser-official", "task": "LS", "own_task": False}, "457-13"),
    ],
)
def test_a_forbid_is_named_with_its_provision(changes: dict[str, Any], name: str) -> None:
    """Whatever forbids is told by our own id, with its provision and its text."""
    told = decider().decide(question(**changes))

    assert (False, name) == (told.allowed, told.reasons[0])
    assert told.basis
    assert f"policy-{name}" == told.findings[0].kind


def test_a_purpose_goes_with_its_rows_and_roles() -> None:
    """A purpose that is not in the list, or not of the row or role, is refused with the list of those that do.

    GDPR 5(1)(b); the purpose of each use stands in the log, so it is one of the list (703/2023 §10.2). [LOG-02]
    """
    unknown, other_row, other_role = (
        decider().decide(question(**changes))
        for changes in ({"purpose": "curiosity"}, {"purpose": "narrow"}, {"role": "purchaser-official", "purpose": "x"})
    )
    told = [next(one.params["expected"] for one in found.findings if one.kind == "policy-purposes")
            for found in (unknown, other_row, other_role)]  # fmt: skip

    assert [(False, "PURPOSE")] * 3 == [(one.allowed, one.reasons[0]) for one in (unknown, other_row, other_role)]
    assert ["delivery", "delivery", "delivery"] == told
    assert decider().decide(question(facts=Facts(**LAWFUL["D2"]), purpose="narrow")).allowed


def test_a_supervised_student_may() -> None:
    """A student acts under supervision as the task allows."""
    assert decider().decide(question(is_student=True, is_supervised=True)).allowed


def test_policies_are_the_maximum_of_the_decree() -> None:
    """For every duty, class of data, relationship and purpose the policies allow exactly what the table allows.

    [ACC-02]
    """
    assert [] == decider().differences()


def test_a_wider_maximum_is_found() -> None:
    """A forbid that was loosened, or tightened, differs from the table and is told by its combination."""
    loose = MAXIMUM.replace('!["SOV", "TER"].contains(context.kind)', '!["SOV"].contains(context.kind)', 1)
    tight = MAXIMUM.replace('["AST", "SOP"].contains(context.kind) ||', '["AST"].contains(context.kind) ||', 1)
    found = [
        Decider.load(Table.load(ROWS), Duties.load(DUTIES), PURPOSES, [PERMITS, text], SCHEMA).differences()
        for text in (loose, tight)
    ]

    assert all(one.startswith("LASTENSUOJ TER") for one in found[0])
    assert all(one.startswith("YKS-JARJ SOP") for one in found[1])
    assert all(found)


def test_what_is_added_narrows() -> None:
    """An installation's own forbid takes away and is named; it is no difference from the decree's maximum."""
    told = decider(NARROW).decide(question(task="PA"))

    assert decider().decide(question(task="PA")).allowed
    assert (False, "own-1", "policy-LOCAL") == (told.allowed, told.reasons[0], told.findings[0].kind)
    assert [] == decider(NARROW).differences()


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ('@id("x") permit (principal, action, resource);', "only forbid"),
        ('@id("ROLE") forbid (principal, action, resource);', "id of its own"),
        ("forbid (principal, action, resource);", "id of its own"),
        ("forbid (principal", "not readable"),
        ('@id("x") forbid (principal, action, resource) when { context.colour == "red" };', "does not fit the schema"),
        ('@id("x") forbid (principal == ?principal, action, resource);', "templates"),
    ],
)
def test_what_cannot_be_added(own: str, told: str) -> None:
    """A permit, a policy without an id or with a shipped one, or one that cannot be evaluated stops the start."""
    with pytest.raises(MisconfiguredError, match=told):
        decider(own)


def test_a_missing_permit_or_basis_stops_the_start() -> None:
    """Each row has one permit, and each forbid its provisions."""
    with pytest.raises(MisconfiguredError, match="D7: a row needs one permit"):
        Decider.load(
            Table.load(ROWS),
            Duties.load(DUTIES),
            PURPOSES,
            [PERMITS.replace('@id("D7")', '@id("D77")'), MAXIMUM],
            SCHEMA,
        )
    extra = '@id("457-99") forbid (principal, action, resource) when { context.is_student };'
    with pytest.raises(MisconfiguredError, match="457-99: a forbid needs its basis"):
        Decider.load(Table.load(ROWS), Duties.load(DUTIES), PURPOSES, [PERMITS, MAXIMUM + extra], SCHEMA)


def test_what_cannot_be_evaluated_is_denied() -> None:
    """A forbid that fails while it is evaluated would be left out by the engine; the request is denied instead."""
    faulty = '@id("x") forbid (principal, action, resource) when { 9223372036854775807 + context.own < 0 };'
    schema = SCHEMA.replace("own_task: Bool,", "own_task: Bool,\n    own?: Long,")
    with pytest.raises(MisconfiguredError):
        Decider.load(Table.load(ROWS), Duties.load(DUTIES), PURPOSES, [PERMITS, MAXIMUM], schema, {"x": faulty})
    overflow = faulty.replace("context.own", "9223372036854775807")
    told = Decider.load(
        Table.load(ROWS), Duties.load(DUTIES), PURPOSES, [PERMITS, MAXIMUM], SCHEMA, {"x": overflow}
    ).decide(question())

    assert (False, ("ERROR",)) == (told.allowed, told.reasons)
    assert "policy-ERROR" == told.findings[0].kind


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("  - id: D7\n", "  - id: D6\n"), "D6 stands twice"),
        (("grade: deny", "grade: permit"), "last row should deny"),
        (("flow: [own-register]", "colour: [red]"), "colour is no fact"),
        (("purpose: [told]", "purpose: told"), "needs a list"),
        (("    grade: use\n", "    grade: free\n"), "grade is use"),
        (("    disabled: true\n", "    hidden: true\n"), "unknown word hidden"),
        (("    basis: [703/2023 §4]\n", ""), "has no basis"),
    ],
)
def test_mistakes_of_the_table(change: tuple[str, str], told: str) -> None:
    """A table that cannot be stops the start, and every mistake is told."""
    with pytest.raises(MisconfiguredError, match=told):
        Table.load(ROWS.replace(*change))
    with pytest.raises(MisconfiguredError, match="no row D99"):
        Table.load(ROWS, ("D99",))


def test_a_role_needs_a_duty_that_there_is() -> None:
    """A role whose duty nobody described stops the start."""
    with pytest.raises(MisconfiguredError, match="no duty PAVE"):
        Duties.load(DUTIES.replace("auditor: none", "auditor: PAVE"))


WORDS = {
    name: sorted({"none", *(value for row in Table.load(ROWS).rows for value in row.when.get(name, ())), "other"})
    for name in FACTS
}
ANY_FACTS = st.builds(Facts, **{name: st.sampled_from(values) for name, values in WORDS.items()})
_FLAGS = [one.name for one in fields(Question) if one.type == "bool"]
ANY = st.builds(
    Question, st.just("record:read"),
    st.sampled_from(["provider-system", "purchaser-it", "purchaser-official", "operator", "auditor", "nobody"]),
    st.sampled_from(["", "delivery"]), ANY_FACTS, st.sampled_from(["AST", "SUU", "TOT", "PAA", "SOV", "TER", "TUR"]),
    st.sampled_from(["", "TI", "LS", "PA", "PO"]), st.sampled_from(["known", "outsider", "not-kept"]),
    **{name: st.booleans() for name in _FLAGS},
)  # fmt: skip
LAWFULLY = st.builds(
    question, facts=st.sampled_from(sorted(LAWFUL)).map(lambda row: Facts(**LAWFUL[row])),
    kind=st.sampled_from(["AST", "TOT", "PAA"]), task=st.sampled_from(["TI", "PA"]), own_task=st.booleans(),
)  # fmt: skip
"""Questions of which most are allowed, unless the installation forbids it."""


@given(ANY)
@settings(max_examples=300, deadline=None)
def test_every_denial_has_an_explanation(asked: Question) -> None:
    """Whatever is denied names what decided, its provisions, and gives a refusing text in every language."""
    told = decider().decide(asked)

    assert told.basis
    assert told.reasons
    if not told.allowed:
        assert Severity.REFUSE == max(one.severity for one in told.findings)
        assert told.reasons[0] != told.row or len(told.findings) > 1
    for one in told.findings:
        texts = [MESSAGES.finding(one, language)["message"] for language in LANGUAGES]
        assert all(text and "{" not in text and not text.startswith("policy-") for text in texts)


@given(ANY | LAWFULLY)
@settings(max_examples=300, deadline=None)
def test_narrowing_never_widens(asked: Question) -> None:
    """With its own forbids an installation allows what the shipped policies allow, but for what it forbids."""
    shipped = decider().decide(asked).allowed

    assert (shipped and asked.task != "PA") == decider(NARROW).decide(asked).allowed


@given(ANY)
@settings(max_examples=300, deadline=None)
def test_nothing_is_allowed_without_a_row_and_a_grant(asked: Question) -> None:
    """Deny by default: without facts no row allows, and without a grant of the role nothing does."""
    bare = decider().decide(replace(asked, facts=Facts()))

    assert not bare.allowed
    assert "D0" == bare.row
    assert not decider().decide(replace(asked, granted=False)).allowed


def test_every_condition_has_its_words() -> None:
    """Each fact of the table, and each word of a condition or of a default, is told in every language."""
    rows = Table.load(ROWS).rows
    words = {(name, word) for row in rows for name, values in row.when.items() for word in values}
    words |= {(name, str(getattr(Facts(), name))) for name in FACTS}
    lacking = {
        kind for name, word in words for kind in (f"policy-fact-{name}", f"policy-word-{word}") if kind not in MESSAGES
    }  # fmt: skip
    lacking |= {kind for one in (NO_ROLE, ANOTHERS, NO_ROW) if (kind := f"policy-role-{one}") not in MESSAGES}
    told = decider().decide(question(facts=replace(INSIDE, relationship="none")))
    (failed,) = [one for one in told.findings if one.kind == "policy-condition"]

    assert set() == lacking
    assert (
        "Rivi D1 ei ratkaissut: asiakassuhde (relationship): ei ole; "
        "vaaditaan: voimassa, ei kysytä tässä, ei pidetä rekisteriä, muu tehtävä."
    ) == MESSAGES.finding(failed, "fi")["message"]
