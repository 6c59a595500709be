"""Notices are a function of the set of facts and hold nothing that their file does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

t: Any = import_module("tests.unit.notices.told")
NARRATIVE = st.text(st.characters(categories=["Ll", "Lu", "Nd", "Po"]), max_size=20).map(
    lambda text: f"Kirjattu {text}"
)
DAYS = st.integers(1, 28).map(lambda day: f"2025-03-{day:02d}")


@st.composite
def facts(draw: st.DrawFn, *, marked: bool = False) -> list[Any]:
    """Absences, decisions and diary entries; marked ones hold a narrative text in every field."""
    found = []
    for number, kind in enumerate(draw(st.lists(st.sampled_from(["absence", "decision", "diary_entry"]), max_size=8))):
        day, text = draw(DAYS), draw(NARRATIVE)
        names = ("reason", "description", "tasks", "deviation", "level", "permitted", "ends_on", "starts_on",
                 "days_per_week", "voucher_number", "payer")  # fmt: skip
        content = dict.fromkeys(names, f"{text} salaista") if marked else {"ends_on": draw(st.one_of(st.none(), DAYS))}
        category = f"{text} salaista" if marked else draw(st.sampled_from(["incapacity", "other"]))
        one = t.fact(f"R-{number}", day, kind, categories={"absence-reason": category}, conflict=True, **content)
        found.append(one)
    return found


def values(value: Any) -> Iterator[str]:
    """Every value in a content."""
    if isinstance(value, dict):
        for one in value.values():
            yield from values(one)
    elif isinstance(value, list):
        for one in value:
            yield from values(one)
    else:
        yield str(value)


def allowed(name: str) -> set[str]:
    """Fields that a notice of a type may have."""
    kind = t.types().types[name]
    return {one.name for one in kind.head} | {one.name for group in kind.groups for one in group.fields} | {"change"}


@settings(max_examples=80, deadline=None)
@given(facts(marked=True), st.sampled_from(sorted(t.types().types)))
def test_no_narrative_and_no_other_field(found: list[Any], name: str) -> None:
    """Whatever stands in the records, a notice holds only fields of its file, and no narrative text."""
    for draft in t.teller(name).due(t.subject(*found)):
        items = [one for of_group in draft.content["groups"].values() for one in of_group]

        assert {field for part in (draft.content["head"], *items) for field in part} <= allowed(name)
        assert not any("salaista" in one for one in values(draft.content))


@settings(max_examples=80, deadline=None)
@given(facts(), st.randoms(use_true_random=False), st.sampled_from(["absence-to-payer", "absence-to-purchaser"]))
def test_order_changes_nothing(found: list[Any], random: Any, name: str) -> None:
    """The same facts in any order make the same notices."""
    other = list(found)
    random.shuffle(other)

    assert t.teller(name).due(t.subject(*found)) == t.teller(name).due(t.subject(*other))


@settings(max_examples=80, deadline=None)
@given(st.lists(facts(), min_size=1, max_size=5), st.data())
def test_the_recipient_knows_what_stands(states: list[list[Any]], data: st.DataObject) -> None:
    """After any changes and any handings over, what the recipient was told last is what stands; each once."""
    world = t.World(t.teller())
    for state in states:
        drafts = world.due(*state)
        if data.draw(st.booleans()):
            world.hand_over(drafts)
    world.hand_over(world.due(*states[-1]))
    last: dict[Any, str] = {}
    for one in world.told:
        for key, (_, mark) in one.items.items():
            assert last.get(key) != mark, "told twice"
            last[key] = mark
    now = {
        one.key: one.mark for one in (item for draft in t.teller().due(t.subject(*states[-1])) for item in draft.items)
    }

    assert {key: mark for key, mark in last.items() if mark != "withdrawn"} == now
    assert world.due(*states[-1]) == []
