"""Ways out of the gateway for notices: a webhook of a recipient, or a mail that tells only that something waits.

* Only addresses of the channels file are called, over HTTPS, without redirects, proxies or the answer's body, and
  none whose host is inside the gateway's own network (`outward`).
* A call carries `Kanta-Signature: t=<seconds>,v1=<HMAC-SHA-256 of "t.body">`, keyed with the recipient's own secret.
* A mail holds an id and nothing else of the notice: no name, no date of an absence, not even what it is about.
* Every outcome is a value; no foreign exception leaves here.
"""

from __future__ import annotations

import hmac
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx
import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.outward import Outward

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_SECONDS = 15.0
MIN_SECRET_BYTES = 32
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
INSIDE = "inside"
"""Why a webhook was not called: its host is inside the gateway's own network."""
EVERY = ""
"""Organiser of a channel that is for all of them."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a recipient's system listens."""

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes mails from here."""

    host: str
    port: int
    sender: str
    tls: str
    """`starttls`, `tls`, or `none` (loopback, outside production)."""
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """How one kind of recipient of one organiser is reached."""

    kind: str
    organiser: str
    webhook: Webhook | None = None
    email: str = ""


@dataclass(frozen=True, slots=True)
class Channels:
    """Every configured way out."""

    channels: tuple[Channel, ...] = ()
    mail: MailServer | None = None

    @classmethod
    def load(cls, text: str, read: Callable[[str], bytes], *, is_production: bool) -> Channels:
        """Read the channels file.

        Args:
            text: its YAML text.
            read: gives the content of a secret's file.
            is_production: whether plain HTTP and plain mail are refused even on loopback.

        Raises:
            MisconfiguredError: it is wrong; all mistakes at once, no secret among them.
        """
        reader = _Reader(read, is_production=is_production)
        try:
            data = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise MisconfiguredError("the channels file is not readable as YAML; correct it") from error
        if not isinstance(data, dict) or data.keys() - {"recipients", "smtp"}:
            raise MisconfiguredError("the channels file: expected recipients and smtp")
        found = tuple(reader.channel(one) for one in data.get("recipients") or ())
        mail = reader.mail(data["smtp"]) if "smtp" in data else None
        if mail is None and any(one.email for one in found):
            reader.mistakes.append("smtp: missing, but a recipient has an email address")
        if reader.mistakes:
            raise MisconfiguredError("the channels file: " + "; ".join(reader.mistakes))
        return cls(found, mail)

    def of(self, kind: str, organiser: str) -> Channel | None:
        """The channel of a recipient; one of its own organiser goes before one for all."""
        mine = [one for one in self.channels if one.kind == kind and one.organiser in {organiser, EVERY}]
        return max(mine, key=lambda one: len(one.organiser), default=None)


class _Reader:
    def __init__(self, read: Callable[[str], bytes], *, is_production: bool) -> None:
        self.mistakes: list[str] = []
        self._read = read
        self._is_production = is_production

    def channel(self, stated: Any) -> Channel:
        where = f"recipient {stated.get('kind', '')}"
        if "kind" not in stated or stated.keys() - {"kind", "organiser", "webhook", "email"}:
            self.mistakes.append(f"{where}: expected kind, organiser, webhook, email")
        webhook = self._webhook(where, stated["webhook"]) if "webhook" in stated else None
        address = str(stated.get("email", ""))
        if address and (address.count("@") != 1 or any(one.isspace() for one in address)):
            self.mistakes.append(f"{where}: email: expected one address")
        return Channel(str(stated.get("kind", "")), str(stated.get("organiser", EVERY)), webhook, address)

    def _webhook(self, where: str, stated: Mapping[str, Any]) -> Webhook | None:
        url, parts = str(stated.get("url", "")), urlsplit(str(stated.get("url", "")))
        is_local = parts.scheme == "http" and parts.hostname in LOOPBACK and not self._is_production
        if not parts.hostname or not (parts.scheme == "https" or is_local) or parts.username or parts.fragment:
            self.mistakes.append(f"{where}: webhook url: expected https:// and a host, without user or fragment")
        secret = self._secret(f"{where}: webhook", stated.get("secret_file"))
        if len(secret) < MIN_SECRET_BYTES:
            self.mistakes.append(f"{where}: webhook secret_file: expected at least {MIN_SECRET_BYTES} bytes")
        return Webhook(url, secret)

    def mail(self, stated: Mapping[str, Any]) -> MailServer:
        if not {"host", "port", "sender"} <= stated.keys():
            self.mistakes.append("smtp: expected host, port and sender")
        tls, host = str(stated.get("tls", "starttls")), str(stated.get("host", ""))
        is_plain = tls == "none" and host in LOOPBACK and not self._is_production
        if tls not in {"starttls", "tls"} and not is_plain:
            self.mistakes.append("smtp tls: expected starttls or tls")
        name = stated.get("password_file")
        password = self._secret("smtp: password", name).decode("utf-8", "replace") if name else ""
        return MailServer(
            host, int(stated.get("port", 0)), str(stated.get("sender", "")), tls, str(stated.get("username", "")),
            password,
        )  # fmt: skip

    def _secret(self, where: str, name: Any) -> bytes:
        try:
            return self._read(str(name)).strip() if name else b""
        except OSError:
            self.mistakes.append(f"{where}: the secret's file cannot be read")
            return b""


def signature(secret: bytes, moment: int, body: bytes) -> str:
    """What stands in `Kanta-Signature`.

    Args:
        secret: of the recipient.
        moment: seconds since 1970; the recipient refuses an old one.
        body: what is sent.
    """
    digest = hmac.new(secret, f"{moment}.".encode() + body, sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Caller:
    """Calls webhooks and hands mails to the mail server.

    Args:
        mail: the mail server, where there is one.
        transport: of the webhooks; the network by default.
        outward: which addresses may be called.
    """

    def __init__(
        self, mail: MailServer | None = None, transport: httpx.BaseTransport | None = None,
        outward: Outward = Outward(),  # noqa: B008 — it never changes
    ) -> None:  # fmt: skip
        self._mail = mail
        self._outward = outward
        self._client = httpx.Client(
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=5.0), follow_redirects=False, trust_env=False,
            transport=transport, headers={"User-Agent": "kanta-gateway"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        """The caller itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, hook: Webhook, body: bytes, notice_id: str, moment: int) -> dict[str, str] | None:
        """Call a webhook; what went wrong, or None when the recipient took it."""
        headers = {
            "Content-Type": "application/json", "Kanta-Notice-Id": notice_id,
            "Kanta-Signature": signature(hook.secret, moment, body),
        }  # fmt: skip
        try:
            way = self._outward.way(hook.url)
            if way is None:
                return {"kind": "webhook-unreachable", "cause": INSIDE}
            with self._client.stream(
                "POST", way.url, content=body, headers={**headers, **way.headers}, extensions=way.extensions
            ) as answer:
                status = answer.status_code
        except (OSError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            return {"kind": "webhook-unreachable", "cause": type(error).__name__}
        return None if httpx.codes.is_success(status) else {"kind": "webhook-refused", "status": str(status)}

    def mail(self, address: str, notice_id: str, text: tuple[str, str]) -> dict[str, str] | None:
        """Tell by mail that something waits; what went wrong, or None when the server took it.

        Args:
            address: of the recipient.
            notice_id: what waits.
            text: subject and body, the same for every notice.
        """
        if self._mail is None:
            return {"kind": "mail-unreachable", "cause": "no server"}
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._mail.sender, address, text[0]
        message.set_content(f"{text[1]}\n\n{notice_id}\n")
        try:
            with self._connected(self._mail) as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            return {"kind": "mail-unreachable", "cause": type(error).__name__}
        return None

    @staticmethod
    def _connected(mail: MailServer) -> smtplib.SMTP:
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if mail.tls == "tls":
            server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS)
        try:
            if mail.tls == "starttls":
                server.starttls(context=context)
            if mail.username:
                server.login(mail.username, mail.password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server
