"""Everything that auditors and supervisors of the log ask and do, as the shells reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kanta_gateway.access.policy import Policy
from kanta_gateway.database import Database
from kanta_gateway.pipeline.answering import Answers
from kanta_gateway.pipeline.casework import Casework
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.restoring import Restorer


class Auditors:
    """Questions, cases and tests of backups.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        policy: rights of the roles.
        grace_days: how long content stays after the receipt.
        verify: verifies the whole log and matches it with what is stored.
        vkey: the verifier keys of the log.
        upgrade: brings a database to the present tables.
    """

    def __init__(
        self, parts: Parts, office: Office, policy: Policy, grace_days: int, verify: Callable[[], Mapping[str, Any]],
        vkey: Callable[[], str], upgrade: Callable[[Database], None],
    ) -> None:  # fmt: skip
        self.answers = Answers(parts, office, policy, grace_days, verify)
        self.cases = Casework(parts, office)
        self.backups = Restorer(parts, office, vkey, upgrade)
