"""C54. Another server takes over: by a real sentinel, after the primary was killed, cut off, or demoted alive."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chat import code
from redis_server import RedisServer, Sentinel, free_port

from chatservice.redis.address import Address, Place
from chatservice.redis.blocking import Asker
from nodes.chats import Hearer, Node

DOWN_MS = 700


@dataclass
class Pair:
    """A primary, its replica, and the sentinel that watches them."""

    primary: RedisServer
    replica: RedisServer
    ports: tuple[int, int]
    sentinel_port: int

    @property
    def address(self) -> Address:
        """As nodes are told it."""
        return Address((Place("127.0.0.1", self.sentinel_port),), master="main")

    def role(self, server: RedisServer) -> bytes:
        """What a server thinks it is."""
        role: bytes = server.ask("ROLE")[0]
        return role


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Both in step, and the sentinel knows them."""
    ports = (free_port(), free_port())
    tcp = [("--port", str(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0") for port in ports]
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"sentinel monitor main 127.0.0.1 {ports[0]} 1\nsentinel down-after-milliseconds main {DOWN_MS}\n"
        "sentinel failover-timeout main 3000\n"
    )
    with (
        RedisServer(*tcp[0]) as primary,
        RedisServer(*tcp[1], "--replicaof", f"127.0.0.1 {ports[0]}") as replica,
        Sentinel(conf, sentinel_port := free_port()) as sentinel,
    ):
        sentinel.wait()
        yield Pair(primary, replica, ports, sentinel_port)


class OnPair(Node):
    """A node that finds its server by the sentinel."""

    def __init__(self, pair: Pair, name: str) -> None:
        class There:
            address = pair.address

        super().__init__(There(), name)  # type: ignore[arg-type]


def kill(pair: Pair) -> None:
    pair.primary.kill9()


def cut_off(pair: Pair) -> None:
    pair.primary.signal(signal.SIGSTOP)


def demote(pair: Pair) -> None:
    pair.replica.ask("REPLICAOF", "NO", "ONE")
    pair.primary.ask("REPLICAOF", "127.0.0.1", pair.ports[1])


@pytest.mark.parametrize("happens", [kill, cut_off, pytest.param(demote, marks=pytest.mark.slow)])
def test_another_server_takes_over(pair: Pair, happens: object) -> None:
    """People stay connected at both nodes; what both servers had is there, numbers go on under a new epoch, all
    see the same, and what was refused is said again under its cid and is there once."""
    nodes = [OnPair(pair, "n1"), OnPair(pair, "n2")]
    first, second = nodes
    wait = first.store.pump.wait
    ann, bob = first.enter("ann", "lobby"), second.enter("bob", "lobby")
    heard = [Hearer(ann), Hearer(bob)]
    for n in range(3):
        assert code(ann.ask("message", room="lobby", text=f"before {n}")) == "ok"
    key = first.store.raw._keys.room("lobby").head
    wait(lambda: pair.replica.ask("HGET", key, "s") == b"3", "the copy")

    def knows() -> bool:
        with Asker(Place("127.0.0.1", pair.sentinel_port)) as asking:
            (replicas,) = asking.ask(("SENTINEL", "REPLICAS", "main"))
        return bool(replicas)

    wait(knows, "the replica, as the sentinel sees it", 30.0)  # else it has nobody to promote
    happens(pair)  # type: ignore[operator]
    try:
        wait(lambda: pair.role(pair.replica) == b"master", "the promotion", 60.0)

        def is_there() -> bool:
            return (
                all(node.store.raw.wire.server is not None for node in nodes)
                and code(ann.ask("message", room="lobby", text="after", cid="again")) == "ok"
            )

        wait(is_there, "the other server", 60.0)
        wait(lambda: all("after" in hears.texts() for hears in heard), "the message", 60.0)
        log = [event["text"] for event in bob.ask("events", room="lobby", after=0)["events"]]
        assert log == ["before 0", "before 1", "before 2", "after"]
        assert [hears.texts() for hears in heard] == [log, log]
        assert ann.ended == bob.ended == "" and pair.replica.ask("HGET", key, "s") == b"4"
    finally:
        if happens is cut_off:
            pair.primary.signal(signal.SIGCONT)
        for node in nodes:
            node.stop()
