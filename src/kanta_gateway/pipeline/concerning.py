"""Whom a change of content concerns: the controllers whose contracts name a contract file, or all of them in common.

* A contract file is of the controllers that have a contract by it; a file that nobody has a contract by is nobody's.
* What contract files inherit, policies, settings, word lists and everything else is common.
* The file of channels holds addresses of every controller's recipients: it is somebody's where there is one controller.
* A controller's people know of a change whose every file is common or their own: a change of another's is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.pipeline.sphere import APART

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.pipeline.sphere import Sphere

CONTRACTS, CHANNELS = "knowledge/mappings/contracts", "notice-channels"
COMMON = ""
"""Whose what is common is."""


class Concern:
    """Whose pieces of content are, by the contracts that are registered.

    Args:
        tx: a reading transaction.
        contracts: the contract files in use, by name.
    """

    def __init__(self, tx: Connection, contracts: Mapping[str, Contract]) -> None:
        self._have = agreements(tx, is_named=False)
        self._inherited = {name for one in contracts.values() for name in one.inherits}

    def of(self, path: str) -> frozenset[str]:
        """Controllers whose a piece is; `COMMON` for what is everybody's, and nobody where no contract names it."""
        if path == CHANNELS:
            every = frozenset(str(one.organiser.oid) for one in self._have)
            return every if len(every) == 1 else frozenset()
        place = PurePosixPath(path)
        if str(place.parent) != CONTRACTS or place.stem in self._inherited:
            return frozenset({COMMON})
        return frozenset(str(one.organiser.oid) for one in self._have if one.purchaser == place.stem)

    def knows(self, sphere: Sphere, paths: Iterable[str]) -> bool:
        """Whether a caller knows of a change of all these pieces."""
        return sphere.is_whole or all(self.of(path) & {COMMON, str(sphere.controller)} for path in paths)

    def gathered(self, paths: Iterable[str]) -> dict[str, list[str]]:
        """Controller -> the pieces that its log tells of; `APART` for those of nobody."""
        found: dict[str, list[str]] = {}
        for path in paths:
            for whose in self.of(path) or {APART if self._have else COMMON}:
                found.setdefault(whose, []).append(path)
        return found


def told(preview: Mapping[str, Any], sphere: Sphere) -> dict[str, Any]:
    """The effect of a change as a caller is told it: counts of records of its own register only.

    Args:
        preview: as it is kept, with counts for each contract file and each controller's register.
        sphere: what the caller can know of.
    """
    if "contracts" not in preview:
        return dict(preview)
    counts = {
        name: _summed([one for whose, one in registers.items() if sphere.is_whole or whose == sphere.controller])
        for name, registers in preview["contracts"].items()
        if "records" not in registers  # kept so until now
    }
    return {**preview, "contracts": {name: one for name, one in counts.items() if one}}


def _summed(registers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What several registers' counts are together; nothing where there are none."""
    if not registers:
        return {}
    rules: dict[str, dict[str, int]] = {}
    outcomes: dict[tuple[str, str], int] = {}
    for one in registers:
        for rule, words in one["rules"].items():
            of_rule = rules.setdefault(rule, {})
            for word, count in words.items():
                of_rule[word] = of_rule.get(word, 0) + count
        for each in one["outcomes"]:
            turn = (each["from"], each["to"])
            outcomes[turn] = outcomes.get(turn, 0) + each["count"]
    return {
        "records": sum(one["records"] for one in registers), "since": registers[0]["since"], "rules": rules,
        "outcomes": [{"from": old, "to": new, "count": count} for (old, new), count in outcomes.items()],
    }  # fmt: skip
