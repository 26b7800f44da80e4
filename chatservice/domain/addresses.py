"""Addresses of the network as text, and what of one counts as somebody's. Pure."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

V6_PREFIX = 64
"""One customer has at least so many bits of an IPv6 address to itself (RFC 6177)."""

Address = IPv4Address | IPv6Address


@lru_cache(maxsize=1024)
def read_address(text: str) -> Address | None:
    """An IP address, with a port or without: `192.0.2.7:5123`, `192.0.2.7`, `[2001:db8::7]:5123`, `2001:db8::7`.
    One of IPv4 in IPv6's clothes (RFC 4291 section 2.5.5.2) is IPv4's. None for anything else."""
    host = text
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def prefix_of(text: str) -> str | None:
    """What counts as one address: an IPv4 address, or the first 64 bits of one of IPv6, which is what a household
    has; None if it is neither, such as a UNIX socket's."""
    address = read_address(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), V6_PREFIX), strict=False))
    return None if address is None else str(address)
