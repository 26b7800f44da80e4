"""TLS on a real socket: one write is one system call, and the order of bytes is kept."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock

from chatservice.transports.sealed import RECORD_BYTES, SealedFactory, SealedTransport
from chatservice.transports.tls import ReloadableContext, self_signed
from chatservice.wires.quick import send_now, sender_for


class Counted:
    """A socket that counts what is sent."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.sends = 0

    def send(self, data: bytes) -> int:
        self.sends += 1
        return self._real.send(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Line:
    """A sealed transport over one end of a socket pair; the other end is Python's own TLS, pumped by hand."""

    def __init__(
        self, context: ReloadableContext, certificate: Path, version: ssl.TLSVersion, buffer: int
    ) -> None:
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.reactor = MemoryReactorClock()
        factory = SealedFactory(context, False, Factory.forProtocol(Protocol), self.reactor)
        sealed = factory.buildProtocol(None)
        assert isinstance(sealed, SealedTransport)
        self.sealed = sealed
        self.transport = Connection(ours, sealed, self.reactor)
        self.transport.connected = 1
        self.socket = self.transport.socket = Counted(ours)  # type: ignore[assignment]
        client = ssl.create_default_context(cafile=str(certificate))
        client.minimum_version = client.maximum_version = version
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._client = client.wrap_bio(self._in, self._out, server_hostname="localhost")
        self.sealed.makeConnection(self.transport)

    def shake_hands(self) -> None:
        """Both ends do their part until it is done."""
        for _ in range(10):
            try:
                self._client.do_handshake()
                self._pump()
                return
            except ssl.SSLWantReadError:
                self._pump()
        raise AssertionError("no handshake")

    def read(self) -> bytes:
        """What has arrived."""
        got = b""
        for _ in range(10_000):
            self._pump()
            try:
                while more := self._client.read(1 << 20):
                    got += more
            except ssl.SSLWantReadError:
                pass
            if self.transport not in self.reactor.writers:
                break
            self.transport.doWrite()
        return got

    def _pump(self) -> None:
        said = self._out.read()
        if said:
            self.sealed.dataReceived(said)
        try:
            while data := self.theirs.recv(1 << 20):
                self._in.write(data)
        except BlockingIOError:
            pass

    def close(self) -> None:
        self.theirs.close()
        self.transport.socket.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    """Both versions that we speak."""
    found: ssl.TLSVersion = request.param
    return found


def line(files: tuple[Path, Path], version: ssl.TLSVersion, buffer: int = 1 << 21) -> Line:
    return Line(ReloadableContext(*files), files[0], version, buffer)


@pytest.mark.parametrize("size", [1, 300, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1, 100_000, 700_000])
def test_one_write_is_one_send(files: tuple[Path, Path], version: ssl.TLSVersion, size: int) -> None:
    """However long it is, what is written at once leaves in one system call, before the reactor turns."""
    one = line(files, version)
    one.shake_hands()
    data = bytes(n % 251 for n in range(size))
    before = one.socket.sends
    one.sealed.write(data)
    assert one.socket.sends == before + 1 and not one.reactor.writers
    assert one.read() == data
    one.close()


def test_before_the_handshake_is_done(files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    """What is written too early waits, and comes in order."""
    one = line(files, version)
    one.sealed.write(b"first ")
    one.sealed.write(b"second ")
    one.shake_hands()
    one.sealed.write(b"third")
    assert one.read() == b"first second third"
    one.close()


class Producer:
    """Notes when it is told to wait."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


def test_order_and_backpressure_when_the_kernel_is_full(files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    """What the kernel does not take waits in the transport, what comes later waits behind it, and the producer is
    told to pause and to go on."""
    one = line(files, version, buffer=4096)
    one.shake_hands()
    producer, expected = Producer(), b""
    one.sealed.registerProducer(producer, True)
    for number in range(400):
        data = b"%06d" % number * 50
        expected += data
        one.sealed.write(data)
    assert producer.told == ["pause"]
    assert one.read() == expected
    assert producer.told == ["pause", "resume"]
    one.sealed.write(b"after")
    assert one.read() == b"after"
    one.close()


def test_the_short_road_is_taken(files: tuple[Path, Path]) -> None:
    """Below TLS is plain TCP, which is written to at once; above it nobody looks past TLS."""
    one = line(files, ssl.TLSVersion.TLSv1_3)
    assert one.sealed._send is send_now
    sender_for(one.sealed)(one.sealed, b"early")
    one.shake_hands()
    assert one.read() == b"early"
    one.close()


def test_a_peer_that_speaks_no_tls(files: tuple[Path, Path]) -> None:
    """Bytes that are no TLS end the connection and raise nothing."""
    one = line(files, ssl.TLSVersion.TLSv1_3)
    one.sealed.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
    assert one.transport.disconnecting
    one.sealed.write(b"nobody hears this")
    one.close()
