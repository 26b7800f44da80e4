"""The connections to a real server: made, lost, made again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis_ground import ReactorPump, hand_driven
from redis_server import RedisServer, Sentinel, free_port
from twisted.internet import reactor
from twisted.internet.task import Clock

from chatservice.redis.address import Address, Place, parse_address
from chatservice.redis.blocking import Blocking
from chatservice.redis.errors import NotConnected, RedisError, Refusal, Unusable
from chatservice.redis.scripts import load_scripts
from chatservice.redis.server import Server
from chatservice.redis.wire import LONGEST_WAIT_S, Wire
from chatservice.transports.tls import self_signed

PROBE = b"probe"


class Ends:
    """A wire and what it has told."""

    def __init__(self, address: Address, tmp_path: Path, **more: Any) -> None:
        (tmp_path / "one.lua").write_text("return ARGV[1]\n")
        (tmp_path / "two.lua").write_text("-- begins with: one_half\nreturn half * 2\n")
        (tmp_path / "one_half.lua").write_text("local half = 21\n")
        self.pump = ReactorPump()
        self.ups: list[Server] = []
        self.downs: list[RedisError] = []
        self.heard: list[tuple[bytes, bytes]] = []
        self.wire = Wire(
            more.pop("reactor", hand_driven()),
            address,
            scripts=load_scripts(tmp_path),
            probe=PROBE,
            up=self.ups.append,
            down=self.downs.append,
            heard=lambda channel, words: self.heard.append((channel, words)),
            **more,
        )

    def up(self, times: int = 1) -> None:
        self.pump.wait(lambda: len(self.ups) >= times, f"connection {times}", 5.0)

    def ask(self, *words: str | bytes | int) -> Any:
        answers: list[Any] = []
        self.wire.call(words, answers.append)
        self.pump.wait(lambda: answers, "an answer")
        return answers[0]

    def run(self, name: str, *values: str) -> Any:
        answers: list[Any] = []
        self.wire.run(name, (), values, answers.append)
        self.pump.wait(lambda: answers, "an answer")
        return answers[0]

    def subscribe(self, *channels: bytes) -> None:
        answers: list[Any] = []
        self.wire.subscribe(channels, answers.append)
        self.pump.wait(lambda: answers, "a confirmation")
        assert answers == [None]


@contextmanager
def connected(address: Address, tmp_path: Path, **more: Any) -> Iterator[Ends]:
    ends = Ends(address, tmp_path, **more)
    ends.wire.start()
    try:
        yield ends
    finally:
        ends.wire.stop()


@pytest.fixture
def ends(server: RedisServer, tmp_path: Path) -> Iterator[Ends]:
    """Connected."""
    with connected(server.address, tmp_path) as ends:
        ends.up()
        yield ends


def test_asking_and_hearing(ends: Ends) -> None:
    """Commands, scripts and subscriptions, and what is said in the meantime."""
    assert ends.ask("SET", "a", b"\x00") == b"OK" and ends.ask("GET", "a") == b"\x00"
    assert ends.run("one", "x") == b"x" and ends.run("two") == 42
    ends.subscribe(b"here")
    assert ends.ask("PUBLISH", b"here", b"hi") == 1
    ends.pump.wait(lambda: ends.heard, "a message")
    assert ends.heard == [(b"here", b"hi")]


def test_forgotten_scripts_are_told_again(ends: Ends) -> None:
    """A server that was told to forget its scripts gets them again; nobody notices."""
    ends.ask("SCRIPT", "FLUSH")
    assert ends.run("two") == 42 and ends.run("one", "y") == b"y" and len(ends.ups) == 1


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_a_lost_connection_is_made_again(ends: Ends, server: RedisServer, kind: str) -> None:
    """The loss of either connection is the loss of both; both come back, and nothing is subscribed then."""
    ends.subscribe(b"here")
    server.ask("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    ends.up(2)
    assert len(ends.downs) == 1 and ends.ask("PUBLISH", b"here", b"hi") == 0
    assert ends.ups[0].identity == ends.ups[1].identity


def test_a_restart_is_another_identity(ends: Ends, server: RedisServer) -> None:
    """After a restart the same address is another server; what is asked in between is refused at once."""
    server.kill9()
    ends.pump.wait(lambda: ends.downs, "the loss")
    answers: list[Any] = []
    ends.wire.call(("PING",), answers.append)
    assert isinstance(answers[0], NotConnected)
    server.start()
    ends.up(2)
    assert ends.ups[0].identity != ends.ups[1].identity


def test_a_deaf_connection_is_found_out(server: RedisServer, tmp_path: Path) -> None:
    """A connection that looks healthy and hears nothing is given up after two probes."""
    with connected(server.address, tmp_path, probe_s=0.05) as ends:
        ends.up()
        end = hand_driven().seconds() + 0.3
        ends.pump.wait(lambda: hand_driven().seconds() > end, "some probes")
        assert ends.downs == []
        subscriber = ends.wire._subscriber
        assert subscriber is not None
        subscriber.transport.pauseProducing()
        ends.up(2)
        assert "nothing is heard" in str(ends.downs[0])


def test_waiting_between_tries(tmp_path: Path) -> None:
    """Each wait is a random part of one that doubles up to a bound, so that not all come back at once."""
    parts = iter([1.0] * 5 + [0.0, 0.5] * 10)
    clock = Clock()
    ends = Ends(Address((Place(path="/nowhere"),)), tmp_path, reactor=clock, chance=lambda: next(parts))
    waits = [ends.wire._wait_s() for _ in range(25)]
    assert waits[:5] == [0.05, 0.1, 0.2, 0.4, 0.8] and waits[5] == 0.0 and waits[6] == LONGEST_WAIT_S / 2
    assert max(waits) <= LONGEST_WAIT_S and 0.0 in waits[7:]


def test_passwords_and_databases(tmp_path: Path) -> None:
    """A password opens, a wrong one is said to be wrong without being said; each database is apart."""
    with RedisServer() as server:
        server.ask("CONFIG", "SET", "requirepass", "hunter2")
        with pytest.raises(Unusable) as refused, Blocking(parse_address(f"{server.url}?password=hunter3")):
            pass
        assert "WRONGPASS" in str(refused.value) and "hunter" not in str(refused.value)
        with pytest.raises(Unusable, match="NOAUTH"), Blocking(server.address):
            pass
        with connected(parse_address(f"{server.url}?password=hunter2&db=3"), tmp_path) as ends:
            ends.up()
            assert ends.ask("SET", "a", 1) == b"OK" and ends.ask("SELECT", 0) == b"OK"
            assert ends.ask("GET", "a") is None


def test_sentinels(tmp_path: Path) -> None:
    """The server is where the sentinels say; one that is silent is passed over."""
    with RedisServer("--port", str(port := free_port()), "--bind", "127.0.0.1") as server:
        conf = tmp_path / "sentinel.conf"
        conf.write_text(f"sentinel monitor main 127.0.0.1 {port} 1\nsentinel resolve-hostnames no\n")
        with Sentinel(conf, sentinel_port := free_port()) as sentinel:
            url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel_port}/main"
            sentinel.wait()
            with Blocking(parse_address(url)) as asking:
                assert asking.ask(("PING",)) == [b"PONG"]
            with connected(parse_address(url), tmp_path) as ends:
                ends.up()
                run_id = [
                    line for line in server.ask("INFO", "server").split(b"\r\n") if line.startswith(b"run_id")
                ]
                assert ends.ups[0].identity[:12].encode() in run_id[0]
            with (
                pytest.raises(Unusable, match="no master named other"),
                Blocking(parse_address(url.replace("/main", "/other"))),
            ):
                pass


def test_tls(tmp_path: Path) -> None:
    """With rediss: the certificate is checked."""
    certificate, key = self_signed(tmp_path / "tls", "localhost")
    port = free_port()
    tls = (
        "--tls-port",
        str(port),
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key,
        "--tls-auth-clients",
        "no",
    )
    with RedisServer(*map(str, tls), "--tls-ca-cert-file", str(certificate)):
        believed = parse_address(f"rediss://127.0.0.1:{port}?ca={certificate}")
        with Blocking(believed) as asking:
            assert asking.ask(("PING",)) == [b"PONG"]
        with (
            pytest.raises(NotConnected, match="certificate"),
            Blocking(parse_address(f"rediss://127.0.0.1:{port}")),
        ):
            pass
        with connected(believed, tmp_path) as ends:
            # Twisted gathers small writes to TLS until the next turn of the process's own reactor, whatever
            # reactor the connection was made with.
            ends.pump.wait(lambda: reactor.runUntilCurrent() or ends.ups, "the connection")  # type: ignore[attr-defined]
            answers: list[Any] = []
            ends.wire.call(("PING",), answers.append)
            ends.pump.wait(lambda: reactor.runUntilCurrent() or answers, "the answer")  # type: ignore[attr-defined]
            assert answers == [b"PONG"]


def test_a_refusal_of_a_script(ends: Ends) -> None:
    """A command that the server refuses is an answer of that command alone."""
    assert isinstance(ends.ask("INCR"), Refusal) and ends.ask("PING") == b"PONG" and ends.downs == []
