"""A witness signs only what continues what it signed before, and says why it does not sign."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kanta_gateway.audit import merkle, verifier
from kanta_gateway.audit.checkpoint import CheckpointSigner, make
from kanta_gateway.audit.cosign import is_cosigned, read_request, read_witnesses, request
from kanta_gateway.audit.witness import Witness
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.outward import Outward
from kanta_gateway.pipeline.witnessing import CONTRADICTS, FORGED, INSIDE, REFUSED, SIGNED, SILENT, Witnesses
from kanta_gateway.transfer.witness import post

LOG = CheckpointSigner("example.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(32)))
AT = 1_700_000_000


class Tree:
    """A log of numbered leaves; `salt` makes it another one."""

    def __init__(self, salt: bytes = b"") -> None:
        self.leaves = [merkle.leaf_hash(salt + bytes([number])) for number in range(40)]

    def node(self, level: int, index: int) -> bytes:
        """A node."""
        if level == 0:
            return self.leaves[index]
        return merkle.node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    def note(self, size: int, signer: CheckpointSigner = LOG) -> str:
        """A checkpoint."""
        return make(signer.key.name, size, merkle.root(size, self.node), signer)

    def ask(self, old: int, size: int) -> bytes:
        """A request with its proof."""
        proof = merkle.consistency_proof(old, size, self.node) if 0 < old < size else []
        return request(old, proof, self.note(size))


ONE, OTHER = Tree(), Tree(b"x")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A fresh witness of the log."""
    return Witness(tmp_path / "w", "w1", [LOG.key], lambda: AT)


def test_what_continues_is_cosigned(witness: Witness) -> None:
    """The first checkpoint, the same again, and a larger one with its proof are signed; the verifier counts them."""
    steps = [(0, 5), (5, 5), (5, 21)]
    replies = [witness.add(ONE.ask(*step)) for step in steps]
    note = ONE.note(21)
    keys = verifier.read_keys(f"{LOG.key}\n{witness.signer.key}")

    assert [one.status for one in replies] == [200, 200, 200]
    assert is_cosigned(witness.signer.key, note, replies[2].text.rstrip("\n"))
    assert not is_cosigned(witness.signer.key, ONE.note(20), replies[2].text.rstrip("\n"))
    assert verifier.read_checkpoint(note + replies[2].text, keys).witnesses == ("w1",)


def test_what_does_not_continue_is_refused_and_kept(witness: Witness, tmp_path: Path) -> None:
    """Another history, of whatever size, is not signed; what the log signed twice is kept as evidence."""
    witness.add(ONE.ask(0, 8))
    asked = [OTHER.ask(8, 21), OTHER.ask(8, 8), request(8, [], ONE.note(21)), ONE.ask(0, 21), ONE.ask(5, 21)]
    replies = [witness.add(one) for one in asked]
    evidence = sorted((tmp_path / "w" / "evidence").iterdir())

    assert [one.status for one in replies] == [422, 409, 422, 409, 409]
    assert [one.text for one in replies[3:]] == ["8\n", "8\n"]
    assert len(evidence) == 3
    assert all(ONE.note(8) in one.read_text("utf-8") for one in evidence)
    assert any(OTHER.note(8) in one.read_text("utf-8") for one in evidence)
    assert witness.add(ONE.ask(8, 21)).status == 200


def test_nothing_is_the_beginning_of_everything(witness: Witness) -> None:
    """After a checkpoint of an empty log whatever follows continues it without a proof; with one it is refused."""
    statuses = [witness.add(one).status for one in (ONE.ask(0, 0), request(0, [bytes(32)], ONE.note(5)), ONE.ask(0, 5))]

    assert [200, 422, 200] == statuses


def test_strangers_and_garbage_are_refused(witness: Witness) -> None:
    """Another log, another key, a replaced key, and what is no request change nothing."""
    thief = CheckpointSigner("example.test/audit", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    stranger = CheckpointSigner("other.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    asked = [
        request(0, [], ONE.note(5, thief)), request(0, [], ONE.note(5, stranger)), request(9, [], ONE.note(5)),
        b"", b"old 0\n\nx", b"old -1\n\n" + ONE.note(5).encode(), b"\xff", request(0, [b"x"], ONE.note(5)),
        request(0, [bytes(32)] * 64, ONE.note(5)),
    ]  # fmt: skip

    assert [witness.add(one).status for one in asked] == [403, 404, 400, 400, 400, 400, 400, 400, 400]
    assert witness.add(ONE.ask(0, 5)).status == 200


def test_it_remembers_over_a_restart(witness: Witness, tmp_path: Path) -> None:
    """A witness that starts again has its key and the last checkpoint, and no more than a hundred files of evidence."""
    witness.add(ONE.ask(0, 8))
    again = Witness(tmp_path / "w", "w1", [LOG.key], lambda: AT)
    for size in range(9, 40):
        for number in range(4):
            again.add(Tree(bytes([number, 9])).ask(8, size))

    assert again.signer.key == witness.signer.key
    assert again.add(OTHER.ask(0, 5)).text == "8\n"
    assert len(list((tmp_path / "w" / "evidence").iterdir())) == 100
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "w").glob("*.key"))


def test_a_request_reads_as_it_was_written() -> None:
    """Size, proof and checkpoint come back from the bytes of a request."""
    proof = merkle.consistency_proof(5, 21, ONE.node)
    read = read_request(request(5, proof, ONE.note(21)))

    assert (read.old, list(read.proof), read.note) == (5, proof, ONE.note(21))


def test_the_file_of_witnesses_tells_all_its_mistakes(witness: Witness) -> None:
    """Keys and addresses are read; a log's key, a missing address, a name or a key given twice are told at once."""
    key = witness.signer.key

    assert [(one.key, one.url) for one in read_witnesses(f"# ours\n\n{key} http://127.0.0.1:1/\n")] == [
        (key, "http://127.0.0.1:1")
    ]
    with pytest.raises(MisconfiguredError) as told:
        read_witnesses(f"x y\n{LOG.key} http://a\n{key}\n{key} https://a\n")
    assert all(one in str(told.value) for one in ("line 1", "line 2", "line 3", "same name", "same key"))
    with pytest.raises(MisconfiguredError, match="same key"):
        read_witnesses(f"{key} https://a\n{replace(key, name='w2')} https://b\n")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([None], SILENT),
        ([(500, "")], REFUSED),
        ([(302, "http://127.0.0.1/")], REFUSED),
        ([(403, "")], REFUSED),
        ([(200, "not a line\n")], FORGED),
        ([(409, "many\n")], FORGED),
        ([(409, "30\n")], CONTRADICTS),
        ([(409, "8\n"), (422, "")], CONTRADICTS),
        ([(409, "21\n"), (409, "21\n")], CONTRADICTS),
        ([(409, "3\n"), (409, "5\n"), (409, "7\n")], SILENT),
    ],
)
def test_what_a_witness_answers_is_told(witness: Witness, answers: list[tuple[int, str] | None], expected: str) -> None:
    """Silence, refusal, a line that is not the witness's, and another history are told apart; none of them counts."""
    left = iter(answers)
    known = read_witnesses(f"{witness.signer.key} http://w1")
    asker = Witnesses(known, 1, lambda _url, _body: next(left))
    note, told = asker.cosign(ONE.note(21), lambda old, new: merkle.consistency_proof(old, new, ONE.node))

    assert told == {"w1": expected}
    assert (note, asker.count(note)) == (ONE.note(21), 0)


def test_a_witness_whose_name_points_inside_is_not_asked(witness: Witness) -> None:
    """A name that somebody points at a machine inside gets no checkpoint, unless the operator named its network."""
    known = read_witnesses(f"{witness.signer.key} http://w1.example:9")
    outward = Outward(look=lambda _host, _port: ["192.0.2.1", "127.0.0.1"])
    note, told = Witnesses(known, 1, partial(post, outward)).cosign(ONE.note(21), lambda _old, _new: [])
    named = replace(outward, inside=(ip_network("127.0.0.0/8"),), look=lambda _host, _port: ["127.0.0.1"])
    _, asked = Witnesses(known, 1, partial(post, named)).cosign(ONE.note(21), lambda _old, _new: [])

    assert (told, note) == ({"w1": INSIDE}, ONE.note(21))
    assert asked == {"w1": SILENT}  # called, and nobody listens there


def test_a_witness_that_sends_elsewhere_is_not_followed() -> None:
    """A redirect is an answer that signs nothing: the place that it names is never asked."""
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Send the caller to another place."""
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/other")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        told = post(Outward((ip_network("127.0.0.0/8"),)), f"http://127.0.0.1:{server.server_port}/add", b"x")
        server.shutdown()

    assert told == (307, "")
    assert asked == ["/add"]


def test_a_witness_behind_gets_the_proof_it_asks_for(witness: Witness) -> None:
    """The log learns from the witness where to begin, sends the proof from there, and the cosignature counts."""
    witness.add(ONE.ask(0, 8))
    known = read_witnesses(f"{witness.signer.key} http://w1")

    def post(url: str, body: bytes) -> tuple[int, str]:
        assert url == "http://w1/add-checkpoint"
        reply = witness.add(body)
        return reply.status, reply.text

    asker = Witnesses(known, 1, post)
    note, told = asker.cosign(ONE.note(21), lambda old, new: merkle.consistency_proof(old, new, ONE.node))

    assert told == {"w1": SIGNED}
    assert asker.count(note) == 1
