"""What kind of value stands where in a contract file; which words belong together is for those who read it to say."""

from __future__ import annotations

from collections.abc import Mapping

from kanta_gateway.shapes import ANY, FLAG, NUMBER, TEXT, WHOLE, WORD, Either, Keys, ListOf, Named, Shape

_WORDS = ListOf(TEXT)
_ITEM = Keys({}, {}, rest=ANY)
_RULE_WORDS: Mapping[str, Shape] = {
    "kind": TEXT, "severity": TEXT, "clause": WORD, "text": TEXT, "texts": Named(TEXT), "records": _WORDS,
    "products": _WORDS, "valid_from": WORD, "valid_to": WORD, "tells": TEXT,
    "unless": _WORDS, "unless_words": _WORDS,
}  # fmt: skip
_RULE = Keys({"id": TEXT}, _RULE_WORDS, rest=ANY)
_PRODUCT = Keys({"code": TEXT}, {
    "class": TEXT, "number": WORD, "name": TEXT, "services": _WORDS, "service_task": TEXT, "service": TEXT,
    "remote": FLAG, "prices": ListOf(_ITEM),
}, rest=ANY)  # fmt: skip
_WORD_LIST = Keys({"name": TEXT}, {
    "stems": ListOf(WORD), "fields": Named(_WORDS), "marks": _WORDS, "means": TEXT,
}, rest=ANY)  # fmt: skip
_BOUNDS: Mapping[str, Shape] = {"from": NUMBER, "to": NUMBER, "below": NUMBER}
_CAP = Keys({"field": TEXT}, {"of": Named(WHOLE), "score": WHOLE, **_BOUNDS})
_FEW = Keys({"field": TEXT, "below": NUMBER, "times": NUMBER, "score": WHOLE})
_MEASURED = Keys(
    {"classes": ListOf(Keys({"score": WHOLE}, _BOUNDS))}, {"caps": ListOf(_CAP), "few": _FEW},
)  # fmt: skip
_SCALE = Keys(
    {
        "criteria": WHOLE, "lowest": WHOLE, "highest": WHOLE,
        "levels": ListOf(Keys({"from": NUMBER, "name": TEXT})),
    },
    {"measured": Named(_MEASURED)},
)  # fmt: skip
_PARTY = Keys({}, {"oid": TEXT, "name": TEXT}, rest=ANY)
CONTRACT = Keys({}, {
    "contract": TEXT, "source": WORD, "products": ListOf(_PRODUCT), "rules": ListOf(_RULE),
    "figures": ListOf(Keys({"name": TEXT}, {"records": _WORDS, "products": _WORDS}, rest=ANY)),
    "totals": Named(_WORDS), "words": ListOf(_WORD_LIST), "titles": Named(ListOf(WORD)),
    "not_judged": ListOf(_ITEM), "not_software": ListOf(_ITEM), "reconciliation": _ITEM, "scale": _SCALE,
    "attendance": _ITEM, "author_from": Named(_WORDS), "take": Named(TEXT), "makes": _WORDS,
    "development_parties": Keys({}, {"provider": _PARTY, "organiser": _PARTY, "contract": Either((WORD,))}, rest=ANY),
}, rest=ANY)  # fmt: skip
"""A whole contract file. Words that are not named here pass through to their readers."""
