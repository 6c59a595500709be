"""A seeded generator of faulty exports: each knows which finding it must bring, and where.

* `stage` says who finds it: `reading` (intake alone), `contract` (whole import), `file` (nothing is read).
* The place of a fault is drawn from the seed; everything else in the export stays right.
* `SECRET` stands in every faulty value: it may occur in no finding, message or log.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECRET = "Salavaara"  # noqa: S105 — a marked value, no password
SMALL = Path(__file__).parent / "data" / "lapha-small.json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty export and what must be found in it."""

    name: str
    data: bytes
    rule: str
    kind: str
    pointer: str
    """Of the finding; for a `contract` fault, of the record."""
    stage: str = "reading"
    record: str = ""
    """Id of the faulty record, where it has one."""


_FIELD_FAULTS: tuple[tuple[str, str, Any, str, str], ...] = (
    ("impossible-date", "pvm", f"2025-02-30 {SECRET}", "SRC-DATE", "date-impossible"),
    ("thirtieth-of-february", "pvm", "2025-02-30", "SRC-DATE", "date-impossible"),
    ("date-is-number", "pvm", 20250301, "SRC-DATE", "date-impossible"),
    ("impossible-time", "alkoi", "25:00", "SRC-TIME", "time-impossible"),
    ("impossible-moment", "kirjattu", "2025-13-01T10:00", "SRC-MOMENT", "moment-impossible"),
    ("hours-in-words", "tunnit", f"viisi {SECRET}", "SRC-NUMBER", "number-unreadable"),
    ("hours-without-end", "tunnit", 10**400, "SRC-NUMBER", "number-unreadable"),
    ("hours-is-list", "tunnit", [5], "SRC-NUMBER", "number-unreadable"),
    ("unknown-mode", "toteutustapa", SECRET, "SRC-CHOICE", "choice-unknown"),
    ("unknown-status", "tila", SECRET, "SRC-CHOICE", "choice-unknown"),
    ("wrong-version", "versio", 0, "SRC-VERSION", "version-wrong"),
    ("text-is-object", "tehtavat", {"a": SECRET}, "SRC-TYPE", "type-wrong"),
    ("control-character", "tehtavat", f"{SECRET}\x07", "SRC-CHARACTER", "character-forbidden"),
    ("xml-non-character", "suoriutuminen", f"{SECRET}\ufffe", "SRC-CHARACTER", "character-forbidden"),
    ("ten-megabytes", "vapaaMerkinta", SECRET + "a" * 10_000_000, "SRC-LENGTH", "text-too-long"),
    ("missing-date", "pvm", None, "SRC-MISSING", "field-missing"),
    ("missing-recorder", "kirjaaja", "", "SRC-MISSING", "field-missing"),
    ("decimal-comma", "tunnit", "5,5", "GEN-05", "value-normalised"),
    ("hours-with-unit", "tunnit", "5 h", "GEN-05", "value-normalised"),
    ("date-with-spaces", "pvm", " 2025-03-04 ", "GEN-05", "value-normalised"),
    ("mode-in-capitals", "toteutustapa", "LÄHI", "GEN-05", "value-normalised"),
)
"""Name, field of a diary entry, its faulty value, rule, kind."""

_CONTRACT_FAULTS: tuple[tuple[str, str, Any, str], ...] = (
    ("unknown-staff", "kirjaaja", "T-999", "GEN-04"),
    ("outside-decision", "pvm", "2024-01-15", "LAP-08"),
    ("hours-missing", "tunnit", None, "LAP-11"),
    ("end-before-start", "paattyi", "07:00", "LAP-11"),
    ("weekend", "pvm", "2025-03-15", "LAP-03"),
)


def faults(seed: int, export: dict[str, Any] | None = None) -> list[Fault]:
    """Every kind of fault once, each in its own copy of an export.

    Args:
        seed: draws the places.
        export: a right export of the nested format; the small one by default.
    """
    draw = random.Random(seed)
    whole = export or json.loads(SMALL.read_text("utf-8"))
    made = [_field_fault(whole, draw, *one) for one in _FIELD_FAULTS]
    made += [_contract_fault(whole, draw, *one) for one in _CONTRACT_FAULTS]
    made += [
        build(whole, draw) for build in (_bad_code, _no_id, _no_client, _unknown_kind, _too_deep, _twice, _contract)
    ]
    made += _file_faults(whole)
    return made


def _bytes(export: dict[str, Any]) -> bytes:
    return json.dumps(export, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _entry(whole: dict[str, Any], draw: random.Random) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A copy of the export, one of its diary entries that stands alone, and its pointer."""
    copied = copy.deepcopy(whole)
    places = [
        (client, position, entry)
        for client, one in enumerate(copied["asiakkaat"])
        for position, entry in enumerate(one["valmennuspaivakirja"])
        if sum(entry["kirjausId"] == other["kirjausId"] for other in one["valmennuspaivakirja"]) == 1
    ]
    client, position, entry = draw.choice(places)
    return copied, entry, f"/asiakkaat/{client}/valmennuspaivakirja/{position}"


def _field_fault(
    whole: dict[str, Any], draw: random.Random, name: str, field: str, value: Any, rule: str, kind: str
) -> Fault:
    copied, entry, pointer = _entry(whole, draw)
    entry[field] = value
    return Fault(name, _bytes(copied), rule, kind, f"{pointer}/{field}", record=entry["kirjausId"])


def _contract_fault(whole: dict[str, Any], draw: random.Random, name: str, field: str, value: Any, rule: str) -> Fault:
    copied, entry, pointer = _entry(whole, draw)
    entry[field] = value
    return Fault(name, _bytes(copied), rule, "", pointer, "contract", entry["kirjausId"])


def _client(whole: dict[str, Any], draw: random.Random) -> tuple[dict[str, Any], dict[str, Any], str]:
    copied = copy.deepcopy(whole)
    position = draw.randrange(len(copied["asiakkaat"]))
    return copied, copied["asiakkaat"][position], f"/asiakkaat/{position}"


def _bad_code(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, client, pointer = _client(whole, draw)
    code = client["henkilotunnus"]
    client["henkilotunnus"] = code[:-1] + draw.choice([one for one in "0123456789ABCDEF" if one != code[-1]])
    return Fault(
        "bad-identity-code", _bytes(copied), "SRC-IDENTITY-CODE", "identity-code-wrong",
        f"{pointer}/henkilotunnus", record=client["asiakasnumero"],
    )  # fmt: skip


def _no_id(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, entry, pointer = _entry(whole, draw)
    entry["kirjausId"] = ""
    return Fault("missing-id", _bytes(copied), "SRC-ID", "id-missing", pointer)


def _no_client(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, client, pointer = _client(whole, draw)
    del client["asiakasnumero"]
    return Fault("missing-client-number", _bytes(copied), "SRC-CLIENT", "client-number-missing", f"{pointer}/paatos")


def _unknown_kind(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, client, pointer = _client(whole, draw)
    client["arvioinnit"][0]["laji"] = SECRET
    return Fault(
        "unknown-kind", _bytes(copied), "SRC-KIND", "record-kind-unknown",
        f"{pointer}/arvioinnit/0/laji", record=client["arvioinnit"][0]["arviointiId"],
    )  # fmt: skip


def _too_deep(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, entry, pointer = _entry(whole, draw)
    entry["tehtavat"] = "@deep@"
    data = _bytes(copied).replace(b'"@deep@"', b"[" * 10_000 + b"]" * 10_000)
    return Fault("ten-thousand-levels", data, "SRC-DEPTH", "nesting-too-deep", "/".join(pointer.split("/")[:3]))


def _twice(whole: dict[str, Any], draw: random.Random) -> Fault:
    copied, entry, pointer = _entry(whole, draw)
    entry["taidot"] = "@twice@"
    data = _bytes(copied).replace(b'"@twice@"', f'"a", "taidot": "{SECRET}"'.encode())
    return Fault("field-twice", data, "SRC-TWICE", "field-twice", f"{pointer}/taidot", record=entry["kirjausId"])


def _contract(whole: dict[str, Any], _draw: random.Random) -> Fault:
    copied = copy.deepcopy(whole)
    copied["tilaaja"]["sopimusnumero"] = "TUNTEMATON/1"
    return Fault("unknown-contract", _bytes(copied), "LAP-18", "", "", "contract")


def _file_faults(whole: dict[str, Any]) -> list[Fault]:
    right = _bytes(whole)
    return [
        Fault("invalid-utf8", right.replace("ä".encode(), b"\xe4", 1), "SRC-UTF8", "utf8-invalid", "", "file"),
        Fault("cut-off", right[: len(right) // 2], "SRC-JSON", "json-unreadable", "", "file"),
        Fault("not-json", SECRET.encode(), "SRC-JSON", "json-unreadable", "", "file"),
        Fault("not-a-number", right.replace(b"5.0", b"NaN", 1), "SRC-JSON", "json-unreadable", "", "file"),
        Fault("empty", b"", "SRC-JSON", "json-unreadable", "", "file"),
        Fault("list", b"[]", "SRC-TYPE", "type-wrong", "", "file"),
    ]
