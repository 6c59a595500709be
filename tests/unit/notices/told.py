"""Small facts and notice types with defaults: one client of one provider, absences to tell of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kanta_gateway import knowledge
from kanta_gateway.notices.due import Draft, Fact, Key, Subject, Teller, Told
from kanta_gateway.notices.typereader import Within
from kanta_gateway.notices.types import NoticeTypes
from kanta_gateway.recordtypes import RecordType

CLIENT = {
    "name": {"surname": "Rautiola", "given_names": "Sampo Ilmari"}, "identity_code": "120685-905P",
}  # fmt: skip
ORGANISER = {"oid": "1.2.246.10.94006007.10.0", "name": "Alue"}
UNIT = {"oid": "1.2.246.10.94005128.10.1", "name": "Mäntykallion paja"}


@cache
def types() -> NoticeTypes:
    """The notice types of the project."""
    records = {
        name: RecordType.of(name, json.loads(text))
        for name, text in knowledge.texts("schemas/records", suffix=".json").items()
    }
    files = knowledge.texts("mappings/notices")
    return NoticeTypes.load(files, knowledge.texts("mappings/notices/lists"), records)


def fact(
    id_: str = "PO-1", day: str = "2025-03-10", record_type: str = "absence", version: int = 1, **facts: Any
) -> Fact:
    """One standing record; by default an absence for an own illness."""
    whole = {"date": day, "categories": {"absence-reason": "incapacity"}, **facts}
    roots = {"product": {"name": "Työtoiminta"}, "decision": {"voucher_number": "PS-1"}, "unit": UNIT}
    return Fact(record_type, id_, version, day, whole, product="KT1", roots=roots)


def subject(*facts: Fact, told: Sequence[Told] = (), is_secret: bool = False, **more: Any) -> Subject:
    """One client."""
    past: Callable[[str, str, int], Fact | None] = more.pop("past", lambda *_: None)
    roots: Mapping[str, Mapping[str, Any]] = {
        "client": {**CLIENT, **more}, "organiser": ORGANISER, "provider": {"oid": "1.2.3", "name": "Paja ry"},
    }  # fmt: skip
    return Subject(facts, roots, is_secret, told, past)


def teller(name: str = "absence-to-payer", *products: str) -> Teller:
    """Makes drafts of one notice type; a mark is the content itself, so that a test can read it."""
    return Teller(types().types[name], types().lists, _mark, _limit, frozenset(products))


def _mark(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _limit(day: str, within: Within) -> str:
    return f"{day}+{within.days or within.workdays or within.until}"


@dataclass
class World:
    """Notices of one type, made and handed over in turn."""

    teller: Teller
    told: tuple[Told, ...] = ()

    def hand_over(self, drafts: Sequence[Draft]) -> None:
        """Everything that waits goes to its recipient."""
        for draft in drafts:
            id_ = f"N-{len(self.told) + 1}"
            items: dict[Key, tuple[int, str]] = {one.key: (one.version, one.mark) for one in draft.items}
            self.told = (*self.told, Told(id_, draft.corrects or id_, items))

    def due(self, *facts: Fact, **more: Any) -> list[Draft]:
        """What waits now."""
        return self.teller.due(subject(*facts, told=self.told, **more))
