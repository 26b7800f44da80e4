"""What a peer that reads too slowly is not sent, and how it learns of that. Part of every kind of send queue."""

from __future__ import annotations

from typing import Protocol

from chatservice.domain.events import Entry, EpochChanged, Event, Lagged, Truncated
from chatservice.transports.watch import Watch

EPHEMERAL_BYTES = 512 * 1024
"""With so much waiting, what is not kept (who types, who comes) is not sent either."""

LAG_BYTES = 1024 * 1024
"""With so much waiting, entries are only counted. 1 MiB is Centrifugo's bound too."""


class Stalling(Protocol):
    """The queue that a lag belongs to."""

    def stalled(self) -> None:
        """The peer has lagged for `STUCK_S` and taken nothing."""


class Lag:
    """The entries that one peer was not sent; it fetches them when it can.

    :param stuck: the watch that looks after peers which make no progress while they lag.
    """

    __slots__ = ("_missed", "_queue", "_stuck", "heard_at")

    def __init__(self, stuck: Watch, queue: Stalling) -> None:
        self.heard_at = 0.0
        self._missed: dict[str, Lagged] = {}
        self._stuck = stuck
        self._queue = queue

    def __bool__(self) -> bool:
        """Whether something was left out."""
        return bool(self._missed)

    def leaves_out(self, event: Event | None, waiting_bytes: int) -> bool:
        """Whether a peer for which so much waits is not sent this.

        :param event: None for what is for this peer alone; that is always sent.
        """
        if event is None:
            return False
        if isinstance(event, Truncated | EpochChanged):
            # Without them the next number could be taken for one that was seen already.
            if isinstance(event, Truncated):
                self._cut(event)
            return False
        if not isinstance(event, Entry):
            return waiting_bytes > EPHEMERAL_BYTES
        missed = self._missed.get(event.room)
        if missed is None and waiting_bytes <= LAG_BYTES:
            return False
        if not self._missed:
            self._stuck.add(self)
        first = event.seq if missed is None else missed.first
        self._missed[event.room] = Lagged(event.room, first, event.seq, event.epoch)
        return True

    def progressed(self) -> None:
        """The peer has taken something: its time begins anew."""
        if self._missed:
            self._stuck.remove(self)
            self._stuck.add(self)

    def take(self) -> list[Lagged]:
        """What was left out, to be told now; nothing is left out any more."""
        missed, self._missed = self._missed, {}
        self._stuck.remove(self)
        return list(missed.values())

    def _cut(self, event: Truncated) -> None:
        """What was left out and did not survive cannot be fetched."""
        missed = self._missed.pop(event.room, None)
        if missed is not None and event.after is not None and event.after >= missed.first:
            last = min(missed.last, event.after)
            self._missed[event.room] = Lagged(event.room, missed.first, last, event.epoch)
        if not self._missed:
            self._stuck.remove(self)

    # --- Watched ---

    def nudge(self) -> None:
        """See `Watched.nudge`."""
        self._queue.stalled()

    def give_up(self) -> None:
        """See `Watched.give_up`."""
