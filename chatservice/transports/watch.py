"""Deadlines for many connections at the cost of none: one queue and one call a second.

A timer per connection costs memory and, in a mass disconnect, quadratic time in Autobahn's batched timers
(txaio removes from a list). A sign of life costs one assignment here: whose turn comes and who has shown
life meanwhile is put off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
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


TICK_S = 1.0
"""How often `Watch.tick` is to be called."""


ASLEEP_S = 3 * TICK_S
"""Between two ticks there was so much: the process did not run (SIGSTOP, a suspended machine, a stalled disk)."""


class Sleep:
    """Notices that nobody ran the process. Before anybody is judged by the time that has passed, what came in
    meanwhile must be read: the reactor calls what is due before it looks at its sockets."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._now = clock
        self._looked_at = clock()

    def has_passed(self) -> bool:
        """Whether there was one since the last call; to be asked once every `TICK_S`."""
        before, self._looked_at = self._looked_at, self._now()
        return self._looked_at - before > ASLEEP_S


@dataclass(slots=True, order=True)
class _Turn:
    """When to look at a connection again.

    :ivar number: keeps the order of turns that are due at the same moment.
    :ivar connection: None once it is watched no more; the turn alone is left in the heap until it is due.
    :ivar silent_since: when it had been heard last as it was nudged; None before that.
    """

    due: float
    number: int
    connection: Watched | None = field(compare=False)
    silent_since: float | None = field(compare=False)


class Watch:
    """Nudges what is quiet, gives up what stays quiet.

    :param clock: seconds, never going back.
    :param quiet_s: seconds of silence until the nudge.
    :param grace_s: seconds from the nudge to the end.
    """

    def __init__(self, clock: Callable[[], float], quiet_s: float, grace_s: float) -> None:
        self.now = clock
        self._quiet_s = quiet_s
        self._grace_s = grace_s
        self._numbers = count()
        # A heap and not a plain queue: what is put off is due before what came in the meantime.
        self._heap: list[_Turn] = []
        self._turns: dict[Watched, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def heard(self, connection: Watched) -> None:
        """It shows life now."""
        connection.heard_at = self.now()

    def add(self, connection: Watched) -> None:
        """Begin to watch; silence counts from now."""
        self.remove(connection)
        connection.heard_at = self.now()
        self._look_again(connection, connection.heard_at + self._quiet_s)

    def remove(self, connection: Watched) -> None:
        """Watch it no more; it need not be watched now."""
        turn = self._turns.pop(connection, None)
        if turn is not None:
            turn.connection = None

    def tick(self) -> None:
        """To be called every `TICK_S`."""
        now = self.now()
        while self._heap and self._heap[0].due <= now:
            turn = heappop(self._heap)
            connection = turn.connection
            if connection is None:
                continue
            del self._turns[connection]
            if turn.silent_since is not None:
                if connection.heard_at == turn.silent_since:
                    connection.give_up()
                else:
                    self._look_again(connection, connection.heard_at + self._quiet_s)
                continue
            silent_until = connection.heard_at + self._quiet_s
            if silent_until > now:
                self._look_again(connection, silent_until)
            else:
                # Counted from the scheduled moment and not from this tick, which is late by up to a second;
                # unless the whole process slept: then nobody was asked in time.
                asked_at = max(silent_until, now - TICK_S)
                self._look_again(connection, asked_at + self._grace_s, connection.heard_at)
                connection.nudge()

    def _look_again(self, connection: Watched, due: float, silent_since: float | None = None) -> None:
        turn = self._turns[connection] = _Turn(due, next(self._numbers), connection, silent_since)
        heappush(self._heap, turn)


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


class Limit:
    """How long something may take that begins again and again. Unlike a `Deadline` for each time, it never has
    more than one place in its watch's queue, however often a peer makes it begin.

    :param watch: one without grace; its quiet time is what is allowed.
    :param end: called when the time is up.
    """

    __slots__ = ("_end", "_is_queued", "_watch", "heard_at", "is_running")

    def __init__(self, watch: Watch, end: Callable[[], None]) -> None:
        self._watch = watch
        self._end = end
        self._is_queued = False
        self.is_running = False
        self.heard_at = 0.0

    def begin(self) -> None:
        """The time counts from now."""
        self.is_running = True
        if self._is_queued:
            self._watch.heard(self)
        else:
            self._is_queued = True
            self._watch.add(self)

    def stop(self) -> None:
        """It has ended in time."""
        self.is_running = False

    def forget(self) -> None:
        """It never begins again."""
        self.is_running = self._is_queued = False
        self._watch.remove(self)

    def nudge(self) -> None:
        """See `Watched.nudge`."""
        self._is_queued = False
        if self.is_running:
            self.is_running = False
            self._end()

    def give_up(self) -> None:
        """See `Watched.give_up`."""
