"""The files of what clients ask for by right: complete, in every language, and told when they are wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.architecture.sources import ROOT

from kanta_gateway import knowledge
from kanta_gateway.audit.entry import HOUSEKEEPING
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.messages import LANGUAGES
from kanta_gateway.model import Event
from kanta_gateway.rights.kinds import Rules
from kanta_gateway.rights.pages import EASY, Pages, Part, Table
from kanta_gateway.rights.store import MOVES, RequestState

FILES = knowledge.texts("mappings/rights")
RULES = Rules.load(FILES)
PAGES = knowledge.texts("mappings/rights/pages")
PERSONS = re.compile(r"(^|_)(by|recorder|author|worker|supervisor|leaders?|person|participants|evaluate)(_|$)")
"""What a field is called that may hold a person who works with the client."""
NO_PERSON = frozenset({"evaluate_by", "close_person_authorised_on", "close_person_informed_on", "own_worker_told_on"})


def schemas() -> dict[str, Any]:
    """Record types about a client."""
    found = {one.stem: json.loads(one.read_text("utf-8")) for one in (ROOT / "schemas" / "records").glob("*.json")}
    return {name: one for name, one in found.items() if one["x-about"] == "client"}


def fields(schema: dict[str, Any]) -> set[str]:
    """Every field of a schema, at any depth."""
    inside = [*([schema["items"]] if "items" in schema else []), *schema.get("properties", {}).values()]
    return set(schema.get("properties", {})).union(*(fields(one) for one in inside))


def test_every_use_and_disclosure_has_words() -> None:
    """Every event of the use and disclosure logs is told to a client in words of its own or of its subject."""
    told = {one.value for one in Event if one not in HOUSEKEEPING}
    known = RULES.words["acts"].keys()
    subjects = RULES.words["subjects"].keys()

    assert [one for one in sorted(told) if one not in known and one.partition(":")[0] not in subjects] == []
    assert sorted(known - {one.value for one in Event}) == []


def test_every_record_and_field_has_words() -> None:
    """A client who reads a copy of the data finds every record type and every field named in the own language."""
    hidden = RULES.copy.staff | RULES.copy.others
    plain = {"type", "cancelled", "client"}
    named = {name for one in schemas().values() for name in fields(one)} - hidden - plain

    assert sorted(schemas().keys() - RULES.words["records"].keys()) == []
    assert sorted(named - RULES.words["fields"].keys()) == []


def test_no_field_with_a_worker_stays_in_a_copy() -> None:
    """C-579/21: fields of records that hold who works with the client are all on the list that is left out."""
    every = {name for one in schemas().values() for name in fields(one)}
    suspected = {name for name in every if PERSONS.search(name) and name not in NO_PERSON}

    assert len(suspected) > 15
    assert sorted(suspected - RULES.copy.staff - RULES.copy.others) == []


def test_every_structure_has_an_easy_name() -> None:
    """Every structure that documents are made of is told in easy Finnish, in one short sentence."""
    made = {one.stem for one in (ROOT / "mappings" / "documents").glob("*.yaml")} - {"groups"}
    easy = RULES.easy.structures

    assert sorted(made - easy.keys()) == []
    assert [name for name, one in easy.items() if len(one["tells"].split()) > 10 or one["tells"].count(".") != 1] == []


def test_every_kind_can_be_refused_and_answered() -> None:
    """Every kind has a ground for who was not identified, and every outcome and ground its texts."""
    assert [one.name for one in RULES.kinds.values() if "not-identified" not in one.grounds] == []
    assert [one.name for one in RULES.kinds.values() if "refused" not in one.outcomes] == []
    assert [name for name, one in RULES.grounds.items() if any(not one.text[language] for language in LANGUAGES)] == []
    assert {RequestState.ANSWERED, RequestState.HANDED} == {state for state, after in MOVES.items() if not after}


def test_pages_ask_for_the_same_in_every_language() -> None:
    """Every page is there in every language, with the same values and blocks; the receipt in easy Finnish too."""
    places = re.compile(r"{(\w+)}|^\[(\w+)\]", re.MULTILINE)
    pages = Pages.load(PAGES)
    uneven = []
    for name in PAGES:
        asked = {
            language: {*places.findall(pages.text(name, language))}
            for language in pages.languages(name) if language != EASY
        }  # fmt: skip
        uneven += [name] if len({frozenset(one) for one in asked.values()}) > 1 else []

    assert uneven == []
    assert [name for name in PAGES if not set(LANGUAGES) <= set(pages.languages(name))] == []
    assert [name for name in PAGES if EASY in pages.languages(name)] == ["receipt"]


def stated(template: str) -> dict[str, str]:
    """One page of that template in every language."""
    lines = template.replace("\n", "\n  ")
    return {"own": "".join(f"{language}: |\n  {lines}\n" for language in LANGUAGES)}


def made(template: str, **values: str) -> str:
    """The body of a page of that template."""
    table = Table("Rivit", ["<b>"], [["a & b"]])
    blocks = {"rows": [Part("Osa", ["<teksti>", ["kohta"], table])], "documents": []}
    return Pages.load(stated(template)).page("own", "sv", values, blocks).partition("<main>\n")[2]


def test_a_page_is_accessible_and_escaped() -> None:
    """Values are escaped; headings, lists and tables are marked as what they are, in the page's language."""
    whole = Pages.load(stated("# Otsikko")).page("own", "sv", {}, {})
    body = made("# {title}\n- {purpose}\n[rows]", title="Hei <script>", purpose="{id} & muuta", id="x")

    assert '<html lang="sv">' in whole
    assert "<title>Otsikko</title>" in whole
    assert "<h1>Hei &lt;script&gt;</h1>" in body
    assert "<ul><li>{id} &amp; muuta</li></ul>" in body
    assert "<h2>Osa</h2>\n<p>&lt;teksti&gt;</p>\n<ul><li>kohta</li></ul>" in body
    assert '<th scope="col">&lt;b&gt;</th>' in body
    assert "<caption>Rivit</caption>" in body


def test_what_is_empty_is_left_out() -> None:
    """A line whose value is empty is left out, and a heading with nothing under it."""
    body = made("# A\n## Tyhjä\n{text}\n[documents]\n## Toinen\n{id}", id="x", text="")

    assert body.startswith("<h1>A</h1>\n<h2>Toinen</h2>\n<p>x</p>")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("# {secret}", "nobody knows secret"), ("# A\n[other]", "nobody knows other"),
        ("# {id", "a brace is not closed"),
        ("Ei otsikkoa", "begins with its heading"),
    ],
)  # fmt: skip
def test_a_wrong_page_is_told(template: str, told: str) -> None:
    """A page that asks for what nobody knows is refused at the start, with file and line."""
    with pytest.raises(MisconfiguredError) as found:
        Pages.load(stated(template))

    assert len(found.value.mistakes) == len(LANGUAGES)
    assert all(told in one and one.startswith("rights/pages/own.yaml:") for one in found.value.mistakes)


def test_a_wrong_kind_is_told() -> None:
    """A ground that is not there is told with the nearest one."""
    files = {
        **FILES,
        "kinds": FILES["kinds"].replace("health-danger, rights-of-others", "helth-danger, rights-of-others", 1),
    }
    with pytest.raises(MisconfiguredError) as found:
        Rules.load(files)

    assert ["there is no helth-danger", "did you mean health-danger?"] == [
        one for one in ("there is no helth-danger", "did you mean health-danger?") if one in found.value.mistakes[0]
    ]
