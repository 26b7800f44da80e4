"""How much a peer may do; each bound with its reason."""

from __future__ import annotations

from dataclasses import dataclass

HISTORY_LIMIT = 200
"""Messages one command may show again: a screenful many times over, and below 1 MB at full size."""

RING = 256
"""Entries each active room keeps in memory: covers a reconnect after a restart without a disk read."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket's shape: `burst` at once, then `per_s` a second."""

    burst: int
    per_s: float


MESSAGES = Rate(burst=10, per_s=2.0)
"""Nobody types faster for long; ten at once leaves room for a pasted stack of lines."""


class Bucket:
    """A token bucket that costs no timer: it is refilled when it is asked."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> int:
        """Take one token; 0 if there was one, else the milliseconds until there will be."""
        rate = self._rate
        # max(): a clock that was set back must neither empty the bucket nor freeze it.
        self._tokens = min(float(rate.burst), self._tokens + max(0.0, now - self._at) * rate.per_s)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0
        return int((1.0 - self._tokens) / rate.per_s * 1000) + 1
