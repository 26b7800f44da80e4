"""How fast a peer may have bytes sent back: who is faster is not read for a while, and loses nothing."""

from __future__ import annotations

from typing import Protocol

from chatservice.domain.limits import Rate
from chatservice.transports.watch import Deadline, Watch

LOOK_BYTES = 1024 * 1024
"""How often the clock is looked at: what is short and quick costs an addition."""


class Paced(Protocol):
    """A connection that can be left unread."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Pace:
    """The pace of one connection.

    :param watch: its quiet time is how long one who is too fast is not read.
    """

    __slots__ = ("_bytes", "_connection", "_due", "_pause", "_rate", "_watch")

    def __init__(self, rate: Rate, watch: Watch, connection: Paced) -> None:
        self._rate = rate
        self._watch = watch
        self._connection = connection
        self._bytes = 0  # since the clock was looked at
        self._due = 0.0  # when all that was sent could have been sent at the rate
        self._pause: Deadline | None = None

    def spend(self, size: int) -> None:
        """So many bytes go back."""
        self._bytes += size
        if self._bytes < LOOK_BYTES:
            return
        now, rate = self._watch.now(), self._rate
        self._due = max(self._due, now) + self._bytes / rate.per_s
        self._bytes = 0
        if self._due - now > rate.burst / rate.per_s and self._pause is None:
            self._pause = Deadline(self._go_on)
            self._watch.add(self._pause)
            self._connection.pause_reading()

    def _go_on(self) -> None:
        self._pause = None
        self._connection.resume_reading()

    def end(self) -> None:
        """The connection is gone."""
        if self._pause is not None:
            self._watch.remove(self._pause)
            self._pause = None
