"""Those who never read cost the server a bounded amount of memory, however much the others say."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack

import pytest

from e2e.conftest import Serve
from e2e.measuring import resident_kib
from e2e.raw import TEXT, connected, frame, handshake

SILENT = 200
SIZE = 1000
WINDOW = 64
SETTLED = 4000
"""After so many messages every queue is at its bound: 4 MB were said, of which 1 MiB may wait."""


class Crowd:
    """People who all read and take turns in talking, as fast as the first of them hears it."""

    def __init__(self, port: int, number: int, stack: ExitStack) -> None:
        self._ready = selectors.DefaultSelector()
        self._people: list[socket.socket] = []
        self._buffer = bytearray(1 << 20)
        self.said = self.heard = 0
        for _ in range(number):
            one = stack.enter_context(connected(port))
            shake_hands(one)
            one.setblocking(False)
            self._ready.register(one, selectors.EVENT_READ)
            self._people.append(one)

    def talk(self, until: int, seconds: float) -> None:
        """Go on until so many messages have been said and heard."""
        deadline = time.monotonic() + seconds
        words = frame(TEXT, b"@" + b"x" * (SIZE - 1))
        while self.heard < until:
            assert time.monotonic() < deadline, f"{self.heard} of {until} messages"
            while self.said < until and self.said - self.heard < WINDOW:
                self._people[self.said % len(self._people)].sendall(words)
                self.said += 1
            for key, _ in self._ready.select(1):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                got = one.recv_into(self._buffer)
                assert got, "the server hung up on somebody who reads"
                if one is self._people[0]:
                    self.heard += self._buffer.count(b"@", 0, got)


def shake_hands(one: socket.socket) -> None:
    """Be in the room."""
    one.sendall(handshake("/text"))
    received = b""
    while b"comes in" not in received:
        received += one.recv(65_536)


@pytest.mark.parametrize(
    ("others", "more", "seconds"),
    [
        pytest.param(20, 8000, 60.0, id="20"),
        pytest.param(1000, 8000, 180.0, id="1000", marks=pytest.mark.slow),
    ],
)
def test_memory_stays_flat(serve: Serve, others: int, more: int, seconds: float) -> None:
    """While two hundred never read, eight more megabytes said by the others do not make the process grow."""
    server = serve("--insecure-no-limits", "--durability=process")
    with ExitStack() as stack:
        for _ in range(SILENT):
            silent = stack.enter_context(connected(server.web_port))
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            shake_hands(silent)
        crowd = Crowd(server.web_port, others, stack)
        crowd.talk(SETTLED, seconds)
        before = resident_kib(server.pid)
        crowd.talk(SETTLED + more, seconds)
        assert resident_kib(server.pid) - before < 4096
