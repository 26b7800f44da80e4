"""How long a worker that has died is waited with, so that one that cannot live does not take the machine."""

from __future__ import annotations

FIRST_S = 0.1
LONGEST_S = 5.0
"""Not longer: the kernel goes on putting connections into the queue of a worker that is not there."""

GOOD_S = 30.0
"""Whoever has served for so long has not died of how it was started."""


class Backoff:
    """Of one slot."""

    def __init__(self) -> None:
        self._failures = 0

    def died(self, served_s: float) -> float:
        """A worker has died that served for so long; seconds until the next one."""
        if served_s >= GOOD_S:
            self._failures = 0
        delay = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return delay
