"""Everything fails at once, and nothing is silently wrong; and without each safeguard that shows."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from chat import code
from redis_server import RedisServer

from chatservice.domain.promise import resolved
from chatservice.redis.errors import Lost
from nodes.chaos import Chaos
from nodes.chats import Hearer
from nodes.conftest import MakeNode
from nodes.grounds import MODES

SHORT, LONG = [1, 2], list(range(3, 23))
CROWD = {"people": 40, "speakers": 6}


@contextmanager
def ended(mode: str, seed: int, seconds: float, **more: Any) -> Iterator[Chaos]:
    """It has happened, and all have come to rest."""
    chance = random.Random(seed)
    ground = MODES[mode](chance)
    try:
        chaos = Chaos(ground, chance, **more)
        chaos.run(seconds)
        sys.stdout.write(f"{mode} seed {seed}: {chaos.summary()}\n")
        yield chaos
        chaos.stop()
    finally:
        ground.finish()


def check(chaos: Chaos) -> None:
    """Nobody is told a number twice or misses one, every view is what the log is, and nothing is there twice."""
    assert (chaos.diverged(), chaos.faults(), chaos.doubled()) == ([], [], [])
    assert chaos.troubles() == [] and chaos.count() > 3
    if not chaos.ground.may_lose:
        assert chaos.lost() == []


@pytest.mark.parametrize("seed", SHORT)
@pytest.mark.parametrize("mode", ["always", "snapshots"])
def test_chaos(mode: str, seed: int) -> None:
    """Connections killed, the server stopped, hung and killed, with its newest entries or without: nothing is
    silently wrong, and nothing that was answered is lost where it may not be."""
    with ended(mode, seed, 2.0) as chaos:
        check(chaos)


@pytest.mark.parametrize("mode", ["by-hand", "replica", "shards"])
def test_more_servers(mode: str) -> None:
    """The same with fail-overs, with replicas that confirm, and with two servers that share the rooms."""
    with ended(mode, 1, 2.0) as chaos:
        check(chaos)


@pytest.mark.slow
@pytest.mark.parametrize("seed", LONG)
@pytest.mark.parametrize("mode", MODES)
def test_chaos_of_many(mode: str, seed: int) -> None:
    """The full form: forty people on three workers, in every mode."""
    with ended(mode, seed, 10.0, **CROWD) as chaos:
        check(chaos)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "without", "shows"),
    [("snapshots", {"fence": False}, Chaos.diverged), ("always", {"cid_ttl_s": None}, Chaos.doubled)],
)
def test_without_a_safeguard_chaos_shows(mode: str, without: Any, shows: Callable[[Chaos], list[str]]) -> None:
    """Without the fence views silently differ, without cids messages are doubled: within a few runs, else these
    tests would prove nothing."""
    for seed in range(100, 110):
        with ended(mode, seed, 10.0, **CROWD, **without) as chaos:
            if shows(chaos):
                return
    raise AssertionError("it was not missed")


def lose_tail(make_node: MakeNode, server: RedisServer, **more: Any) -> tuple[list[str], list[str]]:
    """Three messages of which the last two are lost and overtaken by four others, while a guest is away; what it
    has seen when it is back, and what there is."""
    node = make_node(**more)
    ann, bob = node.enter("ann", "lobby"), node.enter("bob", "lobby")
    hears = Hearer(bob)
    ann.ask("message", room="lobby", text="1")
    kept = {key: server.ask("DUMP", key) for key in server.ask("KEYS", "cs:*")}
    for text in ("lost 2", "lost 3"):
        ann.ask("message", room="lobby", text=text)
    seen = hears.texts()
    position = {"epoch": bob.greeting["rooms"]["lobby"]["epoch"], "seq": 3}
    bob.lose()
    ann.lose()
    server.kill9()
    server.lose_data()
    server.start()
    for key, value in kept.items():
        server.ask("RESTORE", key, 0, value, "REPLACE")
    node.wait_for(lambda: not node.is_up, "the loss")
    node.wait_for(lambda: node.is_up, "the connection")
    eve = node.enter("eve", "lobby")
    for n in range(2, 6):
        eve.ask("message", room="lobby", text=f"new {n}")
    back = node.enter("bob")
    joined = back.ask("join", room="lobby", since=position)
    valid = 3 if joined["recovered"] else joined.get("valid", 0)
    seen = seen[:valid] + [event["text"] for event in joined["events"]]
    log = [event["text"] for event in back.ask("events", room="lobby", after=0)["events"]]
    return seen, log


@pytest.mark.parametrize(
    ("fence", "sees"),
    [(True, ["1", "new 2", "new 3", "new 4", "new 5"]), (False, ["1", "lost 2", "lost 3", "new 4", "new 5"])],
)
def test_without_the_fence_views_diverge(
    make_node: MakeNode, server: RedisServer, fence: bool, sees: list[str]
) -> None:
    """With the fence a guest is told what was lost; without it he keeps what is not there, and nobody knows."""
    seen, log = lose_tail(make_node, server, fence=fence)
    assert seen == sees and (seen == log) is fence


@pytest.mark.parametrize(("cid_ttl_s", "copies"), [(600, 1), (None, 2)])
def test_without_cids_a_retry_is_a_second_message(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, cid_ttl_s: int | None, copies: int
) -> None:
    """A message whose answer was lost is sent again: with cids it is there once, without them twice."""
    node = make_node(cid_ttl_s=cid_ttl_s)
    ann = node.enter("ann", "lobby")
    wire = node.store.raw.wire
    run = wire.run
    is_lost: list[bool] = []

    def lossy(name: str, keys: Any, values: Any, done: Any) -> None:
        if name == "append" and not is_lost:
            is_lost.append(True)
            run(name, keys, values, lambda _: (wire._give_up(Lost("cut")), done(Lost("cut"))))
        else:
            run(name, keys, values, done)

    monkeypatch.setattr(wire, "run", lossy)
    assert code(ann.ask("message", room="lobby", text="once", cid="c")) == "ok"
    events = ann.ask("events", room="lobby", after=0)["events"]
    assert [event["text"] for event in events] == ["once"] * copies and is_lost


@pytest.mark.parametrize("is_broken", [False, True])
def test_reading_before_the_subscription_is_confirmed_misses(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    """What is said between the reading of a room and its subscription is missed, if one does not wait for the
    latter."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", "lobby"), second.enter("bob")
    wire = second.store.raw.wire
    held: list[Any] = []
    subscribe = wire.subscribe
    monkeypatch.setattr(wire, "subscribe", lambda *given: held.append(given))
    if is_broken:
        monkeypatch.setattr(second.store.raw.bus, "ready", lambda room: resolved(None))
    asked = bob.send("join", room="lobby", since={"epoch": "", "seq": 0})
    second.wait_for(lambda: held, "the subscription")
    for _ in range(10):
        second.pump.run_one(0.005)
    assert code(ann.ask("message", room="lobby", text="in between")) == "ok"
    for given in held:
        subscribe(*given)
    joined = bob.answer(asked)
    hears = Hearer(bob)
    second.wait_for(lambda: second.store.raw.bus._followed["lobby"].ready, "the subscription")
    for _ in range(10):
        second.pump.run_one(0.005)
    told = [event["text"] for event in joined["events"]] + hears.texts()
    assert told == ([] if is_broken else ["in between"])
