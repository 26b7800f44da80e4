"""Somebody who connects all the time, to see that nobody is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from e2e.raw import connected


@contextmanager
def knocking(port: int) -> Iterator[Callable[[], list[bytes]]]:
    """Somebody who connects and asks all the time; gives what was answered so far."""
    answers: list[bytes] = []
    stop = threading.Event()

    def knock() -> None:
        while not stop.is_set():
            try:
                with connected(port) as bare:
                    bare.sendall(b"HEAD /lite HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answers.append(bare.recv(100)[:15])
            except OSError as error:
                answers.append(repr(error).encode())

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        yield lambda: answers
    finally:
        stop.set()
        thread.join(20)
