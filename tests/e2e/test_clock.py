"""Row P34: the computer's clock is set a day forward or back while people talk, and nobody notices."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import connected, frame, handshake, read_to_end
from e2e.server import CHECKOUT, Server, eventually

DAY_S = 24 * 3600
CLOCK = """
import os, time
_real = time.time
def _set():
    try:
        with open(os.environ["TEST_CLOCK"]) as file:
            return _real() + float(file.read() or 0)
    except OSError:
        return _real()
time.time = _set
"""
"""Every `time.time()` of the process, Twisted's too, is off by as many seconds as a file says. The time itself
cannot be set here: it is the whole computer's."""


class SetClock:
    """The wall clock of one server."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self, off_s: float) -> None:
        """Be so many seconds off from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(str(off_s))
        os.replace(new, self._file)


@pytest.fixture
def clock(tmp_path: Path) -> SetClock:
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    return SetClock(tmp_path / "clock")


@pytest.fixture
def server(tmp_path: Path, clock: SetClock) -> Iterator[Server]:
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}", "TEST_CLOCK": str(tmp_path / "clock")}
    with Server(tmp_path / "server", "--insecure-no-limits", environment=environment) as server:
        yield server


def test_a_day_forward_and_two_back(server: Server, clock: SetClock) -> None:
    """Nobody is asked, ended or kept waiting, numbers and times go on rising, and deadlines that begin afterwards
    are as long as ever."""
    with (
        WebSocketPeer(server.socket_url(nick="Ann")) as ann,
        WebSocketPeer(server.socket_url("/text")) as text,
        LinePeer(server.line_port) as line,
        connected(server.web_port) as beginner,
    ):
        ann.arrived()
        beginner.sendall(handshake("/echo")[:-2])
        for number, off_s in enumerate((DAY_S, -DAY_S, 0.0)):
            clock.set(off_s)
            # What turns of the clock do to timers shows only when the reactor has turned a few times.
            for n in range(5):
                ann.say(f"{number} {n}")
                ann.hears_messages(5 * number + n + 1)
            text.hears(f"{number} 4")
            line.hears(f"Annsay:{number} 4")
        clock.set(-DAY_S)
        with connected(server.web_port) as bad:
            bad.sendall(handshake("/text") + frame(3, b""))
            assert b"\x88" in read_to_end(bad)  # closed, and cut off after 5 s though it says nothing
        assert select.select([beginner], [], [], 0)[0] == []  # its 10 s are not over
        assert [m["seq"] for m in ann.said] == list(range(1, 16))
        assert [m["ts"] for m in ann.said] == sorted(m["ts"] for m in ann.said)
        assert not ann.over and not text.over and not line.over
        assert not [frame for frame in ann.frames if frame.get("notice")]
        # Someone who goes is missed as soon as ever.
        line.__exit__()
        eventually(lambda: any(frame["type"] == "leave" for frame in ann.frames), "the line's end", 3)
