"""References and digests of an installation: nobody makes them without its master key."""

from __future__ import annotations

from hashlib import sha256

from kanta_gateway.pipeline.parts import Keyring
from kanta_gateway.pipeline.sameness import mark

ONE, OTHER = Keyring(b"1" * 32), Keyring(b"2" * 32)


def marks(keys: Keyring, text: str = "A-1") -> list[str]:
    """Every mark that is made of a text."""
    return [keys.client("1.2", text), keys.person("1.2", text), keys.digest(text.encode()), keys.protected(text)]


def test_marks_are_keyed() -> None:
    """The same again with the same key; another with another key, another use, another text; never a plain hash."""
    told = [*marks(ONE), *marks(OTHER), *marks(ONE, "A-2")]
    plain = {sha256(one).hexdigest() for one in (b"A-1", b"1.2\0A-1", b"1.2\0person\0A-1", b"A-1\0protected\0")}

    assert marks(ONE) == marks(Keyring(b"1" * 32))
    assert len(set(told)) == len(told)
    assert plain.isdisjoint(told)


def test_a_records_digest_is_under_its_own_key() -> None:
    """Nobody can try out guesses at the content of a record without its key: another key, another digest."""
    content, key = sha256(b"A-1 came at nine").digest(), b"k" * 32

    assert mark(key, content) == mark(key, content)
    assert len({mark(key, content), mark(b"l" * 32, content), mark(key, sha256(b"other").digest())}) == 3
    assert mark(key, content) not in {content.hex(), sha256(content).hexdigest()}
