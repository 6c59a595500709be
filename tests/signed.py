"""Builders for signed documents of a small structure, and for their throw-away keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
from cryptography import x509

from kanta_gateway.model import Coding, Header, Identifier, Node, Oid, Tree, ValueKind
from kanta_gateway.signing.display import Display
from kanta_gateway.signing.inspect import Inspection, inspect
from kanta_gateway.signing.keys import DevelopmentKeys, UnsafeDevSigner, make_development_keys
from kanta_gateway.signing.profile import Profile
from kanta_gateway.signing.seal import Sealer

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OID = Oid("1.2.246.10.99999999.95.2026.1.7")
PROFILE = Profile.load((ROOT / "schemas/cda.yaml").read_text("utf-8"))
DISPLAY = Display.load((ROOT / "schemas/display.yaml").read_text("utf-8"))
LABELS = frozenset({"Merkintä", "Asiakas", "Tavoite", "Nimi", "Henkilötunnus", "Kuvaus", "Kesto", "Paikalla",
                    "Päivämäärä", "Laji", "Aika"})  # fmt: skip


@cache
def keys(algorithm: str) -> DevelopmentKeys:
    """One throw-away PKI a run and algorithm."""
    return make_development_keys("Testipalvelu Oy", "1.2.246.10.99999999.10.0", "test", NOW - timedelta(days=1),
                                 algorithm=algorithm)  # fmt: skip


def anchors(algorithm: str = "p-256") -> list[x509.Certificate]:
    """The root of the throw-away PKI."""
    return [x509.load_pem_x509_certificate(keys(algorithm).root_certificate)]


def leaf(key: str, label: str, kind: ValueKind, value: Any) -> Node:
    """A value."""
    return Node(key, {"fi": label}, kind, value)


def group(key: str, label: str, *children: Node) -> Node:
    """A group of values."""
    return Node(key, {"fi": label}, children=children, is_list=key == "tavoite")


def diary(text: str = "Teki <b>pakkaustyötä</b> & siivosi.\nHyvä päivä.") -> tuple[Tree, dict[str, Any]]:
    """A tree with every kind of value, and the JSON it means, written by hand."""
    moment = datetime.fromisoformat("2026-03-19T13:05:00+02:00")
    tree = Tree(Oid("1.2.3"), group(
        "merkinta", "Merkintä",
        group("asiakas", "Asiakas",
              leaf("nimi", "Nimi", ValueKind.STRING, "Tiina Testilä"),
              leaf("henkilotunnus", "Henkilötunnus", ValueKind.IDENTIFIER, Identifier("1.2", "010190-999C"))),
        group("tavoite", "Tavoite",
              leaf("kuvaus", "Kuvaus", ValueKind.STRING, text),
              leaf("kesto", "Kesto", ValueKind.NUMBER, Decimal("4.50"))),
        group("tavoite", "Tavoite", leaf("paikalla", "Paikalla", ValueKind.BOOLEAN, value=True)),
        leaf("paivamaara", "Päivämäärä", ValueKind.DATE, date(2026, 3, 9)),
        leaf("laji", "Laji", ValueKind.CODING, Coding("1.2", "7", "Lähityö")),
        leaf("aika", "Aika", ValueKind.DATETIME, moment),
    ))  # fmt: skip
    value = {"merkinta": {
        "asiakas": {"nimi": "Tiina Testilä", "henkilotunnus": {"system": "urn:oid:1.2", "value": "010190-999C"}},
        "tavoite": [{"kuvaus": text, "kesto": 4.5}, {"paikalla": True}],
        "paivamaara": "2026-03-09",
        "laji": {"system": "urn:oid:1.2", "code": "7", "display": "Lähityö"},
        "aika": "2026-03-19T13:05:00+02:00",
    }}  # fmt: skip
    return tree, value


def header(**changes: Any) -> Header:
    """A header of an accepted document."""
    given: dict[str, Any] = {"replaces": None, "version_number": 1, "set_oid": OID, "language": "fi"} | changes
    author = given.pop("author", {"surname": "Ohjaaja", "given_names": "Olli"})
    product = given.pop("product", {"service_task": "working-age"})
    return PROFILE.header(
        structure=SimpleNamespace(oid=Oid("1.2.3"), number="19007", title={"fi": "Merkintä", "sv": "Anteckning"},
                                  document_type="Asiakaskertomusmerkintä", service_process=None),
        source={"product": product, "author": author, "unit": {"oid": "1.2.1", "name": "Paja & Co"},
                "provider": {"oid": "1.2.2", "name": "Tuottaja Oy"},
                "organiser": {"oid": "1.2.9", "name": "Hyvinvointialue"},
                "client": {"surname": "Testilä", "given_names": "Tiina Maria", "call_name": "Tiina",
                           "identity_code": "010190-999C"}},
        oid=OID, made_at=NOW, created_at=NOW, identity=SimpleNamespace(birth_date=date(1990, 1, 1), sex="1"),
        software={"moderator": "m", "product": "p", "version": "1"},
        coding=lambda system, key, language: Coding(f"1.2.{system}", key, language), **given,
    )  # fmt: skip


def sealer(algorithm: str = "p-256", pair: DevelopmentKeys | None = None) -> Sealer:
    """A sealer with throw-away keys."""
    pair = pair or keys(algorithm)
    return Sealer(PROFILE, DISPLAY, UnsafeDevSigner(pair.key, pair.certificate))


def document(algorithm: str = "p-256", *, now: datetime = NOW, pair: DevelopmentKeys | None = None) -> bytes:
    """A whole signed document."""
    tree, value = diary()
    return sealer(algorithm, pair).seal(tree, header(), orjson.dumps(value), now).xml


def look(xml: bytes, trusted: list[x509.Certificate] | None = None) -> Inspection:
    """Inspect a document of the small structure."""
    return inspect(
        xml, check_structure=lambda *_: (), labels_of=lambda _: LABELS, display=DISPLAY, profile=PROFILE,
        anchors=anchors() if trusted is None else trusted, now=NOW + timedelta(hours=1),
    )  # fmt: skip


def rules(inspection: Inspection) -> set[str]:
    """Rule ids that are more than information."""
    return {one.rule for one in inspection.findings if not one.rule.startswith("CODE-")}
