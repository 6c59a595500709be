"""Two witnesses in processes of their own, and an operator who would show two histories."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installations import SAMPLE, installation, take
from tests.processes import Cli

from kanta_gateway import knowledge

pytestmark = pytest.mark.process


class WitnessProcess:
    """`kanta-gateway audit witness`, run by somebody who is not the operator."""

    def __init__(self, folder: Path, name: str, log_key: Path, port: int = 0) -> None:
        self.folder, self.name, self.log_key = folder, name, log_key
        ready = folder.with_suffix(".url")
        ready.unlink(missing_ok=True)
        self.process = Cli(folder / "no-data").start(
            "audit", "witness", folder, "--name", name, "--log-key", log_key, "--port", str(port), "--ready-file", ready
        )
        deadline = time.monotonic() + 60
        while not ready.is_file():
            assert self.process.poll() is None, "the witness did not start"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.url = ready.read_text("utf-8").strip()
        assert not (folder / "no-data").exists()

    @property
    def line(self) -> str:
        """As it stands in the log's file of witnesses."""
        return f"{self.key} {self.url}\n"

    @property
    def key(self) -> str:
        """Its verifier key."""
        return (self.folder / "witness.vkey").read_text("utf-8").strip()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)

    def again(self, folder: Path | None = None) -> WitnessProcess:
        """Start it again at the same address."""
        return WitnessProcess(folder or self.folder, self.name, self.log_key, int(self.url.rsplit(":", 1)[1]))


class Fork:
    """One history of the log, and the auditor's folder that it is shown in."""

    def __init__(self, data: Path, desk: Path, witnesses: Path) -> None:
        self.gateway = installation(
            data, witnesses_file=str(witnesses), witness_quorum=2, inside_networks="127.0.0.0/8"
        )
        self.desk = desk

    def grow(self) -> None:
        """Something happens."""
        self.gateway.office.figures(self.gateway.actor(None, None, None), None, None, explain=False)

    def show(self, name: str) -> int:
        """Give the auditor a checkpoint and an export; how many witnesses cosigned, as the operator sees it."""
        note = self.gateway.office.checkpoint(None)
        lines = self.gateway.trail.export("jsonl", self.gateway.actor(None, None, None))
        (self.desk / f"{name}.txt").write_text(note, "utf-8")
        (self.desk / f"{name}.jsonl").write_text("".join(lines), "utf-8")
        return self.gateway.parts.witnesses.count(note)

    def verify(self, name: str, quorum: int) -> tuple[int, str]:
        """What the auditor finds."""
        done = subprocess.run(
            [sys.executable, "-I", "verify.py", "--key", "log.vkey", "--key", "witnesses.vkey", "--quorum", str(quorum),
             "--new", f"{name}.txt", f"{name}.jsonl"],
            cwd=self.desk, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout

    def answers(self, name: str) -> dict[str, str]:
        """What the log itself says that the witnesses answered about the newest checkpoint."""
        lines = (self.desk / f"{name}.jsonl").read_text("utf-8").splitlines()
        told = [one for line in lines if (one := json.loads(line))["event"] == "audit:cosign"]
        found: dict[str, str] = told[-1]["details"]["witnesses"]
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Fork, Fork, list[WitnessProcess]]]:
    """A log with a common history, two witnesses that have cosigned it, and a copy of everything the operator has."""
    data, desk, file = tmp_path / "data", tmp_path / "desk", tmp_path / "witnesses.txt"
    desk.mkdir()
    plain = installation(data)
    take(plain, [SAMPLE])
    plain.close()
    (desk / "verify.py").write_text(knowledge.verifier(), "utf-8")
    shutil.copy(data / "keys" / "checkpoint.vkey", desk / "log.vkey")
    running = [WitnessProcess(tmp_path / name, name, desk / "log.vkey") for name in ("purchaser", "supervisor")]
    file.write_text("".join(one.line for one in running), "utf-8")
    (desk / "witnesses.vkey").write_text("".join(f"{one.key}\n" for one in running), "utf-8")
    one = Fork(data, desk, file)
    assert one.show("common") == 2
    one.gateway.close()
    shutil.copytree(data, tmp_path / "fork")
    one, other = Fork(data, desk, file), Fork(tmp_path / "fork", desk, file)
    yield one, other, running
    for fork in (one, other):
        fork.gateway.close()
    for process in running:
        process.stop()


def test_a_split_view_gets_no_second_quorum(scene: tuple[Fork, Fork, list[WitnessProcess]], tmp_path: Path) -> None:
    """Of two histories one is cosigned: seen by the auditor of the other, by both witnesses, and in the log itself."""
    one, other, running = scene
    one.grow()
    first = one.show("first")
    for _ in range(2):
        other.grow()
    second = other.show("second")
    code, told = other.verify("second", 2)

    assert (first, one.verify("first", 2)[0], one.answers("first")) == (
        2, 0, {"purchaser": "signed", "supervisor": "signed"},
    )  # fmt: skip
    assert (second, code) == (0, 1)
    assert "cosigned by 0 witnesses, expected 2" in told
    assert other.verify("second", 0)[0] == 0  # alone and without witnesses nobody would see it
    assert other.answers("second") == {"purchaser": "contradicts", "supervisor": "contradicts"}
    for process in running:
        evidence = [path.read_text("utf-8") for path in (process.folder / "evidence").iterdir()]
        assert len(evidence) == 1
        assert (one.desk / "second.txt").read_text("utf-8").strip() in evidence[0]


def test_a_witness_that_is_down_is_missed_and_one_that_colludes_is_not_enough(
    scene: tuple[Fork, Fork, list[WitnessProcess]], tmp_path: Path
) -> None:
    """Down: told by exit code, log and auditor, and made good later. Colluding: the other one is missing."""
    one, other, running = scene
    running[1].stop()
    one.grow()
    cli = Cli(
        tmp_path / "data", KANTA_WITNESSES_FILE=str(tmp_path / "witnesses.txt"), KANTA_WITNESS_QUORUM="2",
        KANTA_INSIDE_NETWORKS="127.0.0.0/8",
    )  # fmt: skip
    told = cli("audit", "checkpoint")
    assert (told.returncode, "1 witnesses cosigned, expected 2" in told.stderr) == (1, True)
    down = one.show("down")
    assert (down, one.verify("down", 2)[0], one.verify("down", 1)[0]) == (1, 1, 0)
    assert one.answers("down") == {"purchaser": "signed", "supervisor": "silent"}
    running[1] = running[1].again()
    assert one.show("up") == 2

    running[0].stop()  # the purchaser forgets what it has signed, as somebody who colludes would
    (tmp_path / "colluding").mkdir()
    shutil.copy(running[0].folder / "witness.key", tmp_path / "colluding" / "witness.key")
    running[0] = running[0].again(tmp_path / "colluding")
    for _ in range(4):
        other.grow()

    assert other.show("second") == 1
    assert other.answers("second") == {"purchaser": "signed", "supervisor": "contradicts"}
    assert other.verify("second", 2)[0] == 1
    assert other.verify("second", 1)[0] == 0  # who asks for one witness only is deceived by that one
    both = [(one.desk / f"{name}.txt").read_text("utf-8") for name in ("up", "second")]
    assert all("purchaser " in note for note in both)  # and two notes under its key are the evidence against it
