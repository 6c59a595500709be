"""What can be computed for a question: a closed list of names, each with its columns and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kanta_gateway.pipeline import evidence, traffic, userlist
from kanta_gateway.pipeline.asked import Asked

Compute = Callable[[Asked], Iterator[dict[str, Any]]]

COMPUTED: Mapping[str, tuple[tuple[str, ...], Compute]] = {
    "identity-codes": (evidence.IDENTITY_CODES, evidence.identity_codes),
    "incidents": (evidence.INCIDENTS, evidence.incidents),
    "integrity": (evidence.INTEGRITY, evidence.integrity),
    "leavers": (userlist.LEAVERS, userlist.leavers),
    "retention": (evidence.RETENTION, evidence.retention),
    "traffic": (traffic.TRAFFIC, traffic.traffic),
    "unusual": (evidence.UNUSUAL, evidence.unusual),
    "users": (userlist.USERS, userlist.users),
}
"""Name of the computation -> its columns, and what computes its rows."""
COLUMNS = {name: columns for name, (columns, _) in COMPUTED.items()}
