"""Commands that an operator types by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.installations import SAMPLE
from tests.processes import Cli, InProcess

from kanta_gateway.app import build
from kanta_gateway.settings import Settings
from kanta_gateway.web import service_of


@pytest.fixture
def bare(tmp_path: Path) -> Cli:
    """The command line on a fresh folder, without an archive."""
    return InProcess(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256")


def test_data_folder_before_or_after(bare: Cli, tmp_path: Path) -> None:
    """`--data` may stand before or after the command and decides where everything is written."""
    assert bare("--data", tmp_path / "before", "status").returncode == 0
    assert bare("status", "--data", tmp_path / "after").returncode == 0
    assert (tmp_path / "before" / "gateway.db").is_file()
    assert (tmp_path / "after" / "gateway.db").is_file()
    assert not bare.data.exists()


def test_assertion_of_the_development_system_is_accepted(bare: Cli) -> None:
    """The assertion that `systems assertion` prints identifies the sample's provider."""
    assert bare("import", SAMPLE, "--source", "lapha-json", "--purchaser", "lapha").returncode == 3
    printed = bare("systems", "assertion", "--as", "person-1", "--name", "Person One")
    assert printed.returncode == 0, printed.stderr
    gateway = build(Settings.from_environment({}, data=bare.data))
    caller = service_of(gateway).identify(printed.stdout.strip())
    gateway.close()

    assert caller.organisation == "1.2.246.10.94005128.10.0"
    assert (caller.person_id, caller.person_name) == ("person-1", "Person One")


def test_keys_are_made_once(bare: Cli) -> None:
    """`keys make` makes what is missing and leaves what is there; key files are for their owner only."""

    def files() -> dict[str, bytes]:  # the key store's database is opened and put in order by each command
        found = {path.name: path.read_bytes() for path in (bare.data / "keys").iterdir()}
        return {name: content for name, content in found.items() if not name.startswith("keys.db")}

    assert bare("keys", "make").returncode == 0
    before = files()
    assert bare("keys", "make").returncode == 0
    listed = json.loads(bare("keys", "list", "--json").stdout)["keys"]

    assert files() == before
    assert {one["file"] for one in listed} >= {"master.key", "signing.key.pem", "checkpoint.vkey"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (bare.data / "keys").iterdir())


@pytest.mark.process
def test_failure_ends_with_one(bare: Cli, tmp_path: Path) -> None:
    """A command that cannot do its job exits 1 with a message, not a traceback."""
    (tmp_path / "no.json").write_text("no export", "utf-8")
    process = Cli(bare.data)("import", tmp_path / "no.json", "--source", "lapha-json", "--purchaser", "lapha")
    assert (process.returncode, process.stderr[:14]) == (1, "kanta-gateway:")
    for arguments in (
        ("import", tmp_path / "no.json", "--source", "lapha-json", "--purchaser", "lapha"),
        ("import", SAMPLE, "--source", "nothing", "--purchaser", "lapha"),
        ("deliver", "--until-empty"),
        ("documents", "explain", "1.2.3"),
    ):
        done = bare(*arguments)
        assert done.returncode == 1, arguments
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("kanta-gateway:")


@pytest.mark.reference
def test_official_schemas_stand_beside_ours(bare: Cli, reference: Path) -> None:
    """`schemas import` takes every official schema of a folder; all structures are listed then."""
    told = json.loads(bare("schemas", "import", reference / "thl", "--json").stdout)
    listed = json.loads(bare("schemas", "list", "--json").stdout)["structures"]

    assert told["mistakes"] == []
    assert told["loaded"] == len(list((reference / "thl").glob("*.json")))
    assert len({one["oid"] for one in listed}) >= told["loaded"]


def test_checkpoint_from_outside(bare: Cli, tmp_path: Path) -> None:
    """A checkpoint kept elsewhere proves the log later, with the verifier key alone."""
    assert bare("import", SAMPLE, "--source", "lapha-json", "--purchaser", "lapha").returncode == 3
    (tmp_path / "checkpoint.txt").write_text(bare("audit", "checkpoint").stdout, "utf-8")
    bare("figures")
    key = bare.data / "keys" / "checkpoint.vkey"
    done = bare("audit", "verify", "--checkpoint", tmp_path / "checkpoint.txt", "--key", key)

    assert done.returncode == 0, done.stdout


def test_status_tells_what_is_due_and_lacking(bare: Cli) -> None:
    """`status` tells counts, clocks and what is lacking; `--counts` the counts alone, and nobody reads a client."""
    assert bare("import", SAMPLE, "--source", "lapha-json", "--purchaser", "lapha").returncode == 3
    before = len(bare("audit", "export").stdout.splitlines())
    counts = json.loads(bare("status", "--counts", "--json").stdout)
    after = len(bare("audit", "export").stdout.splitlines())
    told = json.loads(bare("status", "--state", "all", "--as-of", "2026-06-01", "--json").stdout)
    table = bare("status", "--as-of", "2026-06-01", "--lang", "sv")
    wrong = bare("status", "--state", "late")

    kinds = {"records", "documents", "notices", "disclosures", "requests", "break_glass"}

    assert set(counts) == {*kinds, "oldest_waiting"}
    assert after == before + 1  # the first export's own entry
    assert set(told) == {*counts, "deadlines", "completeness"}
    assert sum(told["deadlines"]["counts"].values()) == len(told["deadlines"]["deadlines"]) > 0
    assert "Tidsfrister 2026-06-01" in table.stdout
    assert "Poster som saknas 2026-06-01" in table.stdout
    assert wrong.returncode == 2
    assert "--state" in wrong.stderr


def test_template_and_findings(bare: Cli, tmp_path: Path) -> None:
    """A format's files are written, its sample can be tried, and its findings come back as files."""
    written = bare("sources", "files", "heinola-csv", tmp_path, "--json")
    files = [Path(one) for one in json.loads(written.stdout)["files"] if "/samples/" in one]
    told = bare(
        "import", *files, "--source", "heinola-csv", "--purchaser", "heinola", "--dry-run",
        "--findings-to", tmp_path / "back", "--lang", "sv",
    )  # fmt: skip
    unknown = bare("sources", "files", "heinola", tmp_path)
    other = bare("import", files[0], "--source", "json-lines", "--purchaser", "lapha", "--findings-to", tmp_path)

    assert [0, 0, 1, 1] == [one.returncode for one in (written, told, unknown, other)], told.stderr
    assert {f"{one.stem}.findings.csv" for one in files} == {one.name for one in (tmp_path / "back").iterdir()}
    assert all("kanta-gateway: anmärkningar" in one.read_text("cp1252") for one in (tmp_path / "back").iterdir())
    assert "heinola-csv" in bare("sources", "list").stdout
