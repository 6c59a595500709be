"""Reading the archive's answers."""

from __future__ import annotations

import pytest

from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.transfer.receipts import FinalNo, Receipt, RetryLater, Sent, read
from kanta_gateway.transfer.simulator.answers import Verdict, acknowledgement
from kanta_gateway.transfer.wire import pack, unpack

SENT = Sent(Oid("1.2.3"), Sha256Hex("ab"))


def test_a_receipt_names_document_and_digest() -> None:
    """An acceptance of these very bytes is a receipt."""
    assert Receipt(SENT.oid, SENT.digest, "SIM-7", was_there=False) == read(
        acknowledgement(Verdict("AA", "1.2.3", "ab"), 7, "x"), SENT
    )


def test_ae_waits_and_ar_is_final() -> None:
    """AE may be tried again without asking; AR is final, and only codes of it are kept."""
    assert RetryLater("archive-busy", must_ask=False, params={"codes": "FULL"}) == read(
        acknowledgement(Verdict("AE", "1.2.3", "ab", ("FULL",)), 1, "x"), SENT
    )
    assert FinalNo("archive-refused", ("BAD",)) == read(
        acknowledgement(Verdict("AR", "1.2.3", "ab", ("BAD", "free text about someone")), 1, "x"), SENT
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"<a/>", b"\xff", b"<!DOCTYPE a><a/>", b"x" * 300_000,
        acknowledgement(Verdict("AA", "1.2.4", "ab"), 1, "x"),
        acknowledgement(Verdict("AR", "1.2.4", "ab"), 1, "x"),
        acknowledgement(Verdict("AA", "1.2.3", "cd"), 1, "x"),
        acknowledgement(Verdict("??", "1.2.3", "ab"), 1, "x"),
    ],
)  # fmt: skip
def test_what_is_no_answer_to_this_leaves_the_outcome_unknown(answer: bytes) -> None:
    """Garbage, and an answer about another document or other bytes, must be asked about."""
    outcome = read(answer, SENT)

    assert isinstance(outcome, RetryLater)
    assert outcome.must_ask


def test_parts_come_back_byte_for_byte() -> None:
    """What is packed is unpacked unchanged, line ends included."""
    kind, body = pack(b"<f>\r\n</f>", b"\r\n--x\r\n\x00", "1.2.3")

    assert {"frame": b"<f>\r\n</f>", "1.2.3": b"\r\n--x\r\n\x00"} == unpack(kind, body)
    assert unpack("text/xml", body) is None
