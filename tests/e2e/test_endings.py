"""Rows 61 to 66 and 74 of the bad-input table, on real TCP and TLS: who does not finish, read or answer."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.measuring import resident_kib
from e2e.peers import WebSocketPeer
from e2e.raw import CLOSE, TEXT, frame, handshake
from e2e.server import Server, eventually, free_port

PING = 9
GOODBYE = frame(CLOSE, b"\x03\xe8")
MOST_S = 5.0 + 1.0 + 4.0
"""A farewell, the tick that ends it, and what this computer may be late."""


@dataclass
class Sealed:
    """A server with TLS beside plain listeners, and somebody who chats there."""

    server: Server
    tls_port: int
    bystander: WebSocketPeer


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """One for all; what its bystander hears at the end is what they said, and nothing else."""
    port = free_port()
    options = (f"--self-signed={port}", "--insecure-no-limits")
    with (
        Server(tmp_path_factory.mktemp("endings"), *options) as server,
        WebSocketPeer(server.socket_url(nick="Bystander")) as bystander,
    ):
        bystander.arrived()
        with WebSocketPeer(server.socket_url("/text", room="long")) as talker:
            for n in range(100):
                talker.say(f"{n:04}" + "x" * 3900)
            talker.until(lambda heard: any(words.startswith("0099") for words in heard))
        yield Sealed(server, port, bystander)
        bystander.say("all is well")
        bystander.until(lambda _: bystander.said)
        assert [frame["text"] for frame in bystander.said] == ["all is well"]
        assert not [frame for frame in bystander.frames if frame.get("notice")]


class Stranger:
    """A connection whose every octet is ours, with TLS or without.

    :ivar bare: the socket. Nothing is ever read from it but what `take` takes.
    """

    def __init__(self, port: int, is_tls: bool) -> None:
        self.bare = socket.socket()
        self.bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little fits on the way
        self.bare.settimeout(15)
        self.bare.connect(("127.0.0.1", port))
        self._ends = f":{self.bare.getsockname()[1]:04X}", f":{port:04X}"
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        if is_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._tls = context.wrap_bio(self._incoming, self._outgoing)
            self._until_done(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        """All of it, to the kernel."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self.bare.sendall(data)

    def take(self, size: int = 65_536) -> bytes:
        """What has come; waits for something."""
        if self._tls is None:
            return self.bare.recv(size)
        tls = self._tls
        return self._until_done(lambda: tls.read(size))

    def open(self, path: str = "/echo") -> None:
        """Be a WebSocket."""
        self.send(handshake(path))
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.take()
        assert head.startswith(b"HTTP/1.1 101 ")

    def is_held(self) -> bool:
        """Whether the server still has its end, by the kernel's own table: nothing is read to find it out."""
        ours, theirs = self._ends
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(theirs) and fields[2].endswith(ours):
                return fields[9] != "0"  # the inode: an end that is no process's any more has none
        return False

    def close(self) -> None:
        """See `ExitStack`."""
        self.bare.close()

    def _until_done(self, act: Callable[[], bytes | None]) -> bytes:
        while True:
            try:
                done = act()
            except ssl.SSLWantReadError:
                self.bare.sendall(self._outgoing.read())
                more = self.bare.recv(65_536)
                assert more, "the end came too early"
                self._incoming.write(more)
            else:
                self.bare.sendall(self._outgoing.read())
                return done or b""


def owed(stranger: Stranger) -> None:
    """Ask for more than the kernel's buffers hold (under 3 MB here), while nothing is read."""
    stranger.open("/text?room=long")
    for _ in range(8):
        stranger.send(frame(TEXT, b"/history 100"))


def never_answers(stranger: Stranger) -> None:
    stranger.open("/text")
    stranger.send(frame(3, b""))


def reads_nothing_and_closes(stranger: Stranger) -> None:
    owed(stranger)
    stranger.send(GOODBYE)


def reads_nothing_and_breaks_the_protocol(stranger: Stranger) -> None:
    owed(stranger)
    stranger.send(frame(3, b""))


def pings_and_reads_nothing(stranger: Stranger) -> None:
    stranger.open("/text")
    for _ in range(100):
        stranger.send(frame(PING, b"x" * 125))


def asks_and_reads_nothing(stranger: Stranger) -> None:
    """One that goes on sending looks alive."""
    stranger.open("/text?room=long")
    with suppress(TimeoutError, ConnectionError):
        for _ in range(100):
            stranger.send(frame(TEXT, b"/history 100" + b" " * 4000) + frame(PING, b""))


def closes_and_stays(stranger: Stranger) -> None:
    stranger.open("/text")
    stranger.send(GOODBYE)
    while b"\x88" not in stranger.take():
        pass


def refused_and_stays(stranger: Stranger) -> None:
    stranger.send(handshake("/nowhere"))
    assert b" 404 " in stranger.take()


WAYS: dict[str, Callable[[Stranger], None]] = {
    "62 we close and it never answers": never_answers,
    "63 it closes and does not read what we owe": reads_nothing_and_closes,
    "63 it breaks the protocol and does not read what we owe": reads_nothing_and_breaks_the_protocol,
    "66 it pings and reads no pongs": pings_and_reads_nothing,
    "74 it asks and reads no answers": asks_and_reads_nothing,
    "64 it closes and never lets go": closes_and_stays,
    "64 it is refused and never lets go": refused_and_stays,
}
"""Over TLS each of them says no close_notify either, because it is not asked to."""


@pytest.fixture(scope="module")
def cut_after(sealed: Sealed) -> dict[str, float]:
    """How many seconds the server kept each of them after its last word; all at the same time."""
    with ExitStack() as stack:
        waiting: dict[str, tuple[Stranger, float]] = {}
        lasted: dict[str, float] = {}
        for transport, port in (("TCP", sealed.server.web_port), ("TLS", sealed.tls_port)):
            for way, act in WAYS.items():
                stranger = Stranger(port, transport == "TLS")
                stack.callback(stranger.close)
                act(stranger)
                waiting[f"{way}, {transport}"] = (stranger, time.monotonic())

        def look() -> bool:
            for row, (stranger, since) in waiting.items():
                if row not in lasted and not stranger.is_held():
                    lasted[row] = time.monotonic() - since
            return len(lasted) == len(waiting)

        with suppress(AssertionError):
            eventually(look, "the end of all", MOST_S + 5)
    return lasted


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
@pytest.mark.parametrize("way", WAYS)
def test_an_end_has_an_end(cut_after: dict[str, float], way: str, transport: str) -> None:
    """However it refuses to finish: five seconds after the last word of either the connection is gone."""
    assert cut_after.get(f"{way}, {transport}", 99.0) < MOST_S


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_what_comes_after_the_end_costs_nothing(sealed: Sealed, transport: str) -> None:
    """Rows 61, 66: who is closed for its pings and goes on sending them by the megabyte, without reading, makes
    neither the process grow nor anybody else wait."""
    with ExitStack() as stack:
        stranger = Stranger(sealed.server.web_port if transport == "TCP" else sealed.tls_port, transport == "TLS")
        stack.callback(stranger.close)
        stranger.open()
        stranger.bare.settimeout(0.25)
        before = resident_kib(sealed.server.pid)
        quick = stack.enter_context(WebSocketPeer(sealed.server.socket_url("/echo")))
        pings = frame(PING, b"x" * 125) * 500
        for n in range(20):
            with suppress(TimeoutError, ConnectionError):
                for _ in range(10):
                    stranger.send(pings)
            began = time.monotonic()
            quick.say(str(n))
            quick.hears(str(n))
            assert time.monotonic() - began < 5.0
        assert resident_kib(sealed.server.pid) - before < 3 * 1024
