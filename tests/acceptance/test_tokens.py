"""Keys in a PKCS#11 token: the master key never leaves it, moves by command, and what goes wrong is told."""

from __future__ import annotations

import importlib
import inspect
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.installations import SAMPLE, documents, installation, take
from tests.logs import opened
from tests.processes import Cli
from tests.tokens import PIN, Token

from kanta_gateway import masterkeys
from kanta_gateway.app import build
from kanta_gateway.errors import GatewayError, KeyUnavailableError, MisconfiguredError, UntrustedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.hsm import Hsm
from kanta_gateway.keyfiles import master_keys
from kanta_gateway.keystore import KeyStore
from kanta_gateway.model import Event
from kanta_gateway.privacy.envelope import Vault
from kanta_gateway.privacy.master import FileMasterKey, Pkcs11MasterKey
from kanta_gateway.safe import MASTER, SIGNING_CERTIFICATE, SIGNING_KEY, KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.signing import keys
from kanta_gateway.signing.keys import FileSigner, Pkcs11Signer, make_development_keys
from kanta_gateway.slot import Slot
from kanta_gateway.tables import document, record


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation whose keys are files, with the sample taken in."""
    folder = tmp_path_factory.mktemp("sample") / "data"
    one = installation(folder)
    take(one, [SAMPLE])
    one.close()
    return folder


@pytest.fixture
def filled(sample: Path, tmp_path: Path) -> Iterator[Gateway]:
    """An installation with such a folder."""
    shutil.copytree(sample, tmp_path / "data")
    one = installation(tmp_path / "data")
    yield one
    one.close()


@pytest.fixture
def moved(sample: Path, tmp_path: Path, token: Token, label: str) -> Iterator[Gateway]:
    """The same, with its master key moved into the token."""
    shutil.copytree(sample, tmp_path / "data")
    one = installation(tmp_path / "data", **token.settings(master_key_label=label))
    one.administration.rotate_master_key(one.actor(None, None, None))
    yield one
    one.close()


def sealed(gateway: Gateway) -> list[Any]:
    """Every payload, as it lies in the database."""
    with gateway.parts.database.reading() as tx:
        return [tx.execute(select(one).order_by(one)).scalars().all() for one in (document.c.payload, record.c.payload)]


def keys_told(gateway: Gateway) -> list[dict[str, Any]]:
    """The token's rows of `keys list`."""
    return [one for one in gateway.administration.list_keys()["keys"] if "token" in one]


def mistakes(gateway: Gateway) -> list[str]:
    """What `check` says of the master key."""
    return [one for one in gateway.checkup.lacking()["mistakes"] if one.startswith("master key")]


def test_a_master_key_moves_into_the_token_and_back(filled: Gateway, token: Token, label: str) -> None:
    """From file to token, to another key there and back: no payload is written again, and each old key is gone."""
    before, read = sealed(filled), documents(filled)
    one = installation(filled.settings.data, **token.settings(master_key_label=label))
    caller = one.actor(None, None, None)
    hint = mistakes(one)
    first = one.administration.rotate_master_key(caller)
    in_token, file_left = keys_told(one), (one.settings.key_folder / MASTER).exists()
    second = one.administration.rotate_master_key(caller)
    replaced, entries = keys_told(one), [each["details"] for each in opened(one, Event.AUDIT_ROTATE)]
    clean, again = mistakes(one), documents(one)
    one.close()
    back = installation(filled.settings.data, **token.settings())
    third = back.administration.rotate_master_key(back.actor(None, None, None))
    back.close()
    plain = installation(filled.settings.data)

    assert ["master key: it is in a file, and the settings say token; move it with `keys rotate-master`"] == hint
    assert [{"token": "gateway", "key": label, "name": first["master"], "used": "yes"}] == in_token
    assert [{"token": "gateway", "key": label, "name": second["master"], "used": "yes"}] == replaced
    assert ["token", "token", "file"] == [each["place"] for each in (first, second, third)]
    assert all(each["old_destroyed"] for each in (first, second, third))
    assert [{**each, "row": "A0"} for each in (first, second)] == entries
    assert not file_left
    assert [] == clean
    assert [] == token.hsm().master_names(label)
    assert before == sealed(plain)
    assert read == again == documents(plain)
    plain.close()


def test_papers_tell_where_the_keys_are(filled: Gateway, token: Token, label: str) -> None:
    """The security plan of before the move is out of date; the new one names the token, which is a measure in place."""
    caller = filled.actor(None, None, None)
    before = filled.papers.make(caller, "security", "", "en", "html")
    moved = installation(filled.settings.data, **token.settings(master_key_label=label))
    moved.administration.rotate_master_key(caller)
    told = moved.papers.check(caller, before)
    page = moved.papers.make(caller, "security", "", "en", "html").decode()
    moved.close()

    assert ["keys", "risks"] == told["changed"]
    assert "<td>encryption of content</td><td>in a token (PKCS#11)</td>" in page
    assert "a token (PKCS#11) that does not give it away</td><td>in place</td>" in page
    assert "<td>signing documents</td><td>in a file</td>" in page


def test_a_new_installation_has_its_master_key_in_the_token_only(tmp_path: Path, token: Token, label: str) -> None:
    """No file holds a master key; the one in the token is sensitive and may not be taken out, even by its user."""
    p11 = importlib.import_module("pkcs11")
    one = installation(tmp_path / "data", **token.settings(master_key_label=label))
    with token.session() as session:
        (key,) = session.get_objects({p11.Attribute.LABEL: label})
        told = [key[getattr(p11.Attribute, name)] for name in ("SENSITIVE", "EXTRACTABLE", "NEVER_EXTRACTABLE")]
        with pytest.raises(p11.AttributeSensitive):
            key[p11.Attribute.VALUE]

    assert [True, False, True] == told
    assert not (one.settings.key_folder / MASTER).exists()
    one.close()


@pytest.mark.process
def test_a_running_process_goes_on_when_another_replaces_the_key(moved: Gateway, token: Token, label: str) -> None:
    """Another process puts a new key into the token and destroys the old: this one reads, and seals under the new."""
    read = documents(moved)
    Cli(moved.settings.data, **token.environment(master_key_label=label))("keys", "rotate-master")
    fresh = moved.parts.vault.new_key()
    again = installation(moved.settings.data, **token.settings(master_key_label=label))

    assert read == documents(moved) == documents(again)
    assert again.parts.vault.key(fresh.id) == fresh.key
    assert [moved.parts.vault.name] == token.hsm().master_names(label)
    again.close()


def test_a_replacement_that_was_interrupted_does_no_harm(
    moved: Gateway, token: Token, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dies before the wrapping: the old key counts, `check` names the one that wraps nothing. Dies after: the new."""
    read, used = documents(moved), moved.parts.vault.name
    masters = master_keys(KeyFolder(moved.settings.key_folder, may_make=True), moved.settings, moved.parts.keys)

    def dies(*_: object) -> int:
        raise OSError("died")

    with monkeypatch.context() as patch:
        patch.setattr(KeyStore, "rewrap", dies)
        with pytest.raises(OSError, match="died"):
            masters.replace()
    left = {one["name"] for one in keys_told(moved)} - {used}
    told = mistakes(moved)
    with monkeypatch.context() as patch:
        patch.setattr(Hsm, "destroy_master", dies)
        with pytest.raises(OSError, match="died"):
            masters.replace()
    again = installation(moved.settings.data, **token.settings(master_key_label=label))

    assert [f"master key: in the token, not in use: {left.pop()}; remove them with the token's own tool"] == told
    assert used != again.parts.vault.name
    assert read == documents(again)
    again.close()


def test_a_key_that_is_gone_is_told(moved: Gateway, token: Token, label: str) -> None:
    """Without its key in the token nothing opens: the start says so, with the next step, and a running process too."""
    token.hsm().destroy_master(moved.parts.vault.name)
    with pytest.raises(KeyUnavailableError, match=r"wrapped by another master key .* restore both of one moment"):
        documents(moved)
    with pytest.raises(KeyUnavailableError, match="token gateway"):
        installation(moved.settings.data, **token.settings(master_key_label=label))
    with pytest.raises(KeyUnavailableError, match="another master key"):
        installation(moved.settings.data)


def test_what_was_changed_or_is_another_keys_does_not_open(token: Token, label: str) -> None:
    """A wrapped key with any byte changed, one cut, and one of another master key are untrusted."""
    hsm = token.hsm()
    one, other = (Pkcs11MasterKey(hsm, hsm.make_master(label)) for _ in range(2))
    key = secrets.token_bytes(32)
    wrapped = one.wrap(key)

    assert key == one.unwrap(wrapped)
    assert wrapped != one.wrap(key)
    assert len(wrapped) == len(FileMasterKey(b"m" * 32).wrap(key))
    for at in (0, 1, 13, len(wrapped) - 1):
        with pytest.raises(UntrustedError):
            one.unwrap(wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :])
    for bad in (wrapped[:20], other.wrap(key), FileMasterKey(b"m" * 32).wrap(key)):
        with pytest.raises(UntrustedError):
            one.unwrap(bad)


def test_a_wrong_pin_is_tried_once_and_not_told(tokens: tuple[Token, Token]) -> None:
    """Tokens lock after a few wrong PINs: who was refused does not ask again, and no PIN is in the message."""
    locked = tokens[1]
    asked: list[int] = []

    def pin() -> str:
        asked.append(1)
        return PIN[::-1]

    hsm = Hsm(Slot(locked.module, locked.label, pin))
    for _ in range(3):
        with pytest.raises(
            KeyUnavailableError, match="the PIN is wrong; check the file of KANTA_PKCS11_PIN_FILE"
        ) as told:
            hsm.master_names("x")
    with pytest.raises(KeyUnavailableError) as started:
        installation(locked.pin_file.parent / "data", **locked.settings(master_key_label="x"))

    assert [1] == asked
    for one in (told, started):
        assert PIN not in str(one.value)
        assert PIN[::-1] not in str(one.value)


def test_what_is_missing_is_named(tmp_path: Path, token: Token, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Library, package, token, PIN file, settings and, in production, the key itself: each says what to do."""
    whole = token.settings(master_key_label=label)
    cases: list[tuple[dict[str, str], type[GatewayError], str]] = [
        ({"pkcs11_module": "/nowhere.so"}, MisconfiguredError, "KANTA_PKCS11_MODULE: the library"),
        ({"pkcs11_module": ""}, MisconfiguredError, "KANTA_PKCS11_MODULE is missing"),
        ({"pkcs11_token": ""}, MisconfiguredError, "KANTA_PKCS11_TOKEN missing"),
        ({"pkcs11_token": "none"}, KeyUnavailableError, "token none: is not there; check KANTA_PKCS11_TOKEN"),
        ({"environment": "production"}, KeyUnavailableError, "keys make"),
    ]
    for changed, error, text in cases:
        with pytest.raises(error, match=text):
            installation(tmp_path / "data", **{**whole, **changed})
    with pytest.raises(KeyUnavailableError, match="KANTA_PKCS11_PIN_FILE cannot be read"):
        masterkeys._pin(tmp_path / "none")
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(MisconfiguredError, match=r"kanta-gateway\[hsm\]"):
        token.hsm()


def test_production_makes_its_master_key_in_the_token(
    tmp_path: Path, token: Token, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty production installation starts after `keys make` only; no private key is a file; then it just starts."""
    with monkeypatch.context() as patch:
        patch.setattr(keys, "DEVELOPMENT_MARK", "Own")
        made = make_development_keys("Organisation", "", "system", datetime.now(UTC), algorithm="p-256")
    token.put(label, made.key)
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / SIGNING_CERTIFICATE).write_bytes(made.certificate)
    settings = Settings.from_environment({}, data=tmp_path / "data", keys=str(folder), environment="production",
                                         **token.settings(master_key_label=label, signing_key_label=label))  # fmt: skip
    with pytest.raises(KeyUnavailableError, match="keys make"):
        build(settings)
    build(settings, may_make_keys=True).close()
    gateway = build(settings)
    told = keys_told(gateway)
    gateway.close()

    assert [label, label] == [one["key"] for one in told]
    assert {"checkpoint.key"} == {one.name for one in folder.iterdir()} & {"checkpoint.key", MASTER, SIGNING_KEY}


def test_two_master_keys_of_one_label_are_refused(tmp_path: Path, token: Token, label: str) -> None:
    """A new installation does not guess which of two master keys is its own."""
    for _ in range(2):
        token.hsm().make_master(label)
    with pytest.raises(KeyUnavailableError, match=f"2 master keys are labelled {label}"):
        installation(tmp_path / "data", **token.settings(master_key_label=label))


def test_a_session_that_ended_is_opened_again(token: Token, label: str) -> None:
    """The token drops the session and its login: the next call works; a key that is gone since is told."""
    hsm = token.hsm()
    master = Pkcs11MasterKey(hsm, hsm.make_master(label))
    wrapped = master.wrap(b"k" * 32)
    hsm._use("", lambda seat: seat.session.close())

    assert b"k" * 32 == master.unwrap(wrapped)
    token.hsm().destroy_master(master.name)
    with pytest.raises(KeyUnavailableError, match=f"expected one master key {master.name}, found 0"):
        master.unwrap(wrapped)


def test_many_threads_use_one_token(token: Token, label: str) -> None:
    """Forty threads wrap and unwrap at once through two clients, and each gets its own key back."""
    first, second = token.hsm(), token.hsm()
    name = first.make_master(label)
    vaults = [Vault(Pkcs11MasterKey(one, name)) for one in (first, second)]

    def there_and_back(number: int) -> bool:
        key = number.to_bytes(32, "big")
        return key == vaults[number % 2].unwrap(vaults[1 - number % 2].wrapped(key)[0])

    with ThreadPoolExecutor(40) as pool:
        done = list(pool.map(there_and_back, range(400)))

    assert all(done)


def test_every_error_of_the_library_is_ours(token: Token) -> None:
    """Whatever the library raises comes out as a key that is unavailable, with the token's name and what to do."""
    p11 = importlib.import_module("pkcs11")
    hsm = token.hsm()
    everything = inspect.getmembers(p11.exceptions, inspect.isclass)
    kinds = [one for _, one in everything if issubclass(one, RuntimeError)]  # as the library's root error is

    def failing(error: Exception) -> Callable[[Any], Any]:
        def act(_: object) -> None:
            raise error

        return act

    told = {}
    for kind in kinds:
        with pytest.raises(KeyUnavailableError) as caught:
            hsm._use("CKM_AES_GCM", failing(kind()))
        told[kind.__name__] = str(caught.value)

    assert len(told) > 50
    assert {True} == {one.startswith("token gateway: ") and "; " in one for one in told.values()}
    assert "does not offer CKM_AES_GCM; see its manual" in told["MechanismInvalid"]


def test_weaknesses_of_keys_are_told(moved: Gateway, token: Token, label: str) -> None:
    """`check` tells a key that somebody made extractable, a PIN file that others may read, and a file that is left."""
    p11 = importlib.import_module("pkcs11")
    token.hsm().destroy_master(moved.parts.vault.name)
    with token.session() as session:
        session.generate_key(
            p11.KeyType.AES, 256, id=bytes.fromhex(moved.parts.vault.name), label=label, store=True,
            capabilities=p11.MechanismFlag.ENCRYPT | p11.MechanismFlag.DECRYPT,
            template={p11.Attribute.SENSITIVE: False, p11.Attribute.EXTRACTABLE: True},
        )  # fmt: skip
    token.pin_file.chmod(0o644)
    (moved.settings.key_folder / MASTER).write_bytes(b"m" * 32)
    told = mistakes(moved)
    token.pin_file.chmod(0o600)

    assert [
        "master key: master.key in the key folder wraps nothing; remove it",
        "master key: it may leave the token; replace it with `keys rotate-master`",
        "master key: others may read the file of KANTA_PKCS11_PIN_FILE; let its owner alone read it",
    ] == told


@pytest.mark.parametrize("algorithm", ["p-256", "rsa-3072"])
def test_a_token_signs_as_a_file_does(token: Token, algorithm: str) -> None:
    """Same form, and it fits the certificate; a certificate of another key, and a key that is not there, are told."""
    made, other = (
        make_development_keys("Organisation", "", "system", datetime.now(UTC), algorithm=one)
        for one in (algorithm, "p-256")
    )
    label = f"sign-{algorithm}"
    token.put(label, made.key)
    signer, file = Pkcs11Signer(token.hsm(), label, made.certificate), FileSigner(made.key, made.certificate)
    with pytest.raises(MisconfiguredError, match="install the pair"):
        Pkcs11Signer(token.hsm(), label, other.certificate)
    with pytest.raises(KeyUnavailableError, match="expected one key labelled none, found 0"):
        Pkcs11Signer(token.hsm(), "none", made.certificate)

    assert (file.algorithm, len(file.sign(b"x"))) == (signer.algorithm, len(signer.sign(b"x")))
    assert (file.sign(b"x") == signer.sign(b"x")) == (algorithm == "rsa-3072")


def test_documents_are_signed_in_the_token(tmp_path: Path, token: Token, label: str) -> None:
    """With the key in the token and no key file documents are signed; each is verified before it is stored."""
    made = make_development_keys("Organisation", "", "system", datetime.now(UTC), algorithm="p-256")
    token.put(label, made.key)
    folder = tmp_path / "data" / "keys"
    folder.mkdir(parents=True)
    (folder / SIGNING_CERTIFICATE).write_bytes(made.certificate)
    gateway = installation(tmp_path / "data", **token.settings(signing_key_label=label))
    take(gateway, [SAMPLE])

    assert len(documents(gateway)) > 10
    assert not (folder / SIGNING_KEY).exists()
    assert [{"token": "gateway", "key": label}] == keys_told(gateway)
    gateway.close()
