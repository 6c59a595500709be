"""Assertions of calling systems: what holds, and every way in which one does not."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kanta_gateway.access.identity import PrivateKey, Registration, assertion, thumbprint, verify
from kanta_gateway.errors import NotAuthenticatedError
from kanta_gateway.model import Oid

NOW = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
ORG = Oid("1.2.3.4")
AUDIENCE = "kanta-gateway"
CLAIMS: dict[str, Any] = {
    "iss": "system", "sub": "T-MARKED", "name": "Marked Person", "org": ORG, "role": "provider-system",
    "purpose": "delivery", "contract": "", "relation": "", "aud": AUDIENCE, "jti": "1",
    "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 300,
}  # fmt: skip


@lru_cache
def _pair(kind: str) -> tuple[PrivateKey, x509.Certificate]:
    key: PrivateKey = (
        rsa.generate_private_key(65537, 2048) if kind.startswith("rsa") else ec.generate_private_key(ec.SECP256R1())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kind)])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return key, made.sign(key, SHA256())


def _registration(certificate: x509.Certificate, *, is_revoked: bool = False) -> Registration:
    return Registration(certificate.public_bytes(Encoding.PEM).decode(), ORG, "Record system", is_revoked)


def _token(
    changes: dict[str, Any] | None = None, *, without: str = "", kind: str = "rsa", algorithm: str = "RS256"
) -> str:
    key, certificate = _pair(kind)
    claims = {k: v for k, v in {**CLAIMS, **(changes or {})}.items() if k != without}
    return jwt.encode(claims, key, algorithm, headers={"x5t#S256": thumbprint(certificate)})


def _refused(token: str, registration: Registration | None = None, now: datetime = NOW) -> str:
    known = registration or _registration(_pair("rsa")[1])
    with pytest.raises(NotAuthenticatedError) as caught:
        verify(token, lambda _: known, now, AUDIENCE)
    assert "Marked" not in str(caught.value)
    assert "T-MARKED" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_made_assertion_holds(kind: str) -> None:
    """What `assertion` makes, `verify` takes, for both kinds of key."""
    key, certificate = _pair(kind)
    token = assertion(
        key, certificate, system="s", organisation=ORG, person_id="p", person_name="N",
        role="provider-system",
        purpose="delivery", audience=AUDIENCE, now=NOW, contract="C-1",
    )  # fmt: skip
    caller = verify(token, lambda mark: _registration(certificate) if mark else None, NOW, AUDIENCE).caller
    assert (caller.organisation, caller.person_id, caller.contract) == (ORG, "p", "C-1")
    assert caller.system == "Record system"


def test_ps256_holds() -> None:
    """PS256 is accepted for an RSA key."""
    caller = verify(_token(algorithm="PS256"), lambda _: _registration(_pair("rsa")[1]), NOW, AUDIENCE).caller
    assert caller.organisation == ORG


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_missing_claim(claim: str) -> None:
    """Every claim is required. [ACC-01]"""
    told = _refused(_token(without=claim))

    assert "lacks a claim" in told


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "other"}, "audience"),
        ({"org": "9.9"}, "organisation"),
        ({"iat": CLAIMS["iat"] + 60, "exp": CLAIMS["exp"] + 60}, "not valid yet"),
        ({"nbf": CLAIMS["iat"] + 60}, "not valid yet"),
        ({"exp": CLAIMS["iat"]}, "expired"),
        ({"exp": CLAIMS["iat"] + 301}, "longer"),
        ({"iat": CLAIMS["iat"] - 400}, "longer"),
        ({"exp": "soon"}, "whole number"),
        ({"exp": True}, "whole number"),
        ({"role": ""}, "role"),
        ({"sub": " "}, "sub"),
        ({"name": ["Marked"]}, "name"),
        ({"name": "Marked\nrecord:submit"}, "control characters"),
        ({"purpose": "delivery\x1b[2J"}, "control characters"),
        ({"sub": "T-MARKED\u202e"}, "control characters"),
        ({"contract": "\ud800"}, "control characters"),
        ({"sub": "T-MARKED" * 100}, "too long"),
        ({"relation": "x" * 129}, "too long"),
        ({"jti": ""}, "jti"),
        ({"jti": 1}, "jti"),
    ],
)
def test_bad_claims(changes: dict[str, Any], why: str) -> None:
    """Wrong audience, organisation, times and empty claims are refused with the check that failed."""
    told = _refused(_token(changes))
    assert why in told


def test_a_number_is_used_once_by_each_system() -> None:
    """Two systems may give the same number: the mark that is used once is of certificate and number together."""
    marks = [
        verify(_token({"jti": number}, kind=kind, algorithm=algorithm), lambda _, kind=kind: _registration(
            _pair(kind)[1]), NOW, AUDIENCE).mark  # type: ignore[misc]
        for kind, algorithm in (("rsa", "RS256"), ("ec", "ES256")) for number in ("1", "2")
    ]  # fmt: skip
    again = verify(_token(algorithm="PS256"), lambda _: _registration(_pair("rsa")[1]), NOW, AUDIENCE).mark

    assert len(set(marks)) == 4
    assert marks[0] == again  # however it was signed


def test_expired_by_the_clock_given() -> None:
    """Time is the caller's argument."""
    assert "expired" in _refused(_token(), now=NOW + timedelta(seconds=300))


def test_no_algorithm_and_confusion() -> None:
    """`none` and HS256 with the public key as secret are refused. [ACC-01]"""
    certificate = _pair("rsa")[1]
    headers = {"x5t#S256": thumbprint(certificate)}
    public = certificate.public_bytes(Encoding.PEM)
    # written by hand: the library refuses to make such tokens
    for algorithm, secret in (("none", None), ("HS256", public)):
        parts = [_base64url(json.dumps(one).encode()) for one in ({**headers, "alg": algorithm}, CLAIMS)]
        signed = ".".join(parts)
        mac = hmac.digest(secret, signed.encode(), "sha256") if secret is not None else b""

        assert "algorithm does not fit" in _refused(f"{signed}.{_base64url(mac)}")


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_algorithm_must_fit_the_key() -> None:
    """A signature of another kind of key than the certificate's is refused."""
    key, _ = _pair("ec")
    told = _refused(jwt.encode(CLAIMS, key, "ES256", headers={"x5t#S256": thumbprint(_pair("rsa")[1])}))

    assert "algorithm does not fit" in told


def test_registration_decides() -> None:
    """Unknown, revoked, other and out-of-date certificates are refused. [ACC-01]"""
    token = _token()
    with pytest.raises(NotAuthenticatedError, match="not registered"):
        verify(token, lambda _: None, NOW, AUDIENCE)
    assert "not the registered" in _refused(token, _registration(_pair("rsa2")[1]))
    assert "not valid now" in _refused(token, now=NOW + timedelta(days=2))
    assert "cannot be read" in _refused(token, Registration("-", ORG, "", is_revoked=False))


def test_revoked_is_told_with_its_caller() -> None:
    """An authentic assertion of a revoked system is told as refused, with the caller; our registry goes first."""
    registrations = [_registration(_pair("rsa")[1], is_revoked=own) for own in (False, True)]
    told = [
        verify(_token(), {thumbprint(_pair("rsa")[1]): one}.get, NOW, AUDIENCE, listed)
        for one in registrations
        for listed in (lambda *_: "", lambda *_: "listed")
    ]

    assert [one.refused[:24] for one in told] == ["", "listed", *2 * ["its certificate is revok"]]
    assert {one.caller.person_id for one in told} == {"T-MARKED"}


def test_mark_of_an_assertion() -> None:
    """A signature written in another way is the same assertion; another number, or another system, is another one."""
    rsa_known, ec_known = (_registration(_pair(kind)[1]) for kind in ("rsa", "ec"))
    first = verify(_token(), lambda _: rsa_known, NOW, AUDIENCE)
    second = verify(_token(kind="ec", algorithm="ES256"), lambda _: ec_known, NOW, AUDIENCE)
    again = verify(_token(algorithm="PS256"), lambda _: rsa_known, NOW, AUDIENCE)
    other = verify(_token({"jti": "2"}), lambda _: rsa_known, NOW, AUDIENCE)

    assert first.mark == again.mark
    assert len({first.mark, second.mark, other.mark}) == 3


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "not a signed JWT"), ("a.b.c", "not a signed JWT"), ("é", "not a signed JWT"), ("x" * 9000, "too long"),
        ("..", "not a signed JWT"), ("eyJhbGciOiJSUzI1NiJ9.e30.AA", "lacks x5t#S256"),
    ],
)  # fmt: skip
def test_what_is_no_token(token: str, why: str) -> None:
    """Anything else than a token is refused, not a crash."""
    told = _refused(token)

    assert why in told


def test_tampered() -> None:
    """A changed payload or signature is refused, and one that another key made."""
    head, body, signature = _token().split(".")
    other = _base64url(json.dumps({**CLAIMS, "sub": "T-OTHER"}).encode())
    foreign = jwt.encode(CLAIMS, _pair("rsa2")[0], "RS256", headers={"x5t#S256": thumbprint(_pair("rsa")[1])})
    told = [
        _refused(one)
        for one in (f"{head}.{other}.{signature}", f"{head}.{body}.{'A' * len(signature)}", foreign)
    ]  # fmt: skip

    assert all("signature does not" in one for one in told), told
