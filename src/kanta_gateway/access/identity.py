"""Who calls: a short-lived signed assertion of a registered system becomes a caller.

* Accepted are RS256, PS256 and ES256 with `x5t#S256` of a registered certificate (RFC 7515 §4.1.8).
* The key comes from the registration, never from the token; the algorithm must fit the key.
* An assertion lives 300 seconds at most, names this gateway as audience, and all its claims are there.
* Claims are short texts without control characters, since they are told in the log.
* The organisation in the claims must be the one that the certificate is registered for.
* A refusal tells which check failed, and nothing of the token.

JWT: RFC 7519, RFC 8725 (best practice); use as an authentication grant: RFC 7523 §3.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from kanta_gateway.access.once import mark_of
from kanta_gateway.errors import NotAuthenticatedError
from kanta_gateway.model import Caller, Oid, aware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIFE = timedelta(seconds=300)
"""Longest time from `iat` to `exp`: a stolen one is soon worthless."""

SKEW = timedelta(seconds=30)
"""How far a caller's clock may be ahead."""

MAX_TOKEN_CHARACTERS = 8192
"""Longer ones are refused unread; a real one has about 1 200."""

REQUIRED = ("iss", "sub", "name", "org", "role", "purpose", "contract", "relation", "jti", "iat", "exp", "aud")
"""Claims that must be there; `contract` and `relation` may be empty."""

MAY_BE_EMPTY = frozenset({"contract", "relation"})

MAX_CLAIM_CHARACTERS = 128
"""The longest of real ones are organisations' names with about 60; `name` may have twice as many."""

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters that are no part of a name and can make a line of a log look like another."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Registration:
    """A calling system as it is registered."""

    certificate_pem: str
    organisation: Oid
    name: str
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """An assertion whose signature and claims hold."""

    caller: Caller
    mark: str
    """Of the assertion, so that it is used once."""
    expires: datetime
    refused: str = ""
    """Why its system is refused all the same; empty if it is not."""


def thumbprint(certificate: x509.Certificate) -> str:
    """The certificate's `x5t#S256`: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).decode().rstrip("=")


def assertion(
    key: PrivateKey,
    certificate: x509.Certificate,
    *,
    system: str,
    organisation: str,
    person_id: str,
    person_name: str,
    role: str,
    purpose: str,
    audience: str,
    now: datetime,
    contract: str = "",
    relation: str = "",
    life: timedelta = LIFE,
) -> str:
    """A signed assertion, for calling systems written in Python, the command line and tests."""
    issued = int(aware(now).timestamp())
    claims = {
        "iss": system, "sub": person_id, "name": person_name, "org": organisation, "role": role,
        "purpose": purpose, "contract": contract, "relation": relation, "aud": audience,
        "jti": str(uuid.uuid4()), "iat": issued, "exp": issued + int(life.total_seconds()),
    }  # fmt: skip
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return jwt.encode(claims, key, algorithm, headers={"x5t#S256": thumbprint(certificate)})


def verify(
    token: str, lookup: Callable[[str], Registration | None], now: datetime, audience: str,
    trouble: Callable[[x509.Certificate, datetime], str] = lambda _certificate, _now: "",
) -> Verified:  # fmt: skip
    """The caller behind an assertion.

    (1) header: known algorithm, thumbprint. (2) registration: known, this certificate, within its validity.
    (3) signature by the registered key. (4) claims: complete, in time, for this gateway. (5) the organisation is the
    registered one. (6) neither we nor its issuer have revoked it: told, since the assertion itself is authentic.

    Args:
        token: the assertion.
        lookup: finds the registration of a thumbprint.
        now: the moment.
        audience: what it must be for.
        trouble: asks the revocation lists of certificates' issuers.

    Raises:
        NotAuthenticatedError: a check failed; the message names the check, nothing of the token.
    """
    mark = _mark(token)  # (1)
    registration = lookup(mark)  # (2)
    if registration is None:
        raise _refused("its certificate is not registered here; register the system first")
    certificate = _certificate(registration, mark, now)
    claims = _claims(token, certificate, audience)  # (3)
    _check_claims(claims, now)  # (4)
    if claims["org"] != registration.organisation:  # (5)
        raise _refused("its organisation is not the one that the certificate is registered for")
    revoked = "its certificate is revoked; register a new one" if registration.is_revoked else ""
    caller = Caller(
        system=registration.name, organisation=registration.organisation, person_id=claims["sub"],
        person_name=claims["name"], role=claims["role"], purpose=claims["purpose"],
        contract=claims["contract"], relation=claims["relation"],
    )  # fmt: skip
    return Verified(
        caller, mark_of(mark, claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC),
        revoked or trouble(certificate, now),  # (6)
    )  # fmt: skip


def _mark(token: str) -> str:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _refused("it is too long")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _refused("it is not a signed JWT") from None
    mark = header.get("x5t#S256")
    if not isinstance(mark, str) or len(mark) != 43 or not _is_base64url(mark):  # SHA-256 in base64url
        raise _refused("its header lacks x5t#S256")
    return mark


def _is_base64url(text: str) -> bool:
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(text + "=")).decode() == text + "="
    except (binascii.Error, ValueError):
        return False


def _certificate(registration: Registration, mark: str, now: datetime) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(registration.certificate_pem.encode())
    except ValueError:
        raise _refused("its registered certificate cannot be read; register it again") from None
    if thumbprint(certificate) != mark:
        raise _refused("its certificate is not the registered one")
    if not certificate.not_valid_before_utc <= aware(now) <= certificate.not_valid_after_utc:
        raise _refused("its certificate is not valid now; renew it")
    return certificate


def _claims(token: str, certificate: x509.Certificate, audience: str) -> dict[str, Any]:
    # times are checked against the time given, so the library's own clock is turned off
    options: Any = {
        "require": list(REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False,
        "verify_sub": False, "verify_jti": False,  # our own check of claims says what is wrong
    }  # fmt: skip
    key, algorithms = _key(certificate)
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=algorithms, audience=audience, options=options)
    except jwt.InvalidAudienceError:
        raise _refused("it is for another audience") from None
    except jwt.MissingRequiredClaimError:
        raise _refused(f"it lacks a claim; required are {', '.join(REQUIRED)}") from None
    except jwt.InvalidAlgorithmError:
        raise _refused(f"its algorithm does not fit the certificate; allowed: {', '.join(algorithms)}") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise _refused("its signature does not hold") from None
    return claims


def _key(certificate: x509.Certificate) -> tuple[rsa.RSAPublicKey | ec.EllipticCurvePublicKey, list[str]]:
    """The public key and the algorithms that fit it: never a symmetric one, never none."""
    der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = load_der_public_key(der)
    if isinstance(key, rsa.RSAPublicKey):
        return key, ["RS256", "PS256"]
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key, ["ES256"]
    raise _refused("its certificate has another key than RSA or P-256")


def _check_claims(claims: Mapping[str, Any], now: datetime) -> None:
    for name in REQUIRED:
        value = claims[name]
        if name in {"iat", "exp"}:
            if isinstance(value, bool) or not isinstance(value, int):
                raise _refused(f"its claim {name} is not a whole number of seconds")
        elif name != "aud" and (not isinstance(value, str) or (not value.strip() and name not in MAY_BE_EMPTY)):
            raise _refused(f"its claim {name} is empty or no text")
        elif name != "aud":
            _check_text(name, value)
    moment = aware(now).timestamp()
    not_before = claims.get("nbf", claims["iat"])
    if isinstance(not_before, bool) or not isinstance(not_before, int):
        raise _refused("its claim nbf is not a whole number of seconds")
    if max(claims["iat"], not_before) > moment + SKEW.total_seconds():
        raise _refused("it is not valid yet; check the clock of the calling system")
    if claims["exp"] <= moment:
        raise _refused("it has expired; sign a new one for each call")
    if not 0 < claims["exp"] - claims["iat"] <= LIFE.total_seconds():
        raise _refused(f"it lives longer than {int(LIFE.total_seconds())} seconds")


def _check_text(name: str, value: str) -> None:
    if len(value) > MAX_CLAIM_CHARACTERS * (2 if name == "name" else 1):
        raise _refused(f"its claim {name} is too long; at most {MAX_CLAIM_CHARACTERS} characters")
    if any(unicodedata.category(one) in UNSEEN for one in value):
        raise _refused(f"its claim {name} has control characters")


def _refused(why: str) -> NotAuthenticatedError:
    return NotAuthenticatedError(f"the assertion was refused: {why}")
