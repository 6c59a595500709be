"""The lists of purposes and of disclosures: what they name is there, and their mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kanta_gateway.access.disclosures import Disclosures
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.purposes import Purposes
from kanta_gateway.access.table import Table
from kanta_gateway.errors import MisconfiguredError

FOLDER = Path(__file__).parents[3] / "mappings" / "policy"
PURPOSES, DISCLOSURES, ROLES, ROWS, DUTIES = (
    (FOLDER / f"{name}.yaml").read_text("utf-8") for name in ("purposes", "disclosures", "roles", "rows", "duties")
)
TABLE, POLICY = Table.load(ROWS), Policy.load(ROLES)


def test_every_role_has_a_purpose_and_a_duty() -> None:
    """Each role of the policy has purposes, each purpose its roles and rows, and each role its duty of the decree."""
    known = Purposes.load(PURPOSES, TABLE.by_id, POLICY.roles)

    assert {one for one in POLICY.roles if not known.of(one)} == {"client", "payer"}  # who call nothing
    assert set(POLICY.roles) == set(yaml.safe_load(DUTIES)["roles"])
    assert all(one.rows and one.roles for one in known.known.values())


def test_a_purpose_fits_row_and_role() -> None:
    """A purpose fits its roles and rows only; what is not in the list fits nothing."""
    known = Purposes.load(PURPOSES, TABLE.by_id)

    assert known.fits("delivery", "provider-system", "D2")
    assert not known.fits("delivery", "provider-system", "D3")
    assert not known.fits("delivery", "auditor")
    assert not known.fits("curiosity", "provider-system")
    assert "D0" not in {row for one in known.known.values() for row in one.rows}


def test_development_is_left_out_of_production() -> None:
    """A purpose that is for development is none in production."""
    assert "development" in Purposes.load(PURPOSES, TABLE.by_id).known
    assert "development" not in Purposes.load(PURPOSES, TABLE.by_id, is_production=True).known


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("rows: [D1, D2]", "rows: [D1, D99]"), "there is no row D99"),
        (("roles: [provider-system, operator, private-provider]", "roles: [nobody]"), "there is no role nobody"),
        (('      en: "Delivering', '      de: "Delivering'), "en"),
    ],
)
def test_mistakes_of_purposes(change: tuple[str, str], told: str) -> None:
    """A row, role or language that there is not stops the start."""
    assert change[0] in PURPOSES
    with pytest.raises(MisconfiguredError, match=told):
        Purposes.load(PURPOSES.replace(*change, 1), TABLE.by_id, POLICY.roles)


def test_break_glass_has_statutory_items_only() -> None:
    """Every sub-item leads to rows that ask for a grant, and every such row has a sub-item (law: D4, D5, D6, D9)."""
    rules = Disclosures.load(DISCLOSURES, TABLE.by_id)
    rows = {row for one in rules.grounds.values() for row in one.rows}
    asking = {one.id for one in TABLE.rows if "grant" in one.when}

    assert {"D4", "D5", "D6", "D6P", "D9"} == rows == asking
    assert all(one.ground in TABLE.by_id[row].when["ground"] for one in rules.grounds.values() for row in one.rows)
    with pytest.raises(MisconfiguredError, match="no row D99"):
        Disclosures.load(DISCLOSURES.replace("rows: [D4]", "rows: [D99]"), TABLE.by_id)


def test_whom_an_organisation_is_for() -> None:
    """The flow follows from what is registered of an organisation, and a role acts only for its own flow."""
    rules = Disclosures.load(DISCLOSURES, TABLE.by_id)
    county, firm = {"role": "controller"}, {"role": "processor"}

    assert "social-authority" == rules.flow(county, "receiving-official")
    assert "social" == rules.flow(firm, "receiving-worker")
    assert "health" == rules.flow({"role": "controller", "sector": "health"}, "health-worker")
    assert {"none"} == {
        rules.flow(firm, "receiving-official"), rules.flow(county, "receiving-worker"),
        rules.flow(None, "receiving-official"), rules.flow({"role": "supervisor"}, "receiving-official"),
        rules.flow(county, "operator"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_reason"),
    [
        ("Asiakas löydettiin tajuttomana kotoaan.", True),
        ("hätä hätä hätä hätä hätä hätä hätä hätä hätä", False),
        ("a        b        c        d        e", False),
        ("lyhyt syy", False),
    ],
)
def test_a_reason_in_words(text: str, *, is_reason: bool) -> None:
    """A reason is long enough and of enough different words; spaces and repetition do not lengthen it."""
    assert is_reason == Disclosures.load(DISCLOSURES, TABLE.by_id).break_glass.is_reason(text)
