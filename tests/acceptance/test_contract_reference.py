"""The Lapland contract over the reference export: outcomes, rules and figures are the expected ones.

The export is read here by a few lines of its own, so that nothing of intake is needed.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import holidays
import pytest

from kanta_gateway.contracts import library
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Finding, Outcome, Record, Severity
from kanta_gateway.recordtypes import RecordType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.reference

ROOT = Path(__file__).parents[2]
INPUT = Path(os.environ.get("REFERENCE_DIR", str(ROOT.parent / "shared"))) / "inputs" / "lapha"
CENTURIES = dict.fromkeys("-YXWVU", 1900) | dict.fromkeys("ABCDEF", 2000) | {"+": 1800}
MODES = {"lahi": "on_site", "eta": "remote"}
EVALUATIONS = {"valiarviointi": "interim_evaluation", "loppuarviointi": "final_evaluation"}
RENAMED = {
    "pvm": "date", "alkoi": "start_time", "paattyi": "end_time", "tunnit": "hours", "toteutustapa": "mode",
    "yksilollinenOhjausMin": "guidance_minutes", "tehtavat": "tasks", "suoriutuminen": "performance",
    "taidot": "skills", "vapaaMerkinta": "notes", "kirjaaja": "recorder", "kirjattu": "recorded_at",
    "luvallinen": "permitted", "ilmoitettuEtuudenMaksajalle": "payer_told_on", "laatija": "author",
    "toimitettuTilaajalle": "delivered_on", "tavoitteet": "goals", "osallistujat": "participants",
    "laadittu": "made_on", "tyonjako": "division_of_work", "asiakkaanMielipide": "client_view",
    "arviointipaivat": "evaluation_dates", "palvelu": "service", "alkaa": "starts_on", "paattyy": "ends_on",
    "paiviaViikossa": "days_per_week", "tuntejaPaivassa": "hours_per_day",
    "etaosuusEnintaan": "remote_max_percent", "viranomaissuunnitelma": "authority_plan",
    "allekirjoitettu": "signed_on", "paikka": "place", "lahiohjaaja": "supervisor",
    "vastuutyontekija": "responsible_worker", "vastuutyontekijanSijainen": "substitute_worker",
    "tyopaikkaohjaaja": "workplace_supervisor", "turvakielto": "non_disclosure",
    "palvelunPaattymisenSyy": "end_reason", "sisalto": "content", "eteneminen": "progress",
    "perustaidotAsiakas": "skills_client", "perustaidotTuottaja": "skills_provider",
    "jatkosuunnitelma": "continuation_plan", "tukitoimet": "support", "nimi": "name", "tehty": "made_on",
    "osatavoitteet": "subgoals", "keinot": "means", "alku": "start", "loppu": "end", "jakso": "period",
    "paatavoitteet": "goals", "tehtavanimike": "title", "yksikko": "unit",
    "ammattihenkilonRekisterinumero": "registration_number",
}  # fmt: skip


def renamed(value: Any) -> Any:
    """The export's own words in the words of canonical records."""
    if isinstance(value, dict):
        return {RENAMED.get(key, key): renamed(item) for key, item in value.items() if item not in ("", None)}
    return [renamed(item) for item in value] if isinstance(value, list) else value


def own(client: Mapping[str, Any]) -> Iterator[tuple[str, str, int, bool, dict[str, Any]]]:
    """Type, id, version, cancelled and content of one client's records."""
    number = client["asiakasnumero"]
    yield (
        "client",
        number,
        1,
        False,
        renamed({k: v for k, v in client.items() if not isinstance(v, list | dict)}),
    )
    decision = renamed(client["paatos"]) | {"product_number": client["paatos"]["palvelutuote"]["numero"]}
    yield "decision", client["paatos"]["paatosId"], 1, False, decision
    plan = client["toteuttamissuunnitelma"]
    yield "implementation_plan", plan["suunnitelmaId"], plan["versio"], False, renamed(plan)
    yield "agreement", client["sopimus"]["sopimusId"], 1, False, renamed(client["sopimus"])
    for row in client["valmennuspaivakirja"]:
        content = renamed(row) | {"mode": MODES[row["toteutustapa"]]}
        yield "diary_entry", row["kirjausId"], row["versio"], row["tila"] == "MITATOITY", content
    for row in client["poissaolot"]:
        yield "absence", row["poissaoloId"], 1, False, renamed(row)
    for row in client["arvioinnit"]:
        yield EVALUATIONS[row["laji"]], row["arviointiId"], 1, False, renamed(row)
    yield (
        "negotiation",
        client["loppukeskustelu"]["keskusteluId"],
        1,
        False,
        renamed(client["loppukeskustelu"]),
    )
    yield (
        "final_summary",
        client["loppuyhteenveto"]["yhteenvetoId"],
        1,
        False,
        renamed(client["loppuyhteenveto"]),
    )


def birth_date(code: str) -> str:
    """The date in an identity code."""
    return date(CENTURIES[code[6]] + int(code[4:6]), int(code[2:4]), int(code[:2])).isoformat()


def types() -> dict[str, RecordType]:
    """Every record type."""
    files = (ROOT / "schemas" / "records").glob("*.json")
    return {path.stem: RecordType.of(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in files}


@cache
def delivered() -> tuple[Contract, Mapping[str, Any], Mapping[str, Any]]:
    """Contract, export and expected result."""
    if not INPUT.is_dir():
        pytest.skip(f"the reference inputs are not there; REFERENCE_DIR points to them (looked in {INPUT.name})")
    folder = ROOT / "mappings" / "contracts"
    texts = {name: (folder / f"{name}.yaml").read_text(encoding="utf-8") for name in ("lapha", "national")}
    read = [json.loads((INPUT / f"{name}.json").read_text(encoding="utf-8")) for name in ("export", "expected")]
    return library.load(texts, types())["lapha"], read[0], read[1]


def cases() -> Iterator[tuple[str, Case]]:
    """Client number and case of each client; what was delivered twice stands once."""
    contract, export, _ = delivered()
    provider = export["palveluntuottaja"]
    units = [{"oid": u["oid"], "name": u["nimi"], "registered": u["soteri"]} for u in provider["yksikot"]]
    people = [(p["tyontekijaId"], renamed(p)) for p in export["henkilosto"]]
    shared = [entry(contract, "staff", name, 1, content) for name, content in people]
    header = {"registered": provider["soteriRekisterissa"], "units": units}
    shared.append(entry(contract, "provider", "tuottaja", 1, header))
    for client in export["asiakkaat"]:
        seen: dict[str, Entry] = {}
        for row, (kind, name, version, is_cancelled, content) in enumerate(own(client), 1000):
            extra = {"birth_date": birth_date(client["henkilotunnus"])} if kind == "client" else {}
            content.pop("toimitus", None)
            one = entry(contract, kind, name, version, content, is_cancelled=is_cancelled, row=row, extra=extra)
            seen.setdefault(json.dumps([kind, name, version, content]), one)
        yield client["asiakasnumero"], Case(entries=tuple(seen.values()), shared=tuple(shared))


def entry(
    contract: Contract, kind: str, name: str, version: int, content: dict[str, Any],
    *, is_cancelled: bool = False, row: int = 0, extra: Mapping[str, Any] | None = None,
) -> Entry:  # fmt: skip
    """One entry with the facts of its content."""
    kept = facts(contract, Record(kind, name, version, None, content), extra)
    return Entry(contract.types[kind], name, version, is_cancelled, kept, row, row)


def judged() -> Iterator[tuple[str, Case, Judgement]]:
    """Every client's judgement at the export's own time stamp."""
    contract, export, _ = delivered()
    free = set(holidays.country_holidays("FI", years=(2025, 2026)))
    for client, case in cases():
        yield client, case, judge(contract, case, date.fromisoformat(export["vienti"]["luotu"][:10]), free)


def told(judgement: Judgement, one: Entry) -> list[Finding]:
    """The findings that are compared: beside those that hold or refuse a record others may stand."""
    found = judgement.findings[one.row]
    worst = max((finding.severity for finding in found), default=Severity.INFO)
    return [finding for finding in found if worst < Severity.HOLD or finding.severity >= Severity.HOLD]


def test_every_outcome_and_rule_is_the_expected_one() -> None:
    """Each record of the reference export has the outcome and the rules that expected.json gives it."""
    expected = {
        (row["id"], row["version"]): (row["outcome"], sorted(f["rule"] for f in row["findings"]))
        for row in delivered()[2]["records"]
        if row["type"] not in {"henkilosto", "palveluntuottaja"} and row["outcome"] != "duplicate"
    }

    actual = {
        (one.id, one.version): (
            str(judgement.outcomes[one.row]),
            sorted(f.rule for f in told(judgement, one)),
        )
        for _, case, judgement in judged()
        for one in case.entries
    }

    assert expected == actual


def test_severities_are_the_expected_ones() -> None:
    """Each finding of the reference export weighs what expected.json says."""
    expected = Counter(
        (row["id"], finding["rule"], finding["severity"])
        for row in delivered()[2]["records"]
        for finding in row["findings"]
        if row["outcome"] != "duplicate"
    )

    actual = Counter(
        (one.id, finding.rule, finding.severity.word)
        for _, case, judgement in judged()
        for one in case.entries
        for finding in told(judgement, one)
    )

    assert expected == actual


def test_every_figure_is_the_expected_one() -> None:
    """Each figure of the reference export is that of expected.json, by its exact name."""
    contract, export, expected = delivered()
    as_of = date.fromisoformat(export["vienti"]["luotu"][:10])

    actual = {client: figures(contract, case, judgement, as_of) for client, case, judgement in judged()}

    assert expected["figures"] == actual


def test_chains_are_the_expected_ones() -> None:
    """What is replaced or cancelled in the reference export is exactly what expected.json says."""
    waiting = {Outcome.REPLACED, Outcome.REPLACEMENT, Outcome.CANCELLED, Outcome.CANCELLATION}
    expected = {
        (row["id"], row["version"], row["outcome"])
        for row in delivered()[2]["records"]
        if row["outcome"] in {str(one) for one in waiting}
    }

    actual = {
        (one.id, one.version, str(judgement.outcomes[one.row]))
        for _, case, judgement in judged()
        for one in case.entries
        if judgement.outcomes[one.row] in waiting
    }

    assert expected == actual


def test_every_rule_of_the_purchasers_is_traced(reference: Path) -> None:
    """Each rule id of the reference table stands on the page that says where it is judged, or why it is not."""
    rows = (reference / "facts" / "contracts.md").read_text("utf-8").splitlines()
    named = {found[1] for row in rows if (found := re.match(r"\| ((?:LAP|HEI|HEL|PAI|LAA|GEN)-\d+) \|", row))}
    page = (ROOT / "docs" / "traceability.md").read_text("utf-8")

    assert len(named) > 100
    assert sorted(one for one in named if one not in page) == []


def test_every_rule_of_the_law_is_traced(reference: Path) -> None:
    """Each rule of the reference's section on this service and its absences stands on the page too."""
    text = (reference / "facts" / "law.md").read_text("utf-8")
    section = text.partition("\n## 4.")[2].partition("\n## 5.")[0]
    named = set(re.findall(r"^\| ((?:KT|AB)-\d+) \|", section, re.MULTILINE))
    page = (ROOT / "docs" / "traceability.md").read_text("utf-8").partition("## national")[2]

    assert len(named) == 33
    assert sorted(one for one in named if one not in page) == []
