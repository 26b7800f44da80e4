"""What a machine runs out of, at a real process: space on its disk (row 108), descriptors (row 39)."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.measuring import used_s
from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import connected, exchange, handshake
from e2e.server import Server, eventually, twistd
from e2e.test_start import refusal

GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = (
    b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
)


class FullPeer(WebSocketPeer):
    """On chat.v1."""

    def __init__(self, server: Server, nick: str) -> None:
        super().__init__(server.socket_url("/v1"))
        self._asked = 0
        self.ask("hello", nick=nick, rooms={"lobby": {}})

    def ask(self, type: str, **members: Any) -> dict[str, Any]:
        """The answer to a command."""
        self._asked += 1
        id = self._asked
        self.say(json.dumps({"type": type, "id": id, **members}))
        self.until(lambda _: any(frame.get("id") == id for frame in self.frames))
        return next(frame for frame in self.frames if frame.get("id") == id)


@dataclass
class Disk:
    """The one a server writes to.

    :ivar fill: nothing more fits on it.
    :ivar free: there is room again.
    """

    server: Server
    fill: Callable[[], None]
    free: Callable[[], None]


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Disk]:
    """Files that may not grow: whoever writes beyond gets an error, as on a failing disk."""
    with Server(tmp_path, "--insecure-no-limits") as server:

        def fill() -> None:
            size = max(file.stat().st_size for file in server.data.glob("chat.db*"))
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        def free() -> None:
            unbound = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unbound)

        yield Disk(server, fill, free)


PRIVATE_DISK = 'mount -t tmpfs -o size=32m none chat-data && exec "$@"'


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 32 MB that only the server has; it is gone when the server is."""
    (tmp_path / "chat-data").mkdir()
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", PRIVATE_DISK, "sh", *twistd(), "-n"]
    with Server(tmp_path, "--insecure-no-limits", command=command) as server:
        ballast = Path(f"/proc/{server.pid}/root{server.data}/ballast")

        def fill() -> None:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(65_536)) == 65_536:
                    pass

        yield Disk(server, fill, ballast.unlink)


def has_private_disks() -> bool:
    """Whether the kernel lets us have a file system of our own; in some containers it does not."""
    command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") is not None and not subprocess.run(command, capture_output=True).returncode


DISKS = ["bounded", *(["small"] if has_private_disks() else [])]


@pytest.mark.parametrize("kind", DISKS)
def test_a_full_disk(kind: str, request: pytest.FixtureRequest) -> None:
    """What cannot be kept is refused with `busy` on every dialect and nobody is told of it; what was kept can be
    read, newcomers come in, others are not cut off; with room again all goes on by itself, without a gap."""
    disk: Disk = request.getfixturevalue(kind)
    server = disk.server
    with (
        FullPeer(server, "Ann") as ann,
        WebSocketPeer(server.socket_url(nick="Bob")) as bob,
        LinePeer(server.line_port) as line,
    ):
        assert ann.ask("message", room="lobby", text="before", cid="a")["seq"] == 1
        bob.hears_messages(1)
        disk.fill()

        def is_full() -> bool:  # what little was left in its last page is soon used up
            return ann.ask("message", room="lobby", text="x" * 3000)["type"] == "error"

        eventually(is_full, "the disk is full")
        top = len(bob.hears_messages(1))
        refused = ann.ask("message", room="lobby", text="during", cid="b")
        assert (refused["type"], refused["code"], refused["temporary"]) == ("error", "busy", True)
        assert refused["retry_ms"] >= 100
        bob.say("during")
        bob.until(lambda _: any(frame.get("code") == "busy" for frame in bob.frames))
        line.say("during")
        line.until(lambda heard: any(words.startswith("* the server is busy") for words in heard))
        answer = exchange(server.web_port, POST)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in answer.lower()
        history = ann.ask("history", room="lobby", limit=1, after=0)
        assert [message["text"] for message in history["messages"]] == ["before"]
        with WebSocketPeer(server.socket_url(nick="Cem", last=200)) as newcomer, FullPeer(server, "Dan") as dan:
            newcomer.arrived()
            assert newcomer.said[0]["text"] == "before"
            assert dan.ask("join", room="another")["type"] == "ok"
        assert exchange(server.web_port, GET % b"lite").startswith(b"HTTP/1.1 200 ")
        assert len(bob.said) == top
        disk.free()

        def is_well() -> bool:
            return ann.ask("message", room="lobby", text="during", cid="b")["type"] == "ok"

        eventually(is_well, "the same message is taken when there is room")
        bob.say("after")
        bob.until(lambda _: bob.said[-1]["text"] == "after")
        assert [frame["seq"] for frame in bob.said] == list(range(1, top + 3))
        assert not (ann.over or bob.over or line.over)
    server.stop()
    if kind == "bounded":
        server.start()
        with WebSocketPeer(server.socket_url(last=200)) as again:
            again.arrived()
            assert [frame["text"] for frame in again.said][-2:] == ["during", "after"]


# --- a database that cannot be used ---


def said_and_stopped(directory: Path) -> Path:
    """The database of a service in which something was said."""
    with Server(directory, "--insecure-no-limits") as server:
        with WebSocketPeer(server.socket_url()) as peer:
            peer.arrived()
            for n in range(300):
                peer.say(f"{n} " + "x" * 1000)
            peer.hears_messages(300)
        return server.data / "chat.db"


def test_a_damaged_database_is_one_line(tmp_path: Path) -> None:
    """A damaged database is named in one line at the start, and no byte of it is changed."""
    database = said_and_stopped(tmp_path)
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 4096 // 2 * 4096)
        file.write(b"\xa5" * 4096)
    before = database.read_bytes()
    line = refusal(tmp_path)
    assert line.startswith(f"the database {database} is damaged and was left as it is; use a backup")
    assert database.read_bytes() == before


def test_a_locked_database_is_one_line(tmp_path: Path) -> None:
    """A database that another program has for itself is named in one line, and that program is not disturbed."""
    database = said_and_stopped(tmp_path)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert refusal(tmp_path) == f"cannot open the database {database}: database is locked"
    other.execute("DELETE FROM entry")
    other.execute("COMMIT")
    other.close()


# --- descriptors ---


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """Below what it was promised the process runs dry: those who are there talk on, the others are closed, the log
    has a few lines, and when there are descriptors again so are connections, by themselves."""
    with Server(tmp_path, "--log-level=warn") as server, ExitStack() as stack:
        ann = stack.enter_context(WebSocketPeer(server.socket_url(nick="Ann")))
        line = stack.enter_context(LinePeer(server.line_port))
        ann.arrived()
        lines = len(server.log.splitlines())
        used = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        strangers: list[socket.socket] = []
        for n in range(200):
            stranger = stack.enter_context(connected(server.web_port))
            with suppress(ConnectionError):
                stranger.sendall(handshake("/echo"))
            strangers.append(stranger)
            if n % 50 == 49:
                ann.say(str(n))
                line.hears(f"Annsay:{n}")
        assert len(server.log.splitlines()) - lines < 10
        before = used_s(server.pid)
        ann.say("still here")
        line.hears("Annsay:still here")
        for stranger in strangers:
            stranger.close()

        def comes_in() -> bool:
            with connected(server.web_port) as bare, suppress(ConnectionError):
                bare.sendall(handshake("/echo"))
                return bare.recv(100).startswith(b"HTTP/1.1 101 ")
            return False

        eventually(comes_in, "there is room again")
        assert used_s(server.pid) - before < 2.0
        assert not ann.over and not line.over
        assert exchange(server.web_port, GET % b"lite").startswith(b"HTTP/1.1 200 ")
