"""A second writer of three documents, by hand: shares nothing with the engine."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

S = "urn:oid:1.2.246.537.6."
TASKS = {
    "working-age": ("TYOIKAISET-UNVERIFIED", "Työikäisten palvelut"),
    "disability": ("20", "Vammaispalvelut"),
}
SERVICES = {
    "rehabilitative-work": ("KUNTOUTTAVA-TYOTOIMINTA-UNVERIFIED", "Kuntouttava työtoiminta"),
    "social-rehabilitation": ("SOSIAALINEN-KUNTOUTUS-UNVERIFIED", "Sosiaalinen kuntoutus"),
    "disability-work-activity": ("55", "Vammaisten henkilöiden työtoiminta"),
}
REASONS = {
    "incapacity": "Työkyvyttömyys",
    "child_illness": "Alle 10-vuotiaan lapsen sairaus",
    "employment_reason": "Työhaastattelu tai muu siihen rinnastettava työllistymiseen liittyvä syy",
    "public_duty": "Julkinen luottamustoimi",
    "other": "Muu syy, jonka ajalta etuutta ei makseta",
    "service_closed": "Palvelua ei järjestetty",
    "swapped_day": "Vaihdettu päivä",
}
FORMS = {"group": "ryhmä", "individual": "yksilö"}
MODES = {"on_site": ("LASNA-UNVERIFIED", "Läsnä"), "remote": ("ETANA-UNVERIFIED", "Etänä")}


def write(source: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of a diary entry, an absence or a negotiation."""
    record, client, author = source["record"], source["client"], source["author"]
    event, after = EVENTS[record["type"]](record)
    entry = {
        "palvelutehtava": coded("1221.201601", TASKS[source["product"]["service_task"]]),
        "sosiaalipalvelu": [coded("1222.201601", SERVICES[source["product"]["service"]])],
        **({"tapahtuma": event} if event else {}),
    }
    unit = {"system": S + "202", "code": source["unit"]["oid"], "display": source["unit"]["name"]}
    person = {
        "sukunimi": author["surname"],
        "etunimet": author["given_names"],
        "tehtavanimike": author["title"],
    }
    hetu = {"system": "urn:oid:1.2.246.21", "value": client["identity_code"]}
    return {
        ROOTS[record["type"]]: {
            "asiakas": [{"sukunimi": client["surname"], "etunimet": client["given_names"], "henkilotunnus": hetu}],
            "asiakaskertomusmerkinta": entry,
            **after,
            "paivamaara": record["date"],
            "laatija": {**person, "palveluyksikko": unit},
        }
    }


def diary(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event of a diary entry."""
    said = [
        ("Muoto", FORMS.get(record.get("form", ""))),
        ("Tunnit", comma(record.get("hours"))),
        ("Yksilöllinen ohjaus minuutteina", comma(record.get("guidance_minutes"))),
        ("Yksilöohjaus tunteina", comma(record.get("guidance_hours"))),
        ("Läsnä", {True: "Kyllä", False: "Ei"}.get(record.get("present", ""))),
        ("Tehtävät", record.get("tasks")),
        ("Suoriutuminen", record.get("performance")),
        ("Osaamisen kehittyminen", record.get("skills")),
        ("Muu merkintä", record.get("notes")),
        ("Tavoitteen seuranta", record.get("goals_follow_up")),
        ("Poikkeama tai ilmoitus", record.get("deviation")),
    ]
    return {**times(record), **mode(record), **described(said)}, {}


def absence(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event of an absence."""
    told = datetime.fromisoformat(record["client_told_at"]) if "client_told_at" in record else None
    moment = f"{finnish(str(told.date()))} klo {told.hour}.{told.minute:02}" if told else None
    said: list[tuple[str, str | None]] = [
        ("Poissaolo", finnish(record.get("date"))),
        ("Poissaolo päättyy", finnish(record.get("ends_on"))),
        ("Syy", record.get("reason")),
        ("Poissaolon peruste", REASONS.get(record.get("reason_category", ""))),
        ("Kuvaus", record.get("description")),
        ("Luvallinen", {True: "Kyllä", False: "Ei"}.get(record.get("permitted", ""))),
        (
            "Asiakas ilmoittanut",
            moment,
        ),
        ("Ilmoitettu tilaajalle", finnish(record.get("purchaser_told_on"))),
        ("Ilmoitettu etuuden maksajalle", finnish(record.get("payer_told_on"))),
    ]
    return described(said), {}


def negotiation(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event of a negotiation, and what was agreed."""
    people = {"osallistujat": record["participants"]} if "participants" in record else {}
    called = ("Kutsuttu", finnish(record.get("called_on")))
    said = [("Aihe", record.get("topic")), ("Paikka", record.get("place")), called, ("", record.get("description"))]
    agreed = {"neuvottelussa_sovitut_asiat_ja_vastuunjako": record["agreed"]} if "agreed" in record else {}
    return {**times(record), **mode(record), **people, **described(said)}, agreed


def described(said: list[tuple[str, str | None]]) -> dict[str, str]:
    """The description, if anything was said."""
    lines = [f"{label}: {text}" if label else text for label, text in said if text]
    return {"kuvaus": "\n".join(lines)} if lines else {}


def times(record: Mapping[str, Any]) -> dict[str, Any]:
    """From when to when."""
    zone = ZoneInfo("Europe/Helsinki")
    made = {
        key: datetime.fromisoformat(f"{record['date']}T{record[name]}:00").replace(tzinfo=zone).isoformat()
        for key, name in (("alkamishetki", "start_time"), ("paattymishetki", "end_time"))
        if name in record
    }
    return {"ajanjakso": made} if made else {}


def mode(record: Mapping[str, Any]) -> dict[str, Any]:
    """How the client was met."""
    return {"asiointitapa": [coded("1250", MODES[record["mode"]])]} if "mode" in record else {}


def coded(system: str, code: tuple[str, str]) -> dict[str, str]:
    """A coded value."""
    return {"system": S + system, "code": code[0], "display": code[1]}


def comma(number: float | None) -> str | None:
    """A number as Finns write it."""
    return None if number is None else f"{number:g}".replace(".", ",")


def finnish(day: str | None) -> str | None:
    """A date as Finns write it."""
    return ".".join(str(int(part)) for part in reversed(day.split("-"))) if day else None


EVENTS = {"diary_entry": diary, "absence": absence, "negotiation": negotiation}
ROOTS = {
    "diary_entry": "merkinta_asiakkaan_arjesta",
    "absence": "muu_asiakaskertomusmerkinta",
    "negotiation": "merkinta_neuvottelusta",
}


def shown(value: Any, key: str = "") -> list[str]:
    """What a person sees of a document's JSON, value by value in its order."""
    if isinstance(value, list):
        return [line for one in value for line in shown(one, key)]
    if isinstance(value, dict):
        if "display" in value:
            return [value["display"]]
        if "value" in value:
            return [value["value"][:6] + "*****" if key == "henkilotunnus" else value["value"]]
        return [line for name, one in value.items() for line in shown(one, name)]
    if key.endswith("hetki"):
        moment = datetime.fromisoformat(value)
        return [f"{moment.day}.{moment.month}.{moment.year} klo {moment:%H.%M}"]
    return [finnish(value) or ""] if key.endswith(("paiva", "paivamaara")) else [value]
