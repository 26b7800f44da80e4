"""Back ends, with the emitters that they have, reach everybody in a room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from redis_server import RedisServer
from socketio.test_clients import clients

from e2e.peers import LinePeer, ProgramPeer
from e2e.server import Server, eventually
from e2e.v1peer import V1Peer

__all__ = ["clients"]

KINDS = ["modern", "old", "manager"]
KEY = "back ends*"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Where back ends emit."""
    with RedisServer() as redis:
        yield redis


def listening(redis: RedisServer) -> str:
    """The option of a server that listens there."""
    return f"--socketio-emitters={redis.url}?key={KEY}&channel=python&nick=Robot"


@pytest.fixture(scope="module")
def server(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with SQLite that listens there."""
    with Server(tmp_path_factory.mktemp("emitters"), listening(redis)) as server:
        hears(redis, 1)
        yield server


def hears(redis: RedisServer, servers: int) -> None:
    """Wait until so many listen."""
    # A worker's channels and its pattern are asked for in one write.
    eventually(lambda: redis.ask("PUBSUB", "NUMSUB", "python")[1] >= servers, "the emitters' channels are heard")


def emit(kind: str, redis: RedisServer, directory: Path, *calls: dict[str, Any]) -> None:
    """Emit by that library; when it returns, all is published."""
    words = (str(redis.socket), json.dumps(calls))
    if kind == "manager":
        program = [
            sys.executable,
            str(Path(__file__).with_name("emit_by_manager.py")),
            words[0],
            "python",
            words[1],
        ]
    else:
        program = ["node", "emit.js", kind, words[0], KEY, words[1]]
    done = subprocess.run(program, cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


class Socket(ProgramPeer):
    """One of Socket.IO's own clients in a room."""

    def __init__(self, directory: Path, client: str, server: Server, room: str) -> None:
        super().__init__("node", str(directory / "hear.js"), client, str(server.web_port), room)
        self.until(lambda heard: any(line.startswith('["enter"') for line in heard))

    def until_end(self) -> list[Any]:
        """What was emitted until `end`."""
        self.until(lambda heard: '["end"]' in heard)
        told = [json.loads(line) for line in self.heard]
        return [event for event in told if event[0] not in ("enter", "end")]


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_hears_it(kind: str, clients: Path, redis: RedisServer, server: Server) -> None:
    """Words become a message for clients 2 and 4 of Socket.IO, chat.v1 and nc, and stay; other events come to
    sockets as they were emitted, to the room, to all, with binary; what else an emitter can do does nothing."""
    room = f"room-{kind}"
    with ExitStack() as stack:
        sockets = [stack.enter_context(Socket(clients, f"client-{v}", server, room)) for v in ("2.5", "4")]
        other = stack.enter_context(Socket(clients, "client-4", server, f"other-{kind}"))
        full = stack.enter_context(V1Peer(server, rooms={room: None}))
        line = stack.enter_context(LinePeer(server.line_port))
        line.say(f"/join {room}")
        full.told("enter")
        emit(
            kind,
            redis,
            clients,
            {"to": [room], "name": "message", "data": ["the build is 绿色 😀"]},
            {"to": [room], "name": "score", "data": [1, {"deep": ["é", None, 1.5]}, "BYTES"]},
            {"to": [room, f"other-{kind}"], "name": "score", "data": ["both"]},
            {"to": [room], "order": "close_room" if kind == "manager" else "disconnectSockets"}
            if kind != "old"
            else {"to": [room], "name": "score", "data": [None], "volatile": True},
            {"name": "all", "data": []},
            {"name": "end"},
        )
        extra = [["score", None]] if kind == "old" else []
        binary = {"bytes": [0, 255]}
        told = [
            ["score", 1, {"deep": ["é", None, 1.5]}, binary],
            ["score", "both"],
            *extra,
            ["all"],
        ]
        words = [["mes", "Robot says: the build is 绿色 😀"], ["message", "the build is 绿色 😀"]]
        for socket in sockets:
            heard = socket.until_end()
            assert [event for event in heard if event[0] in ("score", "all")] == told
            socket.until(lambda heard: sum("绿色" in line for line in heard) == 2)
            assert [event for event in map(json.loads, socket.heard) if event[0] in ("mes", "message")] == words
        assert other.until_end() == [["score", "both"], ["all"]]
        full.told("message", room=room, text="the build is 绿色 😀")
        line.hears("Robotsay:the build is 绿色 😀")
        kept = full.ask("history", room=room)["messages"]
        assert [(message["text"], message["from"]["nick"]) for message in kept] == [
            ("the build is 绿色 😀", "Robot")
        ]


@pytest.fixture(scope="module")
def workers(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Three servers that are one chat on a Redis of their own, and all listen to the back ends."""
    with RedisServer() as store, ExitStack() as stack:
        options = ("--insecure-no-limits", f"--store={store.url}", "--metrics-listen=public", listening(redis))
        before = int(redis.ask("PUBSUB", "NUMSUB", "python")[1])
        servers = [stack.enter_context(Server(tmp_path_factory.mktemp(f"w{n}"), *options)) for n in range(3)]
        hears(redis, before + len(servers))
        yield servers


def counted(server: Server, what: str) -> int:
    """What it counts of that kind, whatever came of it."""
    with urlopen(f"{server.page_url}metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(f"chat_emissions_{what}_total")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_several_keeps_it(kind: str, clients: Path, redis: RedisServer, workers: list[Server]) -> None:
    """Three workers hear it all, and it is said once, in its order, also where the same is said twice; sockets
    hear an event once. Each worker counts what it has heard, and of what was said each message is counted once."""
    room, n = f"many-{kind}", 60
    heard_before = [counted(worker, "heard") for worker in workers]
    said_before = sum(counted(worker, "said") for worker in workers)
    with ExitStack() as stack:
        people = [stack.enter_context(V1Peer(worker, rooms={room: None})) for worker in workers]
        socket = stack.enter_context(Socket(clients, "client-4", workers[2], room))
        texts = [f"{number // 2}" for number in range(n)]
        calls = [{"to": [room], "name": "message", "data": [text]} for text in texts]
        emit(kind, redis, clients, *calls, {"to": [room], "name": "end"})
        for one in people:
            one.until(lambda _, one=one: len(one.texts(room)) >= n)
            assert one.texts(room) == [(seq, text) for seq, text in enumerate(texts, 1)]
        socket.until_end()
        assert socket.heard.count('["end"]') == 1
        emit(kind, redis, clients, {"to": [room], "name": "message", "data": ["last"]})
        for one in people:
            one.told("message", room=room, text="last")
            assert len(one.texts(room)) == n + 1
    eventually(lambda: sum(counted(worker, "said") for worker in workers) - said_before == n + 1, "the count")
    heard = [counted(worker, "heard") for worker in workers]
    assert [after - before for after, before in zip(heard, heard_before, strict=True)] == [n + 2] * len(workers)
