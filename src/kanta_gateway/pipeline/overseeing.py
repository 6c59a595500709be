"""Builds what supervision works with: the cases of an installation, and the detector of unusual access."""

from __future__ import annotations

from kanta_gateway.audit.cases import Cases
from kanta_gateway.audit.unusual import Detector
from kanta_gateway.pipeline.known import Known
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import open_sealed, seal


def cases_of(parts: Parts) -> Cases:
    """The cases, sealed with the installation's key for them."""
    key = parts.keyring.cases
    return Cases(lambda told: seal(key, told, b"case"), lambda sealed: open_sealed(key, sealed, b"case"))


def detector_of(parts: Parts, known: Known) -> Detector:
    """A fresh detector, which leaves out the gateway's own acts.

    Args:
        parts: the built gateway.
        known: answers what the rules ask beside the log.
    """
    oversight = parts.supervision.oversight
    own = {parts.log.names.reference("", one) for one in oversight.left_out}
    return Detector(oversight, known.ask, own.__contains__)
