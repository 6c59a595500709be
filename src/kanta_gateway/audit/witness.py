"""`kanta-gateway audit witness`: a small program that a purchaser or a supervisor runs, apart from the gateway.

* It keeps the last checkpoint of each log that it has signed, and asks for a consistency proof from there.
* It writes down what it signs before it answers: after a crash it knows at least what it has said.
* What the log signed and what does not continue that is kept as evidence: two histories under one key.
* It needs no data folder, no database and no access to the log: sizes and roots come to it.

Source: C2SP tlog-witness.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kanta_gateway.audit.checkpoint import Checkpoint, VerifierKey, parse, private_key, read_keys, verify
from kanta_gateway.audit.cosign import Cosigner, Request, read_request
from kanta_gateway.audit.merkle import is_consistent
from kanta_gateway.errors import UntrustedError

MAX_BODY_BYTES = 64 * 1024
MOST_EVIDENCE = 100
"""Files of evidence that are kept, so that nobody fills the disk."""
PATH = "/add-checkpoint"
KEY_FILE, VERIFIER_FILE = "witness.key", "witness.vkey"
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to one request."""

    status: int
    text: str = ""


class Witness:
    """What a witness knows and says.

    Args:
        folder: its key, the last checkpoint of each log, and evidence.
        name: its name; one word without a plus sign.
        logs: verifier keys of the logs that it watches.
        clock: seconds since 1970.
    """

    def __init__(
        self, folder: Path, name: str, logs: Sequence[VerifierKey], clock: Callable[[], float] = time.time
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._logs = logs
        self._clock = clock
        self._lock = threading.Lock()
        self.signer = Cosigner(name, _key(folder))
        (folder / VERIFIER_FILE).write_text(f"{self.signer.key}\n", "utf-8")

    def add(self, body: bytes) -> Reply:
        """Judge one request; the numbers are those of the statuses of the specification.

        (1) read it; (2) know the log; (3) check its signature; (4) start from what was signed last;
        (5) check that the new checkpoint continues that; (6) write it down; (7) sign.
        """
        try:
            asked = read_request(body)  # (1)
            claimed = parse(asked.note)
        except (ValueError, UntrustedError):
            return Reply(400, "not a request of a log\n")
        keys = [one for one in self._logs if one.name == claimed.origin]
        if not keys:  # (2)
            return Reply(404, "a log that is not watched here\n")
        try:
            new = verify(asked.note, keys)  # (3)
        except UntrustedError:
            return Reply(403, "not signed by the log\n")
        if asked.old > new.size:
            return Reply(400, "the old size is beyond the new one\n")
        with self._lock:
            return self._continued(asked, new)

    def _continued(self, asked: Request, new: Checkpoint) -> Reply:
        last = self._last(new.origin)
        size = last.size if last else 0
        if asked.old != size:  # (4)
            return Reply(409, f"{size}\n")
        if last is not None and not _continues(last, new, asked.proof):  # (5)
            self._keep_evidence(new, asked.note)
            return Reply(409 if size == new.size else 422, f"{size}\n" if size == new.size else "does not continue\n")
        _write(self._file(new.origin), asked.note.encode())  # (6)
        return Reply(200, self.signer.line(asked.note, int(self._clock())))  # (7)

    def _file(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()[:16]}.checkpoint"

    def _last(self, origin: str) -> Checkpoint | None:
        file = self._file(origin)
        return parse(file.read_text("utf-8")) if file.is_file() else None

    def _keep_evidence(self, new: Checkpoint, note: str) -> None:
        """Keep what the log signed beside what it had signed before: together they show two histories."""
        place = self._folder / "evidence"
        place.mkdir(exist_ok=True)
        if len(list(place.iterdir())) < MOST_EVIDENCE:
            known = self._file(new.origin).read_text("utf-8")
            digest = sha256(note.encode()).hexdigest()[:16]
            _write(place / f"{new.size}-{digest}.txt", f"{known}\n--- and, signed by the same log:\n\n{note}".encode())


def _continues(last: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> bool:
    if last.size == 0:
        return not proof
    return is_consistent(last.size, new.size, last.root, new.root, proof)


def _key(folder: Path) -> Ed25519PrivateKey:
    file = folder / KEY_FILE
    if not file.is_file():
        made = Ed25519PrivateKey.generate()
        _write(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return private_key(file.read_bytes())


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner only, and on the disk before it counts."""
    draft = file.with_name(f".{file.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(file)


def run(folder: Path, name: str, log_keys: str, host: str, port: int, ready_file: Path | None) -> None:
    """Serve until told to stop.

    Args:
        folder: what the witness keeps.
        name: its name.
        log_keys: verifier keys of the logs that it watches, one on a line.
        host: address to listen at.
        port: 0 takes a free one.
        ready_file: gets the address once it listens.
    """
    witness = Witness(folder, name, read_keys(log_keys))

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != PATH or not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                self._answer(Reply(413 if self.path == PATH else 404))
                return
            self._answer(witness.add(self.rfile.read(int(length))))

        def log_message(self, *_: object) -> None:
            """Say nothing: what matters is in the folder."""

        def _answer(self, reply: Reply) -> None:
            content = reply.text.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/x.tlog.size" if reply.status == 409 else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer((host, port), Handler) as server:
        if ready_file is not None:
            _write(ready_file, f"http://{host}:{server.server_address[1]}\n".encode())
        server.serve_forever()
