"""An invoice by the day, from records to evidence: what differs, and what each line rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.installations import installation
from tests.logs import opened
from tests.processes import Archive

from kanta_gateway.errors import NotFoundError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Event

pytestmark = pytest.mark.process
CLIENT, VOUCHER = "V-1", "PS-2022-90001"
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}


def day(number: int, **content: Any) -> dict[str, Any]:
    """One entry of August 2022."""
    return {
        "type": "diary_entry", "id": f"paivakirja:{number}", "client": CLIENT, "date": f"2022-08-{number:02d}",
        "voucher_number": VOUCHER, "present": True, "hours": 5, "tasks": "Klapien teko.", "performance": "Sujui hyvin.",
        "recorder": "E1", "recorder_name": NAME, "reported_on": "2022-09-02", **content,
    }  # fmt: skip


RECORDS: list[dict[str, Any]] = [
    {"type": "client", "id": CLIENT, "surname": "Esimerkki", "given_names": "Aino", "identity_code": "010594Y9032",
     "non_disclosure": False},
    {"type": "decision", "id": "P-1", "client": CLIENT, "service": "Kuntouttava työtoiminta", "product_number": 1,
     "level": "perustaso", "unit_price": 40, "voucher_number": VOUCHER, "starts_on": "2022-08-01",
     "ends_on": "2022-10-31", "days_per_week": 3, "hours_per_day": 6},
    {"type": "absence", "id": "poissaolot:1", "client": CLIENT, "date": "2022-08-04", "ends_on": "2022-08-04",
     "permitted": True, "reason": "sairaus", "purchaser_told_on": "2022-08-04", "recorder": "E1"},
    day(1), day(2, hours=9), day(3, tasks="Tutustumiskäynti."), day(8, hours=None), day(9, reported_on="2022-09-05"),
]  # fmt: skip


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A voucher provider whose month has been taken in and archived."""
    folder = tmp_path_factory.mktemp("invoices")
    archive = Archive(folder)
    try:
        gateway = installation(folder / "data", archive_url=archive.url)
        gateway.registration.register_party(
            "1.2.246.10.90000010.10.0", "Esimerkkipaja ry", "1.2.246.10.90000029.10.0", "Esimerkkikaupunki", "S-1",
            "heinola",
        )  # fmt: skip
        export = folder / "month.jsonl"
        export.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in RECORDS), "utf-8")
        actor = gateway.actor(None, None, None)
        gateway.deliveries.import_files([export], "json-lines", "heinola", actor, as_of=date(2022, 9, 30))
        gateway.dispatch.deliver(actor, until_empty=True)
        yield gateway
        gateway.close()
    finally:
        archive.stop()


def entries(gateway: Gateway) -> list[tuple[str, str | None]]:
    """Subject and client of every look at figures, in order."""
    return [(one["subject"], one["client"]) for one in opened(gateway, Event.FIGURES_READ)]


def test_reconciliation_day_by_day(delivered: Gateway) -> None:
    """Each day tells its records, its line and its differences, and the sum is the figure of the invoice."""
    actor = delivered.actor(None, None, None)
    told = delivered.office.reconciliation(actor, CLIENT, None, "en")["reconciliation"][CLIENT]
    kinds = {one["date"]: [found["kind"] for found in one["differences"]] for one in told["days"]}

    assert kinds == {
        "2022-08-01": [], "2022-08-02": ["invoice-to-check"], "2022-08-03": ["invoice-not-a-line"], "2022-08-04": [],
        "2022-08-08": ["invoice-not-a-line"], "2022-08-09": [],
    }  # fmt: skip
    figures = delivered.office.figures(actor, CLIENT, None, explain=False)["figures"]
    assert (told["invoice_eur"], told["differences"]) == (figures[CLIENT]["invoice_eur"], 3) == (120, 3)
    assert figures["TOTAL"] == {"realised_days": 3, "invoice_eur": 120, "to_check_eur": 40}
    assert told["days"][1]["differences"][0]["message"].startswith("2022-08-02 is on the invoice as to check (HEI-02)")


def test_evidence_of_each_line(delivered: Gateway) -> None:
    """Each line names its record, its archived document with digest and receipt, and provable places in the log."""
    actor = delivered.actor(None, None, None)
    told = delivered.office.evidence(actor, CLIENT, None)["evidence"][CLIENT]

    assert [(one["date"], one["amount_eur"], one["to_check"]) for one in told["lines"]] == [
        ("2022-08-01", 40, False), ("2022-08-02", 40, True), ("2022-08-09", 40, False),
    ]  # fmt: skip
    for line in told["lines"]:
        (document,) = line["documents"]
        assert (document["state"], line["clause"], line["record"]["version"]) == ("archived", "002 §5.2", 1)
        assert document["receipt"]["sha256"] == document["signed_sha256"]
        assert [one["event"] for one in document["log"]] == ["document:sign", "document:send", "document:archive"]
        place = document["log"][0]["index"]
        assert delivered.office.inclusion(actor, place, None)["index"] == place


def test_looks_are_logged(delivered: Gateway) -> None:
    """Reconciliation and evidence are looks at a client's data: each is an entry about that client."""
    actor = delivered.actor(None, None, None)
    before = len(entries(delivered))
    delivered.office.reconciliation(actor, None, None, "fi")
    delivered.office.evidence(actor, CLIENT, None)
    looks = entries(delivered)[before:]

    assert [subject for subject, _ in looks] == ["reconciliation", "evidence"]
    assert len({client for _, client in looks} - {None}) == 1


def test_unknown_client_has_no_evidence(delivered: Gateway) -> None:
    """Evidence of a client that is not there is not found."""
    with pytest.raises(NotFoundError):
        delivered.office.evidence(delivered.actor(None, None, None), "V-2", None)
