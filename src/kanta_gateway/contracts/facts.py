"""What judging and figures need of a record, and nothing else of it.

* Dates, hours, modes, minutes, booleans and references are kept as they are.
* Of a text of which only the beginning is needed no more is kept than its type says (`x-fact-length`).
* Of narrative text only this is kept: which fields that a rule demands are empty, which that a rule asks for are
  filled, which word lists of the contract were found in it, and which days of the week it names.
* Of a client's identity code only the birth date is kept, as the caller read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.expected import ON_WEEKDAYS

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.model import Record

_AUTHORS = ("recorder", "author", "responsible_worker")
"""Who made a record, in the field that its type has."""


def facts(
    contract: Contract,
    record: Record,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts of one record, as JSON values.

    Args:
        contract: the purchaser's contract: which fields its types keep as facts, which must not be empty, which words
            are looked for.
        record: the canonical record.
        extra: facts that the caller found (`birth_date`, `contract_known`).
    """
    content, kind = record.content, contract.types[record.type]
    kept = {
        name: plain(content[name][: kind.fact_lengths[name]] if name in kind.fact_lengths else content[name])
        for name in sorted(kind.facts)
        if content.get(name) is not None
    }
    if record.type not in {"client", "staff"} and (author := _author(content)) is not None:
        kept["author"] = author
        kept["author_named"] = _is_named(content.get("recorder_name"))
    if record.type == "staff":
        kept["has_registration_number"] = bool(content.get("registration_number"))
    if asked := contract.asked.get(record.type):
        kept["filled"] = sorted(name for name in asked if not is_blank(content.get(name)))
    if days := contract.expected.weekdays.of(record):
        kept[ON_WEEKDAYS] = list(days)
    kept["empty"] = sorted(set(_empty(contract, record)))
    kept["words"] = sorted(_words(contract, record))
    return {**kept, **(extra or {})}


def plain(value: Any) -> Any:
    """A value as JSON has it: a decimal becomes the shortest number that reads the same."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _author(content: Mapping[str, Any]) -> str | None:
    return next((str(content[name]) for name in _AUTHORS if content.get(name)), None)


def _is_named(name: object) -> bool:
    return isinstance(name, Mapping) and bool(name.get("surname")) and bool(name.get("given_names"))


def _empty(contract: Contract, record: Record) -> Iterator[str]:
    """Fields demanded by a content rule that hold nothing."""
    for rule in contract.rules:
        if rule.kind == "content" and record.type in rule.records:
            for path in rule.params["fields"]:
                if _is_lacking(record.content, path.split(".")):
                    yield path


def _is_lacking(value: Any, path: list[str]) -> bool:
    """Whether the last step of a path is empty somewhere its parent is not."""
    if isinstance(value, list | tuple):
        return any(_is_lacking(item, path) for item in value)
    if not isinstance(value, Mapping):
        return False
    held = value.get(path[0])
    if len(path) == 1:
        return is_blank(held)
    return not is_blank(held) and _is_lacking(held, path[1:])


def is_blank(value: Any) -> bool:
    """Whether a value tells nothing: absent, only spaces, or a list of such."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list | tuple | Mapping):
        items: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        return all(is_blank(item) for item in items)
    return value is None


def _words(contract: Contract, record: Record) -> Iterator[str]:
    """Names of the word lists of which a stem stands in the record."""
    for words in contract.words:
        texts = (str(record.content.get(name) or "") for name in words.fields.get(record.type, ()))
        folded = " ".join(" ".join(texts).split()).casefold()
        if folded and any(stem in folded for stem in words.stems):
            yield words.name
