"""Rules of the Päijät-Häme contract: each in a case in which it fires, and one beside it in which it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest
from tests.unit.contracts import builders as b

from kanta_gateway.contracts.case import Case, Entry, units
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import MAX_VERSION, Outcome, Record

PAIJAT_HAME = Contract.load(
    (b.ROOT / "mappings" / "contracts" / "paijat-hame.yaml").read_text(encoding="utf-8"), "paijat-hame.yaml", b.TYPES
)
AS_OF = date(2022, 12, 31)
ASKED = ("motivaatio.1", "oikea-aikaisuus.1", "elamantilanne.1")
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False},
    "authority_plan": {
        "service": "Tuettu työhönvalmennus", "product_number": 1, "starts_on": "2022-09-05", "ends_on": "2022-11-30",
    },
    "consent": {"kind": "exchange", "given_on": "2022-09-05", "status": "active"},
    "implementation_plan": {"made_on": "2022-09-07", "author": "ohjaaja", "contributors": ["valmentaja"]},
    "meeting": {"date": "2022-10-05", "recorder": "valmentaja"},
    "missed_meeting": {"date": "2022-10-12", "recorder": "valmentaja"},
    "negotiation": {"date": "2022-10-19", "recorder": "ohjaaja"},
    "checklist": {"date": "2022-08-29", "answers": [{"number": one, "answer": one == "motivaatio.1"} for one in ASKED]},
}  # fmt: skip
_rows = count(1)


def entry(type_: str, id_: str = "", **content: Any) -> Entry:
    """One record with the facts that are kept of it."""
    record = Record(type_, id_ or type_, 1, "p1", {**DEFAULTS.get(type_, {}), **content})
    return Entry(b.TYPES[type_], record.id, 1, record.is_cancelled, facts(PAIJAT_HAME, record), next(_rows))


SHARED = (
    entry("staff", "ohjaaja", surname="A", given_names="B", title="sosiaaliohjaaja"),
    entry("staff", "valmentaja", surname="A", given_names="B", title="työhönvalmentaja"),
)
BASE = (entry("client", "p1"), entry("authority_plan"))


def judged(*entries: Entry, base: tuple[Entry, ...] = BASE) -> tuple[Judgement, Case]:
    """The judgement of one client's records."""
    case = Case((*base, *entries), SHARED)
    return judge(PAIJAT_HAME, case, AS_OF, frozenset()), case


def found(judgement: Judgement, one: Entry) -> set[tuple[str, str]]:
    """Rules and texts told on one record."""
    return {(finding.rule, finding.kind) for finding in judgement.findings[one.row]}


@pytest.mark.parametrize(
    ("kind", "content", "expected", "outcome"),
    [
        ("meeting", {}, set(), Outcome.ACCEPTED),
        ("meeting", {"date": "2022-09-05"}, set(), Outcome.ACCEPTED),
        ("meeting", {"date": "2022-11-30"}, set(), Outcome.ACCEPTED),
        ("meeting", {"date": "2022-12-01"}, {("PAI-04", "after-planned-period")}, Outcome.HELD),
        ("meeting", {"date": "2022-09-04"}, {("PAI-10", "before-planned-period")}, Outcome.FLAGGED),
        ("missed_meeting", {"date": "2022-12-01"}, {("PAI-04", "after-planned-period")}, Outcome.HELD),
        ("negotiation", {"date": "2022-12-01"}, {("PAI-04", "after-planned-period")}, Outcome.HELD),
        ("negotiation", {"date": "2022-09-01"}, {("PAI-10", "before-planned-period")}, Outcome.FLAGGED),
        ("meeting", {"date": "2023-01-01"}, {("PAI-04", "date-in-future"), ("PAI-04", "after-planned-period")},
         Outcome.REFUSED),
        ("meeting", {"recorder": "joku"}, {("GEN-04", "recorder-unknown")}, Outcome.HELD),
        ("meeting", {"recorder": "joku", "recorder_name": NAME}, {("GEN-04", "recorder-not-in-staff")},
         Outcome.FLAGGED),
        ("implementation_plan", {}, set(), Outcome.ACCEPTED),
        ("implementation_plan", {"author": "valmentaja", "contributors": []}, set(), Outcome.ACCEPTED),
        ("implementation_plan", {"contributors": []}, {("PAI-05", "plan-without-coach")}, Outcome.FLAGGED),
    ],
)  # fmt: skip
def test_a_record_and_what_is_told_on_it(
    kind: str, content: dict[str, Any], expected: set[tuple[str, str]], outcome: Outcome
) -> None:
    """Each rule on the day or value on which it begins to hold, and beside it."""
    one = entry(kind, **content)
    judgement, _ = judged(one)

    assert found(judgement, one) == expected
    assert judgement.outcomes[one.row] == outcome


@pytest.mark.parametrize(
    ("base", "extra", "expected"),
    [
        ((BASE[1],), {}, ("PAI-04", "client-unknown")),
        ((entry("client", "p1", non_disclosure=None), BASE[1]), {}, ("SRC-NON-DISCLOSURE", "non-disclosure-unknown")),
        (BASE, {"contract_known": False}, ("LAP-18", "contract-unknown")),
    ],
)
def test_what_every_record_needs(base: tuple[Entry, ...], extra: dict[str, Any], expected: tuple[str, str]) -> None:
    """Without client, turvakielto or contract nothing becomes a document."""
    one = entry("meeting")
    one = replace(one, facts={**one.facts, **extra})
    judgement, _ = judged(one, base=base)

    assert found(judgement, one) == {expected}
    assert judgement.outcomes[one.row] in {Outcome.HELD, Outcome.REFUSED}


@pytest.mark.parametrize(
    ("consent", "limit"),
    [
        ({}, None),
        ({"withdrawn_on": "2022-10-05"}, "2022-10-05"),
        ({"withdrawn_at": "2022-10-05T09:00:00+03:00"}, "2022-10-05"),
        ({"status": "withdrawn", "given_on": "2022-10-05"}, "2022-10-05"),
        ({"withdrawn_on": "2022-10-06"}, None),
        ({"withdrawn_on": "2022-10-05", "kind": "disclosure"}, None),
    ],
)
def test_what_stands_on_or_after_the_withdrawal_is_flagged(consent: dict[str, Any], limit: str | None) -> None:
    """The day of withdrawal counts; the day before does not; only the consent to exchange matters (PAI-02)."""
    one, given = entry("meeting"), entry("consent", **consent)
    judgement, _ = judged(one, given)

    assert found(judgement, one) == ({("PAI-02", "after-withdrawal")} if limit else set())
    told = consent.keys() & {"withdrawn_on", "withdrawn_at"} or consent.get("status") == "withdrawn"
    assert found(judgement, given) == ({("PAI-02", "consent-withdrawn")} if told else set())
    assert judgement.outcomes[given.row] == Outcome.REFERENCE


def test_a_consent_given_anew_ends_the_flags() -> None:
    """What comes after a new consent is exchanged with the client's will again."""
    before, after = entry("meeting", date="2022-10-10"), entry("meeting", "m2", date="2022-10-12")
    consents = (entry("consent", withdrawn_on="2022-10-10"), entry("consent", "new", given_on="2022-10-12"))
    judgement, _ = judged(before, after, *consents)

    assert found(judgement, before) == {("PAI-02", "after-withdrawal")}
    assert found(judgement, after) == set()


def test_another_consent_does_not_take_the_place_of_the_withdrawn_one() -> None:
    """What was given before the withdrawal is another consent; only one that is given after it counts anew (PAI-02)."""
    one = entry("meeting", date="2022-10-12")
    consents = (entry("consent", withdrawn_on="2022-10-10"), entry("consent", "other", given_on="2022-09-06"))
    judgement, _ = judged(one, *consents)

    assert found(judgement, one) == {("PAI-02", "after-withdrawal")}


def test_a_client_without_the_authoritys_plan_waits() -> None:
    """The plan grants the coaching: without it, or with one that names no product, a record waits (PAI-04)."""
    for base in ((BASE[0],), (BASE[0], entry("authority_plan", service="Muu palvelu"))):
        one = entry("meeting")
        judgement, _ = judged(one, base=base)

        assert found(judgement, one) == {("PAI-04", "authority-plan-unknown")}
        assert judgement.outcomes[one.row] == Outcome.HELD


def test_a_renewed_plan_releases_what_waited() -> None:
    """An encounter after the first plan falls under the renewed one."""
    one = entry("meeting", date="2022-12-02")
    judgement, _ = judged(one, entry("authority_plan", "new", starts_on="2022-12-01", ends_on="2023-02-28"))

    assert judgement.outcomes[one.row] == Outcome.ACCEPTED


def test_figures_count_what_waits_too() -> None:
    """Encounters of any outcome, those outside the period, those after the withdrawal, and the answers yes."""
    records = [
        entry("meeting", "m1"), entry("meeting", "m2", date="2022-12-02"), entry("missed_meeting"),
        entry("consent", withdrawn_on="2022-10-12"), entry("checklist"),
    ]  # fmt: skip
    judgement, case = judged(*records)

    assert {
        "encounters": 3, "cancelled": 1, "after_withdrawal": 2, "outside_period": 1, "yes_answers": 1,
    } == figures(PAIJAT_HAME, case, judgement, AS_OF)  # fmt: skip


def test_a_unit_without_oid_has_that_of_its_name() -> None:
    """A bundle names an organisation; the contract file knows its OID and whose it is; another stays none."""
    listed = {"units": [{"oid": "1.2.3", "name": "Paja", "is_controllers": True}]}
    known = units(listed, [{"id": "Organization/o1", "name": "Paja"}, {"id": "Organization/o2", "name": "Muu"}])

    assert [{"oid": "1.2.3", "name": "Paja", "is_controllers": True, "id": "Organization/o1"}] == list(known)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("disclosure", {"recipient_party": "job_coach"}, set()),
        ("disclosure", {"recipient_party": "project"}, {("PAI-03", "client-data-to-project")}),
        ("disclosure", {}, set()),
        ("coach_fee", {"part": "start", "invoiced_on": "2022-11-01"}, {("PAI-08", "fee-without-condition")}),
        ("coach_fee", {"part": "start", "invoiced_on": "2022-11-01", "condition_met_on": "2022-10-01"}, set()),
        ("coach_fee", {"part": "result", "amount": 1}, set()),
    ],
)  # fmt: skip
def test_what_few_sources_record(kind: str, content: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Data to the project and the coach's fee: told where a record tells of them."""
    one = entry(kind, date="2022-10-05", recorder="valmentaja", **content) if kind == "disclosure" else entry(
        kind, **content
    )  # fmt: skip
    judgement, _ = judged(one)

    assert expected == found(judgement, one)


def test_fee_of_the_coach_is_added_up() -> None:
    """Parts whose condition was met; a case that tells of no fee has no such figure."""
    parts = [
        entry("coach_fee", str(place), part=part, condition_met_on=met, invoiced_on="2022-11-01", amount=amount)
        for place, (part, met, amount) in enumerate(
            [("start", "2022-09-05", 100), ("guidance", "2022-10-31", 250.5), ("result", None, 900)]
        )
    ]
    told, case = judged(*parts)
    silent, other = judged()

    assert figures(PAIJAT_HAME, case, told, AS_OF)["coach_fee"] == 350.5
    assert "coach_fee" not in figures(PAIJAT_HAME, other, silent, AS_OF)


def test_who_took_part_is_known_by_person_or_by_role() -> None:
    """A contributor who is named as a person has the title of the person's role (PAI-05)."""
    shared = (
        entry("staff", "ohjaaja", surname="A", given_names="B", title="sosiaaliohjaaja"),
        entry("staff", "henkilo", surname="A", given_names="C"),
        entry("staff", "rooli", surname="A", given_names="C", title="Työhönvalmentaja", person="henkilo"),
    )
    one = entry("implementation_plan", contributors=["henkilo"])
    case = Case((*BASE, one), shared)

    assert found(judge(PAIJAT_HAME, case, AS_OF, frozenset()), one) == set()


UNITS = (
    entry(
        "provider",
        "p",
        oid="1.2",
        name="ValmennusLehto Oy",
        units=[
            {"oid": "1.2.3", "name": "ValmennusLehto Oy"},
            {"oid": "1.2.4", "name": "Paja", "is_controllers": True},
        ],
    ),
    entry("unit", "valmennus", name="ValmennusLehto Oy"),
    entry("unit", "paja", name="Paja"),
)


@pytest.mark.parametrize(
    ("stated", "content", "expected"),
    [
        (True, {"producer": "valmennus"}, set()),
        (False, {"producer": "valmennus"}, {("PAI-09", "not-given-on-behalf")}),
        (False, {"producer": "paja"}, set()),
        (False, {"recorder": "valmentaja"}, {("PAI-09", "not-given-on-behalf")}),
        (False, {"recorder": "ohjaaja"}, set()),
        (False, {"producer": "joku muu"}, {("PAI-09", "not-given-on-behalf")}),
    ],
)
def test_the_coachs_records_are_the_countys_only_where_the_contract_says_so(
    stated: bool,  # noqa: FBT001
    content: dict[str, Any],
    expected: set[tuple[str, str]],
) -> None:
    """Without the statement only what the controller's own units record is taken (PAI-09)."""
    text = (b.ROOT / "mappings" / "contracts" / "paijat-hame.yaml").read_text(encoding="utf-8")
    assert text.count("stated: true") == 1
    contract = Contract.load(
        text.replace("stated: true", f"stated: {str(stated).lower()}"), "paijat-hame.yaml", b.TYPES
    )
    shared = (
        entry("staff", "ohjaaja", surname="A", given_names="B", organisation="paja"),
        entry("staff", "valmentaja", surname="A", given_names="B", organisation="valmennus"),
        *UNITS,
    )
    one = entry("meeting", **content)
    judgement = judge(contract, Case((*BASE, one), shared), AS_OF, frozenset())

    assert {(rule, kind) for rule, kind in found(judgement, one) if rule == "PAI-09"} == expected
    assert (judgement.outcomes[one.row] is Outcome.REFUSED) is bool(expected)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["motivaatio.1", "oikea-aikaisuus.3", "elamantilanne.2"], set()),
        (["motivaatio.1", "oikea-aikaisuus.3"], {("PAI-07", "checklist-incomplete")}),
        ([], {("PAI-07", "checklist-incomplete")}),
    ],
)
def test_a_checklist_has_an_answer_in_each_group(numbers: list[str], expected: set[tuple[str, str]]) -> None:
    """A question without an answer answers nothing; no and yes count alike (PAI-07)."""
    answers = [{"number": one, "answer": False} for one in numbers] + [{"number": "elamantilanne.9"}]
    one, beside = entry("checklist", answers=answers), entry("meeting")
    judgement, _ = judged(one, beside)

    assert found(judgement, one) == expected
    assert found(judgement, beside) == set()
    assert judgement.outcomes[one.row] == Outcome.REFERENCE


@pytest.mark.parametrize(
    ("content", "ended", "expected"),
    [
        ({}, None, set()),
        ({"paused_from": "2022-10-01", "paused_to": "2022-10-31"}, None, set()),
        ({"paused_from": "2022-10-01", "paused_to": "2022-11-01", "ends_on": "2022-10-31"}, None,
         {("PAI-06", "pause-too-long")}),
        ({"paused_from": "2022-10-01", "paused_to": "2022-11-01", "ends_on": "2022-12-31"}, None,
         {("PAI-06", "pause-without-end")}),
        ({"paused_from": "2022-10-01"}, None, {("PAI-06", "pause-without-end")}),
        ({"paused_from": "2022-10-01"}, "2022-11-01", set()),
        ({"paused_from": "2022-10-01"}, "2022-11-02", {("PAI-06", "pause-without-end")}),
        ({"paused_from": "2022-10-01"}, "2022-09-15", {("PAI-06", "pause-without-end")}),
        ({"paused_from": "2022-12-10"}, None, set()),
    ],
)  # fmt: skip
def test_work_activity_pauses_for_a_trial_for_a_month(
    content: dict[str, Any], ended: str | None, expected: set[tuple[str, str]]
) -> None:
    """After a month it goes on, or its end is recorded; a pause that is not over yet is not judged (PAI-06)."""
    trial = entry("work_trial", starts_on="2022-10-01", **content)
    judgement, _ = judged(trial, *([entry("service_end", date=ended, recorder="ohjaaja")] if ended else []))

    assert found(judgement, trial) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"made_on": "2022-09-05"}, set()),
        ({"made_on": "2022-09-06"}, {("PAI-04", "plan-made-late")}),
        ({"made_on": "2022-09-06", "names_coaching": True, "coaching_starts_on": "2022-09-12",
          "coaching_ends_on": "2022-11-30"}, set()),
        ({"names_coaching": False}, {("PAI-04", "plan-without-coaching")}),
        ({"names_coaching": True, "coaching_starts_on": "2022-09-12"}, {("PAI-04", "plan-without-coaching-dates")}),
        ({"names_work_trial": False}, {("PAI-04", "plan-without-trial")}),
        ({"names_work_trial": True}, set()),
    ],
)  # fmt: skip
def test_the_authoritys_plan_comes_first_and_names_what_is_done(
    content: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    """Judged only of what the plan has fields for, and told on the plan (PAI-04)."""
    own = entry("authority_plan", **content)
    trial = entry("work_trial", starts_on="2022-10-01")
    judgement, _ = judged(trial, base=(BASE[0], own))

    assert found(judgement, own) == expected
    assert judgement.outcomes[own.row] == Outcome.REFERENCE


def test_a_trial_outside_the_plan_is_not_asked_of_it() -> None:
    """A plan names the trials of its own days."""
    own = entry("authority_plan", names_work_trial=False)
    judgement, _ = judged(entry("work_trial", starts_on="2023-01-01"), base=(BASE[0], own))

    assert found(judgement, own) == set()


@pytest.mark.parametrize(
    ("start", "expected"),
    [("2022-12-01", set()), ("2022-09-05", {("PAI-10", "before-planned-period")})],
)
def test_a_replaced_plan_holds_for_the_days_before(start: str, expected: set[tuple[str, str]]) -> None:
    """A plan that replaces one of another id leaves the days before it granted; a corrected one does not."""
    first = replace(entry("authority_plan", "plan", starts_on="2022-09-01"), version=1)
    newer = entry("authority_plan", "plan", starts_on=start, ends_on="2023-02-28")
    newer = replace(newer, version=MAX_VERSION + 1 if start > "2022-11" else 2)
    one = entry("meeting", date="2022-09-02")
    judgement, _ = judged(one, base=(BASE[0], first, newer))

    assert found(judgement, one) == expected


def test_a_replaced_plan_that_was_cancelled_holds_for_nothing() -> None:
    """What was never right granted no day."""
    first = replace(entry("authority_plan", "plan", starts_on="2022-09-01"), is_cancelled=True)
    newer = replace(entry("authority_plan", "plan", starts_on="2022-12-01", ends_on="2023-02-28"),
                    version=MAX_VERSION + 1)  # fmt: skip
    one = entry("meeting", date="2022-09-02")
    judgement, _ = judged(one, base=(BASE[0], first, newer))

    assert found(judgement, one) == {("PAI-10", "before-planned-period")}
