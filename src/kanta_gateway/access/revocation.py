"""Revocation lists of those who issued callers' certificates (RFC 5280 §5): a valid certificate may be revoked.

* A list counts only with the signature of its issuer, whose certificate stands in the same file.
* A list that is out of date says nothing any more: certificates of its issuer are refused until a newer one comes.
* Certificates of issuers without a list depend on our own registry alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import aware

_CRL = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
REVOKED = "its issuer has revoked its certificate; use another one and register it"
OUT_OF_DATE = "the revocation list of its issuer is out of date here; the gateway's operator must renew it"


class RevocationLists:
    """The lists of one file."""

    def __init__(self, lists: Sequence[x509.CertificateRevocationList]) -> None:
        self._lists = lists

    @classmethod
    def load(cls, pem: bytes) -> RevocationLists:
        """Read lists and the certificates of their issuers.

        Raises:
            MisconfiguredError: something cannot be read, or a list is not its issuer's; all mistakes at once.
        """
        mistakes: list[str] = []
        try:
            lists = [x509.load_pem_x509_crl(one) for one in _CRL.findall(pem)]
            issuers = x509.load_pem_x509_certificates(_CRL.sub(b"", pem))
        except ValueError as error:
            raise MisconfiguredError("revocation lists: expected PEM, lists and their issuers' certificates") from error
        if not lists:
            mistakes.append("no list (X509 CRL)")
        for place, one in enumerate(lists, 1):
            keys = [issuer.public_key() for issuer in issuers if issuer.subject == one.issuer]
            if not any(one.is_signature_valid(key) for key in keys):  # type: ignore[arg-type]
                mistakes.append(f"list {place}: no certificate of the file has signed it")
            if one.next_update_utc is None:
                mistakes.append(f"list {place}: it does not tell when the next one comes")
        if mistakes:
            raise MisconfiguredError("revocation lists: " + "; ".join(mistakes))
        return cls(lists)

    def trouble(self, certificate: x509.Certificate, now: datetime) -> str:
        """Why a certificate does not hold by its issuer's newest list; empty if nothing speaks against it."""
        own = [one for one in self._lists if one.issuer == certificate.issuer]
        if not own:
            return ""
        newest = max(own, key=lambda one: one.last_update_utc)
        if newest.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            return REVOKED
        until = newest.next_update_utc
        return OUT_OF_DATE if until is None or until <= aware(now) else ""


NO_LISTS = RevocationLists(())
