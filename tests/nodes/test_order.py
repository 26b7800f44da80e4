"""Many who talk at once by many nodes, many who come and go: nothing is lost, doubled or out of order."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chat import Tab, code
from fakes import FakeClock, Ids, said
from redis_ground import ReactorPump, make_log
from redis_server import RedisServer

from chatservice.domain.accounts import Account
from chatservice.domain.events import Entry, User
from chatservice.domain.promise import Promise
from chatservice.domain.room import State
from chatservice.logs.redis_log import RedisLog
from nodes.chats import Hearer, Node
from nodes.conftest import MakeNode

SHORT = pytest.param(200)


class Publisher:
    """A node's log without a hub, and what it told."""

    def __init__(self, server: RedisServer, pump: ReactorPump, n: int) -> None:
        self.told: list[Entry] = []
        self.log: RedisLog = make_log(server, pump, FakeClock(), Ids(f"w{n}x"), deadline_s=10.0)
        self.log.start(self)
        self.log.bus.follow("lobby")
        self.user = User(f"u_{n}", f"n{n}")

    def say(self, n: int) -> Promise[Any]:
        return self.log.append("lobby", said(f"{self.user.id} {n}", self.user, cid=f"c{n}"))

    def committed(self, entry: Entry) -> None:
        self.told.append(entry)

    def pruned(self, room: str, first: int) -> None: ...

    def registered(self, account: Account) -> None: ...


@pytest.mark.parametrize("messages", [SHORT, pytest.param(10_000, marks=pytest.mark.slow)])
def test_one_order_of_eight_publishers(server: RedisServer, messages: int) -> None:
    """C22. Eight nodes that publish at once: each is told every number once, in order, and the same message under
    it; what one of them said it hears in the order in which it was said."""
    pump = ReactorPump()
    publishers = [Publisher(server, pump, n) for n in range(8)]
    for publisher in publishers:
        pump.until(publisher.log.read("lobby", 0, 0))
    # A hub knows from its first page where the room stands; who has none knows it from the first entry it is told.
    pump.until(publishers[0].log.append("lobby", said("here we are", publishers[0].user)))
    pump.wait(lambda: all(publisher.told for publisher in publishers), "the first entry")
    for publisher in publishers:
        publisher.told.clear()
    answers: list[Promise[Any]] = []
    for n in range(messages // 8):
        answers += [publisher.say(n) for publisher in publishers]
        if n % 20 == 19:
            pump.wait(lambda some=answers[-400:]: all(answer.done for answer in some), "answers", 60.0)
    pump.wait(lambda: all(answer.done for answer in answers), "answers", 120.0)
    pump.wait(lambda: all(len(publisher.told) >= messages for publisher in publishers), "what is told", 60.0)
    first = [(entry.seq, entry.body) for entry in publishers[0].told]
    assert [seq for seq, _ in first] == list(range(2, messages + 2))
    for publisher in publishers:
        assert [(entry.seq, entry.body) for entry in publisher.told] == first
        own = [entry.body.text for entry in publisher.told if entry.body.user == publisher.user]  # type: ignore[union-attr]
        assert own == [f"{publisher.user.id} {n}" for n in range(messages // 8)]
        pump.until(publisher.log.stop())


@pytest.mark.parametrize("flips", [pytest.param(60), pytest.param(1000, marks=pytest.mark.slow)])
def test_leaving_and_joining_loses_nothing(make_node: MakeNode, flips: int) -> None:
    """C23. Somebody who leaves and joins a busy room again and again, so that its channel is left and heard anew
    each time, sees every number once."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", "lobby"), second.enter("bob")
    seen: list[int] = []
    epoch = ""
    for n in range(1, flips + 1):
        asked = bob.send("join", room="lobby", since={"epoch": epoch, "seq": len(seen)})
        ann.send("message", room="lobby", text=str(n))
        joined = bob.answer(asked)
        assert joined["recovered"], joined
        epoch = joined["epoch"]
        seen += [event["seq"] for event in joined["events"]]
        if n % 3:  # sometimes it is gone before what was said has come
            heard = Hearer(bob)
            second.wait_for(lambda heard=heard: heard.texts(), "a message") if len(seen) < n else None
        left = bob.send("part", room="lobby")
        second.settle()
        bob._look()
        seen += [event["seq"] for event in bob._events if event["type"] == "message"]
        seen += [event["seq"] for event in heard.kinds("message") if event["seq"] not in seen] if n % 3 else []
        bob._events = []
        assert code(bob.answer(left)) == "ok" and "lobby" not in second.hub.rooms
    last = bob.ask("join", room="lobby", since={"epoch": epoch, "seq": len(seen)})
    seen += [event["seq"] for event in last["events"]]
    first.settle()
    second.wait_for(lambda: second.hub.rooms["lobby"].top == flips, "the last message")
    seen += [event["seq"] for event in Hearer(bob).kinds("message")]
    assert seen == list(range(1, flips + 1))


def test_comings_and_goings_are_exact(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """C40. People come and go by several connections, and every fifth word about it is said twice because its
    answer was lost: others see each of them come and go exactly when the first connection came and the last
    went."""
    chance = random.Random(40)
    first, second = make_node(), make_node()
    watcher = Hearer(second.enter("watcher", "lobby"))
    first.wait_for(lambda: watcher.tab.ended == "", "the watcher")
    wire = first.store.raw.wire
    run = wire.run

    def blindly(name: str, keys: Any, values: Any, done: Any) -> None:
        run(name, keys, values, done)
        if name == "attend" and chance.random() < 0.2:
            run(name, keys, values, lambda _: None)

    monkeypatch.setattr(wire, "run", blindly)
    tabs: dict[str, list[Tab]] = {f"p{n}": [] for n in range(5)}
    inside: dict[str, set[Tab]] = {user: set() for user in tabs}
    edges: list[tuple[str, str]] = []
    for user in tabs:
        tabs[user] = [first.enter(user), first.enter(user)]
    for _ in range(200):
        user = chance.choice(list(tabs))
        tab = chance.choice(tabs[user])
        before = bool(inside[user])
        if tab in inside[user]:
            inside[user].discard(tab)
            assert code(tab.ask("part", room="lobby")) == "ok"
        else:
            inside[user].add(tab)
            assert code(tab.ask("join", room="lobby")) == "ok"
        if before != bool(inside[user]):
            edges.append(("enter" if not before else "leave", f"u_{user}"))

    def told() -> list[tuple[str, str]]:
        return [(event["type"], event["user"]["id"]) for event in watcher.kinds("enter", "leave")]

    second.wait_for(lambda: len(told()) >= len(edges), "the last of them")
    second.settle()
    assert told() == edges and len(edges) > 50


def test_a_dead_node_is_gone_after_its_lease(make_node: MakeNode, server: RedisServer) -> None:
    """C41. People of a node that has died are gone from the rooms by the next beat after its lease, each is told
    once, and a beat is due every five seconds."""
    first, second = make_node(), make_node()
    for user in ("ann", "bob"):
        first.enter(user, "lobby")
    heard = Hearer(second.enter("eve", "lobby"))
    second.wait_for(lambda: second.hub.rooms["lobby"].here.n == 3, "those who are there")
    stop_beating(first)
    presence = second.store.raw.bus.presence
    presence.beat()
    second.settle()
    assert heard.kinds("leave") == []
    server.ask("ZADD", "cs:w", 1, first.store.raw.bus.node)
    presence.beat()
    second.wait_for(lambda: len(heard.kinds("leave")) == 2, "the end of them")
    presence.beat()
    second.settle()
    assert sorted(event["user"]["nick"] for event in heard.kinds("leave")) == ["ann", "bob"]
    assert second.hub.rooms["lobby"].here.n == 1


def stop_beating(node: Node) -> None:
    """As a process that hangs for ever."""
    node.store.raw._beating.cancel()
    node.store.raw._beating = None


def test_a_room_that_was_not_told_is_found_out(make_node: MakeNode) -> None:
    """R4. A node that hears nothing of one room, while all else works, finds that out by the second look at the
    tops, and reads what it missed."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", "lobby", "attic"), Hearer(second.enter("bob", "lobby", "attic"))
    second.wait_for(lambda: second.hub.rooms["lobby"].state is State.LIVE, "the room")
    bus = second.store.raw.bus
    channel = bus._keys.room("lobby").channel
    bus._asking.wire.unsubscribe([channel])  # as if the server had dropped it
    second.settle()
    assert code(ann.ask("message", room="attic", text="heard")) == "ok"
    assert code(ann.ask("message", room="lobby", text="unheard")) == "ok"
    second.wait_for(lambda: bob.texts() == ["heard"], "the other room")
    second.wait(21)
    second.settle()
    assert bob.texts() == ["heard"]
    second.wait(21)
    second.wait_for(lambda: bob.texts() == ["heard", "unheard"], "what was missed")
    assert second.hub.counts["deaf_rooms"] == 1
    second.wait(45)
    second.settle()
    assert second.hub.counts["deaf_rooms"] == 1 and bob.kinds("truncate") == []


def test_all_that_was_given_is_answered(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a node stops, edits and deletions that are under way are done: `settled` answers after them, though
    what was asked later goes on, and though one has to be tried again."""
    node = make_node()
    ann = node.enter("ann", "lobby")
    log = node.store.raw
    for n in range(1, 4):
        assert ann.ask("message", room="lobby", text=f"m{n}")["seq"] == n
    wire = log.wire
    run, held = wire.run, []

    def slow(name: str, keys: Any, values: Any, done: Any) -> None:
        run(name, keys, values, (lambda answer: held.append((done, answer))) if name == "look" else done)

    monkeypatch.setattr(wire, "run", slow)
    asked = [ann.send("edit", room="lobby", ref=1, text="x", rev=0), ann.send("delete", room="lobby", ref=2)]
    settled = log.settled()
    later = ann.send("edit", room="lobby", ref=3, text="y", rev=0)
    node.wait_for(lambda: held, "the first look")
    assert not settled.done and node.store.busy
    while not settled.done:
        node.wait_for(lambda: held, "a look")
        done, answer = held.pop(0)
        done(answer)
        for _ in range(3):
            node.store.pump.run_one(0.005)
    ann._look()
    assert [ann._replies[number]["type"] for number in asked] == ["ok", "ok"] and later not in ann._replies
    node.wait_for(lambda: held, "the last look")
    done, answer = held.pop()
    done(answer)
    assert code(ann.answer(later)) == "ok"


def test_a_job_is_one_workers(make_node: MakeNode, server: RedisServer) -> None:
    """C44. A job has one holder as long as its lease is kept; one that was asleep beyond it finds it taken."""
    nodes = [make_node(), make_node()]
    asking = [node.store.raw._asking for node in nodes]
    key = nodes[0].store.raw._keys.lease("test")

    def holds(n: int) -> bool:
        return bool(nodes[n].store.pump.until(asking[n].run("lease", (key,), nodes[n].store.raw.bus.node, 60_000)))

    assert (holds(0), holds(1), holds(0)) == (True, False, True)
    server.ask("PEXPIRE", key, 1)
    nodes[0].wait_for(lambda: not server.ask("EXISTS", key), "the end of the lease")
    assert (holds(1), holds(0), holds(1)) == (True, False, True)
