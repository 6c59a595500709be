"""How many keys a master key wraps and gives back, in a file and in a SoftHSM token."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path

from tests.benchmarks.scanning import Teller
from tests.tokens import CONFIGURATION, PIN, library, made

COUNT = 5000


def wrapping(machine: Teller, folder: Path) -> None:
    """Keys of content through a master key, one after the other as in an import.

    Args:
        machine: prints the figures.
        folder: an empty one.
    """
    from kanta_gateway.privacy.envelope import MasterKey
    from kanta_gateway.privacy.master import FileMasterKey, Pkcs11MasterKey

    masters: dict[str, MasterKey] = {"file": FileMasterKey(secrets.token_bytes(32))}
    if library():
        (folder / "tokens").mkdir()
        os.environ["SOFTHSM2_CONF"] = str(folder / "tokens" / CONFIGURATION)
        (token,) = made(folder / "tokens", {"bench": PIN})
        hsm = token.hsm()
        masters["token (SoftHSM)"] = Pkcs11MasterKey(hsm, hsm.make_master("bench"))
    else:
        sys.stderr.write("did not run: a master key in a token (Debian package softhsm2)\n")
    key = secrets.token_bytes(32)
    for place, master in masters.items():
        start = time.perf_counter()
        wrapped = [master.wrap(key) for _ in range(COUNT)]
        between = time.perf_counter()
        for one in wrapped:
            master.unwrap(one)
        done = time.perf_counter()
        machine.tell(f"keys wrapped by a master key in a {place}", COUNT / (between - start), "keys/s")
        machine.tell(f"keys given back by a master key in a {place}", COUNT / (done - between), "keys/s")
