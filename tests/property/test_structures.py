"""Any structure, ours or a published one: documents of it are valid, are read back and are shown as they are."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.signed import DISPLAY
from tests.sosmeta import every_feature, schema_of, structures

from kanta_gateway import knowledge
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.definitions import Structure, json_schema
from kanta_gateway.mapping.samples import least, sample, whole
from kanta_gateway.mapping.sosmeta import bare, from_sosmeta
from kanta_gateway.mapping.structures import Structures, differences
from kanta_gateway.mapping.tree import from_json, to_json
from kanta_gateway.signing.specimen import disagreements_of

OWN = Structures.load(knowledge.texts("schemas/structures")).all()
CHECKS = {one.oid: Conformance(one) for one in OWN}


def holds(structure: Structure, value: dict[str, object], check: Conformance) -> None:
    """The document is valid, and its tree writes and shows it as it is."""
    tree = from_json(structure, value)

    assert check.check(value) == ()
    assert to_json(tree) == value
    assert disagreements_of(tree, value, structure.labels(), DISPLAY) == ()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), structure=st.sampled_from(OWN))
def test_any_document_of_our_structures(data: st.DataObject, structure: Structure) -> None:
    """A document of any choices fits its structure, conditions included, and is shown in Finnish and Swedish."""
    choices = data.draw(st.randoms(use_true_random=False))

    holds(structure, sample(structure, choices.randrange), CHECKS[structure.oid])


@pytest.mark.parametrize("structure", OWN, ids=[one.number for one in OWN])
def test_whole_and_least(structure: Structure) -> None:
    """A document with everything holds, and so does one with as little as is allowed."""
    holds(structure, whole(structure), CHECKS[structure.oid])
    holds(structure, least(structure), CHECKS[structure.oid])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(structure=structures(), choices=st.randoms(use_true_random=False))
def test_any_published_structure(structure: Structure, choices: object) -> None:
    """A structure written as a published schema is read as it was, and its documents hold."""
    read = from_sosmeta(schema_of(structure))

    assert differences(structure, read) == ()
    assert bare(schema_of(structure)) == json_schema(read)
    holds(read, sample(read, choices.randrange), Conformance(read))  # type: ignore[attr-defined]


def test_every_feature_seen() -> None:
    """All representations, cardinalities, code systems and slugs, and nesting twelve deep, are read and shown."""
    read = from_sosmeta(schema_of(every_feature()))

    assert differences(every_feature(), read) == ()
    holds(read, whole(read), Conformance(read))
    holds(read, least(read), Conformance(read))
