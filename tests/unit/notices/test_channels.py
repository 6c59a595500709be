"""The channels file: every mistake at once, no secret in a message, nothing but HTTPS in production."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.notices.channels import Caller, Channels, Webhook, signature
from kanta_gateway.outward import Outward

SECRET = b"a secret of at least thirty-two bytes"
KNOWN = Outward(look=lambda *_: ["11.0.0.1"])
HOOK = {"url": "https://county.example/notices", "secret_file": "secret"}


def loaded(*recipients: dict[str, Any], is_production: bool = True, secret: bytes = SECRET, **more: Any) -> Channels:
    """Channels of these recipients."""
    text = json.dumps({"recipients": list(recipients), **more})
    return Channels.load(text, lambda _: secret, is_production=is_production)


@pytest.mark.parametrize(
    ("webhook", "is_production", "expected"),
    [
        ({"url": "http://county.example/"}, False, "expected https://"), ({"url": "county.example"}, False, "expected https://"),
        ({"url": "https://user@county.example/"}, False, "without user"),
        ({"url": "https://county.example/#x"}, False, "without user or fragment"),
        ({"url": "http://127.0.0.1:8080/"}, True, "expected https://"),
        ({"url": "file:///etc/passwd"}, False, "expected https://"),
    ],
)  # fmt: skip
def test_address(webhook: dict[str, str], is_production: bool, expected: str) -> None:  # noqa: FBT001 — a case
    """Only HTTPS addresses are called; plain HTTP on loopback outside production alone."""
    with pytest.raises(MisconfiguredError, match=expected):
        loaded({"kind": "purchaser", "webhook": {**HOOK, **webhook}}, is_production=is_production)


def test_loopback_outside_production() -> None:
    """A developer may listen on loopback."""
    found = loaded({"kind": "purchaser", "webhook": {**HOOK, "url": "http://127.0.0.1:8080/"}}, is_production=False)

    assert found.of("purchaser", "1.2") is not None


def test_all_mistakes_without_the_secret() -> None:
    """All mistakes are told together, and the secret is in no message."""
    with pytest.raises(MisconfiguredError) as caught:
        loaded(
            {"kind": "purchaser", "webhook": {**HOOK, "url": "http://x"}, "colour": "red"},
            {"kind": "own-worker", "email": "no address"}, secret=b"Salaista-Q7XW", smtp={"host": "x", "tls": "none"},
        )  # fmt: skip

    told = str(caught.value)
    assert all(
        word in told for word in ("expected kind", "https://", "at least 32 bytes", "one address", "smtp tls", "port")
    )
    assert "Salaista" not in told
    assert "Salaista" not in repr(Webhook("https://x", b"Salaista-Q7XW"))


def test_mail_needs_a_server() -> None:
    """An address without a mail server is a mistake."""
    with pytest.raises(MisconfiguredError, match="smtp: missing"):
        loaded({"kind": "purchaser", "email": "registry@county.example"})


def test_own_channel_goes_first() -> None:
    """A channel of one organiser goes before one for all."""
    found = loaded(
        {"kind": "purchaser", "webhook": HOOK},
        {"kind": "purchaser", "organiser": "1.2", "webhook": {**HOOK, "url": "https://other.example/"}},
    )
    own, other = found.of("purchaser", "1.2"), found.of("purchaser", "1.3")

    assert (own and own.webhook and own.webhook.url, other and other.webhook and other.webhook.url) == (
        "https://other.example/", HOOK["url"],
    )  # fmt: skip


def test_signature_covers_time_and_body() -> None:
    """Another moment, body or secret has another code; a moment cannot be put in the place of another."""
    told = [signature(SECRET, 1, b"a"), signature(SECRET, 2, b"a"), signature(SECRET, 1, b"b"),
            signature(SECRET * 2, 1, b"a")]  # fmt: skip
    moments, codes = zip(*(one.split(",v1=") for one in told), strict=True)

    assert moments == ("t=1", "t=2", "t=1", "t=1")
    assert len(set(codes)) == 4


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.TooManyRedirects]
)
def test_foreign_errors_stop_here(error: type[Exception]) -> None:
    """Whatever goes wrong on the way is a value that tells its kind, and no exception."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error("x")

    with Caller(transport=httpx.MockTransport(fail), outward=KNOWN) as caller:
        found = caller.post(Webhook(HOOK["url"], SECRET), b"{}", "n1", 1)

    assert found == {"kind": "webhook-unreachable", "cause": error.__name__}


def test_what_was_checked_is_called() -> None:
    """The host is looked up once and called by that address; TLS and the server still see its name."""
    seen: list[httpx.Request] = []
    looked: list[str] = []

    def look(host: str, _port: int) -> list[str]:
        looked.append(host)
        return ["11.0.0.1"]

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    with Caller(transport=httpx.MockTransport(answer), outward=Outward(look=look)) as caller:
        told = caller.post(Webhook("https://county.example:8443/notices?x=1", SECRET), b"{}", "n1", 1)

    assert told is None
    assert looked == ["county.example"]
    assert [str(one.url) for one in seen] == ["https://11.0.0.1:8443/notices?x=1"]
    assert [(one.headers["host"], one.extensions["sni_hostname"]) for one in seen] == [
        ("county.example:8443", "county.example")
    ]


def test_mail_server_away() -> None:
    """A mail server that does not answer is a value too."""
    found = Channels.load(
        json.dumps({"smtp": {"host": "127.0.0.1", "port": 1, "sender": "a@b", "tls": "none"}}), lambda _: b"",
        is_production=False,
    )  # fmt: skip
    with Caller(found.mail) as caller:
        told = caller.mail("c@d", "n1", ("A notice waits", "Fetch it."))

    assert told == {"kind": "mail-unreachable", "cause": "ConnectionRefusedError"}
