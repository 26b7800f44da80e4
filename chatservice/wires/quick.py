"""Sending at once on a plain TCP transport.

`transport.write` queues, asks epoll for writability and sends a turn later: three system calls and much Python for
each delivery. When nothing is queued, the kernel can be handed the bytes right away; what it does not take goes
the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Connection

Send = Callable[[Any, bytes], None]
"""Hands bytes to a transport. A plain function: a closure for each connection would cost it half a kilobyte."""


def sender_for(transport: Any) -> Send:
    """The quickest way to write to `transport`: its own `write` unless it is plain TCP."""
    if isinstance(transport, Connection) and not getattr(transport, "TLS", False):
        return send_now
    return write


def write(transport: Any, data: bytes) -> None:
    """The transport's own way."""
    transport.write(data)


def send_now(transport: Any, data: bytes) -> None:
    """Hand the kernel what it takes, and a TCP transport the rest."""
    # `dataBuffer` and `_tempDataLen` are Twisted's own; the order of bytes depends on looking at them, and a test
    # holds that they are still there and mean the same.
    if not (transport.dataBuffer or transport._tempDataLen or transport.disconnecting) and transport.connected:
        try:
            sent = transport.socket.send(data)
        except OSError:  # full, or gone: `write` keeps the bytes or finds out
            sent = 0
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)
