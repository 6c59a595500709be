"""The text of a file of law into what the law says, with every mistake told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.law import Law, Reason, ServiceType
from kanta_gateway.contracts.mistakes import Mistakes, each
from kanta_gateway.contracts.reader import read_price
from kanta_gateway.contracts.rulereader import Known, check_figures, figure, placed, rule
from kanta_gateway.contracts.unjudged import not_judged, not_software
from kanta_gateway.errors import MisconfiguredError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.contracts.products import Price
    from kanta_gateway.recordtypes import RecordTypes

KEY = "law"
"""The key by which a file of law names itself, as a contract file does by `contract`."""
_NEEDED = (KEY, "source", "services", "rules")
_OPTIONAL = ("figures", "absence_reasons", "amounts", "not_judged", "not_software")
_DATES = ("valid_from", "valid_to")


def of(file: Mistakes, name: str, types: RecordTypes) -> Law:
    """What a file of law states.

    Args:
        file: what stands in it.
        name: the file's name, for messages.
        types: every record type.

    Raises:
        MisconfiguredError: the file is wrong; every mistake is told.
    """
    mistakes, data = file, file.data
    mistakes.keys(name, data, _NEEDED, _OPTIONAL)
    services = {one.name: one for one in each(mistakes, data, "services", _service)}
    for one in services.values():
        if one.successor and one.successor not in services:
            mistakes.say(f"services {one.name}", f"successor: {one.successor} is no type of service")
    known = Known(types, {one: frozenset({one}) for one in services}, "services")
    rules = placed(each(mistakes, data, "rules", lambda m, w, v: rule(m, w, v, known)), data.get(KEY))
    figures = tuple(each(mistakes, data, "figures", lambda m, w, v: figure(m, w, v, known)))
    check_figures(mistakes, figures, {})
    law = Law(
        name=str(data.get(KEY)),
        source=str(data.get("source")),
        services=services,
        rules=rules,
        figures=figures,
        reasons=tuple(each(mistakes, data, "absence_reasons", _reason)),
        amounts=_amounts(mistakes, data.get("amounts", {})),
        not_judged=tuple(each(mistakes, data, "not_judged", not_judged)),
        not_software=tuple(each(mistakes, data, "not_software", not_software)),
    )
    for one_figure in figures:
        wanted = str(one_figure.params.get("amount", ""))
        if wanted and wanted not in law.amounts:
            mistakes.say(f"figure {one_figure.name}", f"amount: there is no amount {wanted}")
    if mistakes.told:
        raise MisconfiguredError(mistakes=mistakes.told)
    return law


def _service(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> ServiceType | None:
    before = len(mistakes.told)
    mistakes.keys(where, item, ("name", "act", "organiser"), (*_DATES, "successor"))
    if item.get("successor") and not item.get("valid_to"):
        mistakes.say(where, "successor: a type that nothing has repealed has none; give valid_to")
    if len(mistakes.told) > before:
        return None
    named = {key: str(item.get(key) or "") for key in ("name", "act", "organiser", *_DATES, "successor")}
    return ServiceType(**named)


def _reason(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> Reason | None:
    before = len(mistakes.told)
    numbers = ("most_workdays", "certificate_after_days")
    mistakes.keys(where, item, ("key", "benefit"), ("is_absence", *numbers, *_DATES))
    for key, expected in (("benefit", bool), ("is_absence", bool), *((one, int) for one in numbers)):
        if key in item and not isinstance(item[key], expected):
            mistakes.say(where, f"{key}: expected {expected.__name__}")
    if len(mistakes.told) > before:
        return None
    return Reason(
        key=str(item["key"]),
        benefit=item["benefit"],
        is_absence=item.get("is_absence", True),
        most_workdays=item.get("most_workdays"),
        certificate_after_days=item.get("certificate_after_days"),
        valid_from=str(item.get("valid_from") or ""),
        valid_to=str(item.get("valid_to") or ""),
    )


def _amounts(mistakes: Mistakes, stated: Mapping[str, Any]) -> dict[str, tuple[Price, ...]]:
    return {
        name: tuple(each(mistakes, {name: rows}, name, lambda m, w, v: read_price(m, f"amounts {w}", v)))
        for name, rows in stated.items()
    }
