"""Socket.IO by several workers: each request reaches the session's owner, whichever worker has taken it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from socketio.test_clients import clients

from e2e.family import Family
from e2e.peers import open_websocket
from e2e.raw import connected, read_to_end
from e2e.server import eventually, free_port
from e2e.test_operating import make_certificate
from e2e.test_socketio import node

__all__ = ["clients"]

TIMES = 16
"""A request lands at the wrong one of two workers half of the time: so often it does, but for one run in 65
536."""

UNKNOWN = {"code": 1, "message": "Session ID unknown"}


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """A store that several can share."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory, redis: str) -> Iterator[Family]:
    """Two workers, behind a proxy on this computer too, with TLS at a second port."""
    directory = tmp_path_factory.mktemp("family")
    key, certificate = directory / "tls.key", directory / "tls.crt"
    make_certificate(key, certificate, "localhost")
    port = free_port()
    with Family(
        directory,
        redis,
        2,
        "--log-format=json",
        "--trusted-proxy=127.0.0.1",
        f"--listen=ssl:{port}:privateKey={key}:certKey={certificate}:interface=127.0.0.1",
    ) as family:
        family.tls_port, family.certificate = port, certificate
        yield family


@pytest.fixture(scope="module")
def unproxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """Two workers with nothing before them."""
    with RedisServer() as redis, Family(tmp_path_factory.mktemp("u"), redis.url, 2, "--log-format=json") as family:
        yield family


class Polling:
    """A client that takes another connection for each request.

    :param headers: sent with each.
    """

    def __init__(self, family: Family, *, tls: bool = False, **headers: str) -> None:
        self.family, self.tls, self.headers = family, tls, headers
        self.path = "/socket.io/?EIO=4&transport=polling"
        opened = self.get()
        assert opened.startswith("0{"), opened
        self.hello = json.loads(opened[1:])
        self.sid = self.hello["sid"]
        self.path += f"&sid={self.sid}"

    def connection(self) -> HTTPConnection:
        """A new one."""
        if not self.tls:
            return HTTPConnection("127.0.0.1", self.family.web_port, timeout=20)
        context = ssl.create_default_context(cafile=str(self.family.certificate))
        return HTTPSConnection("localhost", self.family.tls_port, timeout=20, context=context)

    def ask(self, method: str, body: str | None = None) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        connection = self.connection()
        try:
            connection.request(method, self.path, body, self.headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def get(self) -> str:
        """What one poll brings."""
        status, _, body = self.ask("GET")
        assert status == 200, (status, body)
        return body

    def post(self, packets: str) -> None:
        """Say something."""
        assert self.ask("POST", packets)[::2] == (200, "ok")

    def until(self, words: str) -> str:
        """Everything until somewhere is this."""
        heard = ""
        while words not in heard:
            heard += self.get()
        return heard

    def join(self, room: str, nick: str) -> None:
        """Come in."""
        self.post(f'40{{"room":"{room}","nick":"{nick}"}}')
        self.until(f"{nick} comes in")


@pytest.mark.parametrize("transport", ["polling", "upgrade"])
@pytest.mark.parametrize("client", ["client-2.2", "client-4"])
def test_the_clients(clients: Path, unproxied: Family, client: str, transport: str) -> None:
    """The npm clients of both generations, polling alone and upgrading: as with one process."""
    program = node(clients, client, transport, unproxied.web_port, "taught", "full", "hello")
    _, complaint = program.communicate(timeout=40)
    assert program.returncode == 0, complaint


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_every_request_on_another_connection(family: Family, tls: bool) -> None:
    """Polls and posts each on a connection of their own, from sessions on both workers: all are answered in
    order, with the headers of any answer."""
    room, owners = f"poll-{tls}", set()
    for number in range(4):
        polling = Polling(family, tls=tls)
        owners.add(polling.sid.partition(".")[0])
        polling.join(room, f"Polly{tls}{number}")
        for line in range(TIMES // 2):
            polling.post(f'42["message","line {number} {line}"]')
            polling.until(f"says: line {number} {line}")
    status, headers, _ = polling.ask("OPTIONS")
    assert status == 204 and headers["X-Content-Type-Options"] == "nosniff"
    assert all(re.fullmatch(r"w[12]-[0-9]+", owner) for owner in owners)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_every_upgrade(family: Family, tls: bool) -> None:
    """A WebSocket that probes for a session of either worker takes it over, again and again, and carries much."""
    context = ssl.create_default_context(cafile=str(family.certificate)) if tls else None
    port, host = (family.tls_port, "localhost") if tls else (family.web_port, "127.0.0.1")
    for number in range(TIMES // 2):
        polling = Polling(family, tls=tls)
        polling.join(f"upgrade-{tls}", f"Uma{tls}{number}")
        scheme = "wss" if tls else "ws"
        url = f"{scheme}://{host}:{port}/socket.io/?EIO=4&transport=websocket&sid={polling.sid}"
        with open_websocket(url, ssl=context) as websocket:
            websocket.send("2probe")
            assert websocket.recv(10) == "3probe"
            websocket.send("5")
            text = f"{number} " + "wide " * 500
            for line in range(5):
                websocket.send(f'42["message","{line} {text}"]')
            heard: list[Any] = []
            while not any(f"says: 4 {number} wide" in str(one) for one in heard):
                heard.append(websocket.recv(10))


def test_an_upgrade_on_a_connection_that_was_used(family: Family) -> None:
    """An upgrade as a later request of a connection, as some proxies make it, reaches the owner too."""
    for number in range(TIMES // 2):
        polling = Polling(family)
        polling.join("kept", f"Kim{number}")
        with connected(family.web_port) as bare:
            bare.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert bare.recv(2000).startswith(b"HTTP/1.1 200 ")
            bare.sendall(
                b"GET /socket.io/?EIO=4&transport=websocket&sid=%b HTTP/1.1\r\nHost: localhost\r\n"
                b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % polling.sid.encode()
            )
            assert bare.recv(2000).startswith(b"HTTP/1.1 101 ")
            bare.sendall(bytes((0x81, 0x86, 0, 0, 0, 0)) + b"2probe")
            assert b"3probe" in bare.recv(2000)


def test_whose_it_is(family: Family) -> None:
    """The owner knows the client by the address that a proxy tells, whichever worker the proxy was connected
    to."""
    for number in range(4):
        address = f"192.0.2.{number + 1}"
        polling = Polling(family, **{"X-Forwarded-For": address})
        polling.join("whose", f"Walt{number}")
        with connected(family.web_port) as bare:
            bare.sendall(
                b"GET /socket.io/?EIO=4&transport=websocket&sid=%b HTTP/1.1\r\nHost: localhost\r\n"
                b"X-Forwarded-For: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                % (polling.sid.encode(), address.encode())
            )
            assert bare.recv(2000).startswith(b"HTTP/1.1 101 ")

        def noted(address: str = address) -> bool:
            return any(line["remote"].startswith(address) for line in family.noted("connection_opened"))

        eventually(noted, "its address in the log")


def test_a_page_of_another_origin(family: Family) -> None:
    """A page that may not ask is refused by the owner as well, and is told so in a way it can read nothing of."""
    polling = Polling(family)
    polling.headers = {"Origin": "https://elsewhere.example"}
    for _ in range(TIMES):
        status, headers, _ = polling.ask("POST", "3")
        assert status == 403 and "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "sid", ["w1-999.abc", "w9-1.abc", "../../control.abc", "w1-1", "w2-2.", "w1-1/../x.y", "%00.x"]
)
def test_a_session_of_nobody(family: Family, sid: str) -> None:
    """An id that names a worker that is not there, or that names none, is an unknown one."""
    for _ in range(4):
        connection = HTTPConnection("127.0.0.1", family.web_port, timeout=20)
        connection.request("GET", f"/socket.io/?EIO=4&transport=polling&sid={sid}")
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (400, UNKNOWN)
        connection.close()


def test_nobody_else_comes_in_by_the_private_sockets(family: Family) -> None:
    """The workers' own sockets can be opened by their user alone, and what is no line of theirs ends the
    connection."""
    for path in (family.data / "workers").glob("*.sock"):
        assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
        for said in (
            b"GET / HTTP/1.1\r\n\r\n\n",
            b"\n",
            b'{"place":99}\n',
            b'{"place":"x"}\n',
            b"x" * 2000,
            b"[]\n",
        ):
            with socket.socket(socket.AF_UNIX) as bare:
                bare.settimeout(10)
                bare.connect(str(path))
                bare.sendall(said)
                assert read_to_end(bare) == b""


def test_an_owner_that_dies(tmp_path: Path, redis: str) -> None:
    """While the owner is gone for good its sessions are unknown at the other worker; a poll that waited is told
    the same or ends, and a new session begins at once."""
    with Family(tmp_path / "s", redis, 2, "--log-format=json") as family:
        sessions: dict[int, Polling] = {}
        while len(sessions) < 2:
            polling = Polling(family)
            sessions[int(polling.sid[1])] = polling
        os.kill(family.slots[1], signal.SIGKILL)
        eventually(lambda: len(family.noted("started")) == 3, "another worker")
        for _ in range(TIMES):
            status, _, body = sessions[1].ask("POST", "3")
            assert (status, json.loads(body)) == (400, UNKNOWN)
            sessions[2].post("3")
        Polling(family).join("after", "Sue")
