"""Entries on their way to the hub: each once, in order, though they come by two connections."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from chatservice.domain.events import Entry

REMEMBERED = 2048
"""Entries of rooms nobody here has open that were told lately; they come by two ways at most, in one moment."""


class Followed:
    """A room that the hub has open.

    What is said here comes back twice: as the answer to the command, and on the channel. Whichever is first
    tells the hub. An answer that is ahead of the channel waits for it: an entry of another worker has to come in
    between, and the hub, told of a hole, would read the log for nothing.

    :ivar ready: subscribed, and the hub knows who is there by other workers.
    :ivar was_ready: it has been so before; what was said since has to be read.
    """

    __slots__ = ("_ahead", "_epoch", "_top", "ready", "waiting", "was_ready")

    def __init__(self) -> None:
        self.ready = self.was_ready = False
        self.waiting: list[Callable[[], None]] = []
        self._epoch = ""
        self._top: int | None = None
        self._ahead: deque[tuple[int, Callable[[], None]]] = deque()

    def is_told(self, seq: int, epoch: str) -> bool:
        """Whether the hub knows it already."""
        return self._top is not None and epoch == self._epoch and seq <= self._top

    def is_next(self, seq: int, epoch: str) -> bool:
        """Whether nothing has to come in between."""
        return self._top is None or (epoch == self._epoch and seq == self._top + 1)

    def told(self, entry: Entry) -> None:
        """The hub has been told of it."""
        self._epoch, self._top = entry.epoch, entry.seq

    def wait_for(self, seq: int, then: Callable[[], None]) -> None:
        """Call `then` as soon as the hub has been told of that number."""
        self._ahead.append((seq, then))

    def catch_up(self) -> None:
        """Answer those who have waited for what was told now."""
        while self._ahead and self._top is not None and self._ahead[0][0] <= self._top:
            self._ahead.popleft()[1]()

    def interrupt(self) -> None:
        """The channel is not heard any more: nobody shall wait for it."""
        self.ready = False
        self._top = None
        ahead, self._ahead = self._ahead, deque()
        for _, then in ahead:
            then()

    def release(self) -> None:
        """It is ready, or not followed any more: those who have waited for that may go on."""
        waiting, self.waiting = self.waiting, []
        for go in waiting:
            go()


class Once:
    """Which entries were told, of rooms that are not followed."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, int], None] = OrderedDict()

    def first_time(self, entry: Entry) -> bool:
        """Whether nobody was told of it; from now on somebody was."""
        key = (entry.room, entry.epoch, entry.seq)
        if key in self._known:
            return False
        self._known[key] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return True
