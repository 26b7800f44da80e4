"""The servers: how each is started and how one talks to it. One row each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from bench.prepare import PEERS, PEERS_PYTHON, certificate

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_S = 30.0
SERVER_CORE, LOAD_CORE = 0, 1


class Failed(Exception):
    """A server could not be started or measured; its text is one line for the report."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server under test.

    :ivar run: `chat` (ours), `chat-python` (a file of peers/ on the chat's own Python), `python`, `node`.
    :ivar words: what else stands on its command line.
    :ivar package: what has to be installed for it.
    :ivar room: the address of a room; $ROOM is its name.
    :ivar load: what the generator is told besides: hello, await, envelope (see load/main.c).
    :ivar redis: whether it needs one, which is started beside it; its CPU is that of others.
    :ivar flavours: `plain`, and where it can: `tls`, `deflate`.
    """

    name: str
    run: str
    words: tuple[str, ...]
    package: str = ""
    room: str = "/$ROOM"
    echo: str = "/echo"
    load: Mapping[str, str] = field(default_factory=dict)
    flavours: tuple[str, ...] = ("plain", "tls", "deflate")
    redis: bool = False


V1 = {
    "hello": '{"type":"hello","v":1,"id":1,"rooms":{"$ROOM":null}}',
    "await": '"type":"ok"',
    "envelope": '{"type":"message","id":$N,"room":"$ROOM","cid":"$N","text":"$TEXT"}',
    "word": '"seq":',
}
SOCKET_IO = {
    "engineio": "1",
    "hello": "40",
    "await": "40{",
    "envelope": '42["say","$TEXT"]',
    "word": '42["said"',
}
# As the lessons' pages speak: each message is `mes` to all and `message` to the others, two events in one write.
OUR_SOCKET_IO = {**SOCKET_IO, "await": '42["enter"', "envelope": '42["message","$TEXT"]', "word": '42["mes"'}
ENGINE_IO = "/socket.io/?EIO=4&transport=websocket"

CHAT_V1 = Server("chat.v1, SQLite", "chat", (), room="/v1", load=V1)
CHAT_V1_MEMORY = Server("chat.v1, memory", "chat", ("--store", "memory:"), room="/v1", load=V1)
CHAT_V1_REDIS = Server("chat.v1, Redis", "chat", (), room="/v1", load=V1, flavours=("plain",), redis=True)
CHAT_V1_WORKERS = tuple(
    replace(CHAT_V1_REDIS, name=f"chat.v1, {n} workers", words=("--workers", str(n))) for n in (2, 4)
)
CHAT_TEXT = Server("chat /text, SQLite", "chat", (), room="/text?room=$ROOM")
CHAT_TEXT_MEMORY = Server("chat /text, memory", "chat", ("--store", "memory:"), room="/text?room=$ROOM")
CHAT_ECHO = Server("chat /echo", "chat", (), room="/echo")
CHAT_SOCKET_IO = Server("chat Socket.IO, SQLite", "chat", (), room=ENGINE_IO + "&room=$ROOM", load=OUR_SOCKET_IO)
WS = Server("ws (Node)", "node", ("ws.js",), "npm")
NODEJS_WEBSOCKET = Server(
    "nodejs-websocket (Node)", "node", ("nodejs-websocket.js",), "npm", flavours=("plain", "tls")
)
SOCKETIO = Server("socket.io (Node)", "node", ("socketio.js",), "npm", room=ENGINE_IO, load=SOCKET_IO)
WEBSOCKETS = Server("websockets broadcast()", "python", ("websockets_broadcast.py",), "websockets")
WEBSOCKETS_UVLOOP = Server(
    "websockets broadcast(), uvloop", "python", ("websockets_broadcast.py", "--uvloop"), "websockets"
)
UWEBSOCKETS = Server("uWebSockets (C++, socketify)", "python", ("uwebsockets.py",), "socketify")
PICOWS = Server("picows (Cython)", "python", ("picows_broadcast.py",), "picows", flavours=("plain", "tls"))
AIOHTTP = Server("aiohttp", "python", ("aiohttp_broadcast.py",), "aiohttp")
PYTHON_SOCKETIO = Server(
    "python-socketio", "python", ("python_socketio.py",), "python-socketio", room=ENGINE_IO, load=SOCKET_IO
)
AUTOBAHN = Server("Autobahn, sendMessage", "chat-python", ("autobahn_broadcast.py",))
AUTOBAHN_PREPARED = Server(
    "Autobahn, sendPreparedMessage",
    "chat-python",
    ("autobahn_broadcast.py", "--prepared"),
    flavours=("plain", "tls"),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    port: int
    pid: int


@cache
def chat_help() -> str:
    """What `twistd chat --help` says."""
    command = [*_twistd(), "chat", "--help"]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60).stdout


@contextmanager
def running(server: Server, flavour: str = "plain", *, pinned: bool = True) -> Iterator[Running]:
    """The server as a process of its own on the server's core, with a fresh directory.

    :raises Failed: if it cannot do this flavour, ends at once or does not listen in time.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, ExitStack() as stack:
        port = _free_port()
        command = _command(server, flavour, port, Path(directory))
        if server.redis:
            stack.enter_context(_redis(Path(directory)))
            command += ["--store", f"unix:{directory}/redis.sock"]
        with open(Path(directory) / "log", "w+b") as log:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_pin if pinned else None,
            )
            try:
                _wait_until_it_listens(process, port, Path(directory) / "log")
                if "--workers" in server.words:
                    _wait_until_all_answer(port)
                yield Running(port, process.pid)
            finally:
                process.terminate()
                try:
                    process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def _redis(directory: Path) -> Iterator[None]:
    """A Redis that syncs at each write, on the generator's core: what is measured is ours."""
    where = directory / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(where), "--dir", str(directory), "--save", ""]
    try:
        process = subprocess.Popen(
            [*command, "--appendonly", "yes", "--appendfsync", "always"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {min(LOAD_CORE, (os.cpu_count() or 1) - 1)}),
        )
    except FileNotFoundError:
        raise Failed("not installed: redis-server") from None
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not where.exists():
            if time.monotonic() > deadline:
                raise Failed("redis-server does not listen")
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
                raise Failed("redis-server ended at once")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait_until_all_answer(port: int) -> None:
    """The parent listens before any worker runs, and the kernel hands each connection to one of them: by so many
    it has been to all."""
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as asking:
            asking.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if not asking.recv(1):
                raise Failed("a worker ended at once")


def _command(server: Server, flavour: str, port: int, directory: Path) -> list[str]:
    if flavour not in server.flavours:
        raise Failed(f"has no {flavour}")
    crt, key = certificate()
    if server.run == "chat":
        where = f"tcp:{port}" if flavour != "tls" else f"ssl:{port}:privateKey={key}:certKey={crt}"
        options = ["--listen", f"{where}:interface=127.0.0.1", "--line", "none", "--data", str(directory / "data")]
        if flavour == "deflate":
            if "--compression" not in chat_help():
                raise Failed("has no --compression yet")
            options.append("--compression")
        quiet = [
            "--log-level",
            "warn",
            "--metrics-listen",
            "none",
        ]  # no other server here writes two lines a connection
        return [*_twistd(), "-n", "chat", "--insecure-no-limits", *quiet, *options, *server.words]
    program = {"chat-python": sys.executable, "python": str(PEERS_PYTHON), "node": "node"}[server.run]
    file, *words = server.words
    if flavour == "tls":
        words += ["--tls", str(crt), str(key)]
    elif flavour == "deflate":
        words.append("--deflate")
    return [program, str(PEERS / file), str(port), *words]


def _twistd() -> list[str]:
    return [sys.executable, str(Path(sys.executable).with_name("twistd"))]


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    return {**ours, "PYTHONPATH": str(CHECKOUT)}


def _pin() -> None:
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {SERVER_CORE})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        last = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-1:]
        raise Failed(f"ended at once: {' '.join(last)}")
    raise Failed(f"did not listen within {PATIENCE_S:.0f} s")
