"""Lists of fields: what stands on none is left out, whatever the answer holds; an installation may only narrow them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.access.views import CONTENT, Views, tree_of
from kanta_gateway.errors import MisconfiguredError

SHIPPED = Views.load((Path(__file__).parents[3] / "mappings/policy/views.yaml").read_text("utf-8"))
NAMES = st.sampled_from(["a", "b", "c", "secret"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20,
)  # fmt: skip
PATHS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "*"]), min_size=1, max_size=3).map("/".join), max_size=4)


def one_answer(see: str, more: str = "") -> str:
    """A file with one answer."""
    return f"answers: {{x: {{of: [GET /x], event: record:read, see: [{see}]}}{more}}}\napart: {{}}"


def leaves(value: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every single value with its path; places in lists are no part of it."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*before, name))
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, before)
    else:
        yield before, value


def fits(path: tuple[str, ...], listed: str) -> bool:
    """Whether a path is exactly what a list names."""
    parts = listed.split("/")
    return len(parts) == len(path) and all(part in {"*", name} for part, name in zip(parts, path, strict=True))


@given(value=st.dictionaries(NAMES, VALUES, max_size=4), paths=PATHS)
def test_nothing_outside_the_list(value: dict[str, Any], paths: list[str]) -> None:
    """Whatever an answer holds, each value that is shown stands where a path of the list says, or says `none`."""
    shown = Views.load(one_answer(f"{{roles: [r], fields: {paths}}}"))
    sight = shown.sight("x", "r", "p")
    assert sight is not None
    told = list(leaves(sight.shown(value)))

    assert [path for path, one in told if one is not None and not any(fits(path, listed) for listed in paths)] == []
    assert all(one in list(leaves(value)) for one in told)


def test_what_a_field_holds_later_stays_hidden() -> None:
    """A path shows single values and lists of them; an object below it needs paths of its own, or `/**`."""
    tree = tree_of(["a", "b/**", "c/d"])
    sight = Views.load(one_answer("{roles: [r], fields: [a, b/**, c/d]}")).sight("x", "r", "p")
    assert sight is not None

    assert sight.tree == tree
    assert sight.shown({"a": {"new": 1}, "b": {"new": 1}, "c": [{"d": 1, "e": 2}, 3]}) == {
        "b": {"new": 1}, "c": [{"d": 1}],
    }  # fmt: skip
    assert sight.shown({"a": [1, 2], "c": {"d": None}}) == {"a": [1, 2], "c": {"d": None}}
    assert sight.shown([{"a": 1, "z": 1}]) == [{"a": 1}]
    assert not sight.has_content


def test_the_first_row_of_role_and_purpose_decides() -> None:
    """Rows are read from the top; another purpose, another role: nothing at all."""
    views = Views.load(one_answer(
        "{roles: [r], purposes: [p], fields: [a]}, {roles: [r, s], purposes: [p, q], fields: [b, content]}"
    ))  # fmt: skip
    first, second = views.sight("x", "r", "p"), views.sight("x", "r", "q")

    assert (first and first.shown({"a": 1, "b": 2}), second and second.shown({"a": 1, "b": 2})) == ({"a": 1}, {"b": 2})
    assert second is not None
    assert second.has_content
    assert views.sight("x", "r", "other") is None
    assert views.sight("x", "nobody", "p") is None


def test_an_installation_may_only_narrow() -> None:
    """A list of an installation's own that shows a field, role or purpose more than the package's is refused."""
    shipped = Views.load(one_answer("{roles: [r], purposes: [p], fields: [a/b, c/**, '*/d'], totals_of: 5}"))
    for narrower in ("{roles: [r], purposes: [p], fields: [a/b, c/x/y], totals_of: 6}",
                     "{roles: [r], purposes: [p], fields: [z/d], totals_of: 5}"):  # fmt: skip
        Views.load(one_answer(narrower), shipped)
    for wider in (
        "{roles: [r], purposes: [p], fields: [a], totals_of: 5}",
        "{roles: [r], purposes: [p], fields: [a/**], totals_of: 5}",
        "{roles: [r], purposes: [p], fields: ['**'], totals_of: 5}",
        "{roles: [r], purposes: [p], fields: [a/b], totals_of: 4}",
        "{roles: [r], fields: [a/b], totals_of: 5}",
        "{roles: [s], purposes: [p], fields: [a/b], totals_of: 5}",
    ):
        with pytest.raises(MisconfiguredError, match="more than the package's list"):
            Views.load(one_answer(wider), shipped)


def test_mistakes_are_told_at_once() -> None:
    """Unknown events and words, and a place that stands twice, are all told with their lines."""
    with pytest.raises(MisconfiguredError) as caught:
        Views.load(one_answer(
            "{roles: [r], feilds: [a]}", ", y: {of: [GET /x], event: record:raed, see: []}, z: {of: [GET /x], "
            "event: record:read, see: []}",
        ))  # fmt: skip

    for part in ("feilds is not known", "fields is missing", "did you mean record:read?"):
        assert part in str(caught.value)


def test_recipients_who_call_nothing() -> None:
    """The payer gets the notice by its own list, without whom the provider is; the client's two lists differ by names.

    CLR-07: the citizen's view tells no professional by name, the statutory reply does. [CLR-07, CLR-08]
    """
    notice = {"id": "n", "type": "t", "given_by": "Paja ry", "head": {"client": "x"}, "groups": {}}
    row = {"at": "2026-01-01", "person_name": "Erkki Esimerkki", "organisation": "1.2", "subject": "ticket"}
    report = {"client": "A-1", "note": "", "rows": [row]}
    statutory, portal = (
        SHIPPED.for_recipient("client", purpose, "access-report", report)["rows"][0]
        for purpose in ("statutory-reply", "citizen-portal")
    )

    assert {"id", "type", "head", "groups"} == set(SHIPPED.for_recipient("kela", "benefit", "notice", notice))
    assert statutory.keys() - portal.keys() == {"person_name"}
    assert "subject" not in statutory
    assert SHIPPED.for_recipient("kela", "benefit", "ticket", {"id": 1}) == {}
    assert CONTENT in tree_of(["content"])


def test_no_list_is_everything() -> None:
    """Every list of every role names its fields: none is all that an answer may ever hold. [ACC-02]"""
    whole = [(answer.name, sorted(row.roles)) for answer in SHIPPED.answers.values() for row in answer.rows
             if "**" in row.fields]  # fmt: skip

    assert whole == []
