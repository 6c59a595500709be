"""Whether a signing certificate is to be trusted: chain, validity, usages; once per certificate.

* Without an anchor nothing can be said: INDETERMINATE, never PASSED.
* The chain goes issuer by issuer up to an anchor; each signature is checked, and that its maker may sign.
* The moment that counts is the one given: that of signing, as the document tells it.

Source: RFC 5280 §6.1 (basic path validation); signing certificates carry nonRepudiation.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CLAUSE = "RFC 5280 §6.1"
_LONGEST_CHAIN = 5


class Verdict(StrEnum):
    """The AdES trio (ETSI EN 319 102-1 §5.1.3)."""

    PASSED = "PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "FAILED"


def finding(rule: str, kind: str, severity: Severity = Severity.REFUSE, pointer: str = "", **params: str) -> Finding:
    """A finding about a signature or its certificate."""
    return Finding(rule, severity, kind, pointer, params, CLAUSE if rule.startswith("SIG-CERT") else "XMLDSig §3.2")


def trust(
    certificate_der: bytes, anchors: Sequence[x509.Certificate], moment: datetime
) -> tuple[Verdict, tuple[Finding, ...]]:
    """Judge a signing certificate.

    Args:
        certificate_der: the certificate of the signature.
        anchors: certificates that are trusted.
        moment: when the signature was made.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
    except ValueError:
        return Verdict.FAILED, (finding("SIG-CERT-FORM", "signature-certificate-unreadable"),)
    found = [*_validity(certificate, moment), *_usage(certificate_der)]
    if anchors and not _is_anchored(certificate_der, tuple(anchors)):
        found.append(finding("SIG-CERT-CHAIN", "signature-certificate-unknown-issuer"))
    if found:
        return Verdict.FAILED, tuple(found)
    if not anchors:
        return Verdict.INDETERMINATE, (finding("SIG-CERT-ANCHOR", "signature-no-trust-anchor", Severity.FLAG),)
    return Verdict.PASSED, ()


def _validity(certificate: x509.Certificate, moment: datetime) -> list[Finding]:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if first <= moment <= last:
        return []
    return [
        finding(
            "SIG-CERT-VALIDITY",
            "signature-certificate-not-valid",
            first=str(first.date()),
            last=str(last.date()),
            moment=str(moment.date()),
        )
    ]


@lru_cache(maxsize=256)
def _usage(certificate_der: bytes) -> tuple[Finding, ...]:
    try:
        usage = x509.load_der_x509_certificate(certificate_der).extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return (finding("SIG-CERT-USAGE", "signature-certificate-usage"),)
    if usage.content_commitment:
        return ()
    return (finding("SIG-CERT-USAGE", "signature-certificate-usage"),)


@lru_cache(maxsize=256)
def _is_anchored(certificate_der: bytes, anchors: tuple[x509.Certificate, ...]) -> bool:
    """Whether the certificate is an anchor's, or issued by one directly or through other anchors."""
    current = x509.load_der_x509_certificate(certificate_der)
    for _ in range(_LONGEST_CHAIN):
        issuer = next((one for one in anchors if _issued(one, current)), None)
        if issuer is None:
            return False
        if issuer.issuer == issuer.subject:
            return True
        current = issuer
    return False


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return constraints.ca
