"""Exports of a known shape that nobody has seen: every case ends as the contract says, and no document loses a text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.documents_read import displayed, structured
from tests.exports import export
from tests.installations import installation, take, written

from kanta_gateway.pipeline.office import content_of
from kanta_gateway.spool import store
from kanta_gateway.spool.states import State

ROOT = Path(__file__).resolve().parents[2]
IDS = ("kirjausId", "poissaoloId", "arviointiId", "suunnitelmaId", "sopimusId", "keskusteluId", "yhteenvetoId")
MADE = {"accepted", "flagged", "replacement"}
Seen = tuple[Any, list[Any], list[dict[str, Any]], list[bytes], Any]


@pytest.fixture(scope="module", params=[1])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The made export, its cases, the rows of the result, the documents and what verifying them says."""
    folder = tmp_path_factory.mktemp("unseen")
    whole, cases = export(request.param)
    gateway = installation(folder / "data")
    rows = take(gateway, written(folder, whole))
    with gateway.parts.database.reading() as tx:
        live = [one for one in store.listed(tx, limit=100_000) if one.state is not State.WITHDRAWN]
        stored = [store.get(tx, one.oid) for one in live]
        made = [content_of(gateway.parts, one) for one in stored if one is not None]
    paths = [folder / f"{number}.xml" for number, _ in enumerate(made)]
    for path, xml in zip(paths, made, strict=True):
        path.write_bytes(xml)
    yield whole, cases, rows, made, gateway.documents.verify(paths)
    gateway.close()


def _rules(row: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in row["findings"] if one["rule"][:3] in {"LAP", "GEN"} and one["rule"] != "GEN-05"}


def test_cases_end_as_the_contract_says(seen: Seen) -> None:
    """Each case has the outcome and the rules of the contract's table, and no other."""
    _, cases, rows, _, _ = seen
    wrong = []
    for number, case in enumerate(cases):
        name = f"U-{number}" if case.about == "client" else f"{case.about}-U{number}"
        mine = [row for row in rows if row["id"] == name and row["outcome"] != "duplicate"]
        if not any(row["outcome"] == case.outcome and _rules(row) == case.rules for row in mine):
            wrong.append((case.name, [(row["outcome"], sorted(_rules(row))) for row in mine]))
    assert wrong == []


def test_documents_verify(seen: Seen) -> None:
    """No document has a mistake beyond what development cannot know."""
    assert {row["verdict"] for row in seen[4]["documents"]} == {"PASSED"}


@pytest.mark.reference
def test_documents_hold_to_the_official_schemas(seen: Seen) -> None:
    """The JSON of every document validates against the official schema of its structure."""
    place = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared")) / "thl"
    if not place.is_dir():
        pytest.skip("no official schemas: set REFERENCE_DIR to the folder that holds thl/")
    schemas = [json.loads(path.read_text("utf-8")) for path in place.rglob("*.json")]
    by_oid = {one["sosmeta"]["oid"]: jsonschema.Draft7Validator(one) for one in schemas}
    for xml in seen[3]:
        oid = re.search(rb"contentSpecificationId[^>]*>([^<]+)<", xml)
        assert oid is not None
        assert not list(by_oid[oid[1].decode()].iter_errors(structured(xml)))


def _squash(text: str) -> str:
    return re.sub(r"[\s\u00ad]+", "", text)


def _texts(value: Any, made: set[tuple[str, int]], *, is_record: bool = False) -> Iterator[str]:
    if isinstance(value, str) and is_record and len(value) >= 25 and " " in value:
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, made, is_record=is_record)
    elif isinstance(value, dict):
        name = next((value[key] for key in IDS if key in value), None)
        if name is None or (name, value.get("versio", 1)) in made:
            for one in value.values():
                yield from _texts(one, made, is_record=is_record or name is not None)


def test_no_text_is_lost(seen: Seen) -> None:
    """Every text of at least 25 characters of an archived record is shown in a document, masked ones left out."""
    whole, _, rows, documents, _ = seen
    refused = {(row["id"], row["version"]) for row in rows if row["outcome"] == "refused"}  # same version, other text
    made = {(row["id"], row["version"]) for row in rows if row["outcome"] in MADE} - refused
    shown = [_squash(displayed(xml)) for xml in documents]
    texts = {text for text in _texts(whole["asiakkaat"], made) if not re.search(r"049 \d", text)}
    everything = "\n".join(shown)

    assert sorted(text[:40] for text in texts if _squash(text) not in everything) == []
