"""What somebody wants to change: the approved content and the other one, why, and what would differ."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from kanta_gateway.access.changes import Change, State
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.errors import ParameterError
from kanta_gateway.model import Caller, instant
from kanta_gateway.pipeline.approved import CONTEXT
from kanta_gateway.privacy.envelope import seal

if TYPE_CHECKING:
    from kanta_gateway.pipeline.parts import Parts

ROWS = "policy/rows.yaml"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that is not stored yet."""

    before: Mapping[str, bytes]
    """The approved content."""
    after: Mapping[str, bytes]
    reason: str
    preview: Mapping[str, Any]
    """What would differ."""

    @property
    def paths(self) -> list[str]:
        """Paths of what changes."""
        both = sorted(self.before.keys() | self.after.keys())
        return [path for path in both if self.before.get(path) != self.after.get(path)]

    def check(self, *, is_at_once: bool) -> None:
        """Whether there is a change, and one that may take effect at once.

        Raises:
            ParameterError: there is none, or it may allow more than before.
        """
        if not self.paths:
            raise ParameterError("nothing differs from what is approved; there is nothing to propose")
        if is_at_once and (wide := [path for path in self.paths if not self._narrows(path)]):
            raise ParameterError(
                f"{', '.join(wide)}: may allow more than before, so it does not take effect at once; at once one "
                "person may add policies (they only forbid) and turn rows off. Propose it without --at-once"
            )

    def change(self, caller: Caller, reference: str, parts: Parts, review_days: int | None) -> Change:
        """The change as it is stored, without a number.

        Args:
            caller: who proposes.
            reference: keyed reference of that person.
            parts: the built gateway.
            review_days: within how many days it is reviewed, where it takes effect at once.
        """
        now, is_at_once = parts.now(), review_days is not None
        told = canonical({"pieces": {
            path: {"before": _digest(self.before.get(path)), "after": _digest(self.after.get(path))}
            for path in self.paths
        }})  # fmt: skip
        body = orjson.dumps({
            "reason": self.reason, "preview": self.preview,
            "proposer": {"id": caller.person_id, "name": caller.person_name, "organisation": caller.organisation},
            "account": caller.account,
            "content": {path: _text(self.after.get(path)) for path in self.paths},
        })  # fmt: skip
        review = now.astimezone(HELSINKI).date() + timedelta(days=review_days or 0)
        return Change(
            number=0, state=State.NARROWED if is_at_once else State.PROPOSED, proposer=reference, decider="",
            digest=sha256(told + body).hexdigest(), told=told.decode(),
            sealed=seal(parts.keyring.changes, body, CONTEXT), proposed_at=instant(now),
            decided_at=instant(now) if is_at_once else None, review_by=review.isoformat() if is_at_once else None,
        )  # fmt: skip

    def _narrows(self, path: str) -> bool:
        """Whether a piece can only take away: a policy more (they all forbid), or fewer rows turned on."""
        if path == ROWS:
            before, after = (_enabled(side.get(path, b"")) for side in (self.before, self.after))
            return after is not None and after < (before or frozenset())
        return path.startswith("policy/") and path not in self.before


def _enabled(content: bytes) -> frozenset[str] | None:
    """Rows that a file turns on; None where it states anything else."""
    stated = yaml.safe_load(content) or {}
    if not isinstance(stated, dict) or stated.keys() - {"enabled"}:
        return None
    return frozenset(map(str, stated.get("enabled") or ()))


def _digest(content: bytes | None) -> str | None:
    return None if content is None else sha256(content).hexdigest()


def _text(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()
