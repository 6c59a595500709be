"""Which delivered version of each record stands, and what became of the others.

* The highest version stands, whatever order they came in; the lower ones are *replaced* (GEN-03).
* A version that was delivered for another client takes its place in the chain and is told there: the record moved.
* A cancelling version cancels the version before it; both carry GEN-02, neither counts.
* The same id and version with other content is refused (GEN-01); the one that came first stands.
* Of a reference record the newest state stands, and every state stays *reference*. A plan of the authority that one of
  another id has replaced still holds for the days before that one begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanta_gateway.contracts.case import Entry
from kanta_gateway.model import MAX_VERSION, Finding, Outcome, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

CANCELLED = Finding("GEN-02", Severity.INFO, "record-cancelled", clause="703/2023 §17, §22")


@dataclass(slots=True)
class Resolution:
    """What stands, and the outcome of everything else."""

    live: list[Entry] = field(default_factory=list)
    """One entry of each record that stands, in a fixed order."""
    replacements: set[int] = field(default_factory=set)
    """Rows of standing entries that replace a lower version."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """Rows that do not stand."""
    findings: dict[int, tuple[Finding, ...]] = field(default_factory=dict)
    """What is told on rows that do not stand."""
    earlier: list[Entry] = field(default_factory=list)
    """What the authority's plans said that other ones have replaced since: it holds for the days before those."""
    moved: set[tuple[str, str]] = field(default_factory=set)
    """Records whose newest state is another client's."""
    chains: dict[tuple[str, str], tuple[Entry, ...]] = field(default_factory=dict)
    """Every record delivered in more than one state, lowest version first."""


def resolve(entries: Iterable[Entry], made: Collection[str] = ()) -> Resolution:
    """Decide which entry of each record stands.

    Args:
        entries: every delivered state of every record, in any order.
        made: reference types that become documents, so that their versions replace each other as documents do.
    """
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.type, entry.id), []).append(entry)
    resolution = Resolution()
    for key in sorted(groups):
        group = groups[key]
        if len(group) == 1 and not group[0].is_cancelled and not group[0].is_elsewhere:
            resolution.live.append(group[0])
        elif group[0].kind.is_reference and group[0].type not in made:
            _newest(key, group, resolution)
        else:
            _chain(key, group, resolution)
        _leave_out(group, resolution)
    return resolution


def _leave_out(group: Iterable[Entry], resolution: Resolution) -> None:
    """What was delivered for another client is told there."""
    for entry in group:
        if entry.is_elsewhere:
            resolution.outcomes.pop(entry.row, None)
            resolution.findings.pop(entry.row, None)
            resolution.replacements.discard(entry.row)


def newest(entries: Iterable[Entry], record_type: str) -> Mapping[str, Entry]:
    """The newest state of each reference record of one type, without cancelled ones."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.type == record_type:
            have = found.get(entry.id)
            if have is None or _age(entry) > _age(have):
                found[entry.id] = entry
    return {name: entry for name, entry in found.items() if not entry.is_cancelled}


def _age(entry: Entry) -> tuple[int, int, int]:
    return (entry.version, entry.received, entry.row)


def _newest(key: tuple[str, str], group: Sequence[Entry], resolution: Resolution) -> None:
    ordered = sorted(group, key=_age)
    if len(ordered) > 1:
        resolution.chains[key] = tuple(ordered)
    for entry in ordered[:-1]:
        resolution.outcomes[entry.row] = Outcome.REFERENCE
    if ordered[-1].is_elsewhere:
        resolution.moved.add(key)
    elif ordered[-1].is_cancelled:
        resolution.outcomes[ordered[-1].row] = Outcome.REFERENCE
        resolution.findings[ordered[-1].row] = (CANCELLED,)
    else:
        resolution.live.append(ordered[-1])
        resolution.earlier += _renewed(ordered)


def _renewed(ordered: Sequence[Entry]) -> list[Entry]:
    """The newest states of plans that a plan of another id has replaced, and that began before it."""
    stands = ordered[-1]
    if not stands.kind.is_wide:
        return []
    before = {link(one): one for one in ordered if link(one) < link(stands)}
    return [one for one in before.values() if not one.is_cancelled and one.day < stands.day]


def link(entry: Entry) -> int:
    """How many records of other ids came before this one in its chain of replacements."""
    return (entry.version - 1) // MAX_VERSION


def _chain(key: tuple[str, str], group: Sequence[Entry], resolution: Resolution) -> None:
    versions: list[Entry] = []
    for entry in sorted(group, key=_age):
        if versions and versions[-1].version == entry.version:
            resolution.outcomes[entry.row] = Outcome.REFUSED
            resolution.findings[entry.row] = (
                Finding("GEN-01", Severity.REFUSE, "same-version-other-content", "/version",
                        {"version": str(entry.version)}),
            )  # fmt: skip
        else:
            versions.append(entry)
    if len(versions) > 1:
        resolution.chains[key] = tuple(versions)
    if versions[-1].is_elsewhere:
        resolution.moved.add(key)
    for place, entry in enumerate(versions):
        above = versions[place + 1] if place + 1 < len(versions) else None
        outcome = _superseded(entry, above, is_first=place == 0)
        if outcome is None and entry.is_elsewhere:
            continue
        if outcome is None:
            resolution.live.append(entry)
            if place:
                resolution.replacements.add(entry.row)
            continue
        resolution.outcomes[entry.row] = outcome
        if outcome is not Outcome.REPLACED:
            resolution.findings[entry.row] = (CANCELLED,)


def _superseded(entry: Entry, above: Entry | None, *, is_first: bool) -> Outcome | None:
    """What became of one version; None when it stands.

    A first version that is itself marked cancelled has nothing below it to cancel: it is the cancelled one.
    """
    if entry.is_cancelled:
        return Outcome.CANCELLED if is_first and entry.version == 1 else Outcome.CANCELLATION
    if above is None:
        return None
    return Outcome.CANCELLED if above.is_cancelled else Outcome.REPLACED
