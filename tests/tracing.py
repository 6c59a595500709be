"""Which tests make a rule of a contract fire, and in which it is judged and finds nothing: `-p tests.tracing`.

* A rule is named by its file and its place in it, so that two rules of one id are told apart; what a contract inherits
  is the law's rule in every contract. A figure that carries a rule out is watched alike; nothing or 0 is quiet.
* A rule that tells deadlines only fires when a clock of it is overdue, or was stopped late.
* For breaking, each test runs again for every rule that it makes fire, which then finds nothing: a rule whose loss
  makes some test fail is missed, and any other survives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from kanta_gateway.contracts import check
from kanta_gateway.contracts.awaited import CLIENT_CLOCKS, DECISION_CLOCKS
from kanta_gateway.contracts.clocks import RECORD_CLOCKS
from kanta_gateway.contracts.figurekinds import Derived
from kanta_gateway.contracts.figures import DERIVE, Ground
from kanta_gateway.contracts.kinds import Scope
from kanta_gateway.contracts.records import CHECKS
from kanta_gateway.contracts.rules import FigureRule, Rule
from kanta_gateway.contracts.wholes import CLIENT_CHECKS, DECISION_CHECKS

Key = tuple[str, str]
"""File and place of a rule; `FIGURE` and the name of a figure that carries a rule out."""
FIGURE = "figure"
OUT, BREAK = "TRACE_OUT", "TRACE_BREAK"
"""Environment variables: where to write what was seen; what was seen, for breaking each rule by it."""


class Seen:
    """What was seen, by rule."""

    def __init__(self) -> None:
        self.broken: Key | None = None
        self.missed: dict[Key, str] = {}
        self.to_break: dict[str, list[Key]] = _to_break()
        self.test = ""
        self.fired: dict[Key, set[str]] = {}
        self.quiet: dict[Key, set[str]] = {}

    def note(self, key: Key, found: object) -> None:
        """Keep what one rule found in the test that runs."""
        if self.test:
            (self.fired if found else self.quiet).setdefault(key, set()).add(self.test)


def _to_break() -> dict[str, list[Key]]:
    """Test -> rules that it makes fire."""
    found: dict[str, list[Key]] = {}
    if path := os.environ.get(BREAK):
        for one in json.loads(Path(path).read_text("utf-8")):
            for test in one["fired"]:
                found.setdefault(test, []).append((one["contract"], one["place"]))
    return found


SEEN = Seen()


def _key(rule: Rule) -> Key:
    return (rule.file, str(rule.place))


def _watched(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(rule: Rule, *rest: Any) -> tuple[Any, ...]:
        found = () if SEEN.broken == _key(rule) else tuple(function(rule, *rest))
        SEEN.note(_key(rule), found)
        return found

    return call


def _watched_clocks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of rules that tell deadlines only; the clocks of others are seen as their findings."""

    @wraps(function)
    def call(rule: Rule, *rest: Any) -> tuple[Any, ...]:
        found = tuple(function(rule, *rest))
        if not rule.is_clock:
            return found
        SEEN.note(_key(rule), [one for one in found if one.state(rest[-1].as_of).is_told])
        return () if SEEN.broken == _key(rule) else found

    return call


def _watched_figure(function: Callable[..., Derived]) -> Callable[..., Derived]:
    @wraps(function)
    def call(rule: FigureRule, ground: Ground) -> Derived:
        key = (FIGURE, rule.name)
        if not rule.rules:
            return function(rule, ground)
        found = Derived(None) if key == SEEN.broken else function(rule, ground)
        SEEN.note(key, found.value)
        return found

    return call


def _watch_common() -> None:
    original = check._common

    def common(situation: Any) -> Iterator[Any]:
        rules = {one.id + one.kind: one for one in situation.contract.of(Scope.CASE)}
        told = list(original(situation))
        for rule in rules.values():
            own = [one for one in told if one.rule == rule.id and one.kind == rule.texts["text"]]
            SEEN.note(_key(rule), own)
            yield from () if SEEN.broken == _key(rule) else own

    check._common = common


def _watch(watched: Callable[..., Any], *tables: Mapping[str, Any]) -> None:
    for table in tables:
        assert isinstance(table, dict)
        table.update({name: watched(function) for name, function in table.items()})


_watch(_watched, CHECKS, CLIENT_CHECKS, DECISION_CHECKS)
_watch(_watched_clocks, RECORD_CLOCKS, CLIENT_CLOCKS, DECISION_CLOCKS)
_watch(_watched_figure, DERIVE)
_watch_common()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Know which test runs; for breaking, run it again without each rule that it makes fire."""
    for key in SEEN.to_break.get(item.nodeid, ()):
        if key not in SEEN.missed:
            SEEN.broken = key
            try:
                item.runtest()
            except Exception:  # noqa: BLE001 — whatever a test fails with
                SEEN.missed[key] = item.nodeid
            finally:
                SEEN.broken = None
    SEEN.test = item.nodeid
    yield
    SEEN.test = ""


def pytest_sessionfinish() -> None:
    """Write down what was seen."""
    if out := os.environ.get(OUT):
        keys = sorted(SEEN.fired.keys() | SEEN.quiet.keys())
        told = [
            {"contract": name, "place": place, "fired": sorted(SEEN.fired.get((name, place), ())),
             "quiet": sorted(SEEN.quiet.get((name, place), ())), "missed": SEEN.missed.get((name, place), "")}
            for name, place in keys
        ]  # fmt: skip
        Path(out).write_text(json.dumps(told), "utf-8")
