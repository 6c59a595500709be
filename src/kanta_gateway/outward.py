"""Addresses that the gateway may call by a name from outside: none that points inside its own network.

* A name is looked up once; every address that it has must be allowed, and the one that was checked is the one that is
  called, so that a name cannot point elsewhere a moment later (DNS rebinding).
* Loopback, link-local, private, shared, reserved and multicast addresses are inside, also as IPv4 within IPv6.
* An installation may name networks inside that it calls; production never loopback or link-local ones.

Special-purpose addresses: RFC 6890; metadata services of clouds are link-local.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from kanta_gateway.errors import MisconfiguredError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Look = Callable[[str, int], Iterable[str]]
"""Addresses of a host."""
EMBEDDED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""IPv6 networks whose last 32 bits are an IPv4 address (RFC 6052, RFC 4291 §2.5.5.1)."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses that the system knows for a host.

    Raises:
        OSError: it knows none.
    """
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Way(NamedTuple):
    """How an address that was checked is called: by its number, while TLS and the server still see the name."""

    url: httpx.URL
    headers: dict[str, str]
    extensions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outward:
    """Which addresses may be called."""

    inside: tuple[Network, ...] = ()
    """Networks inside that may be called all the same."""
    look: Look = look_up

    @classmethod
    def load(cls, text: str, *, is_production: bool) -> Outward:
        """Read the list of networks.

        Args:
            text: networks such as `10.1.0.0/16`, separated by commas; empty for none.
            is_production: whether loopback and link-local ones are refused.

        Raises:
            MisconfiguredError: one of them is no network, or production may not name it; all mistakes at once.
        """
        mistakes: list[str] = []
        found: list[Network] = []
        for one in filter(None, (part.strip() for part in text.split(","))):
            try:
                network = ipaddress.ip_network(one)
            except ValueError:
                mistakes.append(f"{one}: no network")
                continue
            if is_production and (network.is_loopback or network.is_link_local or network.prefixlen == 0):
                mistakes.append(f"{one}: production never calls itself or its link")
            found.append(network)
        if mistakes:
            raise MisconfiguredError("KANTA_INSIDE_NETWORKS: " + "; ".join(mistakes))
        return cls(tuple(found))

    def way(self, text: str) -> Way | None:
        """How a URL is to be called; None: it may not be.

        Raises:
            OSError: nobody knows its host.
            httpx.InvalidURL: it is none.
        """
        url = httpx.URL(text)
        address = self.address(url.host, url.port or (443 if url.scheme == "https" else 80))
        if address is None:
            return None
        return Way(url.copy_with(host=address), {"Host": url.netloc.decode()}, {"sni_hostname": url.host})

    def address(self, host: str, port: int) -> str | None:
        """The address by which a host is to be called; None if it has none, or one that may not be called.

        Raises:
            OSError: nobody knows the host.
        """
        found = list(self.look(host, port))
        return found[0] if found and all(map(self._is_allowed, found)) else None

    def _is_allowed(self, text: str) -> bool:
        address = _plain(ipaddress.ip_address(text.partition("%")[0]))
        if any(address.version == one.version and address in one for one in self.inside):
            return True
        return address.is_global and not address.is_multicast


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in one for one in EMBEDDED) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def shown(address: str) -> str:
    """An address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address
