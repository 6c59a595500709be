"""The master key is replaced: what is sealed stays as it is, and whoever runs meanwhile goes on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.installations import SAMPLE, documents, figures, installation, key_folder, take
from tests.logs import opened

from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.keyfiles import master_keys
from kanta_gateway.model import Event
from kanta_gateway.privacy.master import FileMasterKey
from kanta_gateway.safe import MASTER, NEXT_MASTER
from kanta_gateway.tables import audit_entry, document, record


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """The sample, taken in."""
    one = installation(tmp_path / "data")
    take(one, [SAMPLE])
    yield one
    one.close()


def sealed(gateway: Gateway) -> list[Any]:
    """Everything sealed, as it lies in the database."""
    columns = (document.c.payload, record.c.payload, record.c.facts, audit_entry.c.sealed)
    with gateway.parts.database.reading() as tx:
        return [tx.execute(select(column).order_by(column)).scalars().all() for column in columns]


def test_nothing_sealed_is_written_again(gateway: Gateway) -> None:
    """After the rotation every payload is the same bytes and opens; the old master key opens no key; it is an entry."""
    before, read, told = sealed(gateway), documents(gateway), figures(gateway)
    old = (gateway.settings.key_folder / MASTER).read_bytes()
    done = gateway.administration.rotate_master_key(gateway.actor(None, None, None))
    after = sealed(gateway)
    again = installation(gateway.settings.data)
    (entry,) = opened(again, Event.AUDIT_ROTATE)
    keys = gateway.parts.keys.wrapped_many(gateway.parts.keys.ids())

    assert before[:3] == after[:3]
    assert set(before[3]) <= set(after[3])
    assert (read, told) == (documents(again), figures(again))
    assert done["keys"] >= len(keys) > 10
    assert entry["details"] == {**done, "row": "A0"}
    assert (done["place"], done["old_destroyed"]) == ("file", True)
    assert old != (gateway.settings.key_folder / MASTER).read_bytes()
    assert not (gateway.settings.key_folder / NEXT_MASTER).exists()
    with pytest.raises(Exception, match="does not open"):
        FileMasterKey(old).unwrap(next(iter(keys.values())))
    again.close()


def test_a_running_process_goes_on(gateway: Gateway) -> None:
    """A process that began with the old master key reads, and seals what comes after, under the new one."""
    other = installation(gateway.settings.data)
    other.administration.rotate_master_key(other.actor(None, None, None))
    other.close()
    rows = take(gateway, [SAMPLE])
    gateway.parts.vault.close()
    fresh = gateway.parts.vault.new_key()
    again = installation(gateway.settings.data)

    assert {row["outcome"] for row in rows} == {"duplicate"}
    assert again.parts.vault.key(fresh.id) == fresh.key
    assert documents(gateway) == documents(again)
    again.close()


@pytest.mark.parametrize("step", ["written", "wrapped"])
def test_an_interrupted_rotation_is_finished_or_forgotten(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The process dies with the new key written, or with the store wrapped by it: the next start opens everything."""
    keys, folder = gateway.parts.keys, key_folder(gateway)
    read = documents(gateway)
    if step == "written":
        folder.replace(NEXT_MASTER, secrets.token_bytes(32))
    else:

        def dies(name: str, _content: bytes) -> None:
            raise OSError(name)

        replace = folder.replace
        monkeypatch.setattr(
            folder, "replace", lambda name, content: (replace if name == NEXT_MASTER else dies)(name, content)
        )
        with pytest.raises(OSError, match=MASTER):
            master_keys(folder, gateway.settings, keys).replace()
    again = installation(gateway.settings.data)

    assert read == documents(again)
    assert (gateway.settings.key_folder / NEXT_MASTER).exists() == (step == "written")
    again.close()


def test_another_master_key_is_told(gateway: Gateway) -> None:
    """A master key that is not the store's is told at the start, and nothing is changed."""
    gateway.close()
    (gateway.settings.key_folder / MASTER).write_bytes(secrets.token_bytes(32))
    with pytest.raises(KeyUnavailableError, match="another master key"):
        installation(gateway.settings.data)
