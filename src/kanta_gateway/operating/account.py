"""Which account of the machine a local command runs under: two persons of one change are never one account.

* On Linux it is the account that signed in, which stays the same through `sudo` and `su` (audit login id).
* Elsewhere, and where nobody signed in, it is the account that the process runs under.
"""

from __future__ import annotations

import os
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")
NOBODY = str(2**32 - 1)
"""What Linux tells where nobody signed in, as in a container."""


def account(login: Path = LOGIN) -> str:
    """The account, as a word that tells no name; empty where the system has no accounts.

    Args:
        login: file that tells who signed in.
    """
    try:
        told = login.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        told = NOBODY
    if told.isdecimal() and told != NOBODY:
        return f"login {told}"
    return f"uid {os.getuid()}" if hasattr(os, "getuid") else ""
