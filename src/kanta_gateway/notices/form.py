"""A notice as it is handed over: the same content as JSON, and as a page that a person can read and print.

* The page holds what the JSON holds, in words of the reader's language; nothing is added but labels.
* Text is escaped; the page loads nothing from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanta_gateway.notices.typereader import Field, NoticeType
    from kanta_gateway.notices.types import NoticeTypes

_WORDS: Mapping[str, Mapping[str, str]] = {
    "basis": {"fi": "Peruste", "sv": "Grund", "en": "Basis"},
    "change": {"fi": "Muutos", "sv": "Ändring", "en": "Change"},
    "contact": {"fi": "Yhteystieto", "sv": "Kontakt", "en": "Contact"},
    "corrected": {"fi": "korjattu", "sv": "rättad", "en": "corrected"},
    "corrects": {"fi": "Korjaa ilmoitusta", "sv": "Rättar meddelandet", "en": "Corrects the notice"},
    "form": {"fi": "Lomake", "sv": "Blankett", "en": "Form"},
    "given_by": {"fi": "Ilmoittaja", "sv": "Meddelare", "en": "Given by"},
    "id": {"fi": "Ilmoituksen tunnus", "sv": "Meddelandets id", "en": "Id of the notice"},
    "no": {"fi": "ei", "sv": "nej", "en": "no"},
    "on_behalf_of": {"fi": "Kenen puolesta", "sv": "På vems vägnar", "en": "On behalf of"},
    "recipient": {"fi": "Vastaanottaja", "sv": "Mottagare", "en": "Recipient"},
    "signed_on": {"fi": "Päiväys", "sv": "Datum", "en": "Date"},
    "signer": {"fi": "Allekirjoittaja", "sv": "Undertecknare", "en": "Signer"},
    "standing_request": {"fi": "Pyyntö tai sopimus", "sv": "Begäran eller avtal", "en": "Request or agreement"},
    "withdrawn": {"fi": "peruttu", "sv": "återtagen", "en": "withdrawn"},
    "yes": {"fi": "kyllä", "sv": "ja", "en": "yes"},
}
_ENVELOPE = (
    "id", "form", "corrects", "recipient", "basis", "given_by", "on_behalf_of", "standing_request", "contact",
    "signer", "signed_on",
)  # fmt: skip
_STYLE = "body{font-family:sans-serif;margin:2em}th{text-align:left;padding-right:1em}td,th{vertical-align:top}"


def page(told: Mapping[str, Any], kind: NoticeType, types: NoticeTypes, language: str) -> str:
    """The readable form: one XHTML page.

    Args:
        told: the notice as JSON says it.
        kind: its type.
        types: lists and labels.
        language: fi, sv or en.
    """
    writer = _Writer(types, language)
    title = escape(kind.title[language])
    tables = [writer.table([(_WORDS[name][language], told[name]) for name in _ENVELOPE if told.get(name)])]
    tables.append(writer.table(writer.labelled(kind.head, told["head"])))
    for group in kind.groups:
        items = told["groups"].get(group.name, ())
        if items:
            tables.append(f"<h2>{escape(writer.label(group.name))}</h2>")
            tables += [writer.table([*writer.labelled(group.fields, one), *writer.change(one)]) for one in items]
    body = "\n".join(tables)
    return (
        f'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="{language}">\n<head><meta charset="utf-8"/>'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


class _Writer:
    """Labels and values in one language."""

    def __init__(self, types: NoticeTypes, language: str) -> None:
        self._types = types
        self._language = language

    def label(self, name: str) -> str:
        return self._types.labels[name][self._language]

    def labelled(self, fields: tuple[Field, ...], values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for one in fields:
            if (value := values.get(one.name)) is not None:
                shown = self._types.lists.display(one.words, value, self._language) if one.words else value
                yield self.label(one.name), shown

    def change(self, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if values.get("change"):
            yield _WORDS["change"][self._language], _WORDS[values["change"]][self._language]

    def table(self, rows: Any) -> str:
        lines = [f"<tr><th>{escape(label)}</th><td>{escape(self._shown(value))}</td></tr>" for label, value in rows]
        return "<table>\n" + "\n".join(lines) + "\n</table>"

    def _shown(self, value: Any) -> str:
        if isinstance(value, bool):
            return _WORDS["yes" if value else "no"][self._language]
        if isinstance(value, Mapping):
            return " ".join(str(value[part]) for part in ("name", "oid") if value.get(part))
        if isinstance(value, list):
            return ", ".join(map(str, value))
        text = str(value)
        if len(text) == 10 and text[4] == text[7] == "-":
            return f"{int(text[8:])}.{int(text[5:7])}.{text[:4]}"
        return text
