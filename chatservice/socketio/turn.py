"""The end of a reactor turn: what sessions were told during it goes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatservice.socketio.outgoing import Batch, Outgoing


class Flushable(Protocol):
    """A session with something to send."""

    def flush(self) -> None: ...


class Turn:
    """Gathers who has something to send, and lets batches be shared as long as the turn lasts.

    :param call_soon: calls a function after what the reactor is doing now.
    :param report: is given errors that are ours.
    :ivar root: the empty batch.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        report: Callable[[BaseException], object],
    ) -> None:
        self.root = Batch()
        self._call_soon = call_soon
        self._report = report
        self._waiting: list[Flushable] = []
        self._grown: list[Batch] = []
        self._scheduled = False

    def grow(self, batch: Batch, packet: Outgoing) -> Batch:
        """`batch` with one packet more; the same object for all who ask for it one after the other."""
        child = batch.child
        if child is None or child.packet is not packet:
            if child is None:
                self._grown.append(batch)
            child = batch.child = Batch(batch, packet)
            self._schedule()
        return child

    def add(self, session: Flushable) -> None:
        """Flush it at the end of the turn."""
        self._waiting.append(session)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._end)

    def _end(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            for session in waiting:
                try:
                    session.flush()
                except Exception as error:  # one broken flush must not silence all others
                    self._report(error)
        # What is shared hangs on its parents only from here on: batches go when their last session has sent them.
        for batch in self._grown:
            batch.child = None
        self._grown.clear()
        self._scheduled = False
