"""Disclosure notices (luovutusilmoitus): each disclosure to others is told to the national log register, once."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import delete, update
from tests.acceptance.test_every_kind import CALLER
from tests.acceptance.test_notices import DAY, OFFICIAL, ORGANISER, Office
from tests.small_export import PROVIDER, identity_code

from kanta_gateway import knowledge
from kanta_gateway.errors import ConflictError, MisconfiguredError
from kanta_gateway.model import Event, Oid, Sha256Hex
from kanta_gateway.pipeline.reporting import Reporter
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.tables import disclosure
from kanta_gateway.transfer.client import HttpArchiveClient, LogRegister
from kanta_gateway.transfer.frame import load_profile
from kanta_gateway.transfer.receipts import Answer
from kanta_gateway.transfer.reports import Reports
from kanta_gateway.transfer.simulator.checks import Checker
from kanta_gateway.transfer.simulator.faults import Faults
from kanta_gateway.transfer.simulator.server import Archive
from kanta_gateway.transfer.simulator.shelf import Shelf

FILE = knowledge.text("mappings/disclosures.yaml")
WORKER = replace(CALLER, role="operator", person_id="worker", person_name="Worker")


class Scene(Office):
    """An installation with a notice that somebody may fetch, and a register that tells what it keeps."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shelf = Shelf(None)
        self.local = self.gateway.actor(None, None, None)
        self.absence()
        self.at(DAY + timedelta(days=30))

    @contextmanager
    def register(self, *faults: str, timeout_seconds: float = 5.0) -> Iterator[Reporter]:
        """A simulated register, and what sends to it."""
        checker = Checker(load_profile(knowledge.text("schemas/frame.yaml")), {})
        app = Archive(checker, self.shelf, Faults.parse(faults)).app()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            client = HttpArchiveClient(url, timeout_seconds=timeout_seconds)
            try:
                yield Reporter(self.gateway.parts, client, WORKER, 60.0)
            finally:
                client.close()
                server.should_exit = True
                thread.join(10)

    def tell_payer(self) -> str:
        """Hand the notice of an absence to the payer of the benefit, once more; id of the disclosure notice."""
        self.hand_over(self.listed()[0]["id"])
        return str(self.entries(Event.NOTICE_DISCLOSE)[-1]["details"]["report"])

    def row(self, id_: str) -> dict[str, Any]:
        """One disclosure notice as it is listed."""
        found = self.gateway.disclosures.listed(self.local, None, 0, 1000)["disclosures"]
        return next(one for one in found if one["id"] == id_)

    def kept(self, id_: str) -> dict[str, Any]:
        """One disclosure notice as the register has it."""
        return next(one for one in self.shelf.notices() if one["id"] == f"urn:uuid:{id_}")

    def later(self) -> None:
        """Long enough for any waiting time."""
        moment = self.gateway.parts.now() + timedelta(days=1)
        self.at(moment)

    def unmatched(self) -> list[str]:
        """What log and tables do not tell alike."""
        found = self.gateway.trail.verify(reconcile=True)["unmatched"]
        return [f"{one['table']}: {one['what']}" if "what" in one else str(one) for one in found]


class Dying:
    """A connection whose process ends between the sending and the answer."""

    def __init__(self, register: LogRegister) -> None:
        self._register = register

    def report(self, content: bytes, notice_id: Oid, digest: Sha256Hex) -> Answer:
        """Send, and die."""
        self._register.report(content, notice_id, digest)
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One installation for all facts below; log and tables tell the same afterwards."""
    one = Scene(tmp_path_factory.mktemp("disclosures"))
    yield one
    unmatched = one.unmatched()
    one.gateway.close()
    assert [] == unmatched


def test_a_disclosure_to_the_payer_is_told_with_everything_the_law_asks_for(scene: Scene) -> None:
    """LOG-07, LOG-03: what the payer gets is told to the national log register: what, whose, by whom, to whom, when,
    why and on which provision; as FHIR that holds, signed, about one person. [LOG-03, LOG-07]
    """
    id_ = scene.tell_payer()
    entry = scene.entries(Event.NOTICE_DISCLOSE)[-1]
    with scene.register() as reporter:
        reporter.drain()
    kept = orjson.loads(scene.kept(id_)["content"])
    event, proof = (one["resource"] for one in kept["entry"])

    Bundle.model_validate(kept)
    assert "kept" == scene.row(id_)["state"]
    assert ["urn:fi:laki:48/2026#45.1.1"] == event["agent"][0]["policy"]
    who = [one["who"].get("identifier", {}).get("value", one["who"].get("display")) for one in event["agent"]]
    assert [f"urn:oid:{PROVIDER}", "kela", f"urn:oid:{ORGANISER}", CALLER.person_id] == who
    assert CALLER.person_name == event["agent"][3]["name"]
    assert (entry["at"], "unemployment benefit") == (event["recorded"], event["purposeOfEvent"][0]["text"])
    assert "absence-to-payer" == event["entity"][0]["description"]
    assert identity_code(1) == event["entity"][1]["what"]["identifier"]["value"]
    assert [{"reference": kept["entry"][0]["fullUrl"]}] == proof["target"]


def test_a_log_says_who_controls_it(scene: Scene) -> None:
    """LOG-08, LOG-01: an entry names its register and who controls the log: the organiser whose register it is, and for
    a disclosure the keeper of the national log register together with it. [LOG-01, LOG-08]
    """
    scene.tell_payer()
    used, disclosed = scene.entries(Event.RECORD_SUBMIT)[-1], scene.entries(Event.NOTICE_DISCLOSE)[-1]

    assert ("1", [ORGANISER]) == (used["register"], used["log_controllers"])
    assert ("1", [ORGANISER, "Kela"]) == (disclosed["register"], disclosed["log_controllers"])


def test_use_inside_one_controller_is_kept_in_our_own_log(scene: Scene) -> None:
    """CTL-09: what the organiser's own official fetches from its producer is use of the controller's own register: a
    disclosure-shaped entry says so and stays in our own log. [CTL-09, LOG-07]
    """
    scene.incident()
    before = scene.gateway.overview.status()["disclosures"]
    scene.hand_over(scene.listed("incident-to-purchaser")[0]["id"], OFFICIAL, "purchaser")
    entry = scene.entries(Event.NOTICE_DISCLOSE)[-1]

    assert ("disclosure", "own-controller") == (entry["log"], entry["details"]["own_log"])
    assert before == scene.gateway.overview.status()["disclosures"]


def test_which_disclosures_are_told_is_a_file() -> None:
    """An installation that must tell of its own controller's notices too says so in a file, not in the program."""
    own = "to_controller: true\n    report: "
    stated = Reports.load(FILE.replace(f"{own}false", f"{own}true"))

    assert stated.decide("notice:disclose", to_controller=True).is_reported
    assert not Reports.load(FILE).decide("notice:disclose", to_controller=True).is_reported
    with pytest.raises(MisconfiguredError) as told:
        Reports.load(FILE.replace("  - id: others ", "  - id: others\n    event: document:send "))
    assert "last row" in str(told.value.mistakes)
    with pytest.raises(MisconfiguredError) as told:
        Reports.load(FILE.replace("  signature:", "  signatures:"))
    assert "signature" in str(told.value.mistakes)


def test_faults_of_the_register(scene: Scene) -> None:
    """Whatever the register does, a notice is never lost, is kept once, and its receipt names it. [LOG-07]"""
    ids: dict[str, str] = {}
    for fault in ("down", "error-5xx", "lossy", "wrong", "other", "double", "slow"):
        ids[fault] = scene.tell_payer()
        with scene.register(fault) as reporter:
            reporter.step(64)
        state = "kept" if fault in {"double", "slow"} else "queued"
        assert (fault, state) == (fault, scene.row(ids[fault])["state"])
    scene.later()
    with scene.register() as reporter:
        reporter.drain()
    sent = scene.entries(Event.DISCLOSURE_SEND)
    receipts = {one["subject"]: one["details"]["sha256"] for one in scene.entries(Event.DISCLOSURE_ARCHIVE)}

    assert {"kept"} == {scene.row(id_)["state"] for id_ in ids.values()}
    for id_ in ids.values():
        digests = {one["details"]["sha256"] for one in sent if one["subject"] == id_}
        assert {scene.kept(id_)["digest"]} == digests == {receipts[id_]}


def test_a_worker_that_dies_after_sending_sends_the_same_bytes_again(scene: Scene) -> None:
    """A worker that dies before it reads the answer leaves the notice queued; the next one sends the same bytes."""
    id_ = scene.tell_payer()
    with scene.register() as reporter:
        register = reporter._register
        reporter._register = Dying(register)
        with pytest.raises(KeyboardInterrupt):
            reporter.drain()
        reporter._register = register
        reporter.drain()
        assert "queued" == scene.row(id_)["state"], "the dead worker's lease still holds"
        scene.later()
        reporter.drain()

    assert ("kept", 2) == (scene.row(id_)["state"], scene.kept(id_)["received"])


def test_a_refused_notice_waits_for_somebody(scene: Scene) -> None:
    """A final no is shown and kept in the log; somebody has the notice made and sent again once the cause is gone."""
    id_, form = scene.tell_payer(), scene.gateway.parts.reports
    with scene.register() as reporter:
        object.__setattr__(scene.gateway.parts, "reports", replace(form, client_register=""))
        reporter.drain()
        told = scene.row(id_)
        object.__setattr__(scene.gateway.parts, "reports", form)
        scene.gateway.disclosures.retry(scene.local, id_)
        reporter.drain()
        with pytest.raises(ConflictError, match="refused"):
            scene.gateway.disclosures.retry(scene.local, id_)

    assert ("refused", ["invalid"], "kept") == (told["state"], told["problem"]["codes"], scene.row(id_)["state"])
    assert not any(word in json.dumps(told) for word in ("Rautiola", identity_code(1)))


def test_the_content_goes_after_the_grace_period_and_what_changed_is_seen(tmp_path: Path) -> None:
    """LOG-07: a notice's content is destroyed once the register has had it for the grace period, and its receipt stays;
    a notice that somebody removed or changed past the gateway is named by reconciliation. [LOG-07]
    """
    one = Scene(tmp_path)
    one.tell_payer()
    with one.register() as reporter:
        reporter.drain()
    one.at(DAY + timedelta(days=90))
    destroyed = [destroy_spent(one.gateway.parts, WORKER, 30)["disclosures"] for _ in range(2)]
    whole = one.unmatched()
    with one.gateway.parts.database.transaction() as tx:
        tx.execute(update(disclosure).values(receipt="{}", state="queued"))
    changed = one.unmatched()
    with one.gateway.parts.database.transaction() as tx:
        tx.execute(delete(disclosure))
    removed = one.unmatched()
    one.gateway.close()

    assert ([1, 0], []) == (destroyed, whole)
    assert (1, 4) == (len(changed), len(removed))
