"""Which master key an installation uses, in a file or in a PKCS#11 token, and its replacement by another.

* The key store names the master key that wraps it; the settings say where the next one is made.
* So moving it into a token, or back, is a replacement: nothing sealed is written again.
* The old master key goes once every key is wrapped by the new one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kanta_gateway.errors import GatewayError, KeyUnavailableError, MisconfiguredError
from kanta_gateway.hsm import Hsm
from kanta_gateway.keystore import KeyStore
from kanta_gateway.privacy.envelope import KEY_BYTES, MasterKey
from kanta_gateway.privacy.master import FileMasterKey, Pkcs11MasterKey
from kanta_gateway.safe import MASTER, NEXT_MASTER, KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.slot import Slot

FILE, TOKEN = "file", "token"
"""Where keys are."""
_OTHERS_MAY_READ = 0o077


def token(settings: Settings) -> Hsm | None:
    """The token of an installation, if it has one.

    Raises:
        MisconfiguredError: it is told in part only, or the package for tokens is not installed.
    """
    asked = {
        "KANTA_PKCS11_TOKEN": settings.pkcs11_token, "KANTA_PKCS11_PIN_FILE": settings.pkcs11_pin_file,
        "KANTA_MASTER_KEY_LABEL": settings.master_key_label, "KANTA_SIGNING_KEY_LABEL": settings.signing_key_label,
    }  # fmt: skip
    if not settings.pkcs11_module:
        if told := [name for name, value in asked.items() if value]:
            raise MisconfiguredError(f"{', '.join(told)}: KANTA_PKCS11_MODULE is missing, the library of the token")
        return None
    if missing := [name for name in ("KANTA_PKCS11_TOKEN", "KANTA_PKCS11_PIN_FILE") if not asked[name]]:
        raise MisconfiguredError(f"KANTA_PKCS11_MODULE is set, and {' and '.join(missing)} missing; name the token")
    return _token(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin_file)


@cache
def _token(module: str, label: str, pin_file: str) -> Hsm:
    """One login for the whole process."""
    return Hsm(Slot(module, label, lambda: _pin(Path(pin_file))))


def _pin(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnavailableError(
            f"KANTA_PKCS11_PIN_FILE cannot be read ({type(error).__name__}); check the path and its rights"
        ) from error


@dataclass(frozen=True, slots=True)
class Replaced:
    """A master key that took the place of another."""

    master: MasterKey
    keys: int
    """So many were wrapped anew."""
    place: str
    """Where the new one is: `file` or `token`."""
    is_old_gone: bool
    """Whether the old one is destroyed; a token may refuse."""

    def told(self) -> dict[str, Any]:
        """What an entry of the log and a person are told."""
        return {"master": self.master.name, "keys": self.keys, "place": self.place, "old_destroyed": self.is_old_gone}


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The master keys of one installation.

    Args:
        folder: where files of keys are.
        keys: the key store that they wrap.
        hsm: the token, if there is one.
        label: of master keys in the token; empty: the next one is a file.
    """

    folder: KeyFolder
    keys: KeyStore
    hsm: Hsm | None = None
    label: str = ""

    @property
    def place(self) -> str:
        """Where the next master key is made."""
        return TOKEN if self.label else FILE

    def place_in_use(self) -> str:
        """Where the master key in use is."""
        return TOKEN if isinstance(self.in_use(), Pkcs11MasterKey) else FILE

    def in_use(self) -> MasterKey:
        """The master key that wraps the key store; a replacement that was interrupted is finished.

        Raises:
            KeyUnavailableError: it is not there.
        """
        by = self.keys.by()
        if not by:
            return self._first()
        for name in (MASTER, NEXT_MASTER):
            if not self.folder.has(name):
                continue
            found = FileMasterKey(self.folder.read(name))
            if found.name == by:
                if name == NEXT_MASTER:
                    self.folder.replace(MASTER, self.folder.read(NEXT_MASTER))
                    self.folder.remove(NEXT_MASTER)
                return found
        if self.hsm is not None and self.hsm.has_master(by):
            return Pkcs11MasterKey(self.hsm, by)
        places = MASTER if self.hsm is None else f"{MASTER} and token {self.hsm.label}"
        raise KeyUnavailableError(
            f"key store: it is wrapped by another master key ({by}) than what is in {places}; "
            "restore both of one moment, or connect the token that holds it"
        )

    def _first(self) -> MasterKey:
        """The master key of a key store that none wraps yet; made where that is allowed."""
        if self.hsm is None or not self.label or self.folder.has(MASTER):
            return FileMasterKey(self.folder.master())
        found = self.hsm.master_names(self.label)
        if len(found) > 1:
            raise KeyUnavailableError(
                f"token {self.hsm.label}: {len(found)} master keys are labelled {self.label}, and the key store names "
                "none; take another KANTA_MASTER_KEY_LABEL, or remove those that wrap nothing"
            )
        if not found and not self.folder.may_make:
            raise KeyUnavailableError(
                f"token {self.hsm.label}: no master key is labelled {self.label}; make one with `keys make`"
            )
        return Pkcs11MasterKey(self.hsm, found[0] if found else self.hsm.make_master(self.label))

    def replace(self) -> Replaced:
        """Put a new master key in the place of the old and wrap every key with it.

        Raises:
            KeyUnavailableError: the old one is not there, or the token makes no new one; then nothing has changed.
        """
        old = self.in_use()
        if self.hsm is not None and self.label:
            new: MasterKey = Pkcs11MasterKey(self.hsm, self.hsm.make_master(self.label))
            count = self._rewrapped(old, new)
            self.folder.remove(MASTER)
            return Replaced(new, count, TOKEN, self._is_gone(old))
        content = secrets.token_bytes(KEY_BYTES)
        new = FileMasterKey(content)
        self.folder.replace(NEXT_MASTER, content)  # (1) first: whatever it wraps can be opened
        count = self._rewrapped(old, new)  # (2) all or none
        self.folder.replace(MASTER, content)  # (3) after a crash before this, `in_use` does it
        self.folder.remove(NEXT_MASTER)
        return Replaced(new, count, FILE, self._is_gone(old))

    def _rewrapped(self, old: MasterKey, new: MasterKey) -> int:
        return self.keys.rewrap(lambda wrapped: new.wrap(old.unwrap(wrapped)), new.name)

    def _is_gone(self, old: MasterKey) -> bool:
        """Destroy an old master key in the token; one in a file has gone with the file."""
        if self.hsm is None or not isinstance(old, Pkcs11MasterKey):
            return True
        try:
            self.hsm.destroy_master(old.name)
        except GatewayError:
            return False
        return True

    def listed(self) -> list[dict[str, str]]:
        """Master keys in the token, each with its name and whether it is in use."""
        if self.hsm is None or not self.label:
            return []
        by = self.keys.by()
        return [
            {"token": self.hsm.label, "key": self.label, "name": name, "used": "yes" if name == by else "no"}
            for name in self.hsm.master_names(self.label)
        ]

    def mistakes(self, settings: Settings) -> list[str]:
        """What is wrong with the master key, all at once."""
        try:
            master = self.in_use()
            found = [] if master.unwrap(master.wrap(_PROBE)) == _PROBE else ["it does not give back what it wraps"]
            place = TOKEN if isinstance(master, Pkcs11MasterKey) else FILE
            if place != self.place:
                found.append(
                    f"it is in a {place}, and the settings say {self.place}; move it with `keys rotate-master`"
                )
            found += self._left_files(master)
            if self.hsm is not None:
                found += self._token_mistakes(master, Path(settings.pkcs11_pin_file))
        except GatewayError as error:
            found = [str(error)]
        return [f"master key: {one}" for one in found]

    def _left_files(self, master: MasterKey) -> list[str]:
        """Files that a replacement left which did not end."""
        names = [one for one in (MASTER, NEXT_MASTER) if self.folder.has(one)]
        left = [one for one in names if FileMasterKey(self.folder.read(one)).name != master.name]
        return [f"{one} in the key folder wraps nothing; remove it" for one in left]

    def _token_mistakes(self, master: MasterKey, pin_file: Path) -> list[str]:
        found: list[str] = []
        if isinstance(master, Pkcs11MasterKey) and self.hsm is not None and self.hsm.may_leave(master.name):
            found.append("it may leave the token; replace it with `keys rotate-master`")
        left = [one["name"] for one in self.listed() if one["used"] == "no"]
        if left:
            found.append(f"in the token, not in use: {', '.join(left)}; remove them with the token's own tool")
        if pin_file.is_file() and pin_file.stat().st_mode & _OTHERS_MAY_READ:
            found.append("others may read the file of KANTA_PKCS11_PIN_FILE; let its owner alone read it")
        return found


_PROBE = b"\x00" * KEY_BYTES
