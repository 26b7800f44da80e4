"""Sending at once on a real socket keeps the order of bytes."""

from __future__ import annotations

import socket
from functools import partial

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection, Port
from twisted.internet.testing import MemoryReactorClock, StringTransport

from chatservice.wires.quick import send_promptly, sender_for


class Wire:
    """A Twisted connection over one end of a socket pair, on a reactor that does nothing by itself."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.reactor = MemoryReactorClock()
        self.transport = Connection(ours, Protocol(), self.reactor)
        self.transport.connected = 1

    def read(self) -> bytes:
        self.theirs.setblocking(False)
        got = b""
        try:
            while piece := self.theirs.recv(65536):
                got += piece
        except BlockingIOError:
            return got
        return got

    def close(self) -> None:
        self.theirs.close()
        self.transport.socket.close()


def test_sent_before_the_reactor_turns() -> None:
    """With nothing queued the bytes are in the kernel when the call returns."""
    wire = Wire()
    sender_for(wire.transport)(wire.transport, b"hello")
    assert wire.read() == b"hello"
    assert not wire.reactor.writers
    wire.close()


def test_accepted_connections_send_promptly() -> None:
    """What a port accepts has Nagle's algorithm off, without being told so itself."""
    port = Port(0, Factory(), interface="127.0.0.1", reactor=MemoryReactorClock())
    port.startListening()
    send_promptly(port)
    with socket.create_connection(("127.0.0.1", port.getHost().port)), port.socket.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    port.socket.close()


def test_order_when_the_kernel_is_full() -> None:
    """What the kernel does not take goes through the transport, and what comes later waits behind it."""
    wire = Wire()
    send = partial(sender_for(wire.transport), wire.transport)
    expected = b""
    for number in range(200):
        data = b"%06d" % number * 50
        expected += data
        send(data)
    got = b""
    for _ in range(1000):
        got += wire.read()
        if wire.reactor.writers:
            wire.transport.doWrite()
    assert got + wire.read() == expected
    send(b"after")
    assert wire.read() == b"after"
    wire.close()


def test_a_dead_peer_is_the_transports_business() -> None:
    """Writing to a peer that is gone raises nothing; the bytes stay with the transport, which finds out."""
    wire = Wire()
    wire.theirs.close()
    send = partial(sender_for(wire.transport), wire.transport)
    send(b"x" * 10)
    send(b"x" * 10)
    assert wire.transport in wire.reactor.writers
    wire.transport.socket.close()


def test_other_transports_write_as_always() -> None:
    """A transport that is no plain TCP connection is written to through its own method."""
    transport = StringTransport()
    sender_for(transport)(transport, b"hello")
    assert transport.value() == b"hello"
