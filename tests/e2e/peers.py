"""People who talk to the chat in other ways than by a browser: WebSocket libraries, nc, Node."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from ssl import SSLContext
from typing import IO, Any, Self
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from e2e.sealed import SealedSocket

PATIENCE_S = 15.0


class Ears:
    """Collects what is heard in a thread of its own, so that nobody reads too slowly.

    :ivar heard: everything up to now, in order.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.over = False
        self._changed = threading.Condition()

    def say(self, words: str) -> None:
        """Tell the others."""
        raise NotImplementedError

    def listen(self, words: Iterable[str]) -> None:
        """Begin to collect; the end of `words` is the end of the connection."""
        threading.Thread(target=self._collect, args=(words,), daemon=True).start()

    def until(self, check: Callable[[list[str]], object], seconds: float = PATIENCE_S) -> list[str]:
        """What was heard, as soon as `check` likes it."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not check(self.heard):
                left = deadline - time.monotonic()
                assert left > 0 and self._changed.wait(left), f"heard only {self.heard[-20:]}"
            return list(self.heard)

    def hears(self, words: str, seconds: float = PATIENCE_S) -> list[str]:
        """Wait for exactly this message or line."""
        return self.until(lambda heard: words in heard, seconds)

    def ended(self, seconds: float = PATIENCE_S) -> list[str]:
        """Wait for the end of the connection; everything that was heard."""
        return self.until(lambda _: self.over, seconds)

    def _collect(self, words: Iterable[str]) -> None:
        try:
            for word in words:
                with self._changed:
                    self.heard.append(word)
                    self._changed.notify_all()
        except (ConnectionClosed, OSError, ValueError):
            pass  # the other side is gone, which `over` tells
        with self._changed:
            self.over = True
            self._changed.notify_all()


def open_websocket(url: str, ssl: SSLContext | None = None, **more: Any) -> ClientConnection:
    """A WebSocket of the library `websockets`, which reads in a thread of its own, also where that is TLS."""
    if ssl is None:
        return connect(url, proxy=None, **more)
    where = urlsplit(url)
    assert where.hostname is not None and where.port is not None
    bare = socket.create_connection((where.hostname, where.port), PATIENCE_S)
    try:
        sealed: Any = SealedSocket(bare, ssl, where.hostname)
        sealed.settimeout(None)
        return connect(where._replace(scheme="ws").geturl(), sock=sealed, proxy=None, **more)
    except BaseException:
        bare.close()
        raise


class WebSocketPeer(Ears):
    """The Python library `websockets`; what it hears are text messages."""

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.connection = self._stack.enter_context(open_websocket(url, **more))
        self.listen(message for message in self.connection if isinstance(message, str))

    def say(self, words: str | bytes) -> None:
        """Send one message."""
        self.connection.send(words)

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What was heard on the simple dialect."""
        return [json.loads(message) for message in list(self.heard)]

    @property
    def said(self) -> list[dict[str, Any]]:
        """The numbered messages among them."""
        return [frame for frame in self.frames if "seq" in frame and frame["type"] == "message"]

    def hears_messages(self, number: int) -> list[dict[str, Any]]:
        """Wait until so many numbered messages have come; they."""
        self.until(lambda _: len(self.said) >= number)
        return self.said

    def arrived(self) -> dict[str, Any]:
        """Wait until it is in its room; its own `enter`, the last one if there are several."""
        self.until(lambda heard: any('"you":true' in message for message in heard))
        return [frame for frame in self.frames if frame.get("you")][-1]

    def close_code(self, seconds: float = PATIENCE_S) -> int | None:
        """Wait for the server's close; its code."""
        self.ended(seconds)
        code: int | None = self.connection.close_code
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class LinePeer(Ears):
    """A bare TCP connection; what it hears are lines."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.settimeout(None)
        self.listen(_lines(self.socket.makefile("rb")))

    def say(self, words: str) -> None:
        """Send one line."""
        self.socket.sendall(words.encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # close() alone would wait for the thread that reads
        self.socket.close()


class ProgramPeer(Ears):
    """A program that talks for us: what we write goes to its stdin, its stdout is what it hears."""

    def __init__(self, name: str, *arguments: str | Path) -> None:
        super().__init__()
        program = shutil.which(name)
        assert program, f"{name} is not installed; tests/install-tools tells what is needed"
        self.process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        self.listen(_lines(self.process.stdout))

    def say(self, words: str) -> None:
        """Write one line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(words.encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _lines(stream: IO[bytes]) -> Iterator[str]:
    for line in stream:
        if not line.endswith(b"\n"):
            return  # cut off in the middle: that was never a line
        yield line.decode(errors="replace").rstrip("\r\n")
