"""Witnesses are asked to cosign a checkpoint, and what each answered is told.

* A witness tells which size it has signed last, and gets the consistency proof from there.
* One that has signed more than the log has now, or refuses the proof, has seen another history: that is told.
* A cosignature counts only if it verifies with the witness's known key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kanta_gateway.audit.checkpoint import parse
from kanta_gateway.audit.cosign import Known, is_cosigned, request

Post = Callable[[str, bytes], "tuple[int, str] | None"]
Prove = Callable[[int, int], Sequence[bytes]]

SIGNED, SILENT, FORGED, CONTRADICTS, REFUSED = "signed", "silent", "forged", "contradicts", "refused"
"""What a witness said: nothing that can be read; a line that is not its own; that it has seen another history;
that it does not know this log or its key."""
INSIDE = "inside"
"""What it was not asked: its address is inside the gateway's own network, and the installation does not name that."""
_TOLD_BY = {0: INSIDE, 422: CONTRADICTS}
"""What a status other than those of the exchange means; 0: no call was made."""
_TRIES = 3
"""A witness that several gateways' processes ask at once may have moved on meanwhile."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The witnesses of one installation."""

    known: Sequence[Known] = ()
    quorum: int = 0
    post: Post = field(default=lambda _url, _body: None)

    def cosign(self, note: str, prove: Prove) -> tuple[str, Mapping[str, str]]:
        """The checkpoint with the cosignatures that were given, and what each witness answered.

        Args:
            note: the signed checkpoint.
            prove: gives the consistency proof between two sizes.
        """
        told: dict[str, str] = {}
        lines = ""
        for one in self.known:
            told[one.key.name], line = self._ask(one, note, prove)
            lines += line
        return note + lines, told

    def count(self, note: str) -> int:
        """How many witnesses have cosigned."""
        lines = note.rpartition("\n\n")[2].splitlines()
        return sum(any(is_cosigned(one.key, note, line) for line in lines) for one in self.known)

    def _ask(self, witness: Known, note: str, prove: Prove) -> tuple[str, str]:
        size, old = parse(note).size, 0
        for _ in range(_TRIES):
            proof = prove(old, size) if 0 < old < size else ()
            answer = self.post(f"{witness.url}/add-checkpoint", request(old, proof, note))
            if answer is None:
                return SILENT, ""
            status, text = answer
            if status == 200:
                return (SIGNED, text) if is_cosigned(witness.key, note, text.rstrip("\n")) else (FORGED, "")
            if status != 409:
                return _TOLD_BY.get(status, REFUSED), ""
            if not text.strip().isdecimal():
                return FORGED, ""
            if int(text) > size or int(text) == old:
                return CONTRADICTS, ""
            old = int(text)
        return SILENT, ""
