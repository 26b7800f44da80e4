"""deploy/redis.conf as it is shipped: its user may do what a chat needs; what it keeps is there after a crash."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis_server import BINARY

from chatservice.logs.redis_keys import partition_of
from e2e.server import CHECKOUT, PATIENCE_S, Server, eventually, free_port
from e2e.test_accounts import chatservice
from e2e.v1peer import V1Peer

PASSWORD = "not-that-one"
TALK = 400
ROOM = "long"


class Shipped:
    """A server with that file; only its port, its directory and the password are others."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.file = directory / "redis.conf"
        directory.mkdir()
        text = (CHECKOUT / "deploy" / "redis.conf").read_text()
        for was, becomes in (
            ("port 6379", f"port {self.port}"),
            ("dir /var/lib/redis", f"dir {directory}"),
            (">PASSWORD", f">{PASSWORD}"),
        ):
            assert text.count(was) == 1
            text = text.replace(was, becomes)
        self.file.write_text(text)
        self.log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """For `--store`."""
        return f"redis://chat:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([BINARY, self.file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def listens() -> bool:
            with socket.socket() as one:
                return one.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "the server")

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def kill9(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Shipped]:
    """One, ended at the end."""
    redis = Shipped(tmp_path / "redis")
    yield redis
    redis.kill9()


def say(peer: V1Peer, n: int) -> None:
    asked = [peer.send("message", room=ROOM, text=f"word {number}") for number in range(n)]
    for number in asked:
        assert peer.answer(number)["type"] == "ok", peer.answer(number)


def test_a_chat_with_an_archive(redis: Shipped, tmp_path: Path) -> None:
    """Talk, changes, orders, search and what is copied: nothing is refused, nothing is in the log; and after a
    crash of the server everything is there."""
    archive = f"--archive=sqlite:{tmp_path / 'archive.db'}"
    options = (
        "--insecure-no-limits",
        f"--store={redis.url}",
        archive,
        "--redis-keep=256",
        "--metrics-listen=public",
    )
    with Server(tmp_path / "a", *options) as server, ExitStack() as stack:
        token = (server.data / "owner.token").read_text().strip()
        olga = stack.enter_context(V1Peer(server, "Olga", token=token, rooms={ROOM: None}))
        say(olga, TALK)
        for kind, more in (
            ("edit", {"ref": 2, "text": "changed", "rev": 0}),
            ("react", {"ref": 3, "emoji": "👍", "on": True}),
            ("delete", {"ref": 4}),
            ("mod", {"action": "slow", "value": "5"}),
            ("mod", {"action": "expires", "value": "86400"}),
            ("read", {"seq": 5}),
            ("members", {}),
        ):
            answer = olga.ask(kind, room=ROOM, **more)
            assert answer["type"] == "ok", answer
        eve = stack.enter_context(V1Peer(server, "Eve", rooms={ROOM: None}))
        assert eve.send("typing", room=ROOM, on=True) and eve.ask("message", room=ROOM, text="hi")["type"] == "ok"
        assert eve.ask("message", room=ROOM, text="again")["code"] == "rate_limited"
        assert olga.ask("mod", room=ROOM, action="ban", user=eve.id, for_s=60)["type"] == "ok"
        assert chatservice(server.directory, "user", "add", "Ann", typed="correct horse").returncode == 0

        def is_copied() -> bool:
            done = olga.ask("search", room=ROOM, q="word 7")
            return done["type"] == "ok" and [hit["seq"] for hit in done["hits"]][-1:] == [8]

        eventually(is_copied, "the copy")
        top = olga.ask("mod", room=ROOM, action="slow", value="0")["seq"]
        redis.kill9()
        redis.start()

        def is_back() -> bool:
            return olga.ask("message", room=ROOM, text="here we are again").get("seq", 0) > top

        eventually(is_back, "the chat is back")
        told = olga.ask("history", room=ROOM, limit=50)["messages"]
        assert [one["text"] for one in told if one["text"].startswith("word")][-1] == f"word {TALK - 1}"
        assert olga.events("truncate") == []
        log = server.log
    said = redis.log.read_text()
    assert "NOPERM" not in said + log and "CRITICAL" not in said and "can't run this command" not in log


def test_a_move_and_a_division(redis: Shipped, tmp_path: Path) -> None:
    """What is said on SQLite goes there with that user's rights, and half of the rooms to a second server."""
    with Server(tmp_path / "a", "--insecure-no-limits") as server, V1Peer(server, rooms={ROOM: None}) as ann:
        say(ann, 100)
    moved = chatservice(tmp_path / "a", "move", f"--to={redis.url}", f"--archive=sqlite:{tmp_path / 'archive.db'}")
    assert moved.returncode == 0, moved.stderr
    other = Shipped(tmp_path / "other")
    try:
        here = partition_of(ROOM)
        store = f"--store=0-{here - 1},{here + 1}-255={redis.url} {here}={other.url}"
        divided = chatservice(tmp_path / "a", "divide", store)
        assert divided.returncode == 0 and "every partition is where --store has it" not in divided.stdout
        assert "every partition is" in chatservice(tmp_path / "a", "divide", store).stdout
    finally:
        other.kill9()
