"""A line to the server as people far away have it: a round trip that takes its time, and few bits a second."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

CHUNK = 16_384


class _Direction:
    """One way of the line, shared by all connections: a byte begins when those before it have gone."""

    def __init__(self, bits_per_s: float) -> None:
        self._bytes_per_s = bits_per_s / 8
        self._free_at = 0.0
        self._lock = threading.Lock()

    def gone_at(self, size: int) -> float:
        """When so many bytes, put on the line now, have left it."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_per_s
            return self._free_at


@contextmanager
def slow_line(port: int, *, rtt_s: float, bits_per_s: float) -> Iterator[int]:
    """A port that leads to `port` of this machine over such a line.

    :param rtt_s: of each exchange; that of opening a connection is paid by its first bytes.
    """
    up, down = _Direction(bits_per_s), _Direction(bits_per_s)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    far = socket.create_connection(("127.0.0.1", port))
                    threading.Thread(target=_carry, args=(near, far, up, rtt_s, 1.5, over), daemon=True).start()
                    threading.Thread(target=_carry, args=(far, near, down, rtt_s, 0.5, over), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        over.set()
        listening.shutdown(socket.SHUT_RDWR)


def _carry(
    source: socket.socket,
    target: socket.socket,
    way: _Direction,
    rtt_s: float,
    first: float,
    over: threading.Event,
) -> None:
    """Everything from one end to the other, half a round trip late; `first` round trips for the first bytes."""
    under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def deliver() -> None:
        with closing(target), suppress(OSError):
            while data := (arrival := under_way.get())[1]:
                over.wait(max(0.0, arrival[0] - time.monotonic()))
                target.sendall(data)

    threading.Thread(target=deliver, daemon=True).start()
    late = first * rtt_s
    with suppress(OSError):
        while data := source.recv(CHUNK):
            under_way.put((way.gone_at(len(data)) + late, data))
            late = rtt_s / 2
    under_way.put((0.0, b""))
