# ruff: noqa: E501 — one case a line
"""Made exports in the shape of `lapha-json`: one client for each case, with the outcome that the case must bring.

- The outcomes are worked out by hand from the contract's table and share nothing with the rules that judge.
- A seed chooses texts and products; the same seed gives the same export.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.installations import sample
from tests.small_export import identity_code

Client = dict[str, Any]
Change = Callable[[Client], None]
PRODUCTS = {
    "KT1": ("Kuntouttava työtoiminta", 1, "Työtoimintatehtävien ja työelämän perustaitojen ohjaus"),
    "KT2": ("Kuntouttava työtoiminta", 2, "Työtoimintatehtävien ja työelämän perustaitojen ohjaus sekä yksilöllinen ohjaus ja tuki"),
    "KT3": ("Kuntouttava työtoiminta", 3, "Ryhmämuotoinen kuntouttava työtoiminta"),
    "VT1": ("Vammaisten henkilöiden työtoiminta", 1, "Vammaisten henkilöiden työtoiminta palveluntuottajan toimintayksikössä"),
    "VT2": ("Vammaisten henkilöiden työtoiminta", 2, "Yksilöllinen avotyötoiminta avointen työmarkkinoiden työpaikoilla"),
    "SK1": ("Sosiaalinen kuntoutus", 1, "Lähipalveluna toteutettava ryhmämuotoinen sosiaalinen kuntoutus"),
    "SK2": ("Sosiaalinen kuntoutus", 2, "Etäpalveluna toteutettava ryhmämuotoinen sosiaalinen kuntoutus"),
}  # fmt: skip
TEXTS = (
    "Asiakas sanoi: <b>”Tämä on & pysyy”</b> ]]> ja jatkoi työtä rauhassa.",
    "Deltagaren packade varor i egen takt och bad om hjälp vid behov.",
    "Iloinen päivä 🙂🧵 ja lopuksi 'lainaus' sekä \"toinen lainaus\".",
    "  Alussa ja lopussa välejä, keskellä rivinvaihto\r\nja sarkain\tja vielä\n\nuusi kappale.  ",
    "Sitova\u00a0väli ja pehmeä\u00adtavu\u00adviiva pitkässä sanassa.",
    "Pitkä kuvaus päivän kulusta jatkuu. " * 140,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One client's change, and what its first diary entry (or the named kind of record) must bring."""

    name: str
    change: Change
    outcome: str = "accepted"
    rules: frozenset[str] = frozenset()
    about: str = "PV1"


def _entry(**fields: Any) -> Change:
    return lambda client: client["valmennuspaivakirja"][0].update(fields)


def _of(part: str, **fields: Any) -> Change:
    def change(client: Client) -> None:
        target = client[part][0] if isinstance(client[part], list) else client[part]
        target.update(fields)

    return change


def _client(**fields: Any) -> Change:
    return lambda client: client.update(fields)


def _product(code: str, **entry: Any) -> Change:
    def change(client: Client) -> None:
        service, number, name = PRODUCTS[code]
        client["paatos"].update(palvelu=service, palvelutuote={"numero": number, "nimi": name})
        if code == "SK2":
            client["paatos"]["etaosuusEnintaan"] = 100
        client["paatos"].update(tuntejaPaivassa=4, paiviaViikossa=2)
        client["valmennuspaivakirja"] = client["valmennuspaivakirja"][:2]
        for one in client["valmennuspaivakirja"]:
            one.update(tunnit=4, paattyi="13:00")
        client["valmennuspaivakirja"][0].update(entry)

    return change


def _again(**fields: Any) -> Change:
    return lambda client: client["valmennuspaivakirja"].append({**client["valmennuspaivakirja"][0], **fields})


def _without(*names: str) -> Change:
    def change(client: Client) -> None:
        for name in names:
            client.pop(name, None)

    return change


def _as_list(name: str) -> Change:
    return lambda client: client.update({name: [client[name]]})


def _remote_unplanned(client: Client) -> None:
    client["paatos"]["etaosuusEnintaan"] = 0
    client["valmennuspaivakirja"][0]["toteutustapa"] = "eta"


def _unsuitable(client: Client) -> None:
    _product("KT2")(client)
    client["vastuutyontekija"] = "T3"


def _newest_first(client: Client) -> None:
    first, *others = client["valmennuspaivakirja"]
    later = [
        {**first, "versio": version, "tila": "KORJATTU", "vapaaMerkinta": f"Korjaus {version}."} for version in (3, 2)
    ]
    client["valmennuspaivakirja"] = [*later, first, *others]


def flag(*rules: str) -> tuple[str, frozenset[str]]:
    """A document with these findings."""
    return "flagged", frozenset(rules)


def hold(*rules: str) -> tuple[str, frozenset[str]]:
    """No document until something is corrected."""
    return "held", frozenset(rules)


def told(*rules: str) -> tuple[str, frozenset[str]]:
    """Findings on a reference record."""
    return "reference", frozenset(rules)


def cases(seed: int) -> list[Case]:
    """Every case."""
    draw = random.Random(seed)
    two = ("accepted", frozenset[str]())
    made = [Case(f"product {code}", _product(code)) for code in PRODUCTS]
    made += [
        Case(f"text {number}", _entry(tehtavat=text, taidot=draw.choice(TEXTS))) for number, text in enumerate(TEXTS)
    ]
    made += [
        Case(f"{name} missing", _without(name))
        for name in ("toteuttamissuunnitelma", "sopimus", "loppukeskustelu", "loppuyhteenveto", "lisatiedot",
                     "omatyontekija", "poissaolot", "arvioinnit", "vastuutyontekijanSijainen")
    ]  # fmt: skip
    made += [
        Case(f"{name} null", _client(**{name: None}))
        for name in ("toteuttamissuunnitelma", "sopimus", "loppukeskustelu", "loppuyhteenveto", "poissaolot")
    ]
    made += [
        Case(f"{name} as list", _as_list(name))
        for name in ("paatos", "toteuttamissuunnitelma", "sopimus", "loppukeskustelu", "loppuyhteenveto")
    ]
    made += [Case(f"{name} empty", _client(**{name: []})) for name in ("poissaolot", "arvioinnit")]
    made += [
        Case("one-word name", _client(etunimet="Aino", kutsumanimi=None)),
        Case("decimal hours", _entry(tunnit=4.5, paattyi="13:30")),
        Case("decimal hours as text", _entry(tunnit="4,5", paattyi="13:30")),
        Case("workplace supervisor", _of("sopimus", tyopaikkaohjaaja="Matti Mallila, varastopäällikkö"), about="S"),
        Case("guidance minutes in KT1", _entry(yksilollinenOhjausMin=30), *flag("LAP-29")),
        Case("hours above the limit", _entry(tunnit=7, paattyi="16:00"), *flag("LAP-03", "LAP-24")),
        Case("hours below the limit", _entry(tunnit=3, paattyi="12:00"), *flag("LAP-03")),
        Case("hours above the decision", _entry(tunnit=6, paattyi="15:00"), *flag("LAP-24")),
        Case("hours missing", _entry(tunnit=None), *hold("LAP-11")),
        Case("end before start", _entry(alkoi="14:00", paattyi="09:00"), *hold("LAP-11")),
        Case("Saturday", _entry(pvm="2025-03-08"), *hold("LAP-03")),
        Case("Good Friday", _entry(pvm="2025-04-18"), *hold("LAP-03")),
        Case("absent the same day", _of("poissaolot", pvm="2025-03-03"), *hold("LAP-11")),
        Case("outside the decision", _entry(pvm="2025-06-04"), "refused", frozenset({"LAP-08"})),
        Case("before the decision", _entry(pvm="2025-02-27"), "refused", frozenset({"LAP-08"})),
        Case("unknown staff", _entry(kirjaaja="T99"), *hold("GEN-04")),
        Case("remote not planned", _remote_unplanned, *flag("LAP-06")),
        Case("VT hours", _product("VT1", tunnit=3, paattyi="12:00"), *flag("LAP-04")),
        Case("SK hours", _product("SK1", tunnit=5, paattyi="14:00"), *flag("LAP-05", "LAP-24")),
        Case("SK Sunday", _product("SK1", pvm="2025-03-09"), *hold("LAP-05")),
        Case("VT Sunday", _product("VT2", pvm="2025-03-09"), *hold("LAP-04")),
        Case("content empty", _entry(suoriutuminen=""), *flag("LAP-11")),
        Case("payer not told", _of("poissaolot", ilmoitettuEtuudenMaksajalle=None), *flag("LAP-12"), about="PO"),
        Case("payer told late", _of("poissaolot", ilmoitettuEtuudenMaksajalle="2025-03-27"), *flag("LAP-12"), about="PO"),
        Case("payer told on day 14", _of("poissaolot", ilmoitettuEtuudenMaksajalle="2025-03-26"), about="PO"),
        Case("interim early", _of("arvioinnit", pvm="2025-03-20"), *flag("LAP-13"), about="AR"),
        Case("evaluation delivered late", _of("arvioinnit", toimitettuTilaajalle="2025-05-29"), *flag("LAP-13"), about="AR"),
        Case("delivered on the closing day", _of("arvioinnit", toimitettuTilaajalle="2025-05-28"), about="AR"),
        Case("goals empty", _of("arvioinnit", tavoitteet=""), *flag("LAP-14"), about="AR"),
        Case("plan delivered late", _of("toteuttamissuunnitelma", toimitettuTilaajalle="2025-03-18"), *flag("LAP-10"), about="SUU"),
        Case("plan on day 14", _of("toteuttamissuunnitelma", toimitettuTilaajalle="2025-03-17"), about="SUU"),
        Case("plan not delivered", _of("toteuttamissuunnitelma", toimitettuTilaajalle=None), *flag("LAP-10"), about="SUU"),
        Case("summary late", _of("loppuyhteenveto", laadittu="2025-06-16"), *flag("LAP-15"), about="YHT"),
        Case("correction", _again(versio=2, tila="KORJATTU", tehtavat="Korjattu kuvaus päivän töistä."), "replaced"),
        Case("cancellation", _again(versio=2, tila="MITATOITY"), "cancelled", frozenset({"GEN-02"})),
        Case("other content, same version", _again(tehtavat="Aivan toinen kuvaus samasta päivästä."), *two),
        Case("two versions, newest first", _newest_first, "replaced"),
        Case("cancelled alone", _entry(tila="MITATOITY"), "cancelled", frozenset({"GEN-02"})),
        Case("unknown product", _of("paatos", palvelutuote={"numero": 9, "nimi": "Tuntematon tuote"}), *hold("LAP-01")),
        Case("substitute missing", _client(vastuutyontekijanSijainen=None), *told("LAP-09", "LAP-13"), about="client"),
        Case("unsuitable title", _unsuitable, *told("LAP-13", "LAP-25"), about="client"),
        Case("too old", _client(henkilotunnus="120655-905Y"), *told("LAP-03"), about="P"),
        Case("period too long", _of("paatos", paattyy="2025-08-29"), *told("LAP-03"), about="P"),
        Case("authority's plan missing", _of("paatos", viranomaissuunnitelma=None), *told("LAP-08"), about="P"),
        Case("next of kin of a hidden client", _client(turvakielto=True), about="S"),
        Case("non-disclosure not told", _client(turvakielto=None), "held"),
        Case("final after the end", _of("arvioinnit", laji="loppuarviointi", pvm="2025-06-02"), *flag("LAP-13"), about="AR"),
        Case("other delivery", _again(toimitus="D-2"), "accepted"),
    ]  # fmt: skip
    return made


def export(seed: int) -> tuple[dict[str, Any], list[Case]]:
    """An export with one client for each case, and the cases in the order of the clients."""
    whole, made = sample(), cases(seed)
    base = whole["asiakkaat"][0]
    entries = [
        {**base["valmennuspaivakirja"][0], "pvm": f"2025-03-0{day}", "kirjausId": f"PV{day - 2}", "tila": "VALMIS"}
        for day in (3, 4, 5)
    ]
    whole["asiakkaat"] = [_made(base, entries, number, case) for number, case in enumerate(made)]
    return whole, made


def _made(base: Client, entries: list[Client], number: int, case: Case) -> Client:
    client = copy.deepcopy(base)
    client.update(asiakasnumero=f"U-{number}", henkilotunnus=identity_code(number))
    client["valmennuspaivakirja"] = copy.deepcopy(entries)
    client["arvioinnit"] = client["arvioinnit"][:1]
    client["poissaolot"] = client["poissaolot"][:1]
    ids = {"toteuttamissuunnitelma": ("suunnitelmaId", "SUU"), "sopimus": ("sopimusId", "S"), "poissaolot": ("poissaoloId", "PO"),
           "arvioinnit": ("arviointiId", "AR"), "loppukeskustelu": ("keskusteluId", "LKE"),
           "loppuyhteenveto": ("yhteenvetoId", "YHT"), "paatos": ("paatosId", "P")}  # fmt: skip
    for part, (key, name) in ids.items():
        (client[part][0] if isinstance(client[part], list) else client[part])[key] = f"{name}-U{number}"
    case.change(client)
    for one in client["valmennuspaivakirja"]:
        one["kirjausId"] = f"{one['kirjausId']}-U{number}"
    return json.loads(json.dumps(client))  # type: ignore[no-any-return]
