"""Deadlines for many connections at the cost of none: two queues and one call a second.

A timer per connection costs memory and, in a mass disconnect, quadratic time in Autobahn's batched timers
(txaio removes from a list). All delays of one watch are equal, so a queue in order of arrival is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Watched(Protocol):
    """A connection under watch; must be hashable.

    :ivar heard_at: when it last showed life, on the watch's clock; written by the connection.
    """

    heard_at: float

    def nudge(self) -> None:
        """It has been quiet for `quiet_s`: ask for a sign of life."""

    def give_up(self) -> None:
        """It stayed quiet for `grace_s` more: end it."""


class Watch:
    """Nudges what is quiet, gives up what stays quiet.

    :param clock: seconds, never going back.
    :param quiet_s: seconds of silence until the nudge.
    :param grace_s: seconds from the nudge to the end.
    """

    def __init__(self, clock: Callable[[], float], quiet_s: float, grace_s: float) -> None:
        self._clock = clock
        self._quiet_s = quiet_s
        self._grace_s = grace_s
        # Dicts keep the order of insertion and delete in constant time; the value is the due time.
        self._quiet: dict[Watched, float] = {}
        self._nudged: dict[Watched, float] = {}

    def __len__(self) -> int:
        return len(self._quiet) + len(self._nudged)

    def add(self, connection: Watched) -> None:
        """Begin to watch; silence counts from now."""
        connection.heard_at = self._clock()
        self._quiet[connection] = connection.heard_at + self._quiet_s

    def remove(self, connection: Watched) -> None:
        """Watch it no more; it need not be watched now."""
        if self._quiet.pop(connection, None) is None:
            self._nudged.pop(connection, None)

    def tick(self) -> None:
        """To be called about once a second."""
        now = self._clock()
        while self._nudged:
            connection, due = next(iter(self._nudged.items()))
            if due > now:
                break
            del self._nudged[connection]
            if connection.heard_at > due - self._grace_s:
                self._quiet[connection] = connection.heard_at + self._quiet_s
            else:
                connection.give_up()
        while self._quiet:
            connection, due = next(iter(self._quiet.items()))
            if due > now:
                break
            del self._quiet[connection]
            silent_until = connection.heard_at + self._quiet_s
            if silent_until > now:
                self._quiet[connection] = silent_until
            else:
                # Counted from the scheduled moment, not from this late tick.
                self._nudged[connection] = max(due, silent_until) + self._grace_s
                connection.nudge()


class Deadline:
    """One absolute deadline as a watched thing: nothing is heard, so it ends when its time is up."""

    __slots__ = ("_end", "heard_at")

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self.heard_at = 0.0

    def nudge(self) -> None:
        """See `Watched.nudge`."""
        self._end()

    def give_up(self) -> None:
        """See `Watched.give_up`."""
