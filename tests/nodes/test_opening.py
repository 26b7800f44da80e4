"""How a worker begins on its servers: by one connection to each, and without what they are not asked for."""

from __future__ import annotations

import time
from typing import Any

from e2e.slowline import slow_line
from fakes import FakeClock, Ids
from redis_ground import ReactorPump, make_log
from redis_server import RedisServer, free_port
from stores import Nobody

from chatservice.logs.redis_guestbook import RedisGuestbook
from chatservice.redis.address import Address, Place
from chatservice.redis.errors import Refusal
from nodes.chats import Node

RTT_S = 0.05


class Far:
    """A server over such a line."""

    def __init__(self, port: int) -> None:
        self.address = Address((Place("127.0.0.1", port),))


def opened(server: RedisServer) -> int:
    """How many connections it has taken, without those that ask it this."""
    facts = server.ask("INFO", "stats").decode()
    asked = server.__dict__["asked"] = server.__dict__.get("asked", 0) + 1
    return int(facts.partition("total_connections_received:")[2].split()[0]) - asked


def test_a_far_redis() -> None:
    """Where a round trip takes 50 ms a log has begun after six of them, by one connection."""
    with RedisServer("--port", str(port := free_port()), "--bind", "127.0.0.1") as server:
        before = opened(server)
        with slow_line(port, rtt_s=RTT_S, bits_per_s=1e8) as far:
            pump = ReactorPump()
            log = make_log(Far(far), pump, FakeClock(), Ids("e"))  # type: ignore[arg-type]
            began = time.monotonic()
            log.start(Nobody())
            took = time.monotonic() - began
            assert opened(server) - before == 1
            assert took < 10 * RTT_S  # 5 of them, and what this machine needs itself
            pump.wait(lambda: log.wire.server, "the connection")
            stopped = log.stop()
            pump.wait(lambda: stopped.done, "the end")


def test_people_are_on_the_first_server_alone() -> None:
    """No other server is asked for numbers of newcomers, for accounts, or for people whom the dead have left."""
    with RedisServer() as first, RedisServer() as second:
        node = Node([first, second], "n")
        asked: list[list[str]] = [[], []]
        for shard, names in zip(node.store.raw.all, asked, strict=True):  # type: ignore[attr-defined]
            _listen(shard, names)
            shard._beating.cancel()
            shard._beat()
            shard.wire._give_up(Refusal("a test"))
        node.wait_for(lambda: node.is_up and all("hears" in names for names in asked), "the next connections")
        assert first.ask("EXISTS", "cs:number") == 1 and second.ask("EXISTS", "cs:number") == 0
        assert {"reap", "numbers", "HGETALL"} <= set(asked[0])
        assert not {"reap", "numbers", "HGETALL"} & set(asked[1])
        node.stop()


def _listen(shard: Any, names: list[str]) -> None:
    """Note what it asks, and when all that it asks of itself once it is connected was asked."""
    wire = shard.wire
    run, call, hears = wire.run, wire.call, shard.bus._hears
    wire.run = lambda name, *given: (names.append(name), run(name, *given))
    wire.call = lambda words, done: (names.append(str(words[0], "ascii")), call(words, done))
    shard.bus._hears = lambda: (hears(), names.append("hears"))


def test_numbers_that_could_not_be_had() -> None:
    """Where the first numbers could not be fetched nobody is given one that others may have."""
    asking: Any = type("NotThere", (), {"wire": type("Wire", (), {"server": None})})
    book = RedisGuestbook(asking, None, "n")  # type: ignore[arg-type]
    book.begin(None)
    assert book.number() > 10**8
