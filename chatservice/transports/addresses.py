"""Peers' addresses as people see them."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress


def shown(address: IAddress) -> str:
    """`127.0.0.1:5123`, `[::1]:5123`, or `local` for a UNIX socket."""
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    return "local"
