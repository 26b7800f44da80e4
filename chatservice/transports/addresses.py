"""Peers' addresses as people see them, and the names of hosts."""

from __future__ import annotations

from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress


def shown(address: IAddress) -> str:
    """`127.0.0.1:5123`, `[::1]:5123`, or `local` for a UNIX socket. A proxy does not always tell the port."""
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}" if address.port else address.host
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}" if address.port else f"[{address.host}]"
    return "local"


def host_name(host: str) -> str:
    """A Host header, or an address as `shown`, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def is_loopback(host: str) -> bool:
    """Whether `host` names this computer."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
