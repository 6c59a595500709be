"""The display form of random records agrees with a second, naive writer."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests import signed
from tests.documents import PRODUCTS, mapper, source
from tests.property.test_mapping import contents
from tests.vector.naive import EVENTS, shown, write

from kanta_gateway import knowledge
from kanta_gateway.signing.display import Display
from kanta_gateway.signing.xhtml import render

DISPLAY = Display.load(knowledge.text("schemas/display.yaml"))


def squashed(text: str) -> str:
    """Without white space: the display form may break lines as it likes."""
    return re.sub(r"\s+", "", text)


def paragraphs(xhtml: bytes) -> list[str]:
    """The shown values of a display form, in order."""
    found = etree.fromstring(xhtml).iterfind(".//{*}p")
    return [squashed("".join(map(str, one.itertext())).partition(":")[2]) for one in found]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(EVENTS)), st.sampled_from(sorted(PRODUCTS)))
def test_display_form_agrees_with_the_naive_writer(data: Any, record_type: str, product: str) -> None:
    """The values shown are those of the naive writer's JSON, in its order and nothing else."""
    everything = source(data.draw(contents(record_type)), record_type, product)
    (variant,) = mapper().variants(record_type, everything["product"])

    xhtml = render(mapper().compose(variant, everything), signed.header(), DISPLAY)

    assert paragraphs(xhtml) == [squashed(one) for one in shown(write(everything))]
