"""What is counted over the life of the process, for whoever measures it. Plain numbers where things happen; nobody
adds, sorts or names anything before /metrics is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BYTES = (1024.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)

KEPT_FAILURE_S = 30.0
"""So long after a commit that failed the log is taken for broken, if none has succeeded since."""


class Histogram:
    """How often what was observed was how much.

    :param bounds: upper ends of the buckets, rising; there is one more above them.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Each upper end (the last is infinite), and how many were not above it."""
        count = 0
        for bound, here in zip((*self._bounds, inf), self._counts, strict=True):
            count += here
            yield bound, count


@dataclass(slots=True)
class Traffic:
    """Of one kind of transport.

    :ivar opened: connections that began a conversation; `closed`, those that ended, by code.
    :ivar received: frames, lines, events of peers; `sent`, what peers were told, each counted for each.
    """

    opened: int = 0
    received: int = 0
    sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    closed: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def _counts() -> dict[str, int]:
    return defaultdict(int)


@dataclass(slots=True)
class Counted:
    """Numbers that only grow, but for `connections`.

    :ivar connections: open connections now, of all listeners.
    :ivar refused_by_cap: connections and requests of an address that has as many as it may.
    :ivar refused_by_rate: of one that connects too often.
    :ivar refused_by_total: of anybody, because the process has as many as it can.
    :ivar refused_by_origin: what pages of other origins asked for.
    :ivar refused_by_host: requests for a host that is not ours.
    :ivar bad_proxy_headers: connections whose PROXY header could not be read.
    :ivar tls_reloads: certificates replaced while running; so `tls_failures`, those that could not be.
    :ivar traffic: by kind of transport.
    :ivar rejected: commands that were refused, by code; `limited`, those too fast for a limit not the hub's.
    :ivar recoveries: joins with a position, by what came of them; `auths`, proofs of who one is.
    :ivar emissions_heard: what back ends have published for Socket.IO and this worker has heard, as all others
        have, by what became of it; `emissions_said`, those of which it, and no other worker, has made a message.
    :ivar slow: peers that were ended because they did not read.
    :ivar broadcast_s: how long a turn took to tell all; `ack_s`, from a message to its answer; `ping_s`, from a
        ping to its answer; `lag_s`, how late the reactor was; `storage_s`, the log's work, by kind.
    :ivar queue_bytes: what waited for a peer when it began to read again.
    :ivar failed_at: when a commit failed last, on the clock of whoever noted it; None if the last one succeeded.
    """

    connections: int = 0
    refused_by_cap: int = 0
    refused_by_rate: int = 0
    refused_by_total: int = 0
    refused_by_origin: int = 0
    refused_by_host: int = 0
    bad_proxy_headers: int = 0
    tls_reloads: int = 0
    tls_failures: int = 0
    traffic: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    rejected: dict[str, int] = field(default_factory=_counts)
    limited: dict[str, int] = field(default_factory=_counts)
    recoveries: dict[str, int] = field(default_factory=_counts)
    auths: dict[str, int] = field(default_factory=_counts)
    emissions_heard: dict[str, int] = field(default_factory=_counts)
    emissions_said: dict[str, int] = field(default_factory=_counts)
    slow: int = 0
    broadcast_s: Histogram = field(default_factory=Histogram)
    ack_s: Histogram = field(default_factory=Histogram)
    ping_s: Histogram = field(default_factory=Histogram)
    lag_s: Histogram = field(default_factory=Histogram)
    storage_s: dict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    queue_bytes: Histogram = field(default_factory=lambda: Histogram(BYTES))
    failed_at: float | None = None

    def stored(self, op: str, seconds: float, failed_at: float | None = None) -> None:
        """The log has done something.

        :param failed_at: when, if it was a commit and failed.
        """
        self.storage_s[op].observe(seconds)
        if op == "commit":
            self.failed_at = failed_at

    def storage_is_up(self, now: float) -> bool:
        """Whether the log takes what it is given. After a while without a failure it is tried again."""
        return self.failed_at is None or now - self.failed_at > KEPT_FAILURE_S
