"""A change of policy, contract or threshold: two persons, a preview, entries; production uses nothing else."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.installations import SAMPLE, installation
from typer.testing import CliRunner

from kanta_gateway import changing, content, knowledge
from kanta_gateway.access import changes as store
from kanta_gateway.app import build
from kanta_gateway.audit import report
from kanta_gateway.cli import app
from kanta_gateway.errors import (
    ConflictError,
    GatewayError,
    MisconfiguredError,
    NotPermittedError,
    ParameterError,
    UntrustedError,
)
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.operating.account import account
from kanta_gateway.pipeline.approved import code_of
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.settings import Settings
from kanta_gateway.tables import change, content_use
from kanta_gateway.web import service_of

ANNA = ("--as", "A-1", "--name", "Anna Yksi", "--purpose", "administration")
BERT = ("--as", "B-2", "--name", "Bert Kaksi", "--purpose", "administration")
REASON = "The purchaser's letter of 3 March asks for it"
FORBID = '@id("LOCAL-1")\nforbid (principal, action, resource)\nwhen { context.role == "purchaser-it" };\n'
NARROW = '@id("LOCAL-2")\nforbid (principal, action, resource)\nwhen { context.event == "document:export" };\n'


class Desk:
    """One data folder with an own folder of knowledge, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.own = folder / "data", folder / "own"
        self.contracts = self.own / "mappings" / "contracts"
        self.policy = self.data / "policy"
        for one in (self.contracts, self.policy):
            one.mkdir(parents=True, exist_ok=True)

    def settings(self, environment: str = "development", **more: Any) -> Settings:
        """Settings that name the own folder."""
        return Settings(
            data=self.data, environment=environment, signing_algorithm="p-256", lang="en", knowledge=str(self.own),
            **more,
        )  # fmt: skip

    def run(self, *words: str, **variables: str) -> Any:
        """One command in this process; what it says as JSON."""
        environment = {"KANTA_KNOWLEDGE": str(self.own), "KANTA_SIGNING_ALGORITHM": "p-256", "KANTA_LANG": "en"}
        told = CliRunner().invoke(
            app, ["--data", str(self.data), *words, "--json"], env={**environment, **variables}, catch_exceptions=True
        )
        if isinstance(told.exception, GatewayError):
            raise told.exception
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    @cached_property
    def approved(self) -> Gateway:
        """The installation on the content that was approved when it was first asked."""
        return changing.approved_gateway(self.settings())

    def caller(self, who: Sequence[str]) -> Caller:
        """Who acts by a local command."""
        return replace(self.approved.actor(who[1], who[3], who[5]), account=f"login {who[1]}")

    def propose(self, *, at_once: bool = False, reason: str = REASON, **settings: Any) -> dict[str, Any]:
        """Propose what is in place, as Anna."""
        return changing.propose(
            self.approved, self.caller(ANNA), self.settings(**settings), None, reason, is_at_once=at_once
        )

    def approve(self, number: int, who: Sequence[str] = BERT) -> dict[str, Any]:
        """Approve a change."""
        return self.approved.changes.approve(self.caller(who), number)

    def gateway(self) -> Gateway:
        """The installation outside production."""
        return build(self.settings())

    def close(self) -> None:
        """Give connections back."""
        if "approved" in vars(self):
            self.approved.close()

    def lacking(self, **more: Any) -> tuple[str, ...]:
        """What the start in production refuses; nothing when it starts as far as content goes."""
        try:
            build(self.settings("production", **more))
        except MisconfiguredError as error:
            return tuple(one for one in error.mistakes if "approve" in one)
        return ()

    def entries(self, *events: Event) -> list[dict[str, Any]]:
        """Entries about changes."""
        gateway = self.approved
        with gateway.parts.database.reading() as tx:
            return report.entries(tx, gateway.parts.log.seals, report.Filter(events=frozenset(events)))


@pytest.fixture
def desk(tmp_path: Path, made: Path) -> Iterator[Desk]:
    """A data folder whose keys are there."""
    shutil.copytree(made, tmp_path / "data")
    one = Desk(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that is as new as on its first day."""
    folder = tmp_path_factory.mktemp("new") / "data"
    installation(folder).close()
    return folder


def contract(old: str = "", new: str = "") -> str:
    """The shipped contract of Lapha, with a change."""
    text = knowledge.text("mappings/contracts/lapha.yaml")
    assert old in text
    return text.replace(old, new, 1)


def test_two_persons_change_a_policy(desk: Desk) -> None:
    """A policy that one person proposes and another approves is used; whoever proposed it cannot approve it, under
    the same identifier or the same name, and the attempt is an entry that tells who tried what and why not. [LOG-13]
    """
    (desk.policy / "own.cedar").write_text(FORBID)
    before = desk.lacking()
    told = desk.propose()
    for who in (ANNA, ("--as", " a-1", "--name", "Other", "--purpose", "administration"),
                ("--as", "A-9", "--name", "anna  yksi", "--purpose", "administration")):  # fmt: skip
        with pytest.raises(NotPermittedError, match="two persons"):
            desk.approve(told["number"], who)
    waiting = desk.lacking()
    desk.approve(told["number"])
    denied = desk.entries(Event.REQUEST_DENY)

    assert ["policy/own.cedar"] == [one.partition(":")[0] for one in before]
    assert before == waiting
    assert "changes propose" in before[0]
    assert () == desk.lacking()
    assert [Event.CHANGE_APPROVE.value] * 3 == [one["details"]["asked"] for one in denied]
    assert "two-persons" in denied[0]["details"]["reasons"][0]


def test_one_account_is_one_person(desk: Desk, tmp_path: Path) -> None:
    """Two persons with one account of the machine, one identifier or one name are one: the other one approves.

    Linux tells who signed in, also through `sudo`; where nobody did it is the account that the process runs under.
    """
    (desk.policy / "own.cedar").write_text(FORBID)
    told = desk.propose()
    mine = replace(desk.caller(BERT), account=desk.caller(ANNA).account)
    with pytest.raises(NotPermittedError, match="same account of the machine"):
        desk.approved.changes.approve(mine, told["number"])
    far = replace(mine, account="")  # over the API no account of the machine is known
    for same, what in (replace(far, person_id=" a-1"), "identifier"), (replace(far, person_name="anna  YKSI"), "name"):
        with pytest.raises(NotPermittedError, match=f"same {what}"):
            desk.approved.changes.approve(same, told["number"])
    over_http = desk.approved.changes.approve(far, told["number"])
    signed_in, nobody = tmp_path / "signed-in", tmp_path / "nobody"
    signed_in.write_text("1001")
    nobody.write_text("4294967295")

    assert "approved" == over_http["state"]
    assert ["login 1001", *[f"uid {os.getuid()}"] * 2] == [account(one) for one in (signed_in, nobody, tmp_path / "-")]


def test_the_whole_way_by_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Propose, list, show, approve, write and reject are commands; each says what comes next."""
    (desk.policy / "own.cedar").write_text(FORBID)
    told = desk.run("changes", "propose", "--reason", REASON, "--set", "KANTA_GRACE_DAYS=20", *ANNA)
    shown = desk.run("changes", "show", "1", *BERT)
    monkeypatch.setattr("kanta_gateway.gateway.account", lambda: "login 2")  # Bert's
    approved = desk.run("changes", "approve", "1", *BERT)
    out = desk.data.parent / "out"
    written = desk.run("changes", "write", str(out), *BERT)
    second = desk.run("changes", "propose", "--reason", REASON, "--knowledge", "", *ANNA)
    rejected = desk.run("changes", "reject", "2", *BERT)
    listed = desk.run("changes", "list", *BERT)

    assert ({"policy/own.cedar", "setting/grace_days"}, told["preview"]) == (set(told["pieces"]), shown["preview"])
    assert "start the gateway again" in approved["next"]
    assert (FORBID, "20") == ((out / "policy" / "own.cedar").read_text(), (out / "setting" / "grace_days").read_text())
    assert sorted(told["pieces"]) == sorted(written["written"]) == sorted(listed["approved"])
    assert (["setting/grace_days"], "rejected") == (list(second["pieces"]), rejected["state"])


def test_the_preview_tells_which_decisions_differ(desk: Desk) -> None:
    """The preview of a policy tells which enumerated decisions it takes away, and the entries tell digests, no values.

    A forbid for purchaser-it takes away its reading of figures, for every class of data that its duty may see. [LOG-12]
    """
    (desk.policy / "own.cedar").write_text(FORBID)
    told = desk.propose()
    shown = desk.approved.changes.show(desk.caller(BERT), told["number"])
    entry = desk.entries(Event.CHANGE_PROPOSE)[-1]
    decisions = told["preview"]["decisions"]

    assert 0 == decisions["newly_allowed"]["count"]
    assert {"purchaser-it"} == {one["role"] for one in decisions["newly_denied"]["acts"]}
    assert "figures:read" in {one["event"] for one in decisions["newly_denied"]["acts"]}
    assert decisions["allowed_before"] > decisions["allowed_after"] > 0
    assert (REASON, "Anna Yksi", FORBID) == (
        shown["reason"], shown["proposed_by"]["name"], shown["content"]["policy/own.cedar"]
    )  # fmt: skip
    assert told["sha256"] == entry["details"]["sha256"]
    assert list(told["pieces"]["policy/own.cedar"].values()) == entry["details"]["pieces"]["policy/own.cedar"]
    assert not any(word in json.dumps(entry) for word in (REASON, "forbid", "Anna"))


def test_the_preview_tells_thresholds_and_findings_on_records(desk: Desk) -> None:
    """The preview of a contract tells which numbers differ, and which findings on last year's records come and go."""
    gateway = desk.gateway()
    gateway.deliveries.import_files([SAMPLE], "lapha-json", "lapha", gateway.actor(None, None, None))
    gateway.close()
    text = contract("severity: hold", "severity: refuse")
    (desk.contracts / "lapha.yaml").write_text(text.replace("delivery_months: 24", "delivery_months: 12"))
    told = desk.propose()

    path = "knowledge/mappings/contracts/lapha.yaml"
    assert {path} == set(told["preview"]["thresholds"])
    assert told["preview"]["thresholds"][path]["texts"] >= 1
    assert "contracts" in told["preview"]


def test_a_threshold_among_the_settings_needs_two_persons_too(desk: Desk) -> None:
    """Another grace period than the shipped one is refused in production until another person has approved it."""
    before = desk.lacking(grace_days=90)
    told = desk.propose(grace_days=90)
    desk.approve(told["number"])

    assert ["setting/grace_days"] == [one.partition(":")[0] for one in before]
    assert {"setting/grace_days": {"values": [{"place": "", "before": None, "after": 90}], "texts": 0, "more": 0}} == (
        told["preview"]["thresholds"]
    )
    assert () == desk.lacking(grace_days=90)
    assert ["setting/grace_days"] == [one.partition(":")[0] for one in desk.lacking()]


def test_content_that_differs_by_one_byte_or_is_gone_is_refused(desk: Desk) -> None:
    """What was approved is the content itself: one byte more, or the file gone, and production does not start; the
    approved content can be written out again.
    """
    file = desk.own / "mappings" / "privacy" / "first-names.yaml"
    file.parent.mkdir()
    text = knowledge.text("mappings/privacy/first-names.yaml")
    file.write_text(text)
    desk.approve(desk.propose()["number"])
    file.write_text(text + "\n")
    changed = desk.lacking()
    file.unlink()
    gone = desk.lacking()
    content.write(desk.approved.changes.content(desk.caller(BERT)), desk.data.parent / "out")
    shutil.copy(desk.data.parent / "out" / "knowledge" / "mappings" / "privacy" / file.name, file)

    assert ("not as it was approved" in changed[0], "not in place" in gone[0]) == (True, True)
    assert () == desk.lacking()


def test_outside_production_it_is_said_and_goes_on(desk: Desk) -> None:
    """Outside production unapproved content is used, `check` names it, and the log tells what is used from now on."""
    (desk.policy / "own.cedar").write_text(FORBID)
    gateway = desk.gateway()
    checked = gateway.checkup.lacking()
    gateway.close()
    used = desk.entries(Event.CHANGE_USE)

    assert ["policy/own.cedar"] == [one.partition(":")[0] for one in checked["unapproved"]]
    assert checked["production_would_refuse"]
    assert [["policy/own.cedar"]] == [one["details"]["unapproved"] for one in used]


def test_narrowing_takes_effect_at_once_and_is_reviewed(desk: Desk) -> None:
    """One person may add a policy at once, since it only forbids; another person reviews it by a day, and who narrowed
    cannot review it. What may allow more does not take effect at once.
    """
    (desk.policy / "stop.cedar").write_text(NARROW)
    told = desk.propose(at_once=True)
    in_force = desk.lacking()
    with pytest.raises(NotPermittedError, match="two persons"):
        desk.approved.changes.reject(desk.caller(ANNA), told["number"])
    (desk.policy / "stop.cedar").write_text(FORBID.replace("LOCAL-1", "LOCAL-2"))
    with pytest.raises(ParameterError, match="at once"):
        desk.propose(at_once=True)
    (desk.policy / "stop.cedar").write_text(NARROW)
    (desk.policy / "rows.yaml").write_text("enabled: [D3]\n")
    with pytest.raises(ParameterError, match=r"rows\.yaml"):
        desk.propose(at_once=True)
    (desk.policy / "rows.yaml").unlink()
    confirmed = desk.approve(told["number"])

    assert ("narrowed", ()) == (told["state"], in_force)
    assert told["review_by"] > told["proposed_at"][:10]
    assert "approved" == confirmed["state"]
    assert [Event.CHANGE_NARROW.value] == [one["event"] for one in desk.entries(Event.CHANGE_NARROW)]


def test_a_review_that_nobody_made_is_told(desk: Desk) -> None:
    """After its day `check` tells which narrowing nobody reviewed; it stays in force, since it only takes away."""
    (desk.policy / "stop.cedar").write_text(NARROW)
    desk.propose(at_once=True)
    gateway = desk.gateway()
    now = gateway.parts.now()
    object.__setattr__(gateway.parts, "clock", lambda: now.replace(year=now.year + 1))
    overdue = gateway.checkup.lacking()["reviews_overdue"]
    gateway.close()

    assert ([1], ()) == (overdue, desk.lacking())


def test_what_is_proposed_decides_about_nobody(desk: Desk) -> None:
    """A proposed policy has no say in who may propose or approve it: somebody who gives themselves a right in the files
    in place still has not got it.
    """
    roles = desk.own / "mappings" / "policy"
    roles.mkdir()
    text = knowledge.text("mappings/policy/roles.yaml")
    (roles / "roles.yaml").write_text(text.replace('"change:propose", "change:approve"', '"change:propose"'))
    told = desk.propose()
    number = desk.approve(told["number"])["number"]
    (roles / "roles.yaml").write_text(text)
    desk.approved.close()
    del desk.approved
    again = desk.propose()
    with pytest.raises(NotPermittedError, match="change:approve"):
        desk.approve(again["number"])

    assert (1, 2) == (number, again["number"])


def test_a_change_for_other_content_is_not_approved(desk: Desk) -> None:
    """Of two proposals over the same content only one comes into force; the other has to be proposed again."""
    first, second = desk.propose(grace_days=20), desk.propose(grace_days=40)
    desk.approve(first["number"])
    with pytest.raises(ConflictError, match="propose the change again"):
        desk.approve(second["number"])
    desk.approved.changes.reject(desk.caller(ANNA), second["number"])
    with pytest.raises(ConflictError, match="rejected already"):
        desk.approve(second["number"])

    assert [(1, "approved"), (2, "rejected")] == [
        (one["number"], one["state"]) for one in desk.approved.changes.listed(desk.caller(BERT))["changes"]
    ]


def test_content_of_another_change_is_refused(desk: Desk) -> None:
    """A proposal whose sealed content was replaced by that of another one, which the same key opens, is not shown."""
    first, second = desk.propose(grace_days=20), desk.propose(grace_days=40)
    with desk.approved.parts.database.transaction() as tx:
        sealed = dict(tx.execute(select(change.c.number, change.c.sealed)).all())
        tx.execute(update(change).where(change.c.number == first["number"]).values(sealed=sealed[second["number"]]))
    for act in (desk.approved.changes.show, desk.approved.changes.approve):
        with pytest.raises(UntrustedError, match="other content than was proposed"):
            act(desk.caller(BERT), first["number"])

    assert "40" in str(desk.approved.changes.show(desk.caller(BERT), second["number"])["content"])


def test_a_narrowing_that_another_change_builds_on_stays(desk: Desk) -> None:
    """What was narrowed at once cannot be taken back once a later change of the same piece is approved."""
    (desk.policy / "stop.cedar").write_text(NARROW)
    first = desk.propose(at_once=True)
    parts = desk.approved.parts
    with parts.database.transaction() as tx:
        code = code_of(parts.keyring)
        (one,) = store.every(tx, code)
        pieces = {path: {"before": after, "after": "0" * 64} for path, (_, after) in one.paths.items()}
        later = replace(one, state=store.State.APPROVED, told=json.dumps({"pieces": pieces}), review_by=None)
        store.add(tx, later, code)
    with pytest.raises(ConflictError, match="a later change builds on this one"):
        desk.approved.changes.reject(desk.caller(BERT), first["number"])

    assert "narrowed" == desk.approved.changes.show(desk.caller(BERT), first["number"])["state"]


def test_proposals_that_are_none(desk: Desk) -> None:
    """Nothing that differs, no reason, a reason that tells about a person, and content that does not hold: refused."""
    with pytest.raises(ParameterError, match="nothing differs"):
        desk.propose()
    for reason in ("ok", "Asiakas 010594Y9032 pyysi tätä muutosta"):
        with pytest.raises(ParameterError):
            desk.propose(reason=reason, grace_days=20)
    (desk.policy / "own.cedar").write_text(FORBID.replace("forbid", "permit"))
    with pytest.raises(MisconfiguredError, match="only forbid"):
        desk.propose()


def test_who_writes_the_table_approves_nothing(desk: Desk) -> None:
    """A database administrator who turns a proposal into an approved one is found at the next start, and by
    `audit verify --reconcile`.
    """
    desk.propose(grace_days=20)
    gateway = desk.gateway()
    with gateway.parts.database.transaction() as tx:
        tx.execute(update(change).values(state="approved", decided_at="2026-01-01T00:00:00.000000Z"))
    unmatched = gateway.trail.verify(reconcile=True)["unmatched"]
    gateway.close()
    with pytest.raises(UntrustedError, match="change 1"):
        desk.gateway()

    assert 1 == len(unmatched)


def test_log_and_table_of_changes_tell_the_same(desk: Desk) -> None:
    """Every change and every use of other content has its entry, and every such entry its row."""
    (desk.policy / "stop.cedar").write_text(NARROW)
    desk.propose(at_once=True)
    desk.approve(desk.propose(grace_days=20)["number"])
    gateway = build(desk.settings(grace_days=20))
    whole = gateway.trail.verify(reconcile=True)["unmatched"]
    with gateway.parts.database.transaction() as tx:
        tx.execute(content_use.delete())
        tx.execute(change.delete().where(change.c.number == 1))
    lacking = gateway.trail.verify(reconcile=True)["unmatched"]
    gateway.close()

    assert [] == whole
    assert len(lacking) >= 2


def test_another_person_approves_over_http(desk: Desk) -> None:
    """The controller's own person reads the proposal and approves it under an assertion of their own; a provider's
    system may not even read it.
    """
    (desk.policy / "own.cedar").write_text(FORBID)
    desk.propose()
    gateway = desk.gateway()
    service = service_of(gateway)
    approver = Caller("county", Oid("1.2.246.10.94006007.10.0"), "C-3", "Cecilia Kolme", "approver", "administration")
    shown = service.changes.show(approver, 1)
    with pytest.raises(NotPermittedError):
        service.changes.listed(replace(approver, role="provider-system"))
    approved = service.changes.approve(approver, 1)
    gateway.close()

    assert (FORBID, "approved") == (shown["content"]["policy/own.cedar"], approved["state"])
    assert () == desk.lacking()


def test_what_is_forbidden_is_forbidden(desk: Desk) -> None:
    """A forbid of an installation decides: the operator's export is denied by its id."""
    (desk.policy / "stop.cedar").write_text(NARROW)
    gateway = desk.gateway()
    decision = gateway.office.guard.decide(gateway.actor(None, None, None), Event.DOCUMENT_EXPORT, Thing(None))
    approved = changing.approved_gateway(desk.settings())
    other = approved.office.guard.decide(approved.actor(None, None, None), Event.DOCUMENT_EXPORT, Thing(None))
    gateway.close()
    approved.close()

    assert (False, "LOCAL-2", True) == (decision.allowed, decision.reasons[0], other.allowed)


def test_a_new_installation_has_nothing_to_approve(tmp_path: Path) -> None:
    """What is shipped is approved by being shipped: a new installation tells of no content of its own."""
    gateway = installation(tmp_path / "data")
    checked = gateway.checkup.lacking()
    gateway.close()

    assert ([], []) == (checked["unapproved"], checked["reviews_overdue"])
