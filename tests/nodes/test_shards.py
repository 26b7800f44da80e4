"""Several Redis servers as one chat: rooms are where the map says; one that is gone takes only its own along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from chat import Frame, Tab, code
from redis_server import RedisServer

from chatservice.domain.errors import Code, Refused
from chatservice.domain.ports import LogError
from chatservice.logs.redis_dividing import _Server
from chatservice.logs.redis_keys import partition_of
from chatservice.logs.registry import divide_store
from chatservice.redis.errors import Lost
from nodes.chats import Hearer, Node

FIRST, SECOND = "hall", "lobby"  # 63 and 247 of 256
OTHERS = {"hall": "on the first", "room1": "on the first", "lobby": "on the second", "attic": "on the second"}


class Shards:
    """Servers, and chats on them that are stopped in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.servers = [stack.enter_context(RedisServer()) for _ in range(2)]
        self._count = 0

    def more(self, *settings: str) -> RedisServer:
        """One more server."""
        return self._stack.enter_context(RedisServer(*settings))

    def node(self, servers: Sequence[RedisServer] | None = None, **more: Any) -> Node:
        """A chat on these, or on the first two."""
        self._count += 1
        node = Node(self.servers if servers is None else servers, f"n{self._count}", **more)
        self._stack.callback(node.stop)
        return node

    def two_people(self) -> tuple[Node, Tab, Hearer]:
        """Ann and Bob in a room of each server, where something was said."""
        node = self.node()
        ann, bob = node.enter("ann", FIRST, SECOND), node.enter("bob", FIRST, SECOND)
        for room in (FIRST, SECOND):
            assert say(ann, room, "before")["seq"] == 1
        return node, ann, Hearer(bob)


@pytest.fixture
def shards() -> Iterator[Shards]:
    """See `Shards`."""
    with ExitStack() as stack:
        yield Shards(stack)


def say(tab: Tab, room: str, text: str, **more: Any) -> Frame:
    return tab.ask("message", room=room, text=text, **more)


def refused(node: Any) -> str:
    """In which sentence a start is refused."""
    with pytest.raises(LogError) as refusal:
        node()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def move(partition: int, source: RedisServer, target: RedisServer) -> None:
    """As an operator would by hand."""
    for key in source.ask("KEYS", f"cs:{{{partition}}}:*"):
        target.ask("RESTORE", key, max(0, source.ask("PTTL", key)), source.ask("DUMP", key))
        source.ask("DEL", key)


def test_rooms_are_where_the_map_says(shards: Shards) -> None:
    """All keys of a room are on its partition's server; what belongs to no room is on the first."""
    _, ann, _ = shards.two_people()
    assert code(ann.ask("read", room=SECOND, seq=1)) == "ok"
    assert (partition_of(FIRST), partition_of(SECOND)) == (63, 247)
    keys = [b" ".join(server.ask("KEYS", "cs:*")) for server in shards.servers]
    assert b"{63}:m:hall" in keys[0] and b"{247}:m:lobby" not in keys[0] and b"cs:r:u_ann" in keys[0]
    assert b"{247}:m:lobby" in keys[1] and b"{63}:" not in keys[1] and b"cs:r:" not in keys[1]


@pytest.mark.parametrize(("gone", "dead", "living"), [(0, FIRST, SECOND), (1, SECOND, FIRST)])
def test_one_gone(shards: Shards, gone: int, dead: str, living: str) -> None:
    """While a server is gone the rooms of the other go on, its own are refused, and it is known which it is; when
    it is back nobody has to do anything."""
    node, ann, bob = shards.two_people()
    log = node.store.raw
    shards.servers[gone].kill9()
    node.wait_for(lambda: not node.is_up, "the loss")
    assert log.away == (str(gone),)
    refusal = say(ann, dead, "refused", cid="c")
    assert code(refusal) == "unavailable" and refusal["temporary"]
    log.check_there(living)
    with pytest.raises(Refused) as at_once:
        log.check_there(dead)
    assert at_once.value.code is Code.UNAVAILABLE and at_once.value.retry_ms > 0
    assert say(ann, living, "goes on")["seq"] == 2
    node.wait_for(lambda: "goes on" in bob.texts(), "the message")
    shards.servers[gone].start()
    node.wait_for(lambda: node.is_up, "the connection")
    assert log.away == ()
    assert say(ann, dead, "refused", cid="c")["seq"] == 2 and say(ann, living, "after")["seq"] == 3
    node.wait_for(lambda: len(bob.texts()) == 5, "all messages")
    assert bob.texts() == ["before", "before", "goes on", "refused", "after"]
    assert bob.kinds("truncate", "leave") == [] and ann.ended == bob.tab.ended == ""


def test_two_chats(shards: Shards) -> None:
    """Two chats on the same servers hear each other in rooms of both, and in direct conversations wherever these
    and the people's own streams are."""
    first, second = shards.node(), shards.node()
    ann, bob = first.enter("ann", FIRST, SECOND), second.enter("bob", FIRST, SECOND)
    hears = Hearer(bob)
    for room in (FIRST, SECOND):
        assert bob.ask("join", room=room)["n"] == 2
        say(ann, room, room)
    people = [second.enter(f"p{n}") for n in range(6)]
    listening = [Hearer(tab) for tab in people]
    rooms = set()
    for number, tab in enumerate(people):
        answer = say(ann, f"@{tab.id}", f"psst {number}")
        assert code(answer) == "ok"
        rooms.add((partition_of(answer["room"]) < 128, partition_of(f"@{tab.id}") < 128))
    second.wait_for(
        lambda: len(hears.texts()) == 2 and all(each.texts() for each in listening), "all that was said"
    )
    assert sorted(hears.texts()) == sorted([FIRST, SECOND])
    assert [each.texts() for each in listening] == [[f"psst {number}"] for number in range(6)]
    assert {(True, False), (False, True)} & rooms  # some of them are not where the person's own stream is


def test_a_lease_for_each(shards: Shards) -> None:
    """A worker that has lost one server is gone from the rooms of that one, and there in those of the other."""
    first, second = shards.node(), shards.node()
    ann, bob = first.enter("ann", FIRST, SECOND), second.enter("bob", FIRST, SECOND)
    hears = Hearer(ann)
    first.wait_for(lambda: len(hears.kinds("enter")) == 2, "bob")
    lost, stays = second.store.raw.all[1], first.store.raw.all[1]
    lost.wire.stop()
    shards.servers[1].ask("ZREM", "cs:w", lost.bus.node)
    stays.bus.presence.beat()
    first.wait_for(lambda: hears.kinds("leave"), "the leave")
    assert [event["room"] for event in hears.kinds("leave")] == [SECOND]
    assert say(bob, FIRST, "still here")["seq"] == 1


def test_merged(shards: Shards) -> None:
    """Searches and lists of rooms are in one order over all servers, page by page without a repetition."""
    node = shards.node()
    ann = node.enter("ann", *OTHERS)
    for number in range(6):
        for room in OTHERS:
            say(ann, room, f"word {number}")
    names = [room["room"] for room in ann.ask("rooms")["rooms"]]
    assert [name for name in names if name in OTHERS] == list(OTHERS)[::-1]
    found: list[tuple[str, int]] = []
    before: dict[str, Any] = {}
    while True:
        page = ann.ask("search", q="word", limit=5, **before)
        found += [(hit["room"], hit["seq"]) for hit in page["hits"]]
        if page.get("next") is None:
            break
        before = {"before": page["next"]}
    assert found == [(room, seq) for seq in range(6, 0, -1) for room in list(OTHERS)[::-1]]


def test_what_is_promised_is_the_weakest(shards: Shards) -> None:
    """Hello tells the durability of the server that keeps least."""
    assert shards.node().enter("ann").greeting["durability"] == "disk"
    weak = shards.more("--appendfsync", "everysec")
    assert shards.node([shards.more(), weak]).enter("ann").greeting["durability"] == "process"


# --- which servers are refused ---


def test_the_same_server_twice(shards: Shards) -> None:
    """One server under two names is refused: its rooms would be divided among two that are one."""
    again = RedisServer.__new__(RedisServer)
    again.__dict__ |= shards.servers[0].__dict__
    link = shards.servers[0].directory / "again.sock"
    link.symlink_to(shards.servers[0].socket)
    again.socket = link
    assert "it is the same server as" in refused(lambda: shards.node([shards.servers[0], again]))


def test_other_ranges_than_others_have(shards: Shards) -> None:
    """A worker that divides the rooms in another way than those that run is refused, and so is one that knows a
    part of the servers only."""
    shards.node()
    assert "others use these servers" in refused(lambda: shards.node(ranges=["0-99", "100-255"]))
    assert "others use these servers" in refused(lambda: Node(shards.servers[0], "alone"))


def test_rooms_in_another_place(shards: Shards) -> None:
    """Rooms that are not where the map has them are not thought empty: the start is refused and says which."""
    shards.node().stop()
    why = refused(lambda: shards.node(ranges=["0-99", "100-255"]))
    assert (
        f"partitions 100-127 are at {shards.servers[0].socket}" in why.replace("unix:", "") and "move them" in why
    )
    for partition in range(100, 128):
        move(partition, *shards.servers)
    shards.node(ranges=["0-99", "100-255"]).stop()
    assert "partitions 100-127 are at" in refused(shards.node)


def test_a_copy_that_stayed(shards: Shards) -> None:
    """A partition on two servers is refused, whichever of them is right."""
    shards.node().stop()
    shards.servers[1].ask("SET", "cs:{7}:id", "a copy")
    assert "partitions 7 are at" in (why := refused(shards.node)) and "remove the copy" in why


def test_a_server_that_was_left_out(shards: Shards) -> None:
    """Servers that are not named any more may not have rooms that nobody would find."""
    third = shards.more()
    shards.node([*shards.servers, third]).stop()
    why = refused(lambda: shards.node(ranges=["0-85,171-255", "86-170"]))
    assert "partitions 171-255 were on a server that --store does not name any more" in why
    for partition in range(171, 256):
        move(partition, third, shards.servers[0])
    shards.node(ranges=["0-85,171-255", "86-170"])


def test_the_first_stays_the_first(shards: Shards) -> None:
    """Accounts and the key that signs tokens are on the first server alone: another order is refused, to start and
    to divide, and so is leaving the first one out when it has no rooms any more."""
    first, second = shards.servers
    a, b = first.url, second.url
    shards.node().stop()
    assert f"name the Redis at {a} first" in refused(
        lambda: shards.node([second, first], ranges=["128-255", "0-127"])
    )
    assert f"name the Redis at {a} first" in refused(lambda: divide_store(f"0-99={b} 100-255={a}", str))
    fresh = shards.more()
    new_first = refused(lambda: shards.node([fresh, *shards.servers], ranges=["none", "0-127", "128-255"]))
    assert f"name the Redis at {a} first" in new_first
    assert divide_store(f"none={a} 0-255={b}", str) == 128
    for left_out in (
        refused(lambda: Node(second, "alone")),
        refused(lambda: divide_store(f"{b} {fresh.url}", str)),
    ):
        assert f"the Redis at {b} was not the first" in left_out
    shards.node(ranges=["none", "0-255"]).stop()
    second.ask("DEL", "cs:shards")
    Node(second, "alone").stop()


def test_all_is_lost(shards: Shards) -> None:
    """A server that loses everything has other ids for its partitions afterwards, though the same worker comes
    back to it: numbers that were given before are not good for what is said after."""
    node, second = shards.node(), shards.servers[1]
    before = second.ask("GET", "cs:{247}:id")
    second.ask("FLUSHALL")
    connected = node.store.raw.all[1]._asking.identity
    second.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    node.wait_for(lambda: second.ask("EXISTS", "cs:{247}:id"), "the next greeting")
    node.wait_for(lambda: node.is_up, "the connection")
    assert node.store.raw.all[1]._asking.identity == connected
    assert second.ask("GET", "cs:{247}:id") != before


def test_an_empty_server_in_the_place_of_another(shards: Shards) -> None:
    """A server that is empty where one had rooms is refused, until somebody says that they are lost."""
    shards.node().stop()
    other = shards.more()
    changed = [shards.servers[0], other]
    assert "is empty, though it had partitions 128-255" in refused(lambda: shards.node(changed))
    shards.servers[0].ask("DEL", "cs:shards")
    shards.node(changed)


def test_divided_anew_while_one_was_away(shards: Shards) -> None:
    """A worker that was cut off while the rooms were divided anew does not come back with the old map."""
    node, ann, _ = shards.two_people()
    for server in shards.servers:
        server.kill9()
    node.wait_for(lambda: node.store.raw.away == ("0", "1"), "the loss")
    for server in shards.servers:
        server.start()
        server.ask("SET", "cs:shards", "0 0-99 100-255")
    for _ in range(20):
        node.pump.run_one(0.05)
    assert not node.is_up and code(say(ann, FIRST, "to the wrong one")) == "unavailable"


# --- moving ---


def test_positions_are_good_after_a_move(shards: Shards) -> None:
    """A partition on another server: whoever was away goes on exactly where it was, under a new epoch."""
    node, ann, bob = shards.two_people()
    say(ann, SECOND, "the last word")
    position = {"epoch": ann.greeting["rooms"][SECOND]["epoch"], "seq": 1}
    node.wait_for(lambda: "the last word" in bob.texts(), "the message")
    node.stop()
    third = shards.more()
    servers = [*shards.servers, third]
    ranges = ["0-127", "128-246,248-255", "247"]
    store = " ".join(f"{one}={server.url}" for one, server in zip(ranges, servers, strict=True))
    told: list[str] = []
    assert divide_store(store, told.append) == 1 and len(told) == 1 and "partitions 247 moved" in told[0]
    assert divide_store(store, told.append) == 0
    assert shards.servers[1].ask("KEYS", "cs:{247}:*") == []
    node = shards.node(servers, ranges=ranges)
    ann = node.enter("ann")
    joined = ann.ask("join", room=SECOND, since=position)
    assert joined["recovered"] and joined["epoch"] != position["epoch"]
    assert [event["text"] for event in joined["events"]] == ["the last word"]
    assert say(ann, SECOND, "and on")["seq"] == 3
    assert b"cs:{247}:m:lobby" in third.ask("KEYS", "cs:{247}:m:*")


def test_moving_is_cut_off(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever moving is cut off, nobody starts on half of it, and the next run brings it to its end."""
    node, ann, _ = shards.two_people()
    assert say(ann, SECOND, "kept", cid="c")["seq"] == 2
    node.stop()
    store = f"{shards.servers[0].url} none={shards.servers[1].url}".replace("unix:", "0-255=unix:", 1)
    left = 0
    ask_all = _Server.ask_all

    def cut(self: _Server, commands: Sequence[Sequence[Any]]) -> list[Any]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Lost("cut")
        return ask_all(self, commands)

    monkeypatch.setattr(_Server, "ask_all", cut)
    for calls in range(100, 2000, 90):
        left = calls
        try:
            divide_store(store, str)
        except LogError as error:
            assert "goes on when it is run again" in str(error)
            for server in shards.servers:
                server.ask("DEL", "cs:w")
            if shards.servers[1].ask("KEYS", "cs:{*"):
                assert "partitions" in refused(lambda: shards.node(ranges=["0-255", "none"]))
        else:
            break
    else:
        raise AssertionError("it does not come to an end")
    assert shards.servers[1].ask("KEYS", "cs:{*") == []
    shards.node(ranges=["0-255", "none"]).stop()
    node = shards.node(shards.servers[:1])
    ann = node.enter("ann", SECOND)
    again = say(ann, SECOND, "kept", cid="c")
    assert again.get("dup"), again
    assert [event["text"] for event in ann.ask("events", room=SECOND, after=0)["events"]] == ["before", "kept"]


def test_moving_needs_rest(shards: Shards) -> None:
    """While a chat runs nothing is moved; nor is a partition that is on both servers."""
    store = f"0-99={shards.servers[0].url} 100-255={shards.servers[1].url}"
    node = shards.node()
    with pytest.raises(LogError, match="stop all of them first"):
        divide_store(store, str)
    node.stop()
    shards.servers[1].ask("SET", "cs:{100}:id", "a copy")
    with pytest.raises(LogError, match="partition 100 is at"):
        divide_store(store, str)
