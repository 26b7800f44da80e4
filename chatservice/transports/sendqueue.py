"""What a peer still has to be sent: counted in bytes, joined to one write a reactor turn.

Twisted's `transport.write` takes everything and keeps it for as long as a peer does not read. So we are the
transport's push producer: it tells us when its own buffer is full, and from then on we keep and count. A peer
that reads too slowly is not cut off at once: it is told which entries it missed and fetches them when it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatservice.domain.events import Event
from chatservice.domain.ports import Format
from chatservice.transports.lag import Lag
from chatservice.transports.transport import Transport
from chatservice.transports.turn import Turn
from chatservice.transports.watch import Limit, Watch
from chatservice.wires.quick import Direct, direct_way, sender_for

REPLY_BYTES = 4 * 1024 * 1024
"""With so many answers waiting the peer asks without reading; it is cut off."""

SLICE_BYTES = 256 * 1024
"""The transport is handed no more at once: it says only that it is full, and that it has room again, and without
a sign of progress a slow reader of something long could not be told from a dead one."""


class Owner(Protocol):
    """Whose queue it is."""

    @property
    def format(self) -> Format: ...

    direct: Direct | None

    def too_slow(self) -> None: ...
    def relieved(self) -> None: ...


@implementer(IPushProducer)
class SendQueue:
    """One peer's frames in order.

    :param stuck: the watch that ends peers which make no progress while they lag.
    """

    __slots__ = (
        "_bytes",
        "_closed",
        "_cut",
        "_frames",
        "_lag",
        "_owner",
        "_paused",
        "_pending",
        "_send",
        "_stuck",
        "_transport",
        "_turn",
        "_unread",
    )

    def __init__(self, transport: Transport, turn: Turn, stuck: Watch, owner: Owner) -> None:
        self._transport = transport
        self._send = sender_for(transport)
        self._turn = turn
        self._owner = owner
        self._frames: list[bytes] = []
        self._bytes = 0
        self._cut = 0  # so much of the first frame has been handed over
        self._pending = False
        self._paused = False
        self._closed = False
        self._stuck = stuck
        self._unread: Limit | None = None
        self._lag = Lag(stuck, self)
        transport.registerProducer(self, True)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the transport has not been given yet."""
        return self._bytes

    @property
    def lags(self) -> bool:
        """Whether entries were left out that the peer was not told of yet."""
        return bool(self._lag)

    def push(self, frames: bytes, event: Event | None = None) -> None:
        """Send `frames` after everything that was pushed before. Never raises, never blocks.

        :param event: what they tell to a whole room; None for what is for this peer alone.
        """
        if self._closed:
            return
        if self._paused and self._lag.leaves_out(event, self._bytes):
            return
        self._owner.direct = None
        self._frames.append(frames)
        self._bytes += len(frames)
        if self._paused:
            if self._bytes > REPLY_BYTES and not self._is_unread:
                self.close()
                self._owner.too_slow()
        elif not self._pending:
            self._pending = True
            self._turn.add_last(self)

    def push_answer(self, frames: bytes) -> bool:
        """`push` for what the peer gets straight back, which may be as long as anything it sends. Not its size but
        the time it takes to be read has a bound.

        :return: whether the peer is to be read from no more until `Owner.relieved` is called.
        """
        if self._closed:
            return False
        self._owner.direct = None
        self._frames.append(frames)
        self._bytes += len(frames)
        if self._bytes > SLICE_BYTES:
            self.flush()
        elif not self._paused and not self._pending:
            self._pending = True
            self._turn.add_last(self)
        if not self._paused or self._is_unread:
            return False
        if self._unread is None:
            self._unread = Limit(self._stuck, self._owner.too_slow)
        self._unread.begin()
        return True

    def push_all(self, joined: bytes, frames: Sequence[bytes], events: Sequence[Event]) -> None:
        """`push` for what a whole room is told at the end of a turn. If nothing waits it goes out at once, and
        what follows goes past this queue for as long as nothing waits; see `Hearer.direct`."""
        if self._paused or self._frames:
            for frame, event in zip(frames, events, strict=True):
                self.push(frame, event)
        elif not self._closed:
            self._send(self._transport, joined)
            if not self._paused:
                self._owner.direct = direct_way(self._transport)

    def push_rest(self, rest: bytes) -> None:
        """Hand the transport what the kernel did not take of something that went past this queue."""
        self._owner.direct = None
        self._transport.write(rest)

    def flush(self) -> None:
        """Hand the transport all that waits, unless it is full."""
        self._pending = False
        if self._bytes > SLICE_BYTES:
            self._flush_slices()
        else:
            self.hand_over()

    def hand_over(self) -> None:
        """`flush` without slices: an end is about to follow, and what the transport is not given would be lost."""
        if self._frames and not self._paused and not self._closed:
            frames, self._frames, cut, self._cut = self._frames, [], self._cut, 0
            self._bytes = 0
            joined = frames[0] if len(frames) == 1 else b"".join(frames)
            self._send(self._transport, joined[cut:] if cut else joined)

    def _flush_slices(self) -> None:
        while self._bytes > 0 and not self._paused and not self._closed:
            size, cut, count = -self._cut, self._cut, 0
            while size < SLICE_BYTES and count < len(self._frames):
                size += len(self._frames[count])
                count += 1
            joined = b"".join(self._frames[:count])
            slice_ = joined[cut : cut + SLICE_BYTES]
            self._bytes -= len(slice_)
            if len(slice_) == size:
                self._cut = 0
                del self._frames[:count]
            else:
                self._cut = len(self._frames[count - 1]) - (size - len(slice_))
                del self._frames[: count - 1]
            self._send(self._transport, slice_)

    @property
    def _is_unread(self) -> bool:
        return self._unread is not None and self._unread.is_running

    def close(self) -> None:
        """Forget what waits and take no more; but a frame that was begun is ended, or the close frame behind it
        would be a part of it."""
        if not self._closed:
            self._closed = True
            self._owner.direct = None
            self._lag.take()
            if self._unread is not None:
                self._unread.forget()
            if self._cut:
                self._transport.write(self._frames[0][self._cut :])
            self._frames.clear()
            self._bytes = 0
            self._transport.unregisterProducer()

    # --- the transport's side: IPushProducer ---

    def pauseProducing(self) -> None:
        """The transport is full."""
        self._paused = True
        self._owner.direct = None

    def resumeProducing(self) -> None:
        """The transport has room again: first what waits, then which entries were left out."""
        self._paused = False
        self._turn.counted.queue_bytes.observe(self._bytes)
        self.flush()
        if self._unread is not None and self._unread.is_running:
            if self._paused:
                self._unread.begin()  # full again, but it has taken something
            else:
                self._unread.stop()
                self._owner.relieved()
        if self._closed or not self._lag:
            return
        if self._paused:
            self._lag.progressed()  # full again, but it has taken something
            return
        # Now, not after what the rooms have pending: that comes after what was left out.
        for lagged in self._lag.take():
            frames = self._owner.format.frames(lagged)
            if frames is not None:
                self.push(frames)

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.close()

    def stalled(self) -> None:
        """See `Stalling.stalled`."""
        if not self._closed:
            self.close()
            self._owner.too_slow()
