"""Makes a throw-away signing PKI into a folder: for tests and for trying things out.

usage: make_test_pki.py FOLDER [rsa-3072|p-256]
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from kanta_gateway.signing.keys import make_development_keys


def make(folder: Path, algorithm: str = "p-256") -> None:
    """Write root certificate, service certificate and its key."""
    keys = make_development_keys(
        "Testipalvelu Oy", "1.2.246.10.99999999.10.0", "test system", datetime.now(UTC), algorithm=algorithm
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("root.cert.pem", keys.root_certificate),
        ("signing.cert.pem", keys.certificate),
        ("signing.key.pem", keys.key),
    ):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


if __name__ == "__main__":
    make(Path(sys.argv[1]), *sys.argv[2:3])
