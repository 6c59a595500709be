"""The envelope's fixed codes and the code lists state the same facts."""

from __future__ import annotations

from kanta_gateway import knowledge
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.signing.profile import Profile

PROFILE = Profile.load(knowledge.text("schemas/cda.yaml"))
CODES = Codes.load(knowledge.texts("mappings/codes"))


def test_fixed_codes_are_those_of_their_lists() -> None:
    """Every fixed code of the envelope stands in a code list with the same verified mark."""
    rows = {(one.system, row.code): row for one in CODES.all() for row in one.rows.values()}
    differing = [
        name
        for name, coding in PROFILE.codes.items()
        if (row := rows.get((coding.system, coding.code))) is None or row.verified != coding.verified
    ]

    assert differing == []


def test_general_types_are_those_of_their_list() -> None:
    """Every general document type of the envelope stands in list 1506 with the same code and verified mark."""
    listed = {key: (row.code, row.verified) for key, row in CODES.code_list("1506").rows.items()}
    stated = {
        word: (one.code, one.verified) for (word, language), one in PROFILE.general_types.items() if language == "fi"
    }

    assert {word: listed.get(word) for word in stated} == stated
