"""Addresses that may be called: every way of writing one that is inside, and names that point elsewhere."""

from __future__ import annotations

import pytest

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.outward import Outward

OUTSIDE = "11.0.0.1"
INSIDE = [
    "fec0::1", "64:ff9b:1::7f00:1", "::ffff:0:127.0.0.1",
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::",  # noqa: S104 — oneself
    "169.254.169.254", "fe80::1%eth0",                                    # link-local: metadata services
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "fd00::1", "100.64.0.1",     # private and shared
    "192.0.2.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "ff02::1",  # documentation, reserved, multicast
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1", "2002:7f00:1::",  # IPv4 within IPv6
]  # fmt: skip


def called(*addresses: str, networks: str = "", is_production: bool = False) -> str | None:
    """By which address a host with these addresses is called."""
    known = Outward.load(networks, is_production=is_production)
    return Outward(known.inside, lambda *_: addresses).address("host.example", 443)


@pytest.mark.parametrize("address", INSIDE)
def test_inside_is_never_called(address: str) -> None:
    """No address inside is called, whatever it is called, and neither when another one of the name is outside."""
    assert called(address) is None
    assert called(OUTSIDE, address) is None
    assert called(address, OUTSIDE) is None


@pytest.mark.parametrize("address", [OUTSIDE, "2a00:1450::1", "2002:b00:1::"])
def test_outside_is_called(address: str) -> None:
    """An address outside is called by itself."""
    assert called(address) == address


def test_a_network_by_an_explicit_setting() -> None:
    """A network inside is called when the installation names it, and no other one."""
    assert called("127.0.0.1", networks="127.0.0.0/8, ::1/128") == "127.0.0.1"
    assert called("::ffff:127.0.0.1", networks="127.0.0.0/8") == "::ffff:127.0.0.1"
    assert called("10.1.2.3", networks="10.1.0.0/16", is_production=True) == "10.1.2.3"
    assert called("10.2.2.3", networks="10.1.0.0/16") is None


@pytest.mark.parametrize("networks", ["127.0.0.0/8", "::1/128", "169.254.0.0/16", "0.0.0.0/0", "10.1.0.0/16,127.0.0.1"])
def test_production_never_calls_itself(networks: str) -> None:
    """Production refuses to start with loopback, link-local or everything among the networks."""
    with pytest.raises(MisconfiguredError, match="production never"):
        Outward.load(networks, is_production=True)


def test_all_mistakes_at_once() -> None:
    """What is no network is told, each."""
    with pytest.raises(MisconfiguredError, match=r"x: no network; 10\.1\.0\.1/16: no network"):
        Outward.load("x,10.1.0.1/16", is_production=False)


def test_a_host_that_nobody_knows() -> None:
    """A host without an address is not called."""
    assert called() is None
