"""How often somebody may try a password."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from chatservice.domain.addresses import prefix_of, read_address
from chatservice.domain.errors import Code, Refused
from chatservice.domain.limits import Bucket, Rate
from chatservice.domain.ports import Meter

PER_ACCOUNT = Rate(burst=10, per_s=1 / 30)
"""Ten slips at once; then a guess each half minute: 2900 a day are nothing against eight characters."""

PER_ADDRESS = Rate(burst=20, per_s=1 / 5)
"""An office behind one address has more people, and a guesser one password for many names."""

KEPT = 10_000
"""Names remembered, and as many addresses: more than a queue of hashes lets anybody try while they count."""

LOOKED_AT = 8
FULL_MS = 1000


class _Table:
    """Buckets by key. Only those that are full again are forgotten: whoever invents names must not be able to make
    us forget how often another was tried.

    :param clock: seconds since 1970.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> int:
        """0 if there was a token, else the milliseconds until there may be one."""
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            if not self._has_room():
                return FULL_MS
            bucket = Bucket(self._rate, self._clock())
        self._buckets[key] = bucket  # to the end
        return bucket.take(self._clock())

    def put_back(self, key: str) -> None:
        """The last token was for nothing."""
        if key in self._buckets:
            self._buckets[key].put_back()

    def _has_room(self) -> bool:
        """Looks at a few of those that were tried longest ago, so that a flood costs little."""
        for key in list(islice(self._buckets, LOOKED_AT)) if len(self._buckets) >= KEPT else ():
            bucket = self._buckets.pop(key)
            if not bucket.is_full(self._clock()):
                self._buckets[key] = bucket
        return len(self._buckets) < KEPT


class Tries:
    """Tokens for tries; a good one is given back.

    :param clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.names = _Table(PER_ACCOUNT, clock)
        self.addresses = _Table(PER_ADDRESS, clock)

    def take(self, key: str, address: str) -> None:
        """Somebody at `address` tries a password for the name with that key. An address that has tried too much
        costs the name nothing: else one guesser could keep its owner out.

        :raises Refused: `rate_limited`, with the time to wait.
        """
        network = _network(address)
        # Who comes from this computer comes by a proxy on it, as all others do.
        wait_ms = (self.addresses.take(network) if network is not None else 0) or self.names.take(key)
        if wait_ms:
            raise _too_many(wait_ms)

    def forgive(self, key: str, address: str) -> None:
        """It was the right one, or nobody looked at it."""
        network = _network(address)
        if network is not None:
            self.addresses.put_back(network)
        self.names.put_back(key)


class SharedTries:
    """The same over all nodes."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def take(self, key: str, address: str) -> None:
        """See `Tries.take`.

        :raises Refused: `rate_limited`; `unavailable`.
        """
        network = _network(address)
        wait_ms = 0 if network is None else await self._meter.take("address " + network, PER_ADDRESS)
        wait_ms = wait_ms or await self._meter.take("name " + key, PER_ACCOUNT)
        if wait_ms:
            raise _too_many(wait_ms)

    def forgive(self, key: str, address: str) -> None:
        """See `Tries.forgive`."""
        network = _network(address)
        if network is not None:
            self._meter.put_back("address " + network, PER_ADDRESS)
        self._meter.put_back("name " + key, PER_ACCOUNT)


def _too_many(wait_ms: int) -> Refused:
    return Refused(Code.RATE_LIMITED, "too_many_tries", params={"seconds": wait_ms / 1000}, retry_ms=wait_ms)


def _network(address: str) -> str | None:
    """What counts as one address; None for our own, and for a socket in the file system."""
    found = read_address(address)
    return None if found is None or found.is_loopback else prefix_of(address)
