"""From which address a request comes: the socket's, or the one that a trusted proxy names."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network

IPV6_SITE: Final = 64
"""Bits of an IPv6 address that its owner did not choose: whoever has one address has the 2^64 beside it."""


class Callers:
    """Knows which proxies are trusted; without any, nobody can name another address than its own."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        """`trusted` are the networks of our own proxies, which append the address they saw to `X-Forwarded-For`."""
        self._trusted = tuple(trusted)

    def of(self, request: HTTPConnection) -> str:
        """Who is counted as one client: an IPv4 address, or an IPv6 network of 64 bits.

        Read from the right, the header's first address that is no proxy of ours is the client's; what stands left of it is the
        client's own word. A part that is no address ends the reading at the proxy that sent it.
        """
        caller = _address(request.client.host if request.client else "")
        if caller is None:
            return ""
        if self._trusted:
            hops = [hop for value in request.headers.getlist("x-forwarded-for") for hop in value.split(",")]
            while hops and self._is_trusted(caller) and (before := _address(hops.pop())) is not None:
                caller = before
        return str(caller) if isinstance(caller, IPv4Address) else str(ip_network((caller.packed, IPV6_SITE), strict=False))

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address; an IPv4 one also when it is written as IPv6."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
