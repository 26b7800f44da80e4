"""How much a peer may do; each bound with its reason."""

from __future__ import annotations

from dataclasses import dataclass

FRAME_BYTES = 65_536
"""The largest message a peer may send: a text of 4000 code points in JSON needs at most 24 000."""

ECHO_BYTES = 16 * 1024 * 1024
"""What the longest message to `/echo` may be set to. It is whole in memory a few times over."""

META_BYTES = 4096
"""What an application may hang on a message, as JSON."""

HISTORY_LIMIT = 200
"""Messages one command may show again: a screenful many times over."""

ANSWER_BYTES = 1024 * 1024
"""About how much one answer shows again. Where messages are long, fewer of them fit."""

HELLO_BYTES = 2 * ANSWER_BYTES
"""The same for all rooms of one hello together."""

ROOMS = 128
"""Rooms one session may be in."""

SESSIONS = 100
"""Sessions one user may have at once: more devices than anybody has, and a bound for what each costs all."""

PING_MS, PONG_MS = 25_000, 10_000
"""Silence until a peer is asked whether it is there, and until it is taken for gone: below the 30 to 60 s after
which proxies and NATs forget a connection."""

TYPING_MS, TYPING_EXPIRE_MS = 3000, 6000
"""How often one is seen to begin to write, and how long that holds."""

RING = 256
"""Entries each active room keeps in memory: covers a reconnect after a restart without a disk read."""


MEMBERS_PAGE, MEMBERS_LIMIT = 200, 500
"""Members one answer names if nobody says how many, and at most."""


@dataclass(frozen=True, slots=True)
class BigRooms:
    """From where on a room is told otherwise, because telling it takes so long that all others would wait.

    :ivar slice_peers: so many peers of an audience are told in one turn of the reactor, some 3 ms; whatever else
        has come goes between. An audience of two slices is told at once.
    :ivar hot_users: above so many users online a room's audiences are told in rounds: a round costs as much with
        one event as with a hundred.
    :ivar every_s: seconds from the beginning of such a round to that of the next; the first after a silence begins
        at once.
    """

    slice_peers: int = 500
    hot_users: int = 5000
    every_s: float = 0.25


BIG_ROOMS = BigRooms()


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket's shape: `burst` at once, then `per_s` a second."""

    burst: int
    per_s: float


MESSAGES = Rate(burst=10, per_s=2.0)
"""Nobody types faster for long; ten at once leaves room for a pasted stack of lines."""

ECHO = Rate(burst=64 * 1024 * 1024, per_s=32 * 1024 * 1024)
"""Bytes that one peer of `/echo` may have echoed: all that goes through this one thread is some times as much."""

DEAF = Rate(burst=100, per_s=2.0)
"""Refusals for being too fast. Who runs out of them does not listen, and is ended."""


class Bucket:
    """A token bucket that costs no timer: it is refilled when it is asked."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def put_back(self) -> None:
        """What the last token was taken for does not count."""
        self._tokens = min(float(self._rate.burst), self._tokens + 1.0)

    def take(self, now: float, n: int = 1) -> int:
        """Take `n` tokens; 0 if there were so many, else the milliseconds until there will be. What costs more
        than the whole bucket is had for a full one: whoever waits as long as it is told must get it."""
        rate = self._rate
        needed = float(min(n, rate.burst))
        # max(): a clock that was set back must neither empty the bucket nor freeze it.
        self._tokens = min(float(rate.burst), self._tokens + max(0.0, now - self._at) * rate.per_s)
        self._at = now
        if self._tokens >= needed:
            self._tokens -= needed
            return 0
        return int((needed - self._tokens) / rate.per_s * 1000) + 1

    def is_full(self, now: float) -> bool:
        """Whether it is as good as a new one."""
        return self._tokens + max(0.0, now - self._at) * self._rate.per_s >= self._rate.burst
