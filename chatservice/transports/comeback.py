"""When those whom a restart sends away may come back: no faster than this node has been seen to take people in."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable

UNMEASURED = 200.0
"""People a second before so many have come at once that it could be measured: a small board takes as many."""

ENOUGH = 25
"""So many must come in one second to be measured; what else a second holds would weigh too much with fewer."""

SHARE = 0.5
"""So much of the one processor that Python has is for those who come; the rest is for those who talk."""

LEAST, MOST = 25.0, 2_000.0

LATELY = 0.3
"""What the newest measured second weighs against all before it."""

OVERHEAD_S = 0.5
"""From the first farewell to the start of the next process."""


class Comeback:
    """Measures what it costs to take somebody in, and gives out moments to come back.

    A second in which many came is held against the processor time that the whole process took in it, so that
    handshake, hello, recovery and telling the others are in it, and whatever else went on.

    :param spent: seconds of processor time of this process.
    :ivar start_s: how long this process took from its beginning until it listened: the next one takes as long.
    """

    def __init__(
        self,
        *,
        spent: Callable[[], float] = time.process_time,
        randbelow: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self.start_s = 1.0
        self._spent = spent
        self._randbelow = randbelow
        self._arrived = 0
        self._spent_before = spent()
        self._cost_s: float | None = None
        self._given = 0

    @property
    def rate(self) -> float:
        """So many a second may come back."""
        if self._cost_s is None:
            return UNMEASURED
        return min(MOST, max(LEAST, SHARE / self._cost_s))

    def arrived(self) -> None:
        """Somebody has come in."""
        self._arrived += 1

    def tick(self) -> None:
        """Once a second."""
        arrived, self._arrived = self._arrived, 0
        spent = self._spent()
        took_s, self._spent_before = spent - self._spent_before, spent
        if arrived >= ENOUGH:
            cost_s = took_s / arrived
            before_s = cost_s if self._cost_s is None else self._cost_s
            self._cost_s = before_s + LATELY * (cost_s - before_s)

    def next_ms(self) -> int:
        """Milliseconds from now after which the next of those who are sent away may come back: each has a slot of
        its own, one after the other, and any moment within it."""
        slot_ms = 1000 / self.rate
        begin_ms = self.first_s * 1000 + self._given * slot_ms
        self._given += 1
        return int(begin_ms + self._randbelow(max(1, int(slot_ms))))

    @property
    def first_s(self) -> float:
        """Seconds until the first may come back: the next process must be there."""
        return OVERHEAD_S + self.start_s


def age_s() -> float:
    """Seconds since this process began, proc(5); a second where the kernel does not tell."""
    try:
        with open("/proc/self/stat", "rb") as stat:
            # The name in it may hold anything, also brackets and spaces.
            fields = stat.read().rpartition(b")")[2].split()
        began_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began_s)
    except (OSError, ValueError, IndexError):
        return 1.0
