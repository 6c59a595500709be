"""Every error that the gateway raises, in one tree.

```
GatewayError
  + RefusedError        the caller must change something         4xx, never retried
    - NotAuthenticatedError  NotPermittedError  RecordInvalidError  UnreadableError  NotFoundError  ConflictError
    - MethodError  ParameterError  TooLargeError  TooManyReadsError
  + UnavailableError    somebody else is down                    503, retried by the worker
    - ArchiveUnreachableError  DatabaseUnavailableError  KeyUnavailableError  QueueFullError
  + RejectedError       the archive said a final no              an operator acts
  + UntrustedError      signature, certificate or audit chain does not hold     alarm
  + MisconfiguredError  found at start-up: setting, mapping, schema, certificate   the process does not start
```

A message says what failed, where, what was expected against what was found, and the next step.
It never holds a personal value: pointers, rule names and kinds only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kanta_gateway.model import Finding


class GatewayError(Exception):
    """Something failed in the gateway; see the log entry with the same time."""

    code: ClassVar[str] = "gateway"
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False

    def __init__(self, message: str = "", *, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n", maxsplit=1)[0])
        self.findings = findings


class RefusedError(GatewayError):
    """The request cannot be carried out as it is; change it and send it again."""

    code = "refused"
    status = 400


class NotAuthenticatedError(RefusedError):
    """The call carries no valid assertion; sign one with the system's registered key."""

    code = "not-authenticated"
    status = 401


class NotPermittedError(RefusedError):
    """The caller may not do this; the reasons name the policy that decided."""

    code = "not-permitted"
    status = 403


class NotFoundError(RefusedError):
    """There is nothing with this identifier that the caller may see."""

    code = "not-found"
    status = 404


class MethodError(RefusedError):
    """This address does not have this method; see the API description."""

    code = "method-not-allowed"
    status = 405


class ParameterError(RefusedError):
    """A parameter of the call is missing or does not fit; the findings say which. Nothing was stored."""

    code = "parameter-invalid"
    status = 422


class ConflictError(RefusedError):
    """The thing is in a state that does not allow this; read its state and decide again."""

    code = "conflict"
    status = 409


class UnreadableError(RefusedError):
    """The delivery cannot be read as what it claims to be; nothing of it was stored."""

    code = "unreadable"
    status = 400


class TooLargeError(RefusedError):
    """The body is larger than allowed and was not read to its end; send it in smaller parts."""

    code = "too-large"
    status = 413


class TooManyReadsError(RefusedError):
    """More clients' data was read than one person's task takes; go on later, or ask for what the task needs."""

    code = "too-many-reads"
    status = 429


class RecordInvalidError(RefusedError):
    """The record does not fit its schema; the findings say where. Nothing was stored."""

    code = "record-invalid"
    status = 422


class UnavailableError(GatewayError):
    """Something that the gateway needs does not answer; the call may be repeated later."""

    code = "unavailable"
    status = 503
    retry = True


class ArchiveUnreachableError(UnavailableError):
    """The archive did not answer; whether it received the document is not known until asked."""

    code = "archive-unreachable"


class DatabaseUnavailableError(UnavailableError):
    """The database did not answer; nothing was stored."""

    code = "database-unavailable"


class KeyUnavailableError(UnavailableError):
    """A key that is needed cannot be read; check the key files and their permissions."""

    code = "key-unavailable"


class QueueFullError(UnavailableError):
    """The queue is too deep to take more now; try again after the time told."""

    code = "queue-full"
    status = 429


class RejectedError(GatewayError):
    """The archive said a final no; an operator must look at its reasons."""

    code = "rejected"
    status = 502


class UntrustedError(GatewayError):
    """A signature, a certificate or the audit log does not hold; stop and find out why."""

    code = "untrusted"


class MisconfiguredError(GatewayError):
    """A setting, mapping, schema or certificate is wrong; the process does not start until it is mended."""

    code = "misconfigured"

    def __init__(self, message: str = "", *, mistakes: Sequence[str] = ()) -> None:
        super().__init__(message or "\n".join(mistakes))
        self.mistakes = tuple(mistakes) or tuple(str(self).splitlines())
        """Each by itself."""
