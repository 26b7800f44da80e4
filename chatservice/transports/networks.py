"""Addresses in bulk: what counts as one, whose word about others is taken, what that word is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

LOCAL = "local"
"""What `addresses.shown` calls the far end of a UNIX socket."""

HOPS = 32
"""Forwarded addresses that are looked at, from the right: no chain of proxies is longer."""

V6_PREFIX = 64
"""One customer has at least so many bits of an IPv6 address to itself (RFC 6177)."""

Address = IPv4Address | IPv6Address


@lru_cache(maxsize=1024)
def read_address(text: str) -> Address | None:
    """An IP address without port. One of IPv4 in IPv6's clothes (RFC 4291 section 2.5.5.2) is IPv4's."""
    try:
        found = ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def prefix_of(text: str) -> str | None:
    """What counts as one address: an IPv4 address, or the first 64 bits of one of IPv6; None if it is neither."""
    address = read_address(text)
    if address is None:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), V6_PREFIX), strict=False))


@dataclass(frozen=True, slots=True)
class Networks:
    """Proxies whose word about the address of others is taken.

    :ivar unix: also that of whoever comes over a UNIX socket.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    @classmethod
    def read(cls, said: Iterable[str]) -> Networks:
        """From `192.0.2.0/24`, `2001:db8::1`, `unix`.

        :raises ValueError: for anything else, also for a network with bits behind its mask, which is a mistake.
        """
        words = list(said)
        return cls(tuple(ip_network(word) for word in words if word != "unix"), "unix" in words)

    def __bool__(self) -> bool:
        return bool(self.networks) or self.unix

    def __contains__(self, host: str) -> bool:
        if not self.networks:
            return self.unix and host == LOCAL
        if host == LOCAL:
            return self.unix
        address = read_address(host)
        return address is not None and any(address in network for network in self.networks)

    def forwarded(self, values: Sequence[str]) -> str | None:
        """Whose request it is, by what its proxies added to X-Forwarded-For; None if they said nothing readable.

        Each proxy adds on the right whom it heard, so reading goes from the right, past those that are trusted:
        what stands left of the first stranger is that stranger's word.

        :param values: the header's values, in their order.
        """
        hops = [hop for value in values for hop in value.split(",")]
        found = None
        for hop in reversed(hops[-HOPS:]):
            address = read_address(_without_port(hop.strip(" \t")))
            if address is None:
                return found
            found = str(address)
            if found not in self:
                return found
        return found


def _without_port(hop: str) -> str:
    """Some proxies add the port: `192.0.2.1:5123`, `[2001:db8::1]:5123`."""
    if hop.startswith("["):
        return hop.partition("]")[0]
    return hop.rpartition(":")[0] if hop.count(":") == 1 else hop
