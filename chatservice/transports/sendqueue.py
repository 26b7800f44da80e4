"""What a peer still has to be sent: counted in bytes, joined to one write a reactor turn.

Twisted's `transport.write` takes everything and keeps it for as long as a peer does not read. So we are the
transport's push producer: it tells us when its own buffer is full, and from then on we keep and count.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatservice.transports.transport import Transport

QUEUE_BYTES = 1024 * 1024
"""What one slow reader may cost: 1 MiB, as Centrifugo has it."""


class Turn:
    """Queues with something to send; all are flushed once at the end of the reactor's turn.

    :param call_soon: calls a function after what the reactor is doing now.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._queues: list[SendQueue] = []

    def add(self, queue: SendQueue) -> None:
        """`queue` has something to send."""
        if not self._queues:
            self._call_soon(self._flush)
        self._queues.append(queue)

    def _flush(self) -> None:
        queues, self._queues = self._queues, []
        for queue in queues:
            queue.flush()


@implementer(IPushProducer)
class SendQueue:
    """One peer's frames in order.

    :param overflow: called once when more than `QUEUE_BYTES` wait; must not call back at once.
    """

    __slots__ = ("_bytes", "_closed", "_frames", "_overflow", "_paused", "_pending", "_transport", "_turn")

    def __init__(self, transport: Transport, turn: Turn, overflow: Callable[[], None]) -> None:
        self._transport = transport
        self._turn = turn
        self._overflow = overflow
        self._frames: list[bytes] = []
        self._bytes = 0
        self._pending = False
        self._paused = False
        self._closed = False
        transport.registerProducer(self, True)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the transport has not been given yet."""
        return self._bytes

    def push(self, frames: bytes) -> None:
        """Send `frames` after everything that was pushed before. Never raises, never blocks."""
        if self._closed:
            return
        self._frames.append(frames)
        self._bytes += len(frames)
        if self._paused:
            if self._bytes > QUEUE_BYTES:
                self.close()
                self._overflow()
        elif not self._pending:
            self._pending = True
            self._turn.add(self)

    def flush(self) -> None:
        """Hand the transport all that waits, unless it is full."""
        self._pending = False
        if self._frames and not self._paused and not self._closed:
            frames, self._frames = self._frames, []
            self._bytes = 0
            self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def close(self) -> None:
        """Forget what waits and take no more."""
        if not self._closed:
            self._closed = True
            self._frames.clear()
            self._bytes = 0
            self._transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """The transport is full. See `IPushProducer`."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The transport has room again. See `IPushProducer`."""
        self._paused = False
        if self._bytes > 0:
            self.flush()

    def stopProducing(self) -> None:
        """The connection is gone. See `IPushProducer`."""
        self.close()
