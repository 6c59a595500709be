"""Finished documents: written out of the gateway, explained value by value, verified from their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Caller
from kanta_gateway.pipeline.explain import explain
from kanta_gateway.pipeline.export import export
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.settings import Settings
from kanta_gateway.signing.inspect import inspect

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class Documents:
    """The finished documents of one installation, and those that are given to it as files."""

    def __init__(self, settings: Settings, parts: Parts, office: Office, anchors: Sequence[Certificate]) -> None:
        self._settings = settings
        self._parts = parts
        self._office = office
        self._anchors = anchors

    def export(self, folder: Path, caller: Caller, *, all_versions: bool) -> dict[str, Any]:
        """Write archived documents as FOLDER/<OID>.xml."""
        days = self._settings.grace_days
        return export(self._parts, self._office, folder, caller, days, all_versions=all_versions)

    def explain(self, oid: str, caller: Caller) -> dict[str, Any]:
        """Where every value of a document comes from."""
        return explain(self._parts, self._office, oid, caller)

    def verify(self, files: Sequence[Path]) -> dict[str, Any]:
        """Check finished documents, all mistakes of each."""
        parts, rows = self._parts, []
        for path in files:
            seen = inspect(
                path.read_bytes(),
                check_structure=lambda oid, value: parts.conformances(oid).check(value),
                labels_of=lambda oid: parts.structures.get(oid).labels(),
                display=parts.sealer.display, profile=parts.profile, anchors=self._anchors, now=parts.now(),
            )  # fmt: skip
            findings = [parts.messages.finding(one, self._settings.lang) for one in seen.findings]
            rows.append({"file": path.name, "oid": seen.oid, "verdict": seen.verdict.value, "findings": findings})
        return {"documents": rows, "holds": all(row["verdict"] == "PASSED" for row in rows)}
