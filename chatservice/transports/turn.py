"""The end of a reactor turn: what was gathered during it goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from chatservice.domain.ports import Flushable, Format, Frames, Sliced
from chatservice.transports.counted import Counted

LONG_S = 0.0005
"""Telling a room takes so long from about seventy peers on; below it nothing is worth waiting for."""

SHARE = 4
"""Waiting for more may take this part of what it would save."""


BETWEEN = 3
"""Turns from one slice to the next: a message that has come is read in one, goes to the log in the next and to its
room in the one after that. A turn with nothing to do takes a hundredth of a slice."""


class Timer(Protocol):
    """What `call_later` gives: see `IDelayedCall`."""

    def cancel(self) -> object: ...


class Turn:
    """See `chatservice.domain.ports.Turn`. Audiences are flushed before queues, so that what a peer is told with
    all others and what it is told alone leave in one write.

    A write to each of a thousand peers takes milliseconds, whether it holds one message or ten. When many talk,
    some messages come a moment before such a round begins and the rest a moment after, and then each half gets a
    round of its own, for ever. So a turn waits until it holds as many messages as the last one did, though no
    longer than a quarter of what that one took. Who talks alone is never waited for.

    What comes in slices goes on in turns of its own, and others have some in between: the reactor reads, accepts,
    other rooms are told.

    :param call_soon: calls a function after what the reactor is doing now.
    :param report: is given errors that are ours; without it they are raised where they are.
    :param call_later: calls a function after some seconds; without it no turn waits.
    :param now: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        report: Callable[[BaseException], None] | None = None,
        call_later: Callable[[float, Callable[[], None]], Timer] | None = None,
        now: Callable[[], float] = perf_counter,
        counted: Counted | None = None,
    ) -> None:
        self.counted = counted or Counted()
        self._call_soon = call_soon
        self._call_later = call_later
        self._report = report
        self._now = now
        self._scheduled = False
        self._timer: Timer | None = None
        self._told = 0
        self._told_last = 0
        self._took_s = 0.0
        self._first: dict[Flushable, None] = {}
        self._last: list[Flushable] = []
        self._sliced: dict[Sliced, None] = {}
        self._until_slice = 0  # turns

    def add(self, what: Flushable) -> None:
        """Something more waits in it: flush it at the end of the turn."""
        self._first[what] = None
        self._told += 1
        if self._timer is None:
            self._schedule()
        elif self._told >= self._told_last:
            self._timer.cancel()
            self._timer = None
            self._call_soon(self._flush)

    def add_last(self, what: Flushable) -> None:
        """Flush it after all that was added by `add`."""
        self._last.append(what)
        self._schedule()

    def go_on(self, what: Sliced) -> None:
        """See `chatservice.domain.ports.Turn.go_on`."""
        if not self._sliced:
            self._call_soon(self._slice)
            self._until_slice = 0
        self._sliced[what] = None

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """See `chatservice.domain.ports.Turn.later`; where there is no `call_later`, at once."""
        if self._call_later is None:
            call()
        else:
            self._call_later(seconds, call)

    def handed_out(self, format: Format, frames: Sequence[Frames], peers: int) -> None:
        """See `Turn.handed_out`."""
        traffic = self.counted.traffic[format.transport]
        traffic.sent += peers * len(frames)
        traffic.bytes_sent += peers * sum(map(format.size, frames))

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._end)

    def _end(self) -> None:
        if self._call_later is not None and self._took_s > LONG_S and 0 < self._told < self._told_last:
            self._timer = self._call_later(self._took_s / SHARE, self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        told, self._told = self._told, 0
        begin = self._now()
        while self._first or self._last:
            first, self._first = self._first, {}
            for what in first:
                self._try(what)
            if self._first:
                continue
            last, self._last = self._last, []
            for what in last:
                self._try(what)
        if told:
            self._told_last, self._took_s = told, self._now() - begin
            self.counted.broadcast_s.observe(self._took_s)
        self._scheduled = False

    def _slice(self) -> None:
        """One slice of what waits longest. It stays in line meanwhile, or `go_on` would ask for one turn more."""
        self._until_slice -= 1
        if self._until_slice > 0:
            self._call_soon(self._slice)
            return
        self._until_slice = BETWEEN
        what = next(iter(self._sliced))
        begin, has_more = self._now(), True
        try:
            has_more = what.go_on()
        except Exception as error:  # who was in that slice may have been told or not; the others must be
            if self._report is None:
                raise
            self._report(error)
        finally:
            self.counted.broadcast_s.observe(self._now() - begin)
            del self._sliced[what]
            if has_more:
                self._sliced[what] = None
            if self._sliced:
                self._call_soon(self._slice)

    def _try(self, what: Flushable) -> None:
        try:
            what.flush()
        except Exception as error:  # one broken flush must not silence everybody else for ever
            if self._report is None:
                raise
            self._report(error)
