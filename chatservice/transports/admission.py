"""How many connections there may be, of one address and of all, and how often one address may connect."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

from twisted.logger import Logger

from chatservice.domain.addresses import prefix_of
from chatservice.domain.limits import Bucket, Rate
from chatservice.transports.addresses import is_loopback
from chatservice.transports.counted import Counted
from chatservice.transports.networks import Networks

PER_ADDRESS = 200
"""Connections one address may have: a school behind one router, each with a few windows."""

PER_MINUTE = 300
"""Connections one address may begin: all of those come back at once after a restart, and again."""

RESERVE = 32
"""Connections above the total that are still let in to be told that there is no room; then the rest is cut."""

TELL_EVERY_S = 10.0
"""The log has one line about an address in so many seconds, however it behaves."""

MEMORY = 65_536
"""Addresses without a connection that are remembered for their rate; beyond that the oldest are forgotten."""

RETRY_S = 5
"""Who is refused comes back after so many seconds and up to five times as many more, each at another moment."""

_log = Logger("chatservice")


class Refusal(Enum):
    """Why somebody is not let in; the value is what the log says."""

    CAP = "has as many connections as one address may have"
    RATE = "connects too often"
    TOTAL = "together have as many connections as there is room for"


@dataclass(frozen=True, slots=True)
class Bounds:
    """None is no bound.

    :ivar total: connections of all together.
    :ivar loopback: whether this computer's own programs are bound like others.
    """

    per_address: int | None = None
    per_minute: int | None = None
    total: int | None = None
    loopback: bool = False


class _Caller:
    """One address: how many connections it has, how many more it may begin, when the log last told of it."""

    __slots__ = ("bucket", "live", "told_at")

    def __init__(self, bucket: Bucket | None) -> None:
        self.live = 0
        self.bucket = bucket
        self.told_at = -inf


class Admission:
    """The registry of callers: an address, or the 64 bits of one of IPv6, that has connections or had some lately.

    This computer's own programs, UNIX sockets and trusted proxies are not counted by address; whom a proxy speaks
    for is.

    :param now: seconds on a clock that never goes back.
    :ivar trusted: the proxies.
    """

    def __init__(
        self,
        now: Callable[[], float],
        counted: Counted,
        bounds: Bounds | None = None,
        trusted: Networks | None = None,
        *,
        randbelow: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self.trusted = trusted or Networks()
        self._now = now
        self._counted = counted
        self._callers: dict[str, _Caller] = {}
        self.limit(bounds or Bounds())
        self._quiet: dict[str, None] = {}  # those of them without a connection, the longest so first
        self._everybody = _Caller(None)
        self._dry_told_at = -inf
        self._randbelow = randbelow

    def limit(self, bounds: Bounds) -> None:
        """Hold everybody to these from now on. Who has more than that keeps it."""
        self._bounds = bounds
        per_minute = bounds.per_minute
        self._rate = None if per_minute is None else Rate(per_minute, per_minute / 60)
        for caller in self._callers.values():
            caller.bucket = None if self._rate is None else Bucket(self._rate, self._now())

    @property
    def remembered(self) -> int:
        """How many addresses have a connection or had one lately."""
        return len(self._callers)

    @property
    def is_full(self) -> bool:
        """Whether the last one let in was one too many."""
        total = self._bounds.total
        return total is not None and self._counted.connections > total

    def knock(self, host: str, *, connects: bool = True) -> Refusal | None:
        """May one more connection of `host` begin? Counts the attempt, not the connection.

        :param connects: False where it is a proxy that decides how often.
        """
        total = self._bounds.total
        if total is not None and self._counted.connections >= total + RESERVE:
            return self._refuse(Refusal.TOTAL, "everybody")
        key = self.key(host)
        if key is None:
            return None
        caller = self._callers.get(key)
        per_address = self._bounds.per_address
        if caller is not None and per_address is not None and caller.live >= per_address:
            return self._refuse(Refusal.CAP, key)
        if connects and self._rate is not None:
            if caller is None:
                caller = self._remember(key)
            if caller.bucket is not None and caller.bucket.take(self._now()):
                return self._refuse(Refusal.RATE, key)
        return None

    def enter(self, host: str) -> str | None:
        """A connection of `host` has begun.

        :returns: what to `leave` with.
        """
        self._counted.connections += 1
        key = self.key(host)
        if key is not None:
            caller = self._callers.get(key) or self._remember(key)
            caller.live += 1
            self._quiet.pop(key, None)
        return key

    def leave(self, key: str | None) -> None:
        """A connection has ended."""
        self._counted.connections -= 1
        caller = None if key is None else self._callers.get(key)
        if caller is None or key is None:
            return
        caller.live -= 1
        if not caller.live:
            self._grow_quiet(key)

    def refuse_for_want_of_room(self) -> None:
        """Somebody is told that there are too many."""
        self._refuse(Refusal.TOTAL, "everybody")

    def cannot_accept(self, why: str) -> None:
        """The operating system gives no more connections, whatever we would allow.

        :param why: its name for that, as `EMFILE`.
        """
        now = self._now()
        if now - self._dry_told_at >= TELL_EVERY_S:
            self._dry_told_at = now
            _log.warn("connections cannot be accepted ({why}); some are closed", event="not_accepted", why=why)

    def retry_s(self) -> int:
        """Seconds after which one who was refused may try again: not all at the same moment."""
        return RETRY_S + self._randbelow(5 * RETRY_S + 1)

    def tick(self) -> None:
        """Forget those who were quiet for long enough: a new bucket would be as full as theirs."""
        now = self._now()
        for key in list(self._quiet):
            bucket = self._callers[key].bucket
            if bucket is None or bucket.is_full(now):
                self._forget(key)

    def key(self, host: str) -> str | None:
        """What is counted under; None for who is free."""
        if not self._bounds.loopback and is_loopback(host):
            return None
        return None if host in self.trusted else prefix_of(host)

    def _remember(self, key: str) -> _Caller:
        bucket = None if self._rate is None else Bucket(self._rate, self._now())
        caller = self._callers[key] = _Caller(bucket)
        self._grow_quiet(key)
        return caller

    def _grow_quiet(self, key: str) -> None:
        self._quiet[key] = None
        if len(self._quiet) > MEMORY:
            self._forget(next(iter(self._quiet)))

    def _forget(self, key: str) -> None:
        del self._quiet[key], self._callers[key]

    def _refuse(self, why: Refusal, key: str) -> Refusal:
        counted = self._counted
        if why is Refusal.TOTAL:
            counted.refused_by_total += 1
            caller = self._everybody
        elif why is Refusal.CAP:
            counted.refused_by_cap += 1
            caller = self._callers[key]
        else:
            counted.refused_by_rate += 1
            caller = self._callers[key]
        now = self._now()
        if now - caller.told_at >= TELL_EVERY_S:
            caller.told_at = now
            _log.warn(
                "{address} {reason}; some are sent away",
                event="refused_at_the_door",
                address=key,
                reason=why.value,
            )
        return why
