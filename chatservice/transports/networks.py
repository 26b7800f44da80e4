"""Whose word about the addresses of others is taken, and what that word is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from chatservice.domain.addresses import read_address

LOCAL = "local"
"""What `addresses.shown` calls the far end of a UNIX socket."""

HOPS = 32
"""Forwarded addresses that are looked at, from the right: no chain of proxies is longer."""


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
            address = read_address(hop.strip(" \t"))
            if address is None:
                return found
            found = str(address)
            if found not in self:
                return found
        return found
