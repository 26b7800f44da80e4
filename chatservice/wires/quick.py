"""Sending at once on a plain TCP transport.

`transport.write` queues, asks epoll for writability and sends a turn later: three system calls and much Python for
each delivery. When nothing is queued, the kernel can be handed the bytes right away; what it does not take goes
the usual way.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.tcp import Connection

Send = Callable[[Any, bytes], None]
"""Hands bytes to a transport. A plain function: a closure for each connection would cost it half a kilobyte."""

Direct = Callable[[bytes], int]
"""Hands the kernel bytes and tells how many it took; raises `OSError` if none, or if the peer is gone."""


def send_promptly(port: Any) -> None:
    """Turn Nagle's algorithm off for all connections that a listening port will accept: they inherit the option,
    and a system call for each is saved. A Unix socket has no such thing."""
    with suppress(OSError, AttributeError):
        port.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def sender_for(transport: Any) -> Send:
    """The quickest way to write to `transport`: its own `write` unless it is plain TCP."""
    return send_now if _is_plain(transport) else write


def direct_way(transport: Any) -> Direct | None:
    """The shortest way, good for as long as nobody writes to `transport` otherwise or ends it; None if there is
    none now."""
    return transport.socket.send if _is_plain(transport) and _is_clear(transport) else None


def end_writing(transport: Any) -> None:
    """Nothing more will be written: once the peer has it all, it is told so. TLS has no such thing before its own
    farewell."""
    if _is_plain(transport) and transport.connected and not transport.disconnecting:
        transport.loseWriteConnection()


def _is_plain(transport: Any) -> bool:
    return isinstance(transport, Connection) and not getattr(transport, "TLS", False)


def _is_clear(transport: Any) -> bool:
    # `dataBuffer` and `_tempDataLen` are Twisted's own; the order of bytes depends on looking at them, and a test
    # holds that they are still there and mean the same.
    return bool(
        not (transport.dataBuffer or transport._tempDataLen or transport.disconnecting) and transport.connected
    )


def write(transport: Any, data: bytes) -> None:
    """The transport's own way."""
    transport.write(data)


def send_now(transport: Any, data: bytes) -> None:
    """Hand the kernel what it takes, and a TCP transport the rest."""
    if _is_clear(transport):
        try:
            sent = transport.socket.send(data)
        except OSError:  # full, or gone: `write` keeps the bytes or finds out
            sent = 0
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)
