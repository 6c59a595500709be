"""References and digests of an installation: nobody makes them without its master key."""

from __future__ import annotations

from hashlib import sha256

from kanta_gateway.pipeline.parts import Keyring

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
