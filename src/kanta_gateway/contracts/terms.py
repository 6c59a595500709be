"""What a contract says of notices: which are wanted, who gives each, on whose behalf, and by which ways.

* What the organiser gives itself is named with its reason, and none is made.
* A webhook carries the notice only where the contract says so; e-mail never carries anything of a client.
* An outsider's standing request is somebody's to verify, as a code is: until then production hands nothing over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanta_gateway.contracts.mistakes import Mistakes

PROVIDER = "provider"
FOR_ORGANISER = "provider-for-organiser"
ORGANISER = "organiser"
ELSEWHERE = "organiser-itself"
GIVERS = (PROVIDER, FOR_ORGANISER, ORGANISER, ELSEWHERE)
"""Who gives a notice; `organiser`: the gateway makes it for the organiser, `organiser-itself`: none is made."""
ORGANISERS = ("public", "other")
NOTICE, ANNOUNCEMENT = "notice", "announcement"
WAYS: Mapping[str, tuple[str, ...]] = {
    "download": (NOTICE,), "webhook": (NOTICE, ANNOUNCEMENT), "email": (ANNOUNCEMENT,),
}  # fmt: skip
"""Way -> what may go by it; an announcement tells only that something waits."""
_LANGUAGES = ("fi", "sv", "en")


@dataclass(frozen=True, slots=True)
class StandingRequest:
    """An outsider's request or agreement on which notices are given without being asked for each."""

    reference: str
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """One notice that the contract speaks of."""

    notice: str
    """Name of a file in `mappings/notices`."""
    given_by: str
    clause: str
    products: frozenset[str] = frozenset()
    """Codes of the products it is for; empty for all."""
    organiser: str = "public"
    """Kind of the organiser: chooses the provision (48/2026 §45.1)."""
    standing_request: StandingRequest | None = None
    contact: str = ""
    """Whom the recipient may ask."""
    ways: Mapping[str, str] = field(default_factory=lambda: {"download": NOTICE})
    reason: Mapping[str, str] = field(default_factory=dict)
    """By language: why none is made."""

    @property
    def is_made(self) -> bool:
        """Whether the gateway makes it."""
        return self.given_by != ELSEWHERE


def read_terms(
    mistakes: Mistakes, where: str, item: Mapping[str, Any], families: Mapping[str, frozenset[str]]
) -> NoticeTerms | None:
    """One notice of a contract file, or None if it does not hold.

    Args:
        mistakes: gets what is wrong.
        where: place in the file.
        item: what stands there.
        families: class or code of a product -> codes.
    """
    before = len(mistakes.told)
    where = f"{where} {item.get('notice', '')}".strip()
    is_elsewhere = item.get("given_by") == ELSEWHERE
    needed = {"notice", "given_by", "clause"} | ({"reason"} if is_elsewhere else set())
    mistakes.keys(where, item, needed, ("products", "organiser", "standing_request", "ways", "contact"))
    if item.get("given_by") not in GIVERS:
        mistakes.say(where, f"given_by: expected one of {', '.join(GIVERS)}")
    if item.get("organiser", "public") not in ORGANISERS:
        mistakes.say(where, f"organiser: expected one of {', '.join(ORGANISERS)}")
    for unknown in sorted(set(item.get("products", ())) - families.keys()):
        mistakes.say(where, f"products: {unknown} is neither a product nor a class")
    if is_elsewhere and isinstance(item.get("reason"), dict):
        mistakes.keys(f"{where} reason", item["reason"], _LANGUAGES)
    ways = _ways(mistakes, where, item.get("ways", {"download": NOTICE}))
    request = _request(mistakes, where, item.get("standing_request"))
    if len(mistakes.told) > before:
        return None
    return NoticeTerms(
        notice=str(item["notice"]), given_by=str(item["given_by"]), clause=str(item["clause"]),
        products=frozenset(code for name in item.get("products", ()) for code in families[name]),
        organiser=str(item.get("organiser", "public")), standing_request=request, ways=ways,
        contact=str(item.get("contact", "")), reason=dict(item.get("reason", {})),
    )  # fmt: skip


def _ways(mistakes: Mistakes, where: str, stated: Any) -> Mapping[str, str]:
    if not isinstance(stated, dict):
        mistakes.say(where, "ways: expected way and what goes by it")
        return {}
    for way, body in stated.items():
        if way not in WAYS:
            mistakes.say(where, f"ways: {way}: expected one of {', '.join(WAYS)}")
        elif body not in WAYS[way]:
            mistakes.say(where, f"ways: {way}: expected {' or '.join(WAYS[way])}")
    return dict(stated)


def _request(mistakes: Mistakes, where: str, stated: Any) -> StandingRequest | None:
    if stated is None:
        return None
    if not isinstance(stated, dict):
        mistakes.say(where, "standing_request: expected reference and verified")
        return None
    mistakes.keys(f"{where} standing_request", stated, ("reference", "verified"))
    return StandingRequest(str(stated.get("reference", "")), stated.get("verified") is True)
