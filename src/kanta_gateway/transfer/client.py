"""The archive as the pipeline sees it, and the HTTPS client.

* Every call answers with a value: a receipt, a reason to wait, a final no. No foreign exception leaves here.
* Failing to connect means nothing was sent. Everything that fails later leaves the outcome unknown.
* The invalidation request is assumed and its code artificial; production refuses to send it.

What is known and what is assumed about the wire: docs/archive-protocol.md.
"""

from __future__ import annotations

import ssl
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, Self

import httpx

from kanta_gateway.errors import MisconfiguredError, RefusedError
from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.transfer import receipts, reports
from kanta_gateway.transfer.receipts import MAX_ANSWER_BYTES, Answer, RetryLater, Sent
from kanta_gateway.transfer.wire import pack

if TYPE_CHECKING:
    from types import TracebackType

XML = "text/xml; charset=UTF-8"
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)
"""The connection was not there: nothing left. Every other transport error leaves the outcome unknown."""


class ArchiveClient(Protocol):
    """What the pipeline needs of an archive."""

    def submit(self, document: bytes, frame: bytes, oid: Oid) -> Answer:
        """Send one document with its frame."""

    def ask(self, oid: Oid, digest: Sha256Hex) -> Answer | None:
        """Whether the archive has these bytes; None if it has nothing with this OID."""

    def invalidate(self, frame: bytes, oid: Oid, digest: Sha256Hex) -> Answer:
        """Ask to invalidate an archived document.

        Raises:
            RefusedError: the request's code is artificial, and this is production.
        """


class LogRegister(Protocol):
    """What the pipeline needs of the national log register."""

    def report(self, content: bytes, notice_id: Oid, digest: Sha256Hex) -> Answer:
        """Send one disclosure notice; the same bytes again are harmless."""


class HttpArchiveClient:
    """Speaks to the archive over HTTP; safe to use from several threads, connections are kept alive.

    Args:
        base_url: the archive's address.
        timeout_seconds: of one call, connecting excluded.
        ca_file: trust anchors of the archive's server; the system's if None.
        certificate_file: our own certificate (mTLS).
        key_file: its key.
        is_production: refuses plain HTTP and the assumed invalidation.
        log_register_url: address of the national log register; empty: `/fhir` of the archive.

    Raises:
        MisconfiguredError: production without HTTPS or own certificate, or unreadable certificate files.
    """

    def __init__(
        self, base_url: str, *, timeout_seconds: float = 30.0, ca_file: str | None = None,
        certificate_file: str | None = None, key_file: str | None = None, is_production: bool = False,
        log_register_url: str = "",
    ) -> None:  # fmt: skip
        self._log_register = log_register_url or "/fhir"
        addresses = (base_url, log_register_url or base_url)
        if is_production and not (all(one.startswith("https://") for one in addresses) and certificate_file):
            raise MisconfiguredError("production sends to the archive over HTTPS with an own certificate only")
        self._is_production = is_production
        try:
            self._client = httpx.Client(
                base_url=base_url,
                timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 5.0)),
                limits=httpx.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=30.0),
                verify=_context(ca_file, certificate_file, key_file),
                trust_env=False,  # an environment variable must not choose trust anchors or a proxy
            )
        except httpx.InvalidURL as error:
            raise MisconfiguredError("the archive's address is not a URL; correct KANTA_ARCHIVE_URL") from error

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def submit(self, document: bytes, frame: bytes, oid: Oid) -> Answer:
        """Send one document with its frame."""
        content_type, body = pack(frame, document, oid)
        answer = self._call("POST", "/archive", Sent(oid, Sha256Hex(sha256(document).hexdigest())), content_type, body)
        return answer if answer is not None else RetryLater("archive-answer-unreadable", must_ask=True)

    def ask(self, oid: Oid, digest: Sha256Hex) -> Answer | None:
        """Whether the archive has these bytes; None if it has nothing with this OID."""
        answer = self._call("GET", f"/archive/{oid}", Sent(oid, digest))
        if isinstance(answer, RetryLater):  # not knowing stays not knowing, also when nothing was sent now
            return RetryLater(answer.kind, must_ask=True, params=answer.params)
        return answer

    def invalidate(self, frame: bytes, oid: Oid, digest: Sha256Hex) -> Answer:
        """Ask to invalidate an archived document.

        Raises:
            RefusedError: the request's code is artificial, and this is production.
        """
        if self._is_production:
            raise RefusedError(
                "the archive's code for an invalidation is not verified, so production does not send it; "
                "invalidate the document in the controller's own system"
            )
        answer = self._call("POST", f"/archive/{oid}/invalidate", Sent(oid, digest), XML, frame)
        return answer if answer is not None else receipts.FinalNo("archive-refused", ("ABSENT",))

    def report(self, content: bytes, notice_id: Oid, digest: Sha256Hex) -> Answer:
        """Send one disclosure notice; the same bytes again are harmless."""
        headers = {"Content-Type": reports.FHIR_JSON, "X-Request-Id": notice_id}
        try:
            with self._client.stream("POST", self._log_register, content=content, headers=headers) as response:
                body = _body(response)
        except NOT_SENT as error:
            return RetryLater("archive-unreachable", must_ask=False, params={"cause": type(error).__name__})
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return RetryLater("archive-silent", must_ask=False, params={"cause": type(error).__name__})
        return reports.answer(
            response.status_code, body or b"", response.headers.get("x-request-id", ""), Sent(notice_id, digest)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(
        self, method: str, path: str, sent: Sent, content_type: str | None = None, body: bytes | None = None
    ) -> Answer | None:  # fmt: skip
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            with self._client.stream(method, path, content=body, headers=headers) as response:
                return _read(response, sent)
        except NOT_SENT as error:
            return RetryLater("archive-unreachable", must_ask=False, params={"cause": type(error).__name__})
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return RetryLater("archive-silent", must_ask=True, params={"cause": type(error).__name__})


def _read(response: httpx.Response, sent: Sent) -> Answer | None:
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if response.status_code != httpx.codes.OK:
        is_busy = response.status_code in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}
        return RetryLater("archive-failed", must_ask=not is_busy, params={"status": str(response.status_code)})
    answer = _body(response)
    return receipts.read(answer, sent) if answer is not None else RetryLater("archive-answer-unreadable", must_ask=True)


def _body(response: httpx.Response) -> bytes | None:
    """What came back; None where it is longer than any answer."""
    answer = bytearray()
    for part in response.iter_bytes():
        answer += part
        if len(answer) > MAX_ANSWER_BYTES:
            return None
    return bytes(answer)


def _context(ca_file: str | None, certificate_file: str | None, key_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate_file:
            context.load_cert_chain(certificate_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise MisconfiguredError("a certificate file for the archive's connection cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
