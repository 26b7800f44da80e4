"""Sending at once on a plain TCP transport.

`transport.write` queues, asks epoll for writability and sends a turn later: three system calls and much Python for
each delivery. When nothing is queued, the kernel can be handed the bytes right away; what it does not take goes
the usual way.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.tcp import Connection


class Sender(Protocol):
    """Hands bytes to a transport."""

    def __call__(self, data: bytes) -> None: ...


def quick_sender(transport: Any) -> Sender:
    """The quickest way to write to `transport`; under TLS, and on anything but plain TCP, its own `write`."""
    if not isinstance(transport, Connection) or getattr(transport, "TLS", False):
        return lambda data: transport.write(data)
    send, write = transport.socket.send, transport.write

    def quick(data: bytes) -> None:
        # `dataBuffer` and `_tempDataLen` are Twisted's own; the order of bytes depends on looking at them, and a
        # test holds that they are still there and mean the same.
        if not (transport.dataBuffer or transport._tempDataLen or transport.disconnecting) and transport.connected:
            try:
                sent = send(data)
            except OSError:  # full, or gone: `write` keeps the bytes or finds out
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        write(data)

    return quick
