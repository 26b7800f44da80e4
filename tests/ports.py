"""Ports for servers that are started as processes."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator

FIRST, END = 20_000, 32_000
"""Below those the kernel gives to outgoing connections: a server that is started again must find its port free."""

STRIDE = 3
"""What is told one port may listen at the next one too: each process of several has its own metrics."""


def _in_turn() -> Iterator[int]:
    """Round and round in the share of this worker of pytest-xdist. By chance two would now and then be given the
    same port, which is free until the first of them listens."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = (END - FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = FIRST + worker * share
    ports = range(first, first + share - STRIDE, STRIDE)
    begin = random.SystemRandom().randrange(len(ports))  # other runs may be going on
    while True:
        yield ports[begin % len(ports)]
        begin += 1


_next = _in_turn()


def free_port() -> int:
    """A port that nobody uses, and that nobody else is given soon."""
    for _ in range(200):
        port = next(_next)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")
