"""Acknowledgements as the simulated archive writes them (MCCI_IN000002UV01; shape assumed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the archive decided about a message."""

    type_code: str
    """AA accepted, AE error that may pass, AR refused."""
    oid: str
    digest: str
    codes: Sequence[str] = ()


GARBAGE = b"<html><body>Request Rejected</body></html>"
"""What a web application firewall answers in the real environment."""


def acknowledgement(verdict: Verdict, number: int, created_at: str) -> bytes:
    """The answer as bytes."""
    details = "".join(
        f"<acknowledgementDetail><code code={quoteattr(code)}/></acknowledgementDetail>" for code in verdict.codes
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">'
        f'<id extension="SIM-{number}"/><creationTime value="{created_at}"/>'
        f'<acknowledgement><typeCode code="{verdict.type_code}"/>{details}</acknowledgement>'
        "<attentionLine><keyWordText>documentId</keyWordText>"
        f"<value root={quoteattr(verdict.oid)}/></attentionLine>"
        "<attentionLine><keyWordText>sha256</keyWordText>"
        f"<value value={quoteattr(verdict.digest)}/></attentionLine>"
        "</MCCI_IN000002UV01>"
    ).encode()
