"""One session with a PKCS#11 token: its library, the login, and what goes wrong, in our words.

* The binding starts the library without locks (`C_Initialize(NULL)`): one call at a time in a process.
* One session, logged in, stays open. If the token dropped it, it is opened again once.
* A PIN that was refused is not tried again: tokens lock.
* No message holds a PIN, a key or a path.

The binding is an extra: `pip install kanta-gateway[hsm]`.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kanta_gateway.errors import KeyUnavailableError, MisconfiguredError

_CALLS = threading.RLock()
"""Held while the library works."""
_Done = TypeVar("_Done")
_DROPPED = (
    "DeviceError", "DeviceRemoved", "KeyHandleInvalid", "ObjectHandleInvalid", "OperationActive", "SessionClosed",
    "SessionHandleInvalid", "TokenNotPresent", "UserNotLoggedIn",
)  # fmt: skip
"""The token was taken away and has come back, or another process has replaced a key."""
_REFUSED = ("PinExpired", "PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "UserPinNotInitialized")
_ANSWERS = "does not answer; check that it is connected, then try again"
_OFFERS = "does not offer {how}; see its manual, or take a token that does"
_STEPS = {
    "DeviceError": _ANSWERS,
    "DeviceRemoved": _ANSWERS,
    "FunctionNotSupported": _OFFERS,
    "MechanismInvalid": _OFFERS,
    "MechanismParamInvalid": "does not offer {how} with a nonce of the caller's; turn that restriction off, "
    "or take a token that does",
    "MultipleTokensReturned": "there is more than one with this label; give each its own",
    "NoSuchToken": "is not there; check KANTA_PKCS11_TOKEN, and that the token is connected",
    "PinExpired": "the PIN has expired; set a new one",
    "PinIncorrect": "the PIN is wrong; check the file of KANTA_PKCS11_PIN_FILE before you start again: tokens lock",
    "PinInvalid": "the PIN has a wrong form; check the file of KANTA_PKCS11_PIN_FILE",
    "PinLenRange": "the PIN has a wrong length; check the file of KANTA_PKCS11_PIN_FILE",
    "PinLocked": "the PIN is locked; have the token's security officer set a new one",
    "SessionCount": "has no session left; let each process of the gateway open two",
    "SessionReadOnly": "does not let keys be changed; let its user make and remove keys",
    "TokenNotPresent": _ANSWERS,
    "TokenNotRecognised": "is none that this library knows; check KANTA_PKCS11_MODULE",
    "TokenWriteProtected": "is write-protected; let its user make and remove keys",
    "UserPinNotInitialized": "has no PIN yet; have the token's security officer set one",
}
"""What an error of the library means, and what to do."""


@dataclass(slots=True)
class Seat:
    """A session and the keys that were found in it."""

    session: Any
    keys: dict[Any, Any] = field(default_factory=dict)


class Slot:
    """Where a token is.

    Args:
        module: path of the token's library.
        token: label of the token.
        pin: reads its user's PIN.

    Raises:
        MisconfiguredError: the extra is not installed.
    """

    def __init__(self, module: str, token: str, pin: Callable[[], str]) -> None:
        try:
            self.p11 = importlib.import_module("pkcs11")
        except ImportError as error:
            raise MisconfiguredError(
                "KANTA_PKCS11_MODULE is set, but the package for tokens is not there; "
                "install it with `pip install kanta-gateway[hsm]`"
            ) from error
        self.label = token
        self._module = module
        self._pin = pin
        self._open: Seat | None = None
        self._refused = ""
        """Why the PIN was refused."""

    def use(self, how: str, act: Callable[[Seat], _Done], *, may_change: bool = False) -> _Done:
        """Do something in a session; once more, in a new one, if the token dropped the first.

        Args:
            how: what the token must offer for it.
            act: what is done.
            may_change: whether keys are made or destroyed.

        Raises:
            KeyUnavailableError: the token is not there, or does not do it; its cause is the library's own error.
            MisconfiguredError: the library cannot be loaded.
        """
        try:
            return self._once(act, may_change=may_change, is_new=False)
        except self.p11.PKCS11Error as error:
            name = type(error).__name__
            if name not in _DROPPED:
                raise self._told(error, how) from error
        try:
            return self._once(act, may_change=may_change, is_new=True)
        except self.p11.PKCS11Error as error:
            raise self._told(error, how) from error

    def _once(self, act: Callable[[Seat], _Done], *, may_change: bool, is_new: bool) -> _Done:
        with _CALLS:
            if is_new:
                self._close(self._open)
                self._open = None
            if self._open is None:
                self._open = Seat(self._logged_in())
            if not may_change:
                return act(self._open)
            for_once = Seat(self._open.session.token.open(rw=True))
            try:
                return act(for_once)
            finally:
                self._close(for_once)

    def _logged_in(self) -> Any:
        """A session of the token's user.

        Raises:
            KeyUnavailableError: the PIN was refused, now or earlier in this process.
        """
        if self._refused:
            raise KeyUnavailableError(self._refused)
        token = self._library().get_token(token_label=self.label)
        try:
            return token.open(user_pin=self._pin())
        except self.p11.UserAlreadyLoggedIn:
            return token.open()
        except self.p11.PKCS11Error as error:
            if type(error).__name__ in _REFUSED:
                self._refused = str(self._told(error, "a login"))
            raise

    def _close(self, seat: Seat | None) -> None:
        with suppress(self.p11.PKCS11Error):
            if seat is not None:
                seat.session.close()

    def _library(self) -> Any:
        try:
            return self.p11.lib(self._module)
        except self.p11.PKCS11Error as error:
            raise MisconfiguredError(
                f"KANTA_PKCS11_MODULE: the library of the token cannot be loaded ({type(error).__name__}); "
                "check the path, and that it is for this machine"
            ) from error

    def _told(self, error: Exception, how: str) -> KeyUnavailableError:
        """An error of the library as ours."""
        name = type(error).__name__
        said = _STEPS.get(name, "{how} failed; see the token's own log").format(how=how)
        return KeyUnavailableError(f"token {self.label}: {said} ({name})")
