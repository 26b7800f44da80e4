"""The example application as a process, and peers that speak to it over plain HTTP and WebSocket."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
from ports import free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

CHECKOUT = Path(__file__).resolve().parents[2]
PROMPT_S = 0.1
"""What needs no waiting takes less: an end that comes by a ping timeout is none."""


WATCHED: set[int] = set()
"""The processes whose waiting for a processor does not count: this one, and the applications."""


def waited_s() -> float:
    """How long all threads of these processes have been ready to run and could not, since they began (Linux,
    /proc/PID/task/*/schedstat)."""
    waited = 0
    for process in (os.getpid(), *WATCHED):
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with suppress(OSError):
                waited += int(path.read_text().split()[1])
    return waited / 1e9


class Stopwatch:
    """Asserts that what it holds is done promptly, but for what a busy computer takes."""

    def __enter__(self) -> Self:
        self._waited = waited_s()
        self._began = time.monotonic()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            took = time.monotonic() - self._began
            if took >= PROMPT_S:
                took -= waited_s() - self._waited
            assert took < PROMPT_S, f"took {took * 1000:.0f} ms"


class Application:
    """`examples/socketio_app.py`.

    :param interval_ms: between pings; like `timeout_ms`, by itself so long that a busy computer ends no session.
    :param script: another program with the same arguments.
    """

    def __init__(self, interval_ms: int = 20_000, timeout_ms: int = 15_000, script: Path | None = None) -> None:
        self.port = free_port()
        self._arguments = [str(interval_ms), str(timeout_ms)]
        self._script = script or CHECKOUT / "examples" / "socketio_app.py"
        self.start()

    def start(self) -> None:
        """Start it; returns when it answers."""
        self._process = subprocess.Popen(
            [sys.executable, str(self._script), str(self.port), *self._arguments],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        WATCHED.add(self._process.pid)
        deadline = time.monotonic() + 20
        while True:
            assert self._process.poll() is None, self._process.stdout
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline, "it does not listen"
            threading.Event().wait(0.02)

    def stop(self) -> str:
        """End it; what it said, which must be nothing."""
        self._process.terminate()
        said, _ = self._process.communicate(timeout=10)
        WATCHED.discard(self._process.pid)
        return said.decode()

    def http(self, version: int, path: str = "/engine.io/") -> Polling:
        """A client that polls."""
        return Polling(self.port, version, path)

    def websocket(self, version: int, path: str = "/engine.io/", **query: str) -> Frames:
        """A client on a WebSocket."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return self.frames(f"{path}?EIO={version}&transport=websocket{more}")

    def frames(self, address: str) -> Frames:
        """A WebSocket at this path and query."""
        return Frames(
            connect(f"ws://127.0.0.1:{self.port}{address}", compression=None, ping_interval=None, close_timeout=1)
        )


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Polling:
    """Requests of one polling session."""

    port: int
    version: int
    path: str = "/engine.io/"
    sid: str | None = None
    more: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str = "GET", body: bytes | str | None = None, *, query: str | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own."""
        if query is None:
            sid = "" if self.sid is None else f"&sid={self.sid}"
            query = f"EIO={self.version}&transport=polling{sid}{self.more}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        sent = body.encode() if isinstance(body, str) else body
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, f"{self.path}?{query}", sent, named)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
        connection.close()
        return found

    def open(self) -> dict[str, Any]:
        """Shake hands; what the open packet says."""
        answer = self.request()
        assert answer.status == 200, answer
        text = answer.text
        if self.version == 3:
            length, _, text = text.partition(":")
            text = text[: int(length)]
        assert text[0] == "0"
        hello: dict[str, Any] = orjson.loads(text[1:])
        self.sid = hello["sid"]
        return hello

    def post(self, body: str | bytes, **headers: str) -> Answer:
        """Send a payload."""
        return self.request("POST", body, **headers)

    def packed(self, *packets: str) -> str:
        """A text payload."""
        if self.version == 4:
            return "\x1e".join(packets)
        return "".join(f"{len(packet.encode('utf-16-le')) // 2}:{packet}" for packet in packets)

    def get_meanwhile(self) -> Pending:
        """A GET that waits while the test goes on."""
        return Pending(self)


class Pending:
    """A GET in a thread of its own; made when the server has it."""

    def __init__(self, polling: Polling) -> None:
        self._answer: list[Answer] = []
        query = f"EIO={polling.version}&transport=polling&sid={polling.sid}"
        self.connection = socket.create_connection(("127.0.0.1", polling.port), timeout=5)
        self.connection.sendall(f"GET {polling.path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        # The server reads requests in the order they come to it: when it has answered another one sent later, it
        # has this one as well.
        polling.request(query="probe=1")

    def abort(self) -> None:
        """Go away."""
        self.connection.close()

    def answer(self) -> Answer:
        """What it got."""
        got = b""
        while b"\r\n\r\n" not in got:
            piece = self.connection.recv(65536)
            assert piece, got
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        headers = {name.lower(): value for name, value in re.findall(r"([^:\r\n]+): ([^\r\n]*)", head.decode())}
        while len(body) < int(headers["content-length"]):
            body += self.connection.recv(65536)
        self.connection.close()
        return Answer(int(head.split()[1]), body, headers)


class Frames:
    """A WebSocket whose frames are looked at."""

    def __init__(self, context: AbstractContextManager[ClientConnection]) -> None:
        self._context = context
        self.connection = context.__enter__()

    def send(self, *frames: str | bytes) -> None:
        for frame in frames:
            self.connection.send(frame)

    def get(self, timeout: float = 10.0) -> str | bytes:
        """The next frame."""
        frame: str | bytes = self.connection.recv(timeout=timeout)
        return frame

    def closes(self, timeout: float = 10.0) -> bool:
        """It is closed, perhaps after pings."""
        try:
            while True:
                assert self.get(timeout) in ("2",)
        except ConnectionClosed:
            return True

    def close(self) -> None:
        self._context.__exit__(None, None, None)
