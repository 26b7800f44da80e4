"""How often somebody may try a password."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from chatservice.domain.errors import Code, Refused
from chatservice.domain.limits import Bucket, Rate

PER_ACCOUNT = Rate(burst=10, per_s=1 / 30)
"""Ten slips at once; then a guess each half minute: 2900 a day are nothing against eight characters."""

PER_ADDRESS = Rate(burst=20, per_s=1 / 5)
"""An office behind one address has more people, and a guesser one password for many names."""

KEPT = 10_000
"""Names and addresses remembered. Where there are more, those that were tried longest ago are forgotten."""


class Tries:
    """Tokens for tries; a good one is given back.

    :param clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: str, address: str) -> None:
        """Somebody at `address` tries a password for the name with that key.

        :raises Refused: `rate_limited`, with the time to wait.
        """
        now = self._clock()
        waits = [self._bucket(name, rate).take(now) for name, rate in self._limits(key, address)]
        if any(waits):
            seconds = max(waits) / 1000
            raise Refused(Code.RATE_LIMITED, "too_many_tries", params={"seconds": seconds}, retry_ms=max(waits))

    def forgive(self, key: str, address: str) -> None:
        """It was the right one."""
        for name, rate in self._limits(key, address):
            self._bucket(name, rate).put_back()

    def _limits(self, key: str, address: str) -> list[tuple[str, Rate]]:
        network = _network(address)
        limits = [(f"name {key}", PER_ACCOUNT)]
        # Who comes from this computer comes by a proxy on it, as all others do.
        return limits if network is None else [*limits, (f"from {network}", PER_ADDRESS)]

    def _bucket(self, name: str, rate: Rate) -> Bucket:
        bucket = self._buckets.pop(name, None) or Bucket(rate, self._clock())
        self._buckets[name] = bucket  # to the end
        if len(self._buckets) > KEPT:
            del self._buckets[next(iter(self._buckets))]
        return bucket


def _network(address: str) -> str | None:
    """The address without its port; of IPv6 the first 64 bits: one household has them all. None for our own."""
    host = address.rpartition(":")[0].strip("[]") if address.count(":") == 1 or "]" in address else address
    try:
        ip = ip_address(host)
    except ValueError:
        return None  # a socket in the file system
    if ip.is_loopback:
        return None
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or f"{int(ip) >> 64:x}")
    return str(ip)
