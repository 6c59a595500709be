"""The message frame is built from the document's own header."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cda_sample import signed

from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.transfer import frame as frames

TEXT = (Path(__file__).parents[3] / "schemas" / "frame.yaml").read_text("utf-8")
PROFILE = frames.load_profile(TEXT)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def built(document: bytes) -> bytes:
    """The frame of a document."""
    return frames.build(document, PROFILE, message_id="7", sender="1.2.3", created_at=NOW)


def test_frame_and_document_agree() -> None:
    """Frame id, setId, version, client and custodian are the document's; the request is SP17."""
    document = signed()
    said = frames.read(built(document), PROFILE)

    assert frames.disagreements(said, frames.parse(document)) == ()
    assert (said.service, said.processing_code, said.message_id) == ("SP17", "D", "7")


def test_an_invalidation_is_visibly_artificial() -> None:
    """The frame that asks for an invalidation carries the artificial code in place of the service request."""
    asked = frames.build(signed(), PROFILE, message_id="7", sender="1.2.3", created_at=NOW, is_invalidation=True)

    assert frames.read(asked, PROFILE).service == "SP-INVALIDATE-UNVERIFIED"


def test_markup_in_a_name_stays_text() -> None:
    """A name with markup characters is escaped, and the frame stays well-formed."""
    assert "A&amp;B &quot;Kuvitteellinen&quot;</family>" in built(signed()).decode()


def test_a_frame_of_another_document_disagrees() -> None:
    """A frame that belongs to another document is told by what differs."""
    said = frames.read(built(signed("1.2.4")), PROFILE)

    assert frames.disagreements(said, frames.parse(signed())) == ("oid", "set_oid")


@pytest.mark.parametrize("document", [b"", b"<a/>", b"<!DOCTYPE a><a/>", b"<a>&x;</a>"])
def test_what_is_no_document_gets_no_frame(document: bytes) -> None:
    """Bytes without a readable header are refused before anything is sent."""
    with pytest.raises(UntrustedError):
        built(document)


@pytest.mark.parametrize("text", ["", "template: x", TEXT.replace("{oid}", "{nobody}")])
def test_a_wrong_profile_is_found_at_start(text: str) -> None:
    """A profile that lacks something is a mistake of the installation."""
    with pytest.raises(MisconfiguredError):
        frames.load_profile(text)
