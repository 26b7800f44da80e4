"""Deadlines for many at the cost of none: a queue for each delay, looked at by one ticking call.

All that waits in one queue waits equally long, so what was added first is due first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Target = TypeVar("Target")


class Deadline(Generic[Target]):
    """One waiting.

    :ivar due: when, on the queue's clock.
    """

    __slots__ = ("due", "target")

    def __init__(self, due: float, target: Target) -> None:
        self.due = due
        self.target: Target | None = target

    def cancel(self) -> None:
        """It need not come; harmless when it has come already."""
        self.target = None


class DelayQueue(Generic[Target]):
    """Calls `act` for each target when its delay is over.

    :param delay_s: seconds.
    :param act: is given the target and when it was due, which is a little earlier than now.
    """

    def __init__(self, clock: Callable[[], float], delay_s: float, act: Callable[[Target, float], object]) -> None:
        self._clock = clock
        self.delay_s = delay_s
        self._act = act
        self._queue: deque[Deadline[Target]] = deque()

    @property
    def is_waiting(self) -> bool:
        """There is something in it, be it cancelled."""
        return bool(self._queue)

    @property
    def n(self) -> int:
        """How many wait that are not cancelled."""
        return sum(deadline.target is not None for deadline in self._queue)

    def add(self, target: Target, since: float | None = None) -> Deadline[Target]:
        """Wait for it.

        :param since: when the delay began, if not now; never before that of one added earlier.
        """
        deadline = Deadline((self._clock() if since is None else since) + self.delay_s, target)
        self._queue.append(deadline)
        return deadline

    def put_off(self, target: Target, due: float) -> Deadline[Target]:
        """It was due and is to wait a moment more, less than a tick."""
        deadline = Deadline(due, target)
        self._queue.appendleft(deadline)
        return deadline

    def tick(self, now: float) -> None:
        """Act on all that is due."""
        queue = self._queue
        while queue and queue[0].due <= now:
            deadline = queue.popleft()
            target, deadline.target = deadline.target, None
            if target is not None:
                self._act(target, deadline.due)
