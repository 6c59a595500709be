"""Every fault that a verification may tell has its text."""

from __future__ import annotations

import re
from pathlib import Path

from kanta_gateway.messages import Messages

ROOT = Path(__file__).parents[3]


def test_every_kind_of_fault_has_a_text_and_every_text_its_use() -> None:
    """The kinds in the code of the log and of its reconciliation are those of its catalogue, in three languages."""
    source = ROOT / "src" / "kanta_gateway"
    files = [*(source / "audit").glob("*.py"), source / "pipeline" / "reconciling.py"]
    code = "".join(path.read_text() for path in files)
    catalogue = Messages.load({"audit": (ROOT / "mappings/messages/audit.yaml").read_text()})

    assert set(re.findall(r'"(audit-[a-z-]+)"', code)) == catalogue.kinds()
