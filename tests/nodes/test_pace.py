"""How fast somebody may talk, and try passwords, is counted over all nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chat import Frame, Tab, code
from redis_server import RedisServer

from chatservice.domain.errors import Code, Refused
from chatservice.domain.limits import Rate
from chatservice.domain.promise import start
from chatservice.identity.tries import PER_ACCOUNT, PER_ADDRESS, SharedTries
from nodes.chats import Node
from nodes.conftest import MakeNode

RATE = Rate(burst=4, per_s=0.5)


def say(tab: Tab, room: str = "lobby", cid: str | None = None) -> Frame:
    return tab.ask("message", room=room, text="x", cid=cid)


@pytest.fixture
def paced(make_node: MakeNode) -> Iterator[tuple[Node, Node]]:
    """Two nodes on which one may say four things at once."""
    first, second = make_node(), make_node()
    for node in (first, second):
        node.hub.limit(RATE)
    yield first, second


def test_slow_mode_over_nodes(make_node: MakeNode) -> None:
    """In a slow room one waits between messages whichever nodes one has devices at, and both say for how long; a
    message that was stored already is no second one, moderators do not wait, and another room is another room."""
    first, second = make_node(), make_node()
    mod = first.enter("mod", "lobby", role="mod")
    ann, twin, bob = (
        first.enter("ann", "lobby", "attic"),
        second.enter("ann", "lobby"),
        second.enter("bob", "lobby"),
    )
    assert code(mod.ask("mod", room="lobby", action="slow", value="30")) == "ok"
    second.wait_for(lambda: second.hub.rooms["lobby"].rules.slow_s == 30, "the order")
    assert code(say(ann, cid="once")) == "ok"
    waits = [reply["retry_ms"] for reply in (say(twin), say(ann), say(twin))]
    assert all(29_000 < wait <= 30_000 for wait in waits) and waits == sorted(waits, reverse=True)
    assert say(twin, cid="once")["dup"]
    assert code(say(bob)) == code(say(ann, "attic")) == code(say(mod)) == code(say(mod)) == "ok"
    refused = say(twin)
    assert refused["code"] == "rate_limited" and refused["limit"] == "slow"
    mod.ask("mod", room="lobby", action="slow", value="0")
    second.wait_for(lambda: second.hub.rooms["lobby"].rules.slow_s == 0, "the order")
    assert code(say(twin)) == "ok"


def test_slow_mode_ends(make_node: MakeNode) -> None:
    """Whoever has waited as long as it was told is not refused again."""
    first, second = make_node(), make_node()
    mod = first.enter("mod", "lobby", role="mod")
    mod.ask("mod", room="lobby", action="slow", value="1")
    ann, twin = first.enter("ann", "lobby"), second.enter("ann", "lobby")
    assert code(say(ann)) == "ok"
    wait_s = say(twin)["retry_ms"] / 1000
    over: list[bool] = []
    second.store.raw._call_later(wait_s, lambda: over.append(True))
    second.wait_for(lambda: over, "the time")
    assert code(say(twin)) == "ok"


def test_messages_over_nodes(paced: tuple[Node, Node]) -> None:
    """Devices of one person at two nodes share what it may say, in all rooms together; others have their own."""
    first, second = paced
    ann, twin, bob = (
        first.enter("ann", "lobby"),
        second.enter("ann", "lobby", "attic"),
        second.enter("bob", "lobby"),
    )
    assert [code(say(ann)), code(say(twin)), code(say(ann)), code(say(twin, "attic"))] == ["ok"] * 4
    refusals = [say(ann), say(twin), say(twin, "attic")]
    assert [refused["limit"] for refused in refusals] == ["message"] * 3
    assert all(1000 < refused["retry_ms"] <= 2000 for refused in refusals)
    assert code(say(bob)) == "ok"
    assert first.hub.counts["rate_limited_message"] == 1 and second.hub.counts["rate_limited_message"] == 2


def test_what_was_said_before_the_minute(make_node: MakeNode, server: RedisServer) -> None:
    """What people have said is kept by minutes, or for as long as a bucket takes to be full: what was said in the
    one before counts, and what is older is removed. A clock that was set back keeps nobody from talking."""
    node = make_node()
    node.hub.limit(Rate(burst=2, per_s=0.0001))  # so that this test does not see the next "minute"
    ann = node.enter("ann", "lobby")

    def verdict() -> str:
        node.clock.now += 20_000  # what is counted here would refuse it too
        return code(say(ann))

    assert [verdict() for _ in range(3)] == ["ok", "ok", "rate_limited"]
    (key,) = server.ask("KEYS", "cs:t:*")
    minute = int(key.rpartition(b":")[2])
    assert 0 < server.ask("PTTL", key) <= 3 * 20_000_100
    server.ask("RENAME", key, f"cs:t:{minute - 1}")
    assert verdict() == "rate_limited" and server.ask("KEYS", "cs:t:*") == [b"cs:t:%d" % (minute - 1)]
    server.ask("RENAME", f"cs:t:{minute - 1}", f"cs:t:{minute - 2}")
    assert verdict() == "ok" and server.ask("KEYS", "cs:t:*") == [key]
    assert server.ask("PTTL", key) > 0
    server.ask("HSET", key, "u_ann", 2 * int(server.ask("HGET", key, "u_ann")))
    assert [verdict() for _ in range(3)] == ["ok", "ok", "rate_limited"]


def test_a_repeat_costs_nothing(paced: tuple[Node, Node]) -> None:
    """A message that is said again because its answer was lost is answered, however much was said since."""
    first, second = paced
    ann, twin = first.enter("ann", "lobby"), second.enter("ann", "lobby")
    said = [say(ann, cid=f"c{n}")["seq"] for n in range(4)]
    assert [say(twin, cid=f"c{n}")["seq"] for n in range(4)] == said
    assert code(say(twin, cid="new")) == "rate_limited"


def test_tries_over_nodes(make_node: MakeNode, server: RedisServer) -> None:
    """Passwords for one name are tried so often over all nodes together, and so are those from one address; a good
    one does not count, and what was tried is not to be read in Redis."""
    nodes = make_node(), make_node()
    tries = [SharedTries(node.store.raw.meter) for node in nodes]

    def attempt(n: int, key: str, address: str) -> str:
        try:
            nodes[0].store.pump.until(start(tries[n % 2].take(key, address)))
        except Refused as refused:
            assert refused.code is Code.RATE_LIMITED and refused.retry_ms > 0
            return refused.about
        return "ok"

    got = [attempt(n, "ann", f"192.0.2.{n}:1") for n in range(PER_ACCOUNT.burst + 1)]
    assert got == ["ok"] * PER_ACCOUNT.burst + ["too_many_tries"]
    tries[1].forgive("ann", "192.0.2.200:1")
    nodes[0].settle()
    assert attempt(0, "ann", "192.0.2.201:1") == "ok"
    got = [attempt(n, f"name{n}", "198.51.100.7:1") for n in range(PER_ADDRESS.burst + 1)]
    assert got == ["ok"] * PER_ADDRESS.burst + ["too_many_tries"]
    assert not [key for key in server.ask("KEYS", "*") if b"ann" in key and b"u_" not in key]
