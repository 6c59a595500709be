"""A marked value in every field of every input is found nowhere but where it belongs.

Fields are walked, not listed: every value of every source's sample files, and every field of every record type.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import inspect, select
from tests import planting
from tests.acceptance.test_samples import SAMPLES
from tests.calling import Line
from tests.documents_read import displayed
from tests.installations import installation

from kanta_gateway.access.views import ALL
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import GatewayError
from kanta_gateway.model import Caller
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.pipeline.replies import Reply
from kanta_gateway.spool import store
from kanta_gateway.tables import metadata
from kanta_gateway.web import application

TURNS = 3
PROVIDER_OID = "1.2.246.10.94001230.10.0"
MARK = re.compile(r"Zq\d{4}xw", re.IGNORECASE)


class Planted:
    """One installation that was given every sample with marks in it, and everything that it said."""

    def __init__(self, folder: Path, turn: int, **settings: Any) -> None:
        self.turn = turn
        self.fields: dict[str, str] = {}
        """Mark -> source and field."""
        self.said: dict[str, str] = {}
        """Where -> what was said there."""
        self.returned: list[tuple[bytes, bytes]] = []
        self.output = io.StringIO()
        handler = logging.StreamHandler(self.output)
        logging.getLogger().addHandler(handler)
        try:
            with contextlib.redirect_stdout(self.output), contextlib.redirect_stderr(self.output):
                self.gateway = installation(folder / "data", **settings)
                for source, (purchaser, _) in SAMPLES.items():
                    self._deliver(folder / source, source, purchaser)
                self._ask(folder)
        finally:
            logging.getLogger().removeHandler(handler)
        self.said["output"] = self.output.getvalue()

    def _mark(self, source: str, field: str) -> str:
        mark = f"Zq{len(self.fields):04}xw"
        self.fields[mark] = f"{source}:{field}"
        return mark

    def _deliver(self, folder: Path, source: str, purchaser: str) -> None:
        files = [planting.opened(name, content) for name, content in planting.samples(source).items()]
        planting.plant(files, self.turn, TURNS, lambda field: self._mark(source, field))
        folder.mkdir()
        for file in files:
            (folder / file.name).write_bytes(file.data())
        paths = [folder / file.name for file in files]
        caller, where = self.gateway.actor(None, None, None), f"result of {source}"
        try:
            result = self.gateway.deliveries.import_files(paths, source, purchaser, caller)
        except GatewayError as error:
            told = [self.gateway.parts.messages.finding(one, "en") for one in error.findings]
            self.said[where] = f"{error} {told}"
            return
        self.said[where] = b"".join(result.json(ALL)).decode()
        with contextlib.suppress(GatewayError):
            back = self.gateway.deliveries.write_findings(paths, source, result, folder / "back")
            self.returned += [(one.read_bytes(), two.read_bytes()) for one, two in zip(paths, back, strict=True)]

    def _ask(self, folder: Path) -> None:
        """Ask for everything that can be asked for."""
        gateway, caller = self.gateway, self.gateway.actor(None, None, None)
        with gateway.parts.database.reading() as tx:
            tickets = list(tx.execute(select(metadata.tables["record"].c.ticket)).scalars())
            documents = store.listed(tx, limit=100_000)
        due = gateway.overview.due(caller, None, None, None, frozenset(ClockState))
        notices = gateway.notice_board.list(caller, None, "", 1000, "fi")["notices"]
        self.said |= {
            "tickets": "\n".join(json.dumps(gateway.desk.ticket(one, "en").told) for one in tickets),
            "log": "\n".join(line for form in ("jsonl", "csv", "fhir") for line in gateway.trail.export(form, caller)),
            "explanations": "\n".join(str(gateway.documents.explain(one.oid, caller)) for one in documents[::7]),
            "figures": str(
                [gateway.office.figures(caller, None, None, explain=True, national=law) for law in (False, True)]
            ),
            "reconciliation": str(gateway.office.reconciliation(caller, None, None, "fi")),
            "deadlines": f"{due} {list(gateway.overview.board(due))}",
            "notices": str(notices),
            "documents": str(gateway.office.documents(caller, None, "", 1000)),
            "status": str(gateway.overview.status()),
            "persons": str(gateway.people.listed(caller)),
        }
        self.said |= self._made(caller)
        for kind in sorted({recipient for one in notices for recipient in one["recipients"]}):
            gateway.dispatch.export_notices(folder / "notices", caller, kind, ())
        pages = sorted((folder / "notices").glob("*"))
        self.said["pages"] = "\n".join(one.read_text("utf-8") for one in pages)

    def _made(self, caller: Caller) -> dict[str, str]:
        """What is made for auditors, clients and supervisors, in every form; errors of the API and its description."""
        gateway = self.gateway
        clients = sorted(gateway.office.figures(caller, None, None, explain=False)["figures"])[self.turn :: 12]
        replies: list[Reply] = []
        for client in clients:
            for make in (partial(gateway.own_view.receipt, caller, client, "selko"),
                         partial(gateway.own_view.view, caller, client, "sv")):  # fmt: skip
                with contextlib.suppress(GatewayError):  # two providers have a client of this number
                    replies.append(make())
        answers: list[str] = []
        asked = gateway.auditors.answers.listed("fi")["questions"][self.turn :: TURNS]
        for one, form in zip(asked, cycle(("csv", "fhir", "json", "jsonl")), strict=False):
            given = {name: clients[0] if name == "client" else PROVIDER_OID for name, how in one["parameters"].items()
                     if how == "needed"}  # fmt: skip
            with contextlib.suppress(GatewayError):
                answers += gateway.auditors.answers.ask(caller, one["id"], given, form, "fi")
        gateway.auditors.cases.review(caller)
        made = gateway.papers.listed(caller, "fi")["papers"][self.turn :: TURNS]
        papers = [
            gateway.papers.make(caller, one["paper"], one["of"], "fi", form)
            for one, form in zip(made[::2], cycle(("docx", "html", "html")), strict=False)
        ]
        line = Line(gateway)
        self.said["errors"] = "".join(line(one, "GET", "/v1/documents").text for one in list(self.fields)[:9])
        return {
            "replies": "\n".join(f"{one.told} {one.html(gateway.parts)}" for one in replies),
            "questions": "\n".join(answers),
            "papers": "\n".join(words_of(one) for one in papers),
            "cases": f"{gateway.auditors.cases.listed(caller)} {gateway.retention.keeping.listed(caller)}",
            "description": str(application(gateway).openapi()),
        }

    def marks(self, where: str) -> set[str]:
        """Fields whose marks stand in what was said."""
        return {self.fields[_spelt(one)] for one in MARK.findall(self.said[where])}

    def shown(self) -> dict[str, set[str]]:
        """Field -> clients in whose documents its mark stands."""
        found: dict[str, set[str]] = defaultdict(set)
        with self.gateway.parts.database.reading() as tx:
            for one in store.listed(tx, limit=100_000):
                whole = store.get(tx, one.oid)
                assert whole is not None
                if whole.payload is not None:
                    for mark in MARK.findall(displayed(content_of(self.gateway.parts, whole))):
                        found[self.fields[_spelt(mark)]].add(one.client_ref)
        return found

    def columns(self) -> dict[str, set[str]]:
        """Column -> fields whose marks stand in it as the database tells it."""
        found: dict[str, set[str]] = defaultdict(set)
        with self.gateway.parts.database.reading() as tx:
            for name in inspect(tx).get_table_names():
                rows = tx.exec_driver_sql(f'SELECT * FROM "{name}"')  # noqa: S608 — names of our own tables
                keys = list(rows.keys())
                for row in rows:
                    for key, value in zip(keys, row, strict=True):
                        text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                        found[f"{name}.{key}"] |= {self.fields[_spelt(one)] for one in MARK.findall(text)}
        return {column: fields for column, fields in found.items() if fields}

    def in_files(self) -> set[str]:
        """Fields whose marks stand in a file of the data folder, searched as bytes: database, WAL and all."""
        found: set[str] = set()
        for path in Path(self.gateway.settings.data).rglob("*"):
            if path.is_file():
                found |= set(MARK.findall(path.read_bytes().decode("latin-1")))
        return {self.fields[_spelt(one)] for one in found}

    def identifiers(self) -> set[str]:
        """Fields by which records are named: their marks stand in names of records and of delivered rows."""
        found = self.columns()
        return found.get("record.record_id", set()) | found.get("delivered.label", set())

    def agreed(self) -> set[str]:
        """Fields about organisations and their contracts."""
        return self.columns().get("party_statement.body", set())


def words_of(paper: bytes) -> str:
    """The text of a page, or of each part of a Word document."""
    if paper[:2] != b"PK":
        return paper.decode()
    with ZipFile(io.BytesIO(paper)) as parts:
        return "\n".join(parts.read(one).decode("latin-1") for one in parts.namelist())


def _spelt(mark: str) -> str:
    return mark.capitalize()


@pytest.fixture(scope="module", params=range(TURNS))
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """Everything delivered and asked for once."""
    one = Planted(tmp_path_factory.mktemp("everywhere"), request.param)
    yield one
    one.gateway.close()


NAMES = frozenset({
    "etunimet", "sukunimi", "nimi", "tehtavanimike", "name", "surname", "given_names", "Nimi", "Etunimet", "Sukunimi",
    "2",  # of a month's sheet, which ends with who has recorded it
})  # fmt: skip
"""Last word of fields that hold a name: of the client, of who records (with the title), of provider and unit."""
PLAIN = {
    "record.record_id": "names of records, by which they are delivered again",
    "delivered.label": "the same, as the file says it",
    "party_statement.body": "names of organisations and numbers of contracts",
    "delivery.header": "the name of the delivering system",
    "delivery.findings": "numbers of contracts that were taken from a delivery",
    "audit_entry.body": "the same, as who registered them",
    "notice.items": "names of records that a notice tells of",
}
"""Columns that hold something as it was delivered, and what it may be."""


def is_name(field: str) -> bool:
    """Whether a field holds a name."""
    return field.rpartition(".")[2] in NAMES


def test_fields_were_planted(planted: Planted) -> None:
    """Hundreds of fields have their mark, and where texts were planted, documents show some of them."""
    assert len(planted.fields) > 100
    assert planted.shown() or planted.turn == TURNS - 1


def test_a_document_is_of_one_client(planted: Planted) -> None:
    """What was written about one client stands in no document of another; names of staff and organisations may."""
    assert {field for field, clients in planted.shown().items() if len(clients) > 1 and not is_name(field)} == set()


@pytest.mark.parametrize("where", [
    *(f"result of {source}" for source in SAMPLES), "tickets", "log", "explanations", "figures", "reconciliation",
    "deadlines", "notices", "documents", "status", "persons", "output", "questions", "cases", "description", "errors",
])  # fmt: skip
def test_nothing_is_repeated(planted: Planted, where: str) -> None:
    """No answer, finding, entry, figure, list or line of output holds a planted value; records keep their names."""
    assert planted.marks(where) - planted.identifiers() - planted.agreed() == set()


def test_the_log_names_no_record(planted: Planted) -> None:
    """Not even names of records stand in the log, whatever its form; numbers of contracts do. [LOG-14]"""
    assert planted.marks("log") - planted.agreed() == set()


def test_pages_tell_names_only(planted: Planted) -> None:
    """A notice tells whom it is about and who gives it, a receipt who wrote; no other planted text.

    Papers tell of organisations and contracts.
    """
    told = planted.marks("pages") | planted.marks("replies") | planted.marks("papers")

    assert {field for field in told if not is_name(field)} - planted.identifiers() - planted.agreed() == set()
    assert {field for field in planted.marks("papers") if field not in planted.agreed()} == set()


def test_everything_says_something(planted: Planted) -> None:
    """What is searched is there: no output is empty, so that none is found clean for holding nothing."""
    results = {f"result of {source}" for source in SAMPLES}

    assert {where for where, said in planted.said.items() if len(said) < 100} - results <= {"output", "persons"}


def test_returned_files_hold_what_was_in_them(planted: Planted) -> None:
    """The column of findings adds no value of the file to the file."""
    added = [MARK.findall(back.decode("latin-1")) for given, back in planted.returned if given[:2] != b"PK"]
    had = [MARK.findall(given.decode("latin-1")) for given, _ in planted.returned if given[:2] != b"PK"]

    assert had == added


def test_the_database_holds_nothing_readable(planted: Planted) -> None:
    """In columns and as bytes of every file there are names of records and organisations, and nothing of a client."""
    found = planted.columns()

    assert found.keys() - PLAIN.keys() == set()
    assert planted.in_files() <= set().union(*found.values())
    assert found.get("audit_entry.body", set()) | found.get("delivery.findings", set()) <= planted.agreed()
    assert found.get("notice.items", set()) <= planted.identifiers()
    assert [one for one in planted.agreed() if "asiakkaat" in one or "client" in one] == []


@pytest.mark.postgres
def test_the_other_database_holds_nothing_readable(tmp_path: Path, postgres_url: str) -> None:
    """PostgreSQL holds no more than SQLite does."""
    one = Planted(tmp_path, 0, database_url=postgres_url)
    found = one.columns()
    one.gateway.close()

    assert found.keys() - PLAIN.keys() == set()
    assert len(one.fields) > 100
